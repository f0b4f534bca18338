"""Estimates with their intervals, one a row, the first on top: a forest plot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.reports.lettering import figure_width_mm, fitted, width_mm
from medfm_gui.reports.palette import LINE, MUTED, colour, marker, marker_size

_POINTS = 6.4
_NARROW_MM = 114.0
"""Below this width a row's words stand above its bar, not beside it."""


@dataclass(frozen=True, slots=True)
class _Estimate:
    """One row: ``low`` and ``high`` are NaN where no interval is known."""

    name: str
    value: float
    low: float
    high: float
    family: str
    tone: str
    hollow: bool


def plot_intervals(figure: Figure, axes: Axes, chart: ChartSpec) -> None:
    """Draw a bar and its estimate for each row; the number with its interval stands at the right."""
    rows = _estimates(chart)
    for place, row in enumerate(rows):
        axes.hlines(place, row.low, row.high, color=row.tone, linewidth=1.4, zorder=2.5)
        axes.plot(
            [row.value],
            [place],
            marker=marker(row.family),
            color=row.tone,
            markersize=marker_size(row.family, 5),
            markerfacecolor="white" if row.hollow else row.tone,
            markeredgecolor=row.tone if row.hollow else "white",
            markeredgewidth=0.9 if row.hollow else 0.35,
            linestyle="none",
            zorder=3,
        )
    _limits(axes, chart, rows)
    axes.grid(visible=True, axis="x", color=LINE, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks([])
    width = figure_width_mm(figure)
    label = _label_above if width < _NARROW_MM else _label_beside
    for place, row in enumerate(rows):
        label(axes, place, row, width)


def _label_beside(axes: Axes, place: int, row: _Estimate, width: float) -> None:
    beside = axes.get_yaxis_transform()
    name = fitted(row.name, width * 0.36, _POINTS)
    axes.text(-0.02, place, name, transform=beside, ha="right", va="center", fontsize=_POINTS)
    axes.text(1.02, place, _number(row), transform=beside, va="center", fontsize=_POINTS)


def _label_above(axes: Axes, place: int, row: _Estimate, width: float) -> None:
    above: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": _POINTS}
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}  # no grid line runs through the words
    number = _number(row)
    name = fitted(row.name, width - width_mm(number, _POINTS) - 8, _POINTS)
    axes.text(0, place - 0.26, name, bbox=ground, **above)
    axes.text(1, place - 0.26, number, ha="right", bbox=ground, **above)


def _limits(axes: Axes, chart: ChartSpec, rows: list[_Estimate]) -> None:
    if chart.x_range and chart.x_range[0] < chart.x_range[1]:
        axes.set_xlim(chart.x_range)
    elif not any(math.isfinite(row.value) for row in rows):
        axes.set_xlim(0, 1)
    if chart.diagonal:  # the line of no difference
        axes.axvline(0, color=MUTED, linewidth=0.7, linestyle=(0, (3, 3)), zorder=1.5)


def _estimates(chart: ChartSpec) -> list[_Estimate]:
    """Every point of every series is a row; ``chart.rows`` names them, or else the series do."""
    found: list[_Estimate] = []
    for index, series in enumerate(chart.series):
        for point, value in enumerate(series.x):
            place = len(found)
            known = point < min(len(series.low), len(series.high))
            found.append(
                _Estimate(
                    name=chart.rows[place] if place < len(chart.rows) else series.name,
                    value=_finite(value),
                    low=_finite(series.low[point]) if known else math.nan,
                    high=_finite(series.high[point]) if known else math.nan,
                    family=series.family,
                    tone=colour(index),
                    hollow=series.hollow,
                )
            )
    return found


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _number(row: _Estimate) -> str:
    if math.isnan(row.value):
        return "not estimable"
    if math.isnan(row.low) or math.isnan(row.high):
        return f"{row.value:.3f}"
    return f"{row.value:.3f} ({row.low:.3f}–{row.high:.3f})"
