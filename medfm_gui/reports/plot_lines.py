"""Curves: ROC, learning curves, calibration. A square with a chance line where the chart asks for one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.reports.lettering import figure_width_mm, fitted, width_mm
from medfm_gui.reports.palette import LINE, MUTED, colour, dashes, marker, marker_size
from medfm_gui.reports.plain import shortened

_FEW = 40
"""Up to so many points each gets its marker; beyond, a few along the curve tell the family."""
_LEGEND_POINTS = 6.4
_SAMPLE_MM = 12.5  # a line's sample in the legend, with the blanks around it


def plot_lines(figure: Figure, axes: Axes, chart: ChartSpec) -> None:
    """Draw every series with its legend below the axes, where it can hide no curve."""
    _grid(axes)
    if chart.diagonal:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.7, linestyle=(0, (3, 3)), zorder=1.5, gid="chance")
    handles = [_plot(axes, series, index) for index, series in enumerate(chart.series)]
    _limits(axes, chart)
    names = [series.name for series in chart.series]
    if len(names) > 1 or any(names):
        legend_below(figure, handles, names)


def _grid(axes: Axes) -> None:
    axes.grid(visible=True, color=LINE, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _plot(axes: Axes, series: Series, index: int) -> Line2D:
    tone = colour(index)
    x, y = _finite(series.x), _finite(series.y)
    shape = marker(series.family) if series.family or series.markers or len(x) < 2 else ""
    every = 1 if series.markers and len(x) <= _FEW else (0.04 + 0.03 * (index % 6), 0.21)
    (line,) = axes.plot(
        x,
        y,
        color=tone,
        linewidth=1.1,
        linestyle=dashes(series.style),
        marker=shape or None,
        markevery=every if len(x) > 1 else None,
        markersize=marker_size(series.family, 3.9),
        markeredgewidth=0.35,
        markeredgecolor="white",
        drawstyle="steps-post" if series.step else "default",
        solid_joinstyle="round",
        zorder=3,
    )
    if len(series.low) == len(series.high) == len(x) > 0:
        _spread(axes, series, tone)
    return line


def _spread(axes: Axes, series: Series, tone: str) -> None:
    low, high = _finite(series.low), _finite(series.high)
    if series.markers:
        axes.vlines(_finite(series.x), low, high, color=tone, linewidth=0.8, zorder=2.5)
        return
    step: Literal["post"] | None = "post" if series.step else None
    axes.fill_between(_finite(series.x), low, high, step=step, color=tone, alpha=0.14, linewidth=0, zorder=2)


def _limits(axes: Axes, chart: ChartSpec) -> None:
    unit = (0.0, 1.0)
    if chart.diagonal and (chart.x_range or unit) == unit and (chart.y_range or unit) == unit:
        axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015), box_aspect=1)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        return
    if chart.x_range and chart.x_range[0] < chart.x_range[1]:
        axes.set_xlim(chart.x_range)
    if chart.y_range and chart.y_range[0] < chart.y_range[1]:
        axes.set_ylim(chart.y_range)
    if all(float(value).is_integer() for series in chart.series for value in series.x if math.isfinite(value)):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))


def _finite(values: Sequence[float]) -> list[float]:
    return [value if math.isfinite(value) else math.nan for value in values]


def legend_below(figure: Figure, handles: Sequence[Line2D], names: Sequence[str]) -> None:
    """A legend under the axes in as many columns as the names allow; long names lose their middle."""
    room = figure_width_mm(figure)
    longest = max(width_mm(shortened(name, 200), _LEGEND_POINTS) for name in names)
    columns = int(max(1, min(3, len(names), room // (longest + _SAMPLE_MM))))
    legend = figure.legend(
        handles,
        ["."] * len(handles),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        handlelength=3.2,
        handletextpad=0.6,
        columnspacing=1.4,
        labelspacing=0.35,
        borderpad=0,
        borderaxespad=0.2,
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(
            fitted(name, room / columns - _SAMPLE_MM, _LEGEND_POINTS)
        )  # set afterwards: a legend drops labels that begin with “_”
