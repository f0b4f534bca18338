"""The calibrator of a training: fixed with the threshold, on images that the model did not learn from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medfm_gui.base import wire
from medfm_gui.domain import events as ev
from medfm_gui.domain.evaluation import Calibrator
from medfm_gui.domain.run import TrainSpec
from medfm_gui.engine.train import run_training
from medfm_gui.metrics import recalibration

Order = Callable[..., tuple[TrainSpec, Path]]


@pytest.mark.parametrize(("data", "kind"), [("binary", "platt"), ("multiclass", "temperature"), ("multilabel", "")])
@pytest.mark.parametrize("protocol", ["single-stage", "two-stage"])
def test_a_calibrator_stands_beside_the_threshold(
    order: Order, monkeypatch: pytest.MonkeyPatch, data: str, kind: str, protocol: str
) -> None:
    monkeypatch.setattr(recalibration, "_FEWEST_A_CLASS", 1)
    spec, folder = order("linear", data=data, recipe={"epochs": 2, "protocol": protocol})
    written = {event.name for event in run_training(spec, folder) if isinstance(event, ev.FileWritten)}
    assert ("calibrator.json" in written) == (folder / "calibrator.json").exists()
    if "calibrator.json" in written:
        found = wire.read(Calibrator, folder / "calibrator.json")
        assert found.kind == kind and found.fitted_on in ("cal", "val") and found.slope > 0
        assert (found.note != "") == (found.fitted_on == "val")
    else:
        assert kind in ("", "platt"), "one temperature can always be fitted"


def test_too_few_images_give_none(order: Order) -> None:
    spec, folder = order("linear", data="multiclass", recipe={"epochs": 2})
    list(run_training(spec, folder))
    assert not (folder / "calibrator.json").exists()
