"""ChartSpecs of probabilities: precision–recall, calibration, net benefit, and how they are distributed by outcome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.metrics.arrays import Flags, Floats
from medfm_gui.metrics.calibration import CalibrationCurve, calibration_curve
from medfm_gui.metrics.charts import Named, drawn_from
from medfm_gui.metrics.curves import MOST_POINTS
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.usefulness import DecisionCurve, decision_curve

_BINS = 25
_MOST_BINS, _UNITS_A_BIN = 10, 15


def precision_recall_chart(named: Sequence[Named]) -> ChartSpec:
    """Precision over recall of binary runs, as steps; the share of events is what chance would reach.

    Raises:
        UsageError: a task that is not binary.
    """
    series = []
    for name, family, style, scored in named:
        good = _binary(scored)
        recall, precision = _precision_recall(good.events, good.event_scores)
        if len(recall):
            series.append(Series(name, _numbers(recall), _numbers(precision), family=family, style=style, step=True))
    note = f"Chance would reach {float(_binary(named[0][3]).events.mean()):.3f} at every recall." if series else ""
    note = f"{drawn_from(named)} {note}".strip()
    return ChartSpec(
        "precision-recall", "lines", "Precision and recall", "recall (sensitivity)", "precision", tuple(series),
        x_range=(0.0, 1.0), y_range=(0.0, 1.0), note=note,
    )  # fmt: skip


def calibration_chart(named: Sequence[Named]) -> ChartSpec:
    """Observed against said with a pointwise band, a smooth curve a run; a single run has its bins too.

    Raises:
        UsageError: a task that is not binary.
    """
    series: list[Series] = []
    notes: list[str] = []
    for name, family, style, scored in named:
        good = _binary(scored)
        bins = min(_MOST_BINS, max(3, len(good) // _UNITS_A_BIN)) if len(named) == 1 else 0
        curve = calibration_curve(good.events, good.event_scores, groups=good.patients, bins=bins)
        if curve.said:
            series.append(Series(name, curve.said, curve.observed, curve.low, curve.high, family=family, style=style))
        elif curve.note:
            notes.append(f"{name}: {curve.note}")
        if len(named) == 1:
            series += _bins(curve, family)
    notes.append("Bands: pointwise 95 %." if any(item.low for item in series) else "")
    return ChartSpec(
        "calibration", "lines", "Calibration", "probability that was said", "share of events observed", tuple(series),
        x_range=(0.0, 1.0), y_range=(0.0, 1.0), diagonal=True, note=" ".join(note for note in notes if note),
    )  # fmt: skip


def decision_chart(
    named: Sequence[Named], *, low: float, high: float, prevalence: float | None = None, seed: int = 0
) -> ChartSpec:
    """Net benefit between two threshold probabilities, against treating all and none.

    Raises:
        UsageError: a task that is not binary, or a range that is none.
        InputError: one class only.
    """
    curves: list[tuple[Named, DecisionCurve]] = []
    for item in named:
        good = _binary(item[3])
        found = decision_curve(
            good.events, good.event_scores, low=low, high=high, prevalence=prevalence, groups=good.patients, seed=seed
        )
        curves.append((item, found))
    series = [
        Series(name, curve.thresholds, curve.benefit, curve.low, curve.high, family=family, style=style)
        for (name, family, style, _), curve in curves
    ]
    first = curves[0][1]
    series.append(Series("treat all", first.thresholds, first.treat_all))
    series.append(Series("treat none", (low, high), (0.0, 0.0)))
    top = max(max(curve.high) for _, curve in curves)
    said = "in these data" if prevalence is None else f"re-weighted to a prevalence of {prevalence:g}"
    return ChartSpec(
        "decision", "lines", "Net benefit", "threshold probability", "net benefit", tuple(series),
        x_range=(low, high), y_range=(min(-0.05, -top / 4), max(0.05, 1.1 * top)),
        note=f"Share of events: {said}. Bands: pointwise 95 %, patients drawn together.",
    )  # fmt: skip


def distribution_chart(named: Named) -> ChartSpec:
    """How often each probability was said, of units with and without the event.

    Raises:
        UsageError: a task that is not binary.
    """
    name, family, _, scored = named
    good = _binary(scored)
    edges = np.linspace(0, 1, _BINS + 1)
    other = good.classes[1 - good.positive_index]
    series = []
    for label, units, style in ((str(good.positive), good.events, ""), (other, ~good.events, "knn")):
        counts, _ = np.histogram(good.event_scores[units], edges)
        share = counts / max(1, int(units.sum()))
        series.append(
            Series(label, _numbers(np.r_[edges[:-1], 1.0]), _numbers(np.r_[share, share[-1]]), family=family,
                   style=style, step=True)
        )  # fmt: skip
    return ChartSpec(
        "distribution", "lines", f"Probabilities, {name}", f"probability of {good.positive}", "share of its units",
        tuple(series), x_range=(0.0, 1.0),
    )  # fmt: skip


def _binary(scored: Scored) -> Scored:
    if scored.task is not Task.BINARY:
        raise UsageError("This chart is of a task with two classes.", "Look at the numbers per class instead.")
    return scored.without_failed()


def _precision_recall(events: Flags, scores: Floats) -> tuple[Floats, Floats]:
    """Recall and precision from the highest score down, tied scores together, at most ``MOST_POINTS`` of them."""
    if not events.any():
        return np.empty(0), np.empty(0)
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(events[order])
    last = np.r_[np.flatnonzero(np.diff(scores[order])), len(order) - 1]
    recall, precision = hits[last] / hits[-1], hits[last] / (last + 1)
    if len(recall) > MOST_POINTS:
        kept = np.unique(np.linspace(0, len(recall) - 1, MOST_POINTS).round().astype(int))
        recall, precision = recall[kept], precision[kept]
    return np.r_[0.0, recall], np.r_[precision[0], precision]


def _bins(curve: CalibrationCurve, family: str) -> list[Series]:
    known = [(said, item) for said, item in curve.bins if item.estimate is not None]
    return (
        [
            Series(
                "bins",
                tuple(said for said, _ in known),
                tuple(item.estimate or 0.0 for _, item in known),
                tuple(item.low or 0.0 for _, item in known),
                tuple(1.0 if item.high is None else item.high for _, item in known),
                family=family,
                joined=False,
                markers=True,
            )
        ]
        if known
        else []
    )


def _numbers(values: Floats) -> tuple[float, ...]:
    return tuple(map(float, values))
