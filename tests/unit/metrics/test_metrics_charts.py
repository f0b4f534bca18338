"""Charts: thinned curves that look the same, counts, and rows that match their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import auc as area_under
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.evaluation import Evaluation, OperatingPoint
from medfm_gui.domain.events import EpochFinished
from medfm_gui.metrics.charts import confusion_chart, curve_chart, interval_chart, roc_chart
from medfm_gui.metrics.curves import MOST_POINTS, mean_roc, roc_points
from medfm_gui.metrics.scored import Scored

MakeScored = Callable[..., Scored]
Fail = Callable[[Scored, Sequence[int]], Scored]


@pytest.mark.parametrize("n", [12, 300, 40_000])
@pytest.mark.parametrize("signal", [0.0, 1.0, 6.0])
def test_a_thinned_curve_is_nowhere_visibly_off(n: int, signal: float) -> None:
    random = np.random.default_rng(1)
    events = np.arange(n) % 4 == 0
    scores = np.round(random.normal(size=n) + signal * events, 4)
    x, y = roc_points(events, scores)
    assert len(x) <= MOST_POINTS
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert (np.diff(x) >= 0).all() and (np.diff(y) >= 0).all()
    assert area_under(x, y) == pytest.approx(roc_auc_score(events, scores), abs=5e-4)
    full_x, full_y, _ = roc_curve(events, scores, drop_intermediate=False)
    # Seen along the diagonal both curves are functions, so their distance can be measured there.
    there = np.interp(full_x + full_y, x + y, y - x)
    assert np.abs(there - (full_y - full_x)).max() / np.sqrt(2) < 0.004


def test_few_points_are_exactly_the_corners() -> None:
    x, y = roc_points(np.array([1, 1, 0, 1, 0, 0], np.bool_), np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.5]))
    assert x.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 3, 1])
    assert y.tolist() == pytest.approx([0, 2 / 3, 2 / 3, 1, 1])
    assert len(roc_points(np.ones(3, np.bool_), np.arange(3.0))[0]) == 0


def test_the_mean_curve_counts_a_rise_with_its_top() -> None:
    step = (np.array([0.0, 0.0, 0.5, 0.5, 1.0]), np.array([0.0, 0.4, 0.4, 0.8, 1.0]))
    line = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    x, y = mean_roc([step, line, (np.empty(0), np.empty(0))], points=3)
    assert x.tolist() == [0, 0, 0.5, 1]
    assert y.tolist() == pytest.approx([0, 0.2, 0.65, 1])
    assert len(mean_roc([])[0]) == 0


def test_binary_runs_have_one_curve_each_with_their_marker_and_line(make_scored: MakeScored) -> None:
    one, other = make_scored(), make_scored(seed=1)
    chart = roc_chart([("first", "DINOv2", "linear", one), ("second", "MAE", "knn", other)])
    assert [(item.name, item.family, item.style) for item in chart.series] == [
        ("first", "DINOv2", "linear"),
        ("second", "MAE", "knn"),
    ]
    assert area_under(chart.series[0].x, chart.series[0].y) == pytest.approx(
        roc_auc_score(one.events, one.event_scores)
    )
    assert chart.diagonal and chart.x_range == chart.y_range == (0.0, 1.0)
    assert roc_chart([("alone", "", "", one.taken(one.events))]).series == ()


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.MULTILABEL])
def test_other_runs_have_a_curve_a_class_or_their_mean(make_scored: MakeScored, fail: Fail, task: Task) -> None:
    scored = fail(make_scored(task, classes=3), [0])
    alone = roc_chart([("run", "CLIP", "full", scored)])
    assert [item.name for item in alone.series] == ["class 0", "class 1", "class 2"]
    both = roc_chart([("run", "CLIP", "full", scored), ("again", "CLIP", "full", scored)])
    assert [item.name for item in both.series] == ["run", "again"]
    assert "Mean over classes" in both.note
    areas = [area_under(item.x, item.y) for item in alone.series]
    assert area_under(both.series[0].x, both.series[0].y) == pytest.approx(np.mean(areas), abs=0.01)


def test_a_confusion_matrix_counts_reference_against_decision(make_scored: MakeScored, fail: Fail) -> None:
    scored = make_scored(Task.MULTICLASS, classes=3)
    chart = confusion_chart(scored, None)
    assert chart.matrix == tuple(map(tuple, confusion_matrix(scored.targets, scored.scores.argmax(axis=1)).tolist()))
    assert chart.rows == chart.columns == scored.classes
    binary = make_scored()
    point = OperatingPoint(0.3, "youden", "cal", "image", "class 1")
    called = confusion_chart(binary, point)
    assert called.matrix == tuple(map(tuple, confusion_matrix(binary.events, binary.event_scores >= 0.3).tolist()))
    assert "0.300" in called.note
    first = replace(binary, positive="class 0")
    turned = confusion_chart(first, replace(point, positive="class 0"))
    assert turned.matrix[0][0] == ((first.scores[:, 0] >= 0.3) & (first.targets == 0)).sum()
    lost = confusion_chart(fail(binary, [3, 4]), point)
    assert sum(map(sum, lost.matrix)) == 118 and "2 could not be scored" in lost.note
    with pytest.raises(UsageError):
        confusion_chart(make_scored(Task.MULTILABEL, classes=3), None)


def row(value: float | None, low: float | None = None, high: float | None = None, **more: str) -> Evaluation:
    base = Evaluation("r", "test", "auc", value, low, high, "delong-logit", "image", 10, None, 5, "hash")
    return replace(base, **more)  # type: ignore[arg-type]


def test_intervals_stand_in_rows_with_their_names() -> None:
    rows = [row(0.8, 0.7, 0.9, run="a"), row(None, run="b", label="oedema"), row(0.75, run="c")]
    chart = interval_chart(rows, {"a": "DINOv2"}, {"a": "DINOv2"})
    assert chart.rows == ("DINOv2", "c")
    assert chart.note == "Intervals: 95 % DeLong on the logit scale. Not estimable: b, oedema."
    assert [item.name for item in chart.series] == list(chart.rows)
    first, second = chart.series
    assert (first.x, first.low, first.high) == ((0.8,), (0.7,), (0.9,))
    assert first.family == "DINOv2"
    assert (second.x, second.y, second.low, second.high) == ((0.75,), (1.0,), (), ())
    assert wire.decode(ChartSpec, wire.encode(chart)) == chart
    assert chart.x_range == pytest.approx((0.65, 0.95))
    assert chart.title == "ROC-AUC"
    assert interval_chart([row(0.99, 0.97, 1.0)], {}).x_range == pytest.approx((0.95, 1.0))
    assert interval_chart([row(3.0, 2.0, 4.0, metric="log_loss")], {}).x_range is None
    assert interval_chart([row(None)], {}).x_range is None
    assert interval_chart([], {}).series == ()


def test_training_curves_leave_out_what_is_not_finite() -> None:
    values: list[float | None] = [0.5, None, float("nan"), 0.8]
    curve = [EpochFinished(0.0, place + 1, 4, {"auc": value}) for place, value in enumerate(values)]
    chart = curve_chart({"run": curve, "empty": []}, "auc")
    (series,) = chart.series
    assert (series.x, series.y) == ((1.0, 4.0), (0.5, 0.8))
    assert chart.y_label == "ROC-AUC"
    assert curve_chart({"run": curve}, "val_loss", title="Loss").series == ()
