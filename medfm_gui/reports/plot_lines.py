"""Curves: ROC, learning curves, calibration, the adaptation ladder.

A square with a chance line where the chart asks for one. A logarithmic x is drawn in decades, at the places that
``LogAxis`` gives on screen too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.log_axis import LogAxis, arranged, has_legend
from medfm_gui.reports.lettering import figure_width_mm, fitted, width_mm
from medfm_gui.reports.palette import LINE, MUTED, colour, dashes, marker, marker_fill, marker_size
from medfm_gui.reports.plain import shortened

_FEW = 40
"""Up to so many points each gets its marker; beyond, a few along the curve tell the family."""
_LEGEND_POINTS = 6.4
_SAMPLE_MM = 12.5  # a line's sample in the legend, with the blanks around it
_MM_A_TICK = 11.0
_ROOM = 0.03


def plot_lines(figure: Figure, axes: Axes, chart: ChartSpec) -> None:
    """Draw every series with its legend below the axes, where it can hide no curve."""
    _grid(axes)
    if chart.diagonal:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.7, linestyle=(0, (3, 3)), zorder=1.5, gid="chance")
    scale = LogAxis.of(chart) if chart.x_log else None
    drawn = arranged(chart, scale) if scale else None
    for link, x in zip(chart.links, drawn.links if drawn else (link.x for link in chart.links), strict=True):
        axes.plot(_finite(x), _finite(link.y), color=MUTED, linewidth=0.6, alpha=0.55, zorder=1.8)
    every_x = drawn.series if drawn else tuple(series.x for series in chart.series)
    handles = [_plot(axes, *one, index) for index, one in enumerate(zip(chart.series, every_x, strict=True))]
    if scale is None:
        _limits(axes, chart)
    else:
        _decades(figure, axes, chart, scale)
    names = [series.name for series in chart.series]
    if has_legend(chart) and (len(names) > 1 or any(names)):
        legend_below(figure, handles, names)


def _grid(axes: Axes) -> None:
    axes.grid(visible=True, color=LINE, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _plot(axes: Axes, series: Series, places: Sequence[float], index: int) -> Line2D:
    tone = colour(index)
    x, y = _finite(places), _finite(series.y)
    shape = marker(series.family) if series.family or series.markers or len(x) < 2 else ""
    every = 1 if series.markers and len(x) <= _FEW else (0.04 + 0.03 * (index % 6), 0.21)
    (line,) = axes.plot(
        x,
        y,
        color=tone,
        linewidth=1.1,
        linestyle=dashes(series.style) if len(x) > 1 and series.joined else "none",
        marker=shape or None,
        markevery=every if len(x) > 1 else None,
        markersize=marker_size(series.family, 3.9),
        fillstyle=marker_fill(index),
        markerfacecoloralt="white",
        markeredgewidth=0.35,
        markeredgecolor="white" if marker_fill(index) == "full" else tone,
        drawstyle="steps-post" if series.step else "default",
        solid_joinstyle="round",
        zorder=3,
    )
    if len(series.low) == len(series.high) == len(x) > 0:
        _interval(axes, series, x, tone)
    if len(series.spread_low) == len(series.spread_high) == len(x) > 0:
        low, high = _finite(series.spread_low), _finite(series.spread_high)
        axes.vlines(x, low, high, color=tone, linewidth=3.2, alpha=0.38, zorder=2.6)
    return line


def _interval(axes: Axes, series: Series, x: Sequence[float], tone: str) -> None:
    low, high = _finite(series.low), _finite(series.high)
    if series.markers:
        axes.vlines(x, low, high, color=tone, linewidth=0.8, zorder=2.5)
        return
    step: Literal["post"] | None = "post" if series.step else None
    axes.fill_between(x, low, high, step=step, color=tone, alpha=0.14, linewidth=0, zorder=2)


def _decades(figure: Figure, axes: Axes, chart: ChartSpec, scale: LogAxis) -> None:
    """An axis of decades with its round values, and a dotted line where zero stands apart."""
    low, high = scale.ends
    room = (high - low) * _ROOM
    axes.set_xlim(low - room, high + room)
    ticks = scale.ticks(low - room, high + room, int(figure_width_mm(figure) / _MM_A_TICK))
    axes.set_xticks([place for place, _ in ticks], [text for _, text in ticks])
    if scale.break_at is not None:
        axes.axvline(scale.break_at, color=MUTED, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1.5, gid="break")
    if chart.y_range and chart.y_range[0] < chart.y_range[1]:
        axes.set_ylim(chart.y_range)


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
