"""What a prediction shows: calibrated probability and threshold, the spread over seeds, sets of classes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.cli.cases import beside_test
from medfm_gui.datasets.split import SplitRequest
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import Calibrator
from medfm_gui.domain.split import Partition
from medfm_gui.metrics.conformal import PROMISE
from medfm_gui.metrics.recalibration import calibrated_threshold
from medfm_gui.workspace import prediction, training
from medfm_gui.workspace.class_sets import COVERAGE, LEVEL, SIZE, limits_of, sets_on_test
from medfm_gui.workspace.displayed import (
    NOT_CALIBRATED,
    UNLIKE,
    class_set,
    displayed,
    pooled_scores,
    probabilities,
    spread,
    with_other_seeds,
)
from medfm_gui.workspace.evaluating import calibrator, operating_point
from medfm_gui.workspace.export import export_predictions, predictions_table
from medfm_gui.workspace.external import import_predictions
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.prediction_units import Frame, Unit
from medfm_gui.workspace.verifying_files import verify
from tests.fixtures.opened import drawn_dataset, keep_scores, opened_run

PLATT = Calibrator("platt", 0.5, -0.4, "val", "image", 60, "also used for model selection")
GRADES = ("none", "mild", "severe")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SimpleNamespace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 300)
        run = opened_run(workspace, dataset)
        yield SimpleNamespace(workspace=workspace, dataset=dataset, run=run)


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with open_workspace(tmp_path_factory.mktemp("grades") / "ws", settings=Settings()) as workspace:
        request = SplitRequest(ratios="50/10/20/20")
        dataset = drawn_dataset(workspace, 1200, task=Task.MULTICLASS, classes=GRADES, request=request)
        runs = tuple(opened_run(workspace, dataset, seed=seed) for seed in range(3))
        keep_scores(workspace, dataset, runs[0], Partition.CAL)
        yield SimpleNamespace(workspace=workspace, dataset=dataset, runs=runs)


def _view(workspace: Workspace, run: str) -> training.RunView:
    return training.view(workspace, run)


def test_probability_threshold_and_decision_are_on_one_scale(place: SimpleNamespace) -> None:
    view = _view(place.workspace, place.run)
    plain = displayed(view, (0.4, 0.6))
    assert plain.calibrated == {} and plain.calibration_note == NOT_CALIBRATED
    assert plain.threshold == plain.score_threshold
    wire.write(view.folder / "calibrator.json", PLATT)
    point = operating_point(view.folder)
    assert point is not None
    for score in (*np.linspace(0.001, 0.999, 41), point.threshold):
        said = displayed(view, (1 - score, score))
        shown = said.calibrated["with"]
        assert shown == pytest.approx(1 / (1 + np.exp(-(0.5 * np.log(score / (1 - score)) - 0.4))))
        assert said.threshold is not None and said.score_threshold == point.threshold
        assert said.decision == ("with" if score >= point.threshold else "without")
        assert (shown >= said.threshold) == (said.decision == "with")
    assert "Platt's line on 60 images of validation, also used for model selection" in said.calibration_note
    assert calibrated_threshold(float(np.nextafter(1.0, 2.0)), PLATT) > 1, "calls nothing positive, still"
    assert np.isnan(probabilities(view, (float("nan"), float("nan")))).all()


def test_a_calibrator_that_would_turn_scores_round_is_no_calibrator(place: SimpleNamespace) -> None:
    view = _view(place.workspace, place.run)
    assert calibrator(view.folder) is None
    wire.write(view.folder / "calibrator.json", replace(PLATT, slope=-1.0))
    with pytest.raises(InputError, match="calibrator"):
        calibrator(view.folder)


def test_exports_carry_scores_and_probabilities_and_old_ones_still_verify(
    place: SimpleNamespace, tmp_path: Path
) -> None:
    view = _view(place.workspace, place.run)
    head = predictions_table(place.workspace, place.run, "test", both_scales=True).splitlines()[0]
    assert head == "sample,patient,subset,label,without,with,score_without,score_with"
    wire.write(view.folder / "calibrator.json", PLATT)
    out, _ = export_predictions(place.workspace, place.run, "test", tmp_path / "p.csv", both_scales=True)
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    for row in rows[:20]:
        assert row["with"] == row["score_with"]
        assert float(row["prob_with"]) == pytest.approx(probabilities(view, (0.0, float(row["with"])))[1], rel=1e-6)
        assert float(row["prob_with"]) + float(row["prob_without"]) == pytest.approx(1, abs=1e-8)
    made = import_predictions(place.workspace, out, name="again", dataset_id=place.dataset.id)
    assert made.test.evaluations[0].value is not None
    assert verify(place.workspace, str(out)).ok
    old = tmp_path / "old.csv"
    text = predictions_table(place.workspace, place.run, "test")
    old.write_text(text.replace("0.5", "0.6", 1), encoding="utf-8")
    found = verify(place.workspace, str(old))
    assert not found.ok and len(found.differences) <= 2, "an old table is compared with an old table"


def test_the_spread_is_that_of_trainings_that_differ_in_their_seed(grades: SimpleNamespace) -> None:
    assert with_other_seeds(grades.workspace, grades.runs[:1]) == grades.runs
    views = [_view(grades.workspace, run) for run in grades.runs]
    unit = Unit("a.png", (Frame(Path("a.png")),))
    scores = [(0.2, 0.3, 0.5), (0.3, 0.3, 0.4), (0.1, 0.2, 0.7)]
    said = [prediction._prediction(unit, view, one, 1, None) for view, one in zip(views, scores, strict=True)]
    for one in prediction._with_spread(said, views):
        assert one.seeds == 3 and one.spread["severe"] == (0.4, 0.7) and one.decision == "severe"
    (alone,) = prediction._with_spread(said[:1], views[:1])
    assert alone.seeds == 0 and alone.spread == {} and spread([]) == {}
    old = wire.encode(said[0]).replace(b'"spread"', b'"unknown_then"')
    assert b"unknown_then" in old


def test_a_prediction_of_an_earlier_version_can_be_read() -> None:
    text = b'{"source":"a","run":"r1","classes":{"ill":0.9},"decision":"ill","threshold":0.5}'
    found = wire.decode(prediction.StudyPrediction, text, what="x")
    assert found.calibrated == {} and found.spread == {} and found.class_set == () and found.score_threshold is None


def test_sets_of_classes_and_when_they_are_hidden(grades: SimpleNamespace) -> None:
    limits = limits_of(grades.workspace, _view(grades.workspace, grades.runs[0]))
    assert limits.quantiles is not None and limits.quantiles.level == LEVEL and PROMISE in limits.note
    assert limits.quantiles.fitted_on == "cal" and sum(limits.quantiles.n) <= 120, "one image a patient"
    found, note = class_set(limits, (0.05, 0.05, 0.9), GRADES, pooled=1, is_unlike=False)
    assert found == ("severe",) and note == limits.note
    both, _ = class_set(limits, (0.02, 0.49, 0.49), GRADES, pooled=1, is_unlike=False)
    assert both == ("mild", "severe")
    assert class_set(limits, (0.05, 0.05, 0.9), GRADES, pooled=1, is_unlike=True) == ((), UNLIKE)
    assert class_set(limits, (float("nan"),) * 3, GRADES, pooled=1, is_unlike=False) == ((), UNLIKE)
    assert "mean of 7 images" in class_set(limits, (0.05, 0.05, 0.9), GRADES, pooled=7, is_unlike=False)[1]
    none = limits_of(grades.workspace, _view(grades.workspace, grades.runs[1]))
    assert none.quantiles is None and class_set(none, (1, 0, 0), GRADES, pooled=1, is_unlike=False)[0] == ()


def test_coverage_on_the_test_by_class(grades: SimpleNamespace) -> None:
    (one,) = sets_on_test(grades.workspace, grades.runs[:1])
    covered = {row.label: row for row in one.evaluations if row.metric == COVERAGE}
    assert set(covered) == set(GRADES)
    for row in covered.values():
        assert row.low is not None and row.high is not None and row.low <= (row.value or 0) <= row.high
        assert (row.value or 0) > 0.6 and row.parameters["level"] == "0.9"
    size = next(row.value for row in one.evaluations if row.metric == SIZE)
    assert size is not None and 1 <= size <= 3
    document, lines, tables = beside_test(grades.workspace, grades.runs[:1], class_sets=True)
    assert document["class_sets"][0]["run"] == grades.runs[0] and PROMISE in lines[0] and len(tables) == 1
    assert beside_test(grades.workspace, grades.runs[:1], class_sets=None) == ({}, [], []), "off by default"


def test_two_classes_have_no_sets(place: SimpleNamespace) -> None:
    limits = limits_of(place.workspace, _view(place.workspace, place.run))
    assert limits.quantiles is None and "three classes" in limits.note
    (one,) = sets_on_test(place.workspace, (place.run,))
    assert one.evaluations == () and "three classes" in one.note


def test_few_calibration_cases_give_no_sets(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        dataset = drawn_dataset(workspace, 150, task=Task.MULTICLASS, classes=GRADES)
        run = opened_run(workspace, dataset)
        keep_scores(workspace, dataset, run, Partition.VAL)
        limits = limits_of(workspace, _view(workspace, run))
        assert limits.quantiles is None and "9 are needed" in limits.note


def test_several_images_are_one_score_by_the_rule_of_the_run(place: SimpleNamespace) -> None:
    rows = [(0.9, 0.1), (0.2, 0.8), (0.6, 0.4)]
    spec = training.view(place.workspace, place.run).spec
    assert pooled_scores(rows, spec) == pytest.approx([1.7 / 3, 1.3 / 3])
    highest = replace(spec, recipe=replace(spec.recipe, unit="patient", unit_score="max"))
    assert pooled_scores(rows, highest) == pytest.approx([0.2, 0.8]), "the image that speaks most for the event"
    assert pooled_scores(rows[:1], highest) == pytest.approx([0.9, 0.1])
    several = replace(highest, task=Task.MULTILABEL, positive=None)
    assert pooled_scores([(0.3, 0.1), (0.2, 0.8)], several) == pytest.approx([0.3, 0.8])
