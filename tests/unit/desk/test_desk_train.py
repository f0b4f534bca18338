"""Questions of the train wizard: what a plan costs, all runs or none, and an order read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medfm_gui.base import wire
from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import Settings
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.desk.answers.train import ENTRIES
from medfm_gui.desk.asks.train import AddModel, CreateRuns, ListModels, Preflight, RunSpecOf, ThresholdRulesOf
from medfm_gui.desk.protocol import Ask, decode_ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import Interrupted, OutOfMemory, UsageError, WeightsAbsent
from medfm_gui.domain.run import PreflightSpec
from medfm_gui.workspace import data, planning
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.planning import PlanCost
from medfm_gui.workspace.training import TrainRequest

MODEL = "efficientnet-lite0"  # its weights come with a package
OTHER = "efficientnet-lite1"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("plans")
    noise = np.random.default_rng(3)
    for side in ("benign", "malignant"):
        (folder / "images" / side).mkdir(parents=True)
        for number in range(12):
            pixels = noise.integers(0, 255, (20, 20), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / side / f"{number}.png")
    with open_workspace(folder / "ws", settings=Settings()) as workspace, Room(workspace) as room:
        data.import_dataset(workspace, "folder", folder / "images", ImportOptions(), name="noise")
        data.make_split(workspace, "noise", SplitRequest())
        data.make_split(workspace, "noise", SplitRequest(folds=3))
        yield room


class Worker:
    """Answers in the place of a worker: two milliseconds a sample, ten a trained one."""

    def __init__(self) -> None:
        self.measured: list[PreflightSpec] = []
        self.missing = 21
        self.fails: Exception | None = None

    def __call__(self, spec: PreflightSpec, *, folder: Path, on_event: Any) -> list[ev.Event]:
        self.measured.append(spec)
        on_event(ev.Beat(0.0))
        if (folder / "request").exists():
            raise Interrupted("The work was stopped before it was done.", "Start it again.")
        if self.fails is not None:
            raise self.fails
        tunes = spec.draft.adapt == "full"
        facts = {
            "device": "cpu", "forward_s": "0.002", "train_s": "0.01" if tunes else "0.0", "fit_s": "0.5",
            "load_s": "1.0", "memory_bytes": "900000000", "trained_parameters": "3373570" if tunes else "2562",
            "images": "21", "missing": str(self.missing), "batches": "4",
        }  # fmt: skip
        return [ev.RunStarted(0.0, "cpu"), ev.Answered(0.0, facts), ev.RunFinished(0.0, {}, seconds=-2.0)]


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    worker = Worker()
    monkeypatch.setattr(planning, "run_errand", worker)
    return worker


def _request(adapt: str = "linear", **more: Any) -> TrainRequest:
    return TrainRequest(**{"dataset": "noise", "models": (MODEL,), "adapts": (adapt,), "split": "noise-s1", **more})


def _asked(room: Room, ask: Ask[Any], told: Told | None = None) -> Any:
    again = decode_ask(type(ask), wire.encode(ask))
    return ENTRIES[type(ask)].answer(room, again, told or Told(lambda *_: None))


def test_every_model_is_offered_with_the_state_of_its_weights(room: Room) -> None:
    models = {model.card.name: model for model in _asked(room, ListModels()).models}
    assert models[MODEL].weights.state == "bundled"
    assert len(models) > 10


def test_frozen_work_is_measured_once_for_all_ways_and_seeds(room: Room, worker: Worker) -> None:
    cost = _asked(room, Preflight((_request("knn", seeds=(0, 1)), _request("linear"))))
    assert [spec.draft.adapt for spec in worker.measured] == ["linear"]
    sizes = [run.images for run in cost.runs]
    assert len(cost.runs) == 3
    first, second, probe = cost.runs
    assert first.images_known == 0
    assert second.images_known == second.images == sizes[0]
    assert first.seconds == pytest.approx(3.0 + sizes[0] * 0.002, abs=0.2)
    assert second.seconds == pytest.approx(3.0, abs=0.05)
    assert probe.seconds == pytest.approx(3.5, abs=0.05)
    assert (probe.trained_parameters, probe.disk_bytes) == (1281 * 2, 1281 * 2 * 4)
    assert first.disk_bytes == sizes[0] * 1280 * 4
    assert cost.seconds == pytest.approx(9.5 + sizes[0] * 0.002, abs=0.2)
    assert cost.memory_bytes == 900_000_000
    assert cost.is_measured


def test_features_in_the_bank_cost_nothing(room: Room, worker: Worker) -> None:
    worker.missing = 0
    (run,) = _asked(room, Preflight((_request("knn"),))).runs
    assert run.images_known == run.images
    assert run.seconds == pytest.approx(3.0, abs=0.05)
    assert run.disk_bytes == 0


def test_folds_look_at_an_image_once(room: Room, worker: Worker) -> None:
    cost = _asked(room, Preflight((_request("knn", split="noise-s2"),)))
    assert [run.fold for run in cost.runs] == [1, 2, 3]
    assert sum(run.images - run.images_known for run in cost.runs) == 24  # every image, and none twice
    assert len(worker.measured) == 1


def test_fine_tuning_costs_its_epochs_and_a_checkpoint(room: Room, worker: Worker) -> None:
    (run,) = _asked(room, Preflight((_request("full", settings={"epochs": "4"}),))).runs
    (split,) = data.splits_of(room.workspace, "noise-s1")
    train, val = split.sizes["train"], split.sizes["val"]
    assert run.seconds == pytest.approx(3.0 + 4 * (train * 0.01 + val * 0.002) + val * 0.002, abs=0.2)
    assert run.disk_bytes == 3373570 * 4
    assert run.disk_more_bytes == 5 * run.disk_bytes


def test_what_is_known_is_not_measured_again(room: Room, worker: Worker) -> None:
    requests = (_request("linear"), _request("full"))
    first = _asked(room, Preflight(requests))
    assert len(worker.measured) == 2
    second = _asked(room, Preflight(requests, first.measurements))
    assert replace(second, disk_free_bytes=first.disk_free_bytes) == first
    assert len(worker.measured) == 2
    smaller = (_request("linear"), _request("full", settings={"batch_size": "4"}))
    _asked(room, Preflight(smaller, first.measurements))
    assert [spec.draft.recipe.batch_size for spec in worker.measured[2:]] == [4]


def test_costs_come_in_parts_with_progress(room: Room, worker: Worker) -> None:
    heard: list[tuple[str, Any]] = []
    told = Told(lambda kind, value: heard.append((kind, value)))
    _asked(room, Preflight((_request("linear", models=(MODEL, OTHER)),)), told)
    parts = [value for kind, value in heard if kind == "part"]
    assert [len(part.measurements) for part in parts] == [0, 1, 2]
    assert all(isinstance(part, PlanCost) and part.to_measure == 2 for part in parts)
    assert parts[0].seconds is None
    assert any(kind == "progress" and "EfficientNet" in value.text for kind, value in heard)


def test_one_that_cannot_be_measured_spares_the_others(room: Room, worker: Worker) -> None:
    worker.fails = OutOfMemory("There is not enough memory for this work.", "Use a smaller batch.")
    cost = _asked(room, Preflight((_request("full"),)))
    assert cost.runs[0].problem == "There is not enough memory for this work."
    assert cost.runs[0].hint == "Use a smaller batch."
    assert cost.seconds is None
    assert cost.is_measured


def test_measuring_stops_when_nobody_waits(room: Room, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(lambda *_: None)
    real = worker.__call__

    def stopped(spec: PreflightSpec, *, folder: Path, on_event: Any) -> list[ev.Event]:
        told.stopped.set()
        return real(spec, folder=folder, on_event=on_event)

    monkeypatch.setattr(planning, "run_errand", stopped)
    with pytest.raises(Interrupted):
        _asked(room, Preflight((_request("full"),)), told)


def test_all_runs_are_made_or_none(room: Room) -> None:
    before = len(list((room.workspace.root / "runs").iterdir()))
    with pytest.raises(WeightsAbsent):
        _asked(room, CreateRuns((_request("linear"), _request("linear", models=("dinov2-s",)))))
    with pytest.raises(UsageError):
        _asked(room, CreateRuns((_request("linear"), _request("full", settings={"lr": "x"}))))
    assert len(list((room.workspace.root / "runs").iterdir())) == before
    made = _asked(room, CreateRuns((_request("linear", seeds=(0, 1)), _request("full", from_scratch=True))))
    assert len(made.runs) == 3
    assert len(list((room.workspace.root / "runs").iterdir())) == before + 3


def test_an_order_is_read_back_in_the_wizards_words(room: Room) -> None:
    changed = {"epochs": "7", "lr": "3e-05", "patience": "3", "augment": "no"}
    request = _request("full", split="noise-s2", seeds=(5,), settings=changed, from_scratch=True, device="cpu")
    run = _asked(room, CreateRuns((request,))).runs[1]
    order = _asked(room, RunSpecOf(run))
    assert (order.dataset, order.split, order.model, order.adapt) == ("noise", "noise-s2", MODEL, "full")
    assert (order.seed, order.device, order.from_scratch) == (5, "cpu", True)
    assert dict(order.settings) == changed


def test_the_rule_of_an_order_is_read_back_where_somebody_chose_it(room: Room) -> None:
    def made(**more: Any) -> str:
        run: str = _asked(room, CreateRuns((_request("knn", **more),))).runs[0]
        return run

    default, chosen = made(), made(settings={"threshold_rule": "cost:5"})
    assert [_asked(room, RunSpecOf(run)).threshold_rule for run in (default, chosen)] == ["", "cost:5"]
    assert "threshold_rule" not in _asked(room, RunSpecOf(chosen)).settings
    known = _asked(room, ThresholdRulesOf("noise", "noise-s1"))
    assert (known.promised, known.last, known.run) == ("", "cost:5", chosen)
    path = room.workspace.run(default) / "spec.json"
    for rule, told in (("youden", ""), ("sensitivity:0.9", "sensitivity:0.9")):  # of an earlier version
        order = json.loads(path.read_text())
        order.pop("threshold_from", None)
        order["recipe"]["threshold_rule"] = rule
        path.write_text(json.dumps(order))
        assert _asked(room, RunSpecOf(default)).threshold_rule == told


def test_a_few_shot_order_is_read_back(room: Room) -> None:
    request = _request("linear", shots=(4, None), seeds=(2,), settings={"shot_tuning": "inner-cv"})
    few, every = (_asked(room, RunSpecOf(run)) for run in _asked(room, CreateRuns((request,))).runs)
    assert (few.shots, every.shots) == (4, None)
    assert (few.seed, dict(few.settings)) == (2, {"shot_tuning": "inner-cv"})


def test_an_order_by_a_preset_is_read_back_without_its_settings(room: Room) -> None:
    request = _request("linear-grid", preset="study-b", settings={"epochs": "3"})
    (run,) = _asked(room, CreateRuns((request,))).runs
    order = _asked(room, RunSpecOf(run))
    assert (order.preset, dict(order.settings)) == ("study-b", {"epochs": "3"})


def test_a_model_of_timm_is_added_by_its_own_name(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    from medfm_gui.workspace import models

    wanted: list[str] = []

    def card_of(name: str) -> Any:
        wanted.append(name)
        return read_plugins().card(MODEL)

    monkeypatch.setattr(models, "card_of", card_of)
    for typed in ("convnext_tiny", " timm:convnext_tiny "):
        assert _asked(room, AddModel(typed)).name == MODEL
    assert wanted == ["timm:convnext_tiny"] * 2
    with pytest.raises(UsageError):
        _asked(room, AddModel("timm: ".strip()))
