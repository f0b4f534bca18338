"""Operating points: the rules, their ties, and what a reader must know of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.evaluation import OperatingPoint
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.threshold import decisions, fit_operating_point

MakeScored = Callable[..., Scored]


def binary(targets: Sequence[int], scores: Sequence[float]) -> Scored:
    column = np.array(scores)
    names = tuple(str(place) for place in range(len(targets)))
    both = np.stack([1 - column, column], axis=1)
    return Scored(names, np.array(targets), both, None, Task.BINARY, ("no", "yes"), "yes")


def fitted(scored: Scored, rule: str = "youden", on: str = "cal") -> OperatingPoint:
    point = fit_operating_point(scored, rule, fitted_on=on, unit="image")
    assert point is not None
    return point


def rates(scored: Scored, point: OperatingPoint) -> tuple[float, float]:
    called = decisions(scored, point)
    return float(called[scored.events].mean()), float((~called[~scored.events]).mean())


def test_the_threshold_lies_between_the_two_scores_it_parts() -> None:
    point = fitted(binary([0, 0, 1, 1], [0.1, 0.3, 0.5, 0.9]))
    assert point == OperatingPoint(0.4, "youden", "cal", "image", "yes", "counts a miss and a false alarm alike")


def test_on_ties_youden_takes_the_higher_sensitivity() -> None:
    scored = binary([1, 0, 1, 0], [0.8, 0.6, 0.4, 0.2])  # index 0.5 at 0.7 and at 0.3
    point = fitted(scored)
    assert point.threshold == pytest.approx(0.3)
    assert rates(scored, point) == (1.0, 0.5)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 16)), min_size=4, max_size=60),
    st.sampled_from([0.5, 0.7, 0.9, 0.95]),
)
def test_rules_reach_what_they_promise(rows: list[tuple[int, int]], target: float) -> None:
    rows = [*rows, (0, 3), (1, 9)]
    scored = binary([label for label, _ in rows], [step / 16 for _, step in rows])
    events, values = scored.events, scored.event_scores
    alarms, hits, _ = roc_curve(events, values, drop_intermediate=False)
    sensitivity, specificity = rates(scored, fitted(scored))
    assert sensitivity + specificity - 1 == pytest.approx((hits - alarms).max())
    reached, kept = rates(scored, fitted(scored, f"sensitivity:{target}"))
    assert reached >= target - 1e-9
    assert kept == pytest.approx(1 - alarms[hits >= target - 1e-9].min())
    reached, kept = rates(scored, fitted(scored, f"specificity:{target}"))
    assert kept >= target - 1e-9
    assert reached == pytest.approx(hits[1 - alarms >= target - 1e-9].max())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 16)), min_size=4, max_size=60),
    st.sampled_from([0.1, 0.5, 1.0, 3.0, 20.0]),
)
def test_a_cost_ratio_takes_the_least_cost_of_all_thresholds(rows: list[tuple[int, int]], ratio: float) -> None:
    rows = [*rows, (0, 3), (1, 9)]
    scored = binary([label for label, _ in rows], [step / 16 for _, step in rows])
    events, values = scored.events, scored.event_scores
    point = fitted(scored, f"cost:{ratio}")

    def cost(called: np.ndarray) -> float:
        return float(ratio * (events & ~called).sum() + (~events & called).sum())

    best = min(cost(values >= at) for at in [*np.unique(values), 2.0])
    assert cost(decisions(scored, point)) == pytest.approx(best)
    dearer = fitted(scored, f"cost:{2 * ratio}")
    assert dearer.threshold <= point.threshold, "a dearer miss never raises the threshold"
    assert f"a miss as {ratio:g} false alarms" in point.note


def test_extremes_are_said() -> None:
    none = fitted(binary([0, 1, 1], [1.0, 0.5, 0.4]), "specificity:0.9")
    assert "no unit positive" in none.note and none.threshold > 1
    every = fitted(binary([1, 0, 1], [0.1, 0.5, 0.4]), "sensitivity:0.9")
    assert "every unit positive" in every.note and every.threshold <= 0.1


def test_neighbouring_floats_are_still_parted() -> None:
    low, high = 0.5, float(np.nextafter(0.5, 1))
    scored = binary([0, 1], [low, high])
    assert rates(scored, fitted(scored)) == (1.0, 1.0)


def test_a_threshold_from_validation_says_so() -> None:
    assert "also used for model selection" in fitted(binary([0, 1], [0.1, 0.9]), on="val").note


def test_there_is_none_without_two_classes_or_for_another_task(make_scored: MakeScored) -> None:
    assert fit_operating_point(binary([1, 1], [0.1, 0.9]), "youden", fitted_on="cal", unit="image") is None
    several = make_scored(Task.MULTICLASS, classes=3)
    assert fit_operating_point(several, "youden", fitted_on="cal", unit="image") is None


def test_failed_units_neither_fit_nor_are_called_positive() -> None:
    scored = binary([0, 1, 1], [0.1, 0.9, np.nan])
    point = fitted(scored)
    assert point.threshold == pytest.approx(0.5)
    assert decisions(scored, point).tolist() == [False, True, False]


def test_patients_are_pooled_before_the_threshold_is_chosen(make_scored: MakeScored) -> None:
    scored = make_scored(images=3)
    point = fit_operating_point(scored, "youden", fitted_on="cal", unit="patient")
    assert point is not None and point.unit == "patient"
    pooled = fit_operating_point(scored.by_unit("patient"), "youden", fitted_on="cal", unit="patient")
    assert pooled == point


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "youden:1",
        "sensitivity",
        "sensitivity:2",
        "specificity:x",
        "f1",
        "cost",
        "cost:0",
        "cost:nan",
        "cost:inf",
        "cost:-2",
    ],
)
def test_unknown_rules_are_refused(rule: str) -> None:
    with pytest.raises(UsageError, match="rule"):
        fit_operating_point(binary([0, 1], [0.1, 0.9]), rule, fitted_on="cal", unit="image")
