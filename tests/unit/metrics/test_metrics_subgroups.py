"""Subgroups by value, and the charts of probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.evaluation import OperatingPoint
from medfm_gui.metrics.intervals import auc_interval
from medfm_gui.metrics.probability_charts import (
    calibration_chart,
    decision_chart,
    distribution_chart,
    precision_recall_chart,
)
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.subgroups import MISSING, subgroups

MakeScored = Callable[..., Scored]
POINT = OperatingPoint(0.5, "youden", "cal", "image", "class 1")


def test_each_value_has_its_numbers_at_the_threshold_of_all(make_scored: MakeScored) -> None:
    scored = make_scored(n=400)
    values = ["woman" if place % 4 else "man" for place in range(400)]
    first, second = subgroups(scored, values, POINT)
    assert (first.value, first.n, second.value, second.n) == ("woman", 300, "man", 100)
    women = np.array([value == "woman" for value in values])
    assert first.auc == auc_interval(scored.events[women], scored.event_scores[women])
    called = scored.event_scores[women] >= 0.5
    assert first.sensitivity is not None and first.specificity is not None
    assert first.sensitivity.estimate == pytest.approx(called[scored.events[women]].mean())
    assert first.specificity.estimate == pytest.approx((~called)[~scored.events[women]].mean())


def test_small_subgroups_tell_their_size_alone_and_missing_ones_come_last(make_scored: MakeScored) -> None:
    scored = make_scored(n=400)
    values = ["" if place < 300 else "rare" if place == 399 else "b" for place in range(400)]
    rows = subgroups(scored, values, POINT)
    assert [row.value for row in rows] == ["b", "rare", MISSING]
    assert rows[1].auc.estimate is None and rows[1].n == 1 and "fewer than 20" in rows[1].auc.note
    assert rows[2].auc.estimate is not None
    assert subgroups(scored, values)[0].sensitivity is None


def test_failed_units_are_counted_but_not_scored(make_scored: MakeScored, fail: Callable[..., Scored]) -> None:
    scored = fail(make_scored(n=200), range(10))
    (row,) = subgroups(scored, ["x"] * 200)
    assert row.n == 200 and row.auc.n == 190


def test_subgroups_need_two_classes_and_a_value_a_unit(make_scored: MakeScored) -> None:
    with pytest.raises(UsageError):
        subgroups(make_scored(Task.MULTICLASS, classes=3), ["a"] * 120)
    with pytest.raises(InputError):
        subgroups(make_scored(), ["a"])


def test_precision_and_recall_are_scikit_learns(make_scored: MakeScored) -> None:
    scored = make_scored(n=300)
    scored = replace(scored, scores=np.round(scored.scores, 2))
    (line,) = precision_recall_chart([("a", "DINOv2", "linear", scored)]).series
    precision, recall, _ = precision_recall_curve(scored.events, scored.event_scores)
    np.testing.assert_allclose(line.x[1:], recall[::-1][1:])
    np.testing.assert_allclose(line.y[1:], precision[::-1][1:])
    area = float(np.sum(np.diff(line.x) * np.array(line.y[1:])))
    assert area == pytest.approx(average_precision_score(scored.events, scored.event_scores))
    many = make_scored(n=5_000)
    assert len(precision_recall_chart([("a", "", "", many)]).series[0].x) < 2_000


def test_charts_of_runs_and_of_one(make_scored: MakeScored) -> None:
    one, other = make_scored(n=300, images=3), make_scored(n=300, images=3, signal=2.0)
    named = [("a", "DINOv2", "linear", one), ("b", "MAE", "lora", other)]
    assert [line.name for line in calibration_chart(named).series] == ["a", "b"]
    alone = calibration_chart(named[:1])
    assert [line.name for line in alone.series] == ["a", "bins"] and alone.diagonal
    decided = decision_chart(named, low=0.1, high=0.6)
    assert [line.name for line in decided.series] == ["a", "b", "treat all", "treat none"]
    assert decided.x_range == (0.1, 0.6) and "in these data" in decided.note
    assert "0.02" in decision_chart(named, low=0.1, high=0.6, prevalence=0.02).note
    spread = distribution_chart(named[0])
    assert [line.name for line in spread.series] == ["class 1", "class 0"]
    assert sum(spread.series[0].y[:-1]) == pytest.approx(1.0)


def test_a_perfect_model_has_no_curve_but_says_so(make_scored: MakeScored) -> None:
    scored = make_scored(n=200)
    perfect = replace(scored, scores=np.where(scored.targets[:, None] == np.arange(2), 0.9, 0.1))
    assert "Too few distinct probabilities" in calibration_chart([("a", "", "", perfect)]).note
    with pytest.raises(UsageError):
        precision_recall_chart([("a", "", "", make_scored(Task.MULTICLASS, classes=3))])
