"""ChartSpecs of results: ROC, confusion, estimates with intervals, curves of a training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.evaluation import Evaluation, OperatingPoint
from medfm_gui.domain.events import EpochFinished
from medfm_gui.domain.threshold import fixed_in_words
from medfm_gui.domain.units import counted
from medfm_gui.metrics.arrays import Flags, Floats
from medfm_gui.metrics.counting import confusion_matrix
from medfm_gui.metrics.curves import mean_roc, roc_points
from medfm_gui.metrics.names import METRICS, method_title, metric_title
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.threshold import decisions

Named = tuple[str, str, str, Scored]
"""A run to draw: name, backbone family (decides the marker), adaptation (decides the line), scores."""


def roc_chart(named: Sequence[Named]) -> ChartSpec:
    """ROC curves: of binary runs one each; of a single other run one a class; of several the mean over classes."""
    each_class = len(named) == 1 and named[0][3].task is not Task.BINARY
    series: list[Series] = []
    for name, family, style, scored in named:
        curves = _class_curves(scored.without_failed())
        if each_class:
            series += [_line(label, curve, family, style) for label, curve in curves.items() if len(curve[0])]
            continue
        curve = curves[""] if scored.task is Task.BINARY else mean_roc(list(curves.values()))
        if len(curve[0]):
            series.append(_line(name, curve, family, style))
    averaged = bool(named) and not each_class and named[0][3].task is not Task.BINARY
    return ChartSpec(
        id="roc",
        kind="lines",
        title=f"ROC, {named[0][0]}" if each_class else "ROC",
        x_label="1 − specificity",
        y_label="sensitivity",
        series=tuple(series),
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
        diagonal=True,
        note=" ".join(filter(None, ("Mean over classes at equal specificity." if averaged else "", drawn_from(named)))),
    )


def drawn_from(named: Sequence[Named]) -> str:
    """Of how many scored units the curves are: “550 patients, 118 with nodule.”; a range where runs differ."""
    scored = [one.without_failed() for _, _, _, one in named]
    if not scored:
        return ""
    least, most = min(map(len, scored)), max(map(len, scored))
    units = counted(most, scored[0].unit) if least == most else f"{least:,} to {counted(most, scored[0].unit)}"
    first = scored[0]
    if first.task is not Task.BINARY:
        return f"{units}."
    events = sorted({int(one.events.sum()) for one in scored})
    many = f"{events[0]:,}" if len(events) == 1 else f"{events[0]:,} to {events[-1]:,}"
    return f"{units}, {many} with {first.positive}."


def confusion_chart(scored: Scored, point: OperatingPoint | None) -> ChartSpec:
    """Counts of reference (rows) against decision (columns): at the threshold if there is one, else the highest score.

    Raises:
        UsageError: a multi-label task, whose findings do not exclude one another.
    """
    if scored.task is Task.MULTILABEL:
        raise UsageError(
            "Findings that may occur together have no confusion matrix.", "Look at the numbers per finding."
        )
    good = scored.without_failed()
    if scored.task is Task.BINARY and point is not None:
        positive = good.positive_index
        chosen = np.where(decisions(good, point), positive, 1 - positive)
        note = f"Threshold {point.threshold:.3f} ({fixed_in_words(point.rule, point.fitted_on)})."
    else:
        chosen = np.argmax(good.scores, axis=1)
        note = "Decision: the class of the highest score."
    if failed := len(scored) - len(good):
        note += f" {failed} could not be scored and are not counted."
    counts = confusion_matrix(good.targets, chosen, len(good.classes))
    return ChartSpec(
        id="confusion",
        kind="matrix",
        title="Confusion matrix",
        x_label="decision",
        y_label="reference",
        rows=good.classes,
        columns=good.classes,
        matrix=tuple(tuple(float(count) for count in row) for row in counts),
        note=note,
    )


def interval_chart(
    evaluations: Sequence[Evaluation], names: Mapping[str, str], families: Mapping[str, str] | None = None
) -> ChartSpec:
    """One bar a row: each estimate with its interval. What is not estimable has no row and stands in the note.

    ``names`` gives what people read for a run's id, ``families`` its backbone's family. The class stands behind
    the name where the rows have one.
    """
    shown = [(row, row.value) for row in evaluations if row.value is not None]
    lacking = [_row_name(row, names) for row in evaluations if row.value is None]
    metrics = sorted({row.metric for row in evaluations})
    title = " and ".join(metric_title(metric) for metric in metrics)
    bounded = all(metric in METRICS and METRICS[metric].high is not None for metric in metrics)
    series = tuple(
        Series(
            _row_name(row, names),
            x=(value,),
            y=(float(place),),
            low=() if row.low is None else (row.low,),
            high=() if row.high is None else (row.high,),
            family=(families or {}).get(row.run, ""),
            markers=True,
        )
        for place, (row, value) in enumerate(shown)
    )
    methods = sorted(
        {f"{100 * row.confidence:g} % {method_title(row.method)}" for row, _ in shown if row.low is not None}
    )
    notes = (
        f"Intervals: {'; '.join(methods)}." if methods else "",
        f"Not estimable: {', '.join(lacking)}." if lacking else "",
    )
    return ChartSpec(
        id="intervals",
        kind="intervals",
        title=title,
        x_label=title,
        series=series,
        rows=tuple(item.name for item in series),
        x_range=_range(evaluations) if bounded else None,
        note=" ".join(note for note in notes if note),
    )


def curve_chart(
    curves: Mapping[str, Sequence[EpochFinished]], metric: str, *, title: str = "", x_label: str = "epoch"
) -> ChartSpec:
    """One metric of one or several trainings over their epochs; epochs without a finite value are left out."""
    series = []
    for name, curve in curves.items():
        points = [(item.epoch, item.metrics.get(metric)) for item in curve]
        known = [(float(epoch), float(value)) for epoch, value in points if value is not None and np.isfinite(value)]
        if known:
            x, y = zip(*known, strict=True)
            series.append(Series(name, x, y, markers=len(x) < 30))
    label = metric_title(metric)
    return ChartSpec(f"curve-{metric}", "lines", title or label, x_label=x_label, y_label=label, series=tuple(series))


def _class_curves(scored: Scored) -> dict[str, tuple[Floats, Floats]]:
    """ROC points by class; a binary task has one curve, named “”."""
    if scored.task is Task.BINARY:
        return {"": roc_points(scored.events, scored.event_scores)}
    curves = {}
    for item, name in enumerate(scored.classes):
        column: Flags = np.asarray(scored.targets == item)
        known = np.ones(len(scored), np.bool_)
        if scored.task is Task.MULTILABEL:
            column, known = scored.targets[:, item] == 1, scored.targets[:, item] != UNKNOWN
        curves[name] = roc_points(column[known], scored.scores[known, item])
    return curves


def _line(name: str, curve: tuple[Floats, Floats], family: str, style: str) -> Series:
    x, y = (tuple(float(value) for value in axis) for axis in curve)
    return Series(name, x, y, family=family, style=style)


def _row_name(row: Evaluation, names: Mapping[str, str]) -> str:
    name = names.get(row.run, row.run)
    return f"{name}, {row.label}" if row.label else name


def _range(evaluations: Sequence[Evaluation]) -> tuple[float, float] | None:
    """From a round number below the lowest limit to one above the highest, within what the metric can be."""
    limits = [value for row in evaluations for value in (row.value, row.low, row.high) if value is not None]
    if not limits:
        return None
    return max(-1.0, math.floor(min(limits) * 20 - 0.2) / 20), min(1.0, math.ceil(max(limits) * 20 + 0.2) / 20)
