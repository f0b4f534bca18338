"""Two stages: select on validation, train again on more, and say which numbers are whose."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.run import Phase, RunState, TrainSpec, fold
from medfm_gui.engine.protocol import Relay
from medfm_gui.engine.session import PauseRequested
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]
TWO = {"protocol": "two-stage", "epochs": 4}


def _results(events: Sequence[ev.Event]) -> dict[str, str]:
    return {event.name: event.sha256 for event in events if isinstance(event, ev.FileWritten)}


@pytest.mark.parametrize("adapt", ["knn", "linear", "linear-grid", "full"])
def test_the_second_stage_learns_from_validation_too(order: Order, adapt: str) -> None:
    once = list(run_training(*order(adapt, recipe={"epochs": 4})))
    spec, folder = order(adapt, recipe=TWO)
    twice = list(run_training(spec, folder))
    one, two = once[-1], twice[-1]
    assert isinstance(one, ev.RunFinished)
    assert isinstance(two, ev.RunFinished)
    assert _results(once)["predictions/val.npz"] == _results(twice)["predictions/val.npz"], "the first stage's"
    assert _results(once)["weights/head.safetensors"] != _results(twice)["weights/head.safetensors"]
    assert two.metrics["auc"] == one.metrics["auc"]
    assert "two stages" in two.facts["protocol"]
    assert two.labels_used == 20 + 11 + 9
    assert json.loads((folder / "operating_point.json").read_text())["fitted_on"] == "cal"
    curve = fold(RunState(), twice).curve
    assert [point.epoch for point in curve] == list(range(1, len(curve) + 1)), "epochs of the second count on"
    assert not (folder / "checkpoint").exists()


def test_neighbours_of_two_stages_are_all_images(order: Order) -> None:
    spec, folder = order("knn", recipe=TWO)
    list(run_training(spec, folder))
    assert len(json.loads((folder / "weights" / "head.json").read_text())["samples"]) == 31


def test_the_penalty_of_the_first_stage_is_taken(order: Order) -> None:
    events = list(run_training(*order("linear", recipe={**TWO, "epochs": 6})))
    points = [event for event in events if isinstance(event, ev.EpochFinished)]
    best = min(points[:6], key=lambda point: point.metrics["val_loss"] or 0)
    assert points[6].metrics["c"] == best.metrics["c"]
    assert "val_loss" not in points[6].metrics
    assert len(points) == 7


def test_without_calibration_images_there_is_no_threshold_and_it_is_said(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medfm_gui.domain.split import Partition
    from medfm_gui.engine import train
    from medfm_gui.engine.material import partitions_for_training as whole

    monkeypatch.setattr(train, "partitions_for_training", lambda *a: {**whole(*a), Partition.CAL: ()})
    spec, folder = order("linear", recipe=TWO)
    events = list(run_training(spec, folder))
    assert any("No threshold" in event.message for event in events if isinstance(event, ev.Warned))
    assert not (folder / "operating_point.json").exists()
    assert "predictions/cal.npz" not in _results(events)
    assert np.load(folder / "predictions" / "val.npz")["scores"].shape == (11, 2)


@pytest.mark.parametrize("adapt", ["linear", "full"])
@pytest.mark.parametrize("how", ["closed", "paused"])
def test_a_stop_in_either_stage_ends_in_the_same_bytes(order: Order, adapt: str, how: str) -> None:
    recipe = {**TWO, "epochs": 2}
    whole = list(run_training(*order(adapt, recipe=recipe)))
    for count in (len(whole) // 3, 2 * len(whole) // 3, len(whole) - 6):
        spec, folder = order(adapt, recipe=recipe)
        work = run_training(spec, folder)
        said = list(itertools.islice(work, count))
        if how == "closed":
            work.close()
        else:
            with pytest.raises(PauseRequested):
                work.throw(PauseRequested())
        rest = list(run_training(spec, folder))
        assert _results(rest) == _results(whole)
        state = fold(RunState(), [*said, *rest])
        assert state.phase is Phase.FINISHED
        assert [point.epoch for point in state.curve] == list(range(1, len(state.curve) + 1))


def test_few_shots_and_all_validation_images_exclude_each_other(order: Order) -> None:
    with pytest.raises(UsageError, match="second stage"):
        list(run_training(*order("linear", shots=2, recipe=TWO)))


def test_a_relay_hands_down_what_is_thrown() -> None:
    heard: list[str] = []

    def work() -> Generator[ev.Event, None, Any]:
        try:
            yield ev.EpochFinished(0, 1, 2, {})
        except PauseRequested as pause:
            pause.epoch = 1
            raise
        except ValueError:
            heard.append("value")
            yield ev.RunResumed(0, 3)
        return "done"

    told = Relay(10).told(work())
    first = next(told)
    assert isinstance(first, ev.EpochFinished)
    assert (first.epoch, first.epochs) == (11, 12)
    resumed = told.throw(ValueError())
    assert isinstance(resumed, ev.RunResumed)
    assert resumed.epoch == 13
    assert heard == ["value"]
    with pytest.raises(StopIteration) as end:
        next(told)
    assert end.value.value == "done"
    other = Relay(10).told(work())
    next(other)
    with pytest.raises(PauseRequested) as paused:
        other.throw(PauseRequested())
    assert paused.value.epoch == 11
