"""The rows of an evaluation against scikit-learn, their intervals, methods and counts; and the metrics of an epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import Evaluation, OperatingPoint
from medfm_gui.metrics.evaluate import evaluate, headline, selection_score, validation_metrics
from medfm_gui.metrics.names import METHODS, METRICS, method_title, metric_title
from medfm_gui.metrics.scored import Scored

MakeScored = Callable[..., Scored]
Fail = Callable[[Scored, Sequence[int]], Scored]
POINT = OperatingPoint(0.45, "youden", "val", "image", "class 1", "also used for model selection")


def rows_of(scored: Scored, point: OperatingPoint | None = None, unit: str = "image") -> tuple[Evaluation, ...]:
    return evaluate(scored, run="r1", subset="test", unit=unit, point=point, sample_set="hash", code_version="0.1")


def values_of(rows: Sequence[Evaluation], label: str = "") -> dict[str, float]:
    return {row.metric: row.value for row in rows if row.label == label and row.value is not None}


TASKS = [(Task.BINARY, 2), (Task.MULTICLASS, 4), (Task.ORDINAL, 5), (Task.MULTILABEL, 3)]


@pytest.mark.parametrize(("task", "classes"), TASKS)
@pytest.mark.parametrize("images", [0, 1, 3])
def test_every_row_is_complete_and_within_its_interval(
    make_scored: MakeScored, task: Task, classes: int, images: int
) -> None:
    scored = make_scored(task, classes=classes, images=images, n=90)
    rows = rows_of(scored, POINT if task is Task.BINARY else None)
    assert rows[0].metric == headline(task) and not rows[0].label
    assert len({(row.metric, row.label) for row in rows}) == len(rows)
    for row in rows:
        assert row.metric in METRICS and row.method in METHODS and row.method != "not-estimable"
        assert row.value is not None and row.low is not None and row.high is not None
        assert {type(row.value), type(row.low), type(row.high)} == {float}
        assert row.low <= row.value <= row.high and row.low < row.high
        assert (row.run, row.subset, row.unit, row.sample_set, row.code_version) == (
            "r1",
            "test",
            "image",
            "hash",
            "0.1",
        )
        assert 0 < row.n <= 90
        assert (row.n_patients is None) == (images == 0)
        if images == 3:
            assert row.method in ("clustered-bootstrap", "wilson-patients", "newcombe-patients")
            assert row.n_patients is not None and row.n_patients <= 30
        else:
            assert not row.method.startswith("clustered")
        assert row.note == "" or row.note[0] != ";"
    assert rows == rows_of(scored, POINT if task is Task.BINARY else None)


def test_binary_numbers_are_scikit_learns(make_scored: MakeScored) -> None:
    scored = make_scored()
    found = values_of(rows_of(scored, POINT))
    events, scores = scored.events, scored.event_scores
    called = scores >= POINT.threshold
    expected = {
        "auc": sk.roc_auc_score(events, scores),
        "average_precision": sk.average_precision_score(events, scores),
        "brier": sk.brier_score_loss(events, scores),
        "log_loss": sk.log_loss(events, scores),
        "sensitivity": sk.recall_score(events, called),
        "specificity": sk.recall_score(~events, ~called),
        "balanced_accuracy": sk.balanced_accuracy_score(events, called),
        "accuracy": sk.accuracy_score(events, called),
    }
    assert found == pytest.approx(expected)
    assert next(iter(found)) == "auc"


def test_rows_at_a_threshold_name_it_and_are_absent_without_one(make_scored: MakeScored) -> None:
    scored = make_scored()
    (row,) = [row for row in rows_of(scored, POINT) if row.metric == "sensitivity"]
    assert row.parameters == {"threshold": "0.45", "rule": "youden", "fitted_on": "val"}
    assert row.note == "also used for model selection"
    assert row.n == row.n_events == int(scored.events.sum())
    assert [row.metric for row in rows_of(scored)] == ["auc", "average_precision", "brier", "log_loss"]


def test_multi_class_numbers_are_scikit_learns(make_scored: MakeScored) -> None:
    scored = make_scored(Task.MULTICLASS, classes=4)
    rows = rows_of(scored)
    found, chosen = values_of(rows), scored.scores.argmax(axis=1)
    assert found == pytest.approx(
        {
            "auc_macro_ovr": sk.roc_auc_score(scored.targets, scored.scores, multi_class="ovr"),
            "auc_macro_ovo": sk.roc_auc_score(scored.targets, scored.scores, multi_class="ovo"),
            "balanced_accuracy": sk.balanced_accuracy_score(scored.targets, chosen),
            "kappa": sk.cohen_kappa_score(scored.targets, chosen),
            "accuracy": sk.accuracy_score(scored.targets, chosen),
        }
    )
    one = values_of(rows, "class 2")
    assert one["auc"] == pytest.approx(sk.roc_auc_score(scored.targets == 2, scored.scores[:, 2]))
    assert one["sensitivity"] == pytest.approx((chosen == 2)[scored.targets == 2].mean())
    assert rows[0].parameters["averaging"] == "macro over 4 of 4 classes"


def test_an_absent_class_is_left_out_of_the_mean_and_said(make_scored: MakeScored) -> None:
    scored = make_scored(Task.MULTICLASS, classes=3)
    scored = scored.taken(scored.targets != 1)
    rows = rows_of(scored)
    areas = [sk.roc_auc_score(scored.targets == item, scored.scores[:, item]) for item in (0, 2)]
    assert rows[0].value == pytest.approx(np.mean(areas))
    assert rows[0].parameters["averaging"] == "macro over 2 of 3 classes"
    assert "class 1" in rows[0].note
    (row,) = [row for row in rows if row.metric == "auc" and row.label == "class 1"]
    assert (row.value, row.method) == (None, "not-estimable")


def test_ordinal_numbers_are_scikit_learns(make_scored: MakeScored) -> None:
    scored = make_scored(Task.ORDINAL, classes=5)
    rows = rows_of(scored)
    found, chosen = values_of(rows), scored.scores.argmax(axis=1)
    assert found["kappa_quadratic"] == pytest.approx(sk.cohen_kappa_score(scored.targets, chosen, weights="quadratic"))
    assert found["kappa_linear"] == pytest.approx(sk.cohen_kappa_score(scored.targets, chosen, weights="linear"))
    assert found["grade_error"] == pytest.approx(np.abs(scored.targets - chosen).mean())
    cut = values_of(rows, "class 3 or higher")["auc_cut"]
    assert cut == pytest.approx(sk.roc_auc_score(scored.targets >= 3, scored.scores[:, 3:].sum(axis=1)))


def test_a_label_without_both_outcomes_is_not_estimable_and_never_one_half(make_scored: MakeScored) -> None:
    scored = make_scored(Task.MULTILABEL, classes=3)
    targets = scored.targets.copy()
    targets[:, 1] = 0
    targets[:40, 2] = -1
    scored = replace(scored, targets=targets)
    rows = rows_of(scored)
    areas = [
        sk.roc_auc_score(targets[:, 0], scored.scores[:, 0]),
        sk.roc_auc_score(targets[40:, 2], scored.scores[40:, 2]),
    ]
    assert rows[0].value == pytest.approx(np.mean(areas))
    assert rows[0].parameters["averaging"] == "mean over 2 of 3 labels"
    assert "class 1" in rows[0].note
    by_label = {row.label: row for row in rows if row.metric == "auc"}
    assert (by_label["class 1"].value, by_label["class 1"].method) == (None, "not-estimable")
    assert by_label["class 2"].n == 80
    precision = [
        sk.average_precision_score(targets[:, 0], scored.scores[:, 0]),
        sk.average_precision_score(targets[40:, 2], scored.scores[40:, 2]),
    ]
    assert values_of(rows)["average_precision_mean_labels"] == pytest.approx(np.mean(precision))


def test_one_class_only_gives_no_area_and_still_a_specificity(make_scored: MakeScored) -> None:
    scored = make_scored()
    rows = {row.metric: row for row in rows_of(scored.taken(~scored.events), POINT)}
    assert (rows["auc"].value, rows["auc"].method) == (None, "not-estimable")
    assert (rows["sensitivity"].value, rows["sensitivity"].n) == (None, 0)
    assert rows["average_precision"].value is None
    assert rows["specificity"].value is not None


@pytest.mark.parametrize("label", [0, 1])
def test_numbers_of_two_classes_are_not_estimable_of_one(make_scored: MakeScored, label: int) -> None:
    scored = make_scored()
    one = replace(scored, targets=np.full(len(scored), label))
    found = {row.metric: row for row in rows_of(one, POINT)}
    for metric in ("auc", "average_precision", "balanced_accuracy"):
        assert (found[metric].value, found[metric].low, found[metric].high) == (None, None, None), metric
        assert found[metric].method == "not-estimable"
    assert found["brier"].value is not None


def test_a_single_patient_gives_no_interval(make_scored: MakeScored) -> None:
    scored = make_scored()
    alone = replace(scored, patients=("p",) * len(scored))
    for row in rows_of(alone, POINT):
        assert row.method in ("newcombe-patients", "wilson-patients") or row.low is None, row.metric
        assert row.value is not None
        if row.low is None:
            assert "single patient" in row.note


def test_perfect_scores_of_repeated_patients_keep_an_interval_with_width(make_scored: MakeScored) -> None:
    scored = make_scored(images=3)
    scored = replace(scored, scores=np.eye(2)[scored.targets])
    rows = {row.metric: row for row in rows_of(scored, POINT)}
    assert (rows["auc"].value, rows["auc"].method) == (1.0, "newcombe-patients")
    assert rows["sensitivity"].method == rows["accuracy"].method == "wilson-patients"
    assert rows["auc"].low is not None and rows["auc"].low < 0.97
    assert "without width" in rows["balanced_accuracy"].note


def test_patients_become_units_before_anything_is_counted(make_scored: MakeScored) -> None:
    scored = make_scored(images=3)
    rows = rows_of(scored, POINT, unit="patient")
    assert {row.unit for row in rows} == {"patient"}
    assert rows[0].n == rows[0].n_patients == 40
    assert rows[0].method == "newcombe"


def test_failures_are_left_out_first_and_counted_as_errors_second(make_scored: MakeScored, fail: Fail) -> None:
    whole = make_scored()
    rows = rows_of(fail(whole, [0, 1, 2]), POINT)
    first = [row for row in rows if "failures" not in row.parameters]
    second = [row for row in rows if row.parameters.get("failures") == "as errors"]
    assert [row.metric for row in first] == [row.metric for row in second]
    assert (first[0].n, second[0].n) == (117, 120)
    assert "3 of 120 units could not be scored and are left out" in first[0].note
    worse = {row.metric: row for row in second}
    for row in first:
        value = worse[row.metric].value
        assert value is not None and row.value is not None
        assert (value < row.value) == METRICS[row.metric].higher_is_better
    with pytest.raises(InputError, match="no score"):
        rows_of(fail(whole, range(120)))


@pytest.mark.parametrize(("task", "classes"), TASKS)
def test_the_metrics_of_an_epoch_are_those_of_the_evaluation(make_scored: MakeScored, task: Task, classes: int) -> None:
    scored = make_scored(task, classes=classes)
    point = POINT if task is Task.BINARY else None
    positive = 1 if task is Task.BINARY else None
    found = validation_metrics(task, scored.targets, scored.scores, positive, point=point)
    assert found == pytest.approx(values_of(rows_of(scored, point)))
    assert all(type(value) is float for value in found.values())
    assert headline(task) in found


def test_an_epoch_without_a_threshold_decides_by_the_highest_score(make_scored: MakeScored) -> None:
    scored = make_scored()
    found = validation_metrics(Task.BINARY, scored.targets, scored.scores, 1)
    assert found["accuracy"] == pytest.approx((scored.scores.argmax(axis=1) == scored.targets).mean())
    assert not {"sensitivity", "specificity"} & set(found)


def test_what_is_not_estimable_is_no_number_of_an_epoch(make_scored: MakeScored, fail: Fail) -> None:
    scored = make_scored()
    alone = scored.taken(scored.events)
    assert "auc" not in validation_metrics(Task.BINARY, alone.targets, alone.scores, 1)
    lost = fail(scored, range(120))
    assert validation_metrics(Task.BINARY, lost.targets, lost.scores, 1) == {}
    some = fail(scored, range(5))
    assert validation_metrics(Task.BINARY, some.targets, some.scores, 1) == pytest.approx(
        validation_metrics(Task.BINARY, scored.targets[5:], scored.scores[5:], 1)
    )


def test_selection_prefers_any_headline_to_none() -> None:
    with_headline = selection_score({"auc": 0.01, "brier": 0.9}, Task.BINARY)
    without = selection_score({"brier": 0.1}, Task.BINARY)
    assert with_headline == 0.01 > without > selection_score({"brier": 0.4}, Task.BINARY)
    assert selection_score({"auc": math.nan, "val_loss": 0.3}, Task.BINARY) == -1.3
    assert selection_score({"auc": None}, Task.BINARY) == -math.inf
    assert selection_score({"kappa_quadratic": -0.9}, Task.ORDINAL) > selection_score({"brier": 0.0}, Task.ORDINAL)


def test_every_task_has_a_headline_with_a_name() -> None:
    for task in Task:
        assert METRICS[headline(task)].higher_is_better
    assert metric_title("auc", "oedema") == "ROC-AUC: oedema"
    assert metric_title("of_tomorrow") == "of_tomorrow"
    assert method_title("wilson") == "Wilson" and method_title("x") == "x"
