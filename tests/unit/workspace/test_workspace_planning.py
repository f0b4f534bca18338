"""What a plan costs: few shots, two stages, grids of heads, and memory that does not suffice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medfm_gui.base.settings import Settings
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain import events as ev
from medfm_gui.domain.run import PreflightSpec
from medfm_gui.workspace import data, planning
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.planning import PlanCost, RunCost
from medfm_gui.workspace.training import TrainRequest

MODEL = "efficientnet-lite0"  # its weights come with a package
PER_CLASS = 20
FORWARD_S, TRAIN_S, FIT_S = 0.5, 2.0, 60.0


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("planning")
    noise = np.random.default_rng(7)
    for side in ("benign", "malignant"):
        (folder / "images" / side).mkdir(parents=True)
        for number in range(PER_CLASS):
            pixels = noise.integers(0, 255, (20, 20), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / side / f"{number}.png")
    with open_workspace(folder / "ws", settings=Settings()) as workspace:
        data.import_dataset(workspace, "folder", folder / "images", ImportOptions(), name="noise")
        data.make_split(workspace, "noise", SplitRequest())
        yield workspace


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[PreflightSpec]:
    """What a worker was asked to measure; it answers with the numbers above."""
    asked: list[PreflightSpec] = []

    def answer(spec: PreflightSpec, *, folder: Path, on_event: Any) -> list[ev.Event]:
        asked.append(spec)
        facts = {
            "device": "cpu", "forward_s": str(FORWARD_S), "train_s": str(TRAIN_S), "fit_s": str(FIT_S), "load_s": "0",
            "memory_bytes": "1000", "trained_parameters": "10", "images": "40", "missing": "40", "batches": "2",
            "parts": "8",
        }  # fmt: skip
        return [ev.Answered(0.0, facts)]

    monkeypatch.setattr(planning, "run_errand", answer)
    return asked


def _cost(workspace: Workspace, *requests: TrainRequest) -> PlanCost:
    return planning.preflight(
        workspace, requests, on_progress=lambda *_: None, on_part=lambda _: None, is_stopped=lambda: False
    )


def _request(adapt: str, **more: Any) -> TrainRequest:
    return TrainRequest("noise", (MODEL,), (adapt,), split="noise-s1", **more)


def _sizes(workspace: Workspace) -> tuple[int, int]:
    (split,) = data.splits_of(workspace, "noise-s1")
    return split.sizes["train"], split.sizes["val"]


def _seconds(run: RunCost) -> float:
    assert run.seconds is not None
    return run.seconds


def test_a_few_shots_cost_what_they_show(workspace: Workspace, measured: list[PreflightSpec]) -> None:
    train, val = _sizes(workspace)
    settings = {"epochs": "3"}
    cost = _cost(workspace, _request("full", shots=(1, 4, None), settings=settings))
    assert [run.shots for run in cost.runs] == [1, 4, None]
    assert [spec.draft.shots for spec in measured] == [None], "one measurement for all of them, of full batches"
    one, four, every = (_seconds(run) for run in cost.runs)
    assert four - one == pytest.approx(3 * (8 - 2) * TRAIN_S)
    assert every == pytest.approx(3 * (train * TRAIN_S + val * FORWARD_S) + val * FORWARD_S, abs=0.5)
    assert one == pytest.approx(3 * 2 * TRAIN_S + val * FORWARD_S, abs=0.5), "validation is scored once, at the end"
    assert [run.images for run in cost.runs] == [2 + val, 8 + val, train + val]


def test_few_shots_that_select_on_validation_look_at_it_each_epoch(
    workspace: Workspace, measured: list[PreflightSpec]
) -> None:
    _, val = _sizes(workspace)
    settings = {"epochs": "3"}
    fixed, selected = (
        _seconds(_cost(workspace, _request("full", shots=(1,), settings={**settings, **more})).runs[0])
        for more in ({}, {"shot_tuning": "validation"})
    )
    assert selected - fixed == pytest.approx(3 * val * FORWARD_S, abs=0.5)


def test_a_probe_of_few_shots_is_fitted_in_proportion(workspace: Workspace, measured: list[PreflightSpec]) -> None:
    train, val = _sizes(workspace)
    every, few = _cost(workspace, _request("linear", shots=(None, 1))).runs
    assert _seconds(every) == pytest.approx((train + val) * FORWARD_S + FIT_S, abs=0.5)
    assert few.images_known == few.images == val + 2, "all features were made for the run before"
    assert _seconds(few) == pytest.approx(FIT_S * 2 / train, abs=0.5)


def test_a_second_stage_trains_on_both_sides(workspace: Workspace, measured: list[PreflightSpec]) -> None:
    train, val = _sizes(workspace)
    one, two = (
        _seconds(_cost(workspace, _request("full", settings={"epochs": "2", "protocol": protocol})).runs[0])
        for protocol in ("single-stage", "two-stage")
    )
    assert two - one == pytest.approx(2 * (train + val) * TRAIN_S, abs=0.5)


def test_what_memory_made_of_a_batch_is_told(workspace: Workspace, measured: list[PreflightSpec]) -> None:
    (run,) = _cost(workspace, _request("full", settings={"accumulate": "4"})).runs
    assert run.parts == 2, "eight parts where four were asked for"


def test_of_a_grid_the_training_of_its_heads_is_not_known(workspace: Workspace, measured: list[PreflightSpec]) -> None:
    cost = _cost(workspace, _request("linear"), _request("linear-grid"))
    assert [run.is_fit_known for run in cost.runs] == [True, False]
    assert [spec.draft.adapt for spec in measured] == ["linear"], "they read the same features"


def test_other_preprocessing_is_other_work(workspace: Workspace, measured: list[PreflightSpec]) -> None:
    _cost(workspace, _request("knn"), _request("knn", settings={"channels": "sum"}))
    assert len(measured) == 2
