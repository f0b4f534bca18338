"""The planner: what n units promise, how many a wish needs, and what a sealed split tells of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from medfm_gui.base.settings import Settings
from medfm_gui.cli.app import app
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain.dataset import Statement
from medfm_gui.domain.errors import UsageError
from medfm_gui.metrics.newcombe import newcombe_auc
from medfm_gui.workspace import data, precision
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.precision import PlanRequest, plan
from medfm_gui.workspace.statements import state
from tests.fixtures.hostile import class_folders


def test_an_auc_has_newcombes_interval() -> None:
    found = plan(PlanRequest("auc", expected=0.9, n=150, events=50, sampling="consecutive"))
    assert (found.low, found.high) == pytest.approx(newcombe_auc(0.9, 50, 100, 0.95))
    assert (found.n, found.n_events, found.design_effect, found.notes) == (150, 50, 1.0, ())


@pytest.mark.parametrize("metric", precision.METRICS)
def test_the_smallest_n_is_the_smallest(metric: str) -> None:
    wish = PlanRequest(metric, prevalence=0.3, sd=0.15, half_width=0.06)
    found = plan(wish)
    assert found.half_width <= 0.06
    fewer = plan(PlanRequest(metric, prevalence=0.3, sd=0.15, n=found.n - 1))
    assert fewer.half_width > 0.06 or fewer.n_events != round(found.n * 0.3)


def test_calibration_has_a_slope_too() -> None:
    found = plan(PlanRequest("calibration", n=500, prevalence=0.2))
    assert found.metric == "observed / expected" and [one.metric for one in found.also] == ["calibration slope"]


def test_units_of_a_patient_are_worth_less() -> None:
    found = plan(PlanRequest("sensitivity", expected=0.9, n=200, events=100, units_per_patient=4, icc=0.3))
    assert found.design_effect == pytest.approx(1.9) and found.effective_n == pytest.approx(200 / 1.9)


@pytest.mark.parametrize(
    "wrong",
    [
        PlanRequest("f1", n=10, events=5),
        PlanRequest(n=100),
        PlanRequest(events=5),
        PlanRequest(n=10, events=5, prevalence=0.5),
        PlanRequest("dice", n=10),
        PlanRequest(n=10, events=5, sampling="convenient"),
        PlanRequest(n=10, events=5, units_per_patient=3),
        PlanRequest(n=10, prevalence=0.2, half_width=0.1),
        PlanRequest(n=10, prevalence=1.5),
        PlanRequest(events=5, half_width=0.1),
        PlanRequest(n=10, events=5, confidence=95),
        PlanRequest("calibration", n=100),
        PlanRequest("auc", expected=1.0, prevalence=0.5, half_width=0.1),
        PlanRequest("auc", prevalence=1e-7, half_width=0.001),
    ],
)
def test_what_cannot_be_planned_gets_a_sentence(wrong: PlanRequest) -> None:
    with pytest.raises(UsageError) as caught:
        plan(wrong)
    assert caught.value.hint


def test_a_sealed_split_tells_counts_and_no_labels(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "images", {"a": 12, "b": 8})
    with open_workspace(tmp_path / "w", settings=Settings()) as workspace:
        data.import_dataset(workspace, "folder", source, ImportOptions(), name="d")
        with pytest.raises(UsageError, match="not split yet"):
            plan(PlanRequest(), workspace=workspace, dataset="d")
        (split,) = data.make_split(workspace, "d", SplitRequest()).splits
        found = plan(PlanRequest(), workspace=workspace, split=split.id)
        dataset = data.read(workspace, "d")
    train = {item.sample for item in split.assignments if item.partition.value == "train"}
    positive = dataset.classes.index(dataset.positive or "")
    share = sum(one.target[0] == positive for one in dataset.samples if one.id in train) / len(train)
    assert found.n == split.sizes["test"] and found.n_events == round(found.n * share)
    assert any("its labels were not looked at" in note for note in found.notes)


def test_the_datasets_statement_says_how_cases_were_sampled(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "images", {"a": 20, "b": 20})
    with open_workspace(tmp_path / "w", settings=Settings()) as room:
        data.import_dataset(room, "folder", source, ImportOptions(), name="d")
        data.make_split(room, "d", SplitRequest())
        assert plan(PlanRequest(), workspace=room, dataset="d").sampling == "unknown"
        state(room, "d", Statement(sampling="enriched"))
        found = plan(PlanRequest(), workspace=room, dataset="d")
        assert found.sampling == "enriched" and "not stated" not in " ".join(found.notes[:1])
        own = plan(PlanRequest(sampling="case-control"), workspace=room, dataset="d")
        assert own.sampling == "case-control", "a person's own word comes first"


def test_dice_knows_of_no_events() -> None:
    said = CliRunner().invoke(app, ["plan", "--metric", "dice", "--n", "40", "--sd", "0.15"])
    assert said.exit_code == 0 and "on 40 units:" in said.output.replace("\n", " ") and "events" not in said.output
    area = CliRunner().invoke(app, ["plan", "--metric", "auc", "--n", "40", "--events", "20"])
    assert "with 20 events" in area.output.replace("\n", " ")
