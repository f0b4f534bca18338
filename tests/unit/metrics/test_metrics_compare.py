"""Paired comparisons: common units, the right test, Holm, and sentences that claim no more than the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import Comparison, OperatingPoint
from medfm_gui.metrics.compare import adjust_holm, compare, sentence
from medfm_gui.metrics.delong import delong_test
from medfm_gui.metrics.proportions import mcnemar_mid_p
from medfm_gui.metrics.scored import Scored

MakeScored = Callable[..., Scored]
Fail = Callable[[Scored, Sequence[int]], Scored]
POINT = OperatingPoint(0.5, "youden", "cal", "image", "class 1")


def pair(make_scored: MakeScored, task: Task = Task.BINARY, **settings: int) -> tuple[Scored, Scored]:
    """A good and a poor run on the same units."""
    good = make_scored(task, signal=2.0, **settings)
    poor = make_scored(task, signal=0.3, **settings)
    return good, replace(poor, targets=good.targets)


def compared(a: Scored, b: Scored, unit: str = "image", point: OperatingPoint | None = POINT) -> tuple[Comparison, ...]:
    return compare(a, b, run_a="a", run_b="b", point_a=point, point_b=point, unit=unit)


def test_single_units_are_compared_by_delong_and_mcnemar(make_scored: MakeScored) -> None:
    a, b = pair(make_scored)
    area, precision, sensitivity, specificity = compared(a, b)
    expected = delong_test(a.events, a.event_scores, b.event_scores)
    assert (area.metric, area.test, area.p) == ("auc", "delong", expected.p_value)
    assert (area.difference, area.low, area.high) == (expected.difference, expected.low, expected.high)
    names = [row.metric for row in (precision, sensitivity, specificity)]
    assert names == ["average_precision", "sensitivity", "specificity"]
    called_a, called_b = a.event_scores >= 0.5, b.event_scores >= 0.5
    only_a = int((called_a & ~called_b & a.events).sum())
    only_b = int((~called_a & called_b & a.events).sum())
    assert (sensitivity.test, sensitivity.p) == ("mcnemar-mid-p", mcnemar_mid_p(only_a, only_b))
    assert sensitivity.n == int(a.events.sum()) and specificity.n == int((~a.events).sum())
    assert area.parameters == {"unit": "image", "n_events": str(int(a.events.sum()))}
    assert sensitivity.parameters["threshold_a"] == "0.5"
    assert [row.metric for row in compared(a, b, point=None)] == ["auc", "average_precision"]


def test_repeated_patients_are_compared_by_the_patient_bootstrap(make_scored: MakeScored) -> None:
    a, b = pair(make_scored, images=3)
    rows = compared(a, b)
    assert {row.test for row in rows} == {"clustered-bootstrap"}
    assert rows[0].parameters["n_patients"] == "40"
    events, names = a.events, np.array(a.patients)
    for row, among in zip(rows[2:], (events, ~events), strict=True):
        assert row.parameters["n_patients"] == str(len(set(names[among]))), "those of the units that count"
        assert row.parameters["n_events"] == str(int((events & among).sum()))
    assert rows == compared(a, b)
    assert compared(a, b, unit="patient")[0].test == "delong"


@pytest.mark.parametrize(("task", "classes"), [(Task.MULTICLASS, 3), (Task.ORDINAL, 4), (Task.MULTILABEL, 3)])
def test_other_tasks_compare_their_headline_by_a_paired_bootstrap(
    make_scored: MakeScored, task: Task, classes: int
) -> None:
    a, b = pair(make_scored, task, classes=classes)
    (row,) = compared(a, b)
    assert row.test == "bootstrap" and row.low is not None and row.high is not None and row.difference is not None
    assert 0 < row.low < row.difference < row.high
    assert row.p is not None and row.p < 0.01
    (mirrored,) = compared(b, a)
    assert (mirrored.difference, mirrored.p) == pytest.approx((-row.difference, row.p))


def test_a_unit_that_one_run_lacks_or_failed_is_left_out_first_and_wrong_second(
    make_scored: MakeScored, fail: Fail
) -> None:
    a, b = pair(make_scored, n=100, images=1)
    shorter = b.taken(np.arange(100) >= 10)  # ten units were never predicted
    order = np.random.default_rng(0).permutation(90)
    shuffled = replace(
        shorter,
        samples=tuple(shorter.samples[place] for place in order),
        targets=shorter.targets[order],
        scores=shorter.scores[order],
        patients=tuple((shorter.patients or ())[place] for place in order),
    )
    rows = compared(fail(a, [99]), shuffled)
    common = [row for row in rows if "failures" not in row.parameters]
    errors = [row for row in rows if row.parameters.get("failures") == "as errors"]
    assert [len(common), len(errors)] == [4, 4]
    kept = np.arange(100)[10:99]
    expected = delong_test(a.events[kept], a.event_scores[kept], b.event_scores[kept])
    assert common[0].difference == pytest.approx(expected.difference)
    assert (common[0].n, errors[0].n) == (89, 100)
    assert "11 of 100" in common[0].note and "wrong" in errors[0].note
    assert (errors[0].difference or 0) > (common[0].difference or 0)
    mirrored = compared(shuffled, fail(a, [99]))
    assert mirrored[0].difference == pytest.approx(-(common[0].difference or 0))
    assert mirrored[4].difference == pytest.approx(-(errors[0].difference or 0))


def test_runs_that_cannot_be_paired_are_refused(make_scored: MakeScored, fail: Fail) -> None:
    a, b = pair(make_scored, n=20)
    with pytest.raises(InputError, match="no unit in common"):
        compared(a, fail(b, range(20)))
    with pytest.raises(InputError, match="label"):
        compared(a, replace(b, targets=1 - b.targets))
    with pytest.raises(InputError, match="questions"):
        compared(a, make_scored(Task.MULTICLASS, classes=3, n=20))


def comparison(p: float | None, metric: str = "auc", **changes: object) -> Comparison:
    base = Comparison("a", "b", metric, 0.03, -0.01, 0.07, "delong", p, None, 200, parameters={"unit": "image"})
    return replace(base, **changes)  # type: ignore[arg-type]


def test_holm_adjusts_each_metric_by_itself() -> None:
    rows = [comparison(0.01), comparison(0.04), comparison(0.03), comparison(0.02, "sensitivity"), comparison(None)]
    adjusted = adjust_holm(rows)
    assert [row.p_adjusted for row in adjusted] == [pytest.approx(0.03), 0.06, 0.06, 0.02, None]
    assert "Holm over 3" in adjusted[0].note and adjusted[3].note == ""
    assert adjust_holm([]) == ()


def test_a_sentence_without_a_decision_names_what_remains_compatible() -> None:
    said = sentence([comparison(0.14)], {"a": "DINOv2 · linear", "b": "ResNet-50 · linear"})
    assert said.startswith(
        "On the same 200 images the ROC-AUC of DINOv2 · linear minus that of ResNet-50 · linear is +0.030 "
        "(95 % interval −0.010 to +0.070; DeLong, p = 0.140): differences from −0.010 to +0.070 remain compatible"
    )
    assert "is not shown" in said and "one trained model" in said


def test_a_sentence_with_a_decision_names_the_better_run_only_after_adjustment() -> None:
    clear = comparison(0.0004, low=0.01)
    assert "which favour a." in sentence([clear], {})
    assert "p < 0.001" in sentence([clear], {})
    assert "which favour b." in sentence([replace(clear, difference=-0.03, low=-0.07, high=-0.01)], {})
    several = adjust_holm([replace(clear, p=0.03), comparison(0.04, low=0.001), comparison(0.5)])
    said = sentence(several, {})
    assert "favour" not in said and said.count("is not shown") == 3
    assert "adjusted = 0.090" in said and "not adjusted for the number of comparisons" in said


@pytest.mark.parametrize("difference", [0.0, 0.03, None])
def test_no_sentence_claims_that_runs_are_equal(difference: float | None) -> None:
    rows = [comparison(1.0 if difference == 0 else 0.2, difference=difference), comparison(0.01, "sensitivity")]
    said = sentence(rows, {}).lower()
    assert "remain compatible" in said or difference is None
    assert not [word for word in ("equal", "no difference", "identical", "equivalent", "same as") if word in said]
    assert "sensitivity" not in said


def test_a_comparison_without_an_interval_says_why() -> None:
    said = sentence([comparison(None, low=None, high=None, note="the replicates do not vary")], {})
    assert "no interval (the replicates do not vary)" in said
    assert "cannot be compared: a class is absent" in sentence(
        [comparison(None, difference=None, note="a class is absent")], {}
    )
    assert sentence([], {}) == ""
