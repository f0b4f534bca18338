"""A confusion matrix: counts with the share of their row, shaded by that share. All vectors, no bitmap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.reports.lettering import MM_PER_INCH, figure_width_mm, fitted, width_mm
from medfm_gui.reports.palette import INK, relative_luminance

_DEEP = "#0B4F78"
_SHADES = LinearSegmentedColormap.from_list("share", ["#FFFFFF", "#BFD9E8", "#4A90BA", _DEEP])
Cells = np.ndarray[tuple[int, int], np.dtype[np.float64]]
"""float64 [rows, columns]."""

_SHARES_UP_TO = 10
_NUMBERS_UP_TO = 24


def plot_matrix(figure: Figure, axes: Axes, chart: ChartSpec) -> None:
    """Draw the matrix, first row on top; ``rows`` and ``columns`` name its sides."""
    counts = _rectangle(chart.matrix)
    shares = _row_shares(counts)
    height, width = counts.shape
    axes.pcolormesh(
        np.arange(width + 1) - 0.5,
        np.arange(height + 1) - 0.5,
        np.nan_to_num(shares),
        cmap=_SHADES,
        vmin=0,
        vmax=1,
        edgecolors="white",
        linewidth=0.8,
        antialiased=True,
    )
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal", anchor="C")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    _names(figure, axes, chart, height, width)
    if max(height, width) <= _NUMBERS_UP_TO:
        _numbers(axes, counts, shares, _type_size(figure, height, width))


def _rectangle(matrix: Sequence[Sequence[float]]) -> Cells:
    """All cells; short rows are filled with NaN."""
    width = max(len(row) for row in matrix)
    filled = np.full((len(matrix), width), math.nan)
    for index, row in enumerate(matrix):
        filled[index, : len(row)] = row
    return filled


def _row_shares(
    counts: Cells,
) -> Cells:
    """Each count by its row's sum, NaN where the row is empty."""
    totals = np.nansum(counts, axis=1, keepdims=True)
    shares: Cells = np.divide(counts, totals, out=np.full_like(counts, math.nan), where=totals > 0)
    return shares


def _names(figure: Figure, axes: Axes, chart: ChartSpec, height: int, width: int) -> None:
    size = 6.4 if max(height, width) <= _SHARES_UP_TO else 4.8
    whole = figure_width_mm(figure)
    columns = [fitted(name, min(whole * 0.24, 26), size) for name in chart.columns[:width]]
    rows = [fitted(name, whole * 0.24, size) for name in chart.rows[:height]]
    axes.set_xticks(range(len(columns)), columns, fontsize=size)
    if max((width_mm(name, size) for name in columns), default=0) > 0.9 * _cell_mm(figure, height, width):
        axes.tick_params(axis="x", labelrotation=40)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows, fontsize=size)


def _cell_mm(figure: Figure, height: int, width: int) -> float:
    """Side of a cell, roughly: names and labels take the rest of the figure."""
    return float(min(figure.get_figwidth() * 0.68 / width, figure.get_figheight() * 0.75 / height) * MM_PER_INCH)


def _type_size(figure: Figure, height: int, width: int) -> float:
    return float(np.clip(_cell_mm(figure, height, width) * 0.68, 3.2, 8.5))


def _numbers(
    axes: Axes,
    counts: Cells,
    shares: Cells,
    size: float,
) -> None:
    with_share = max(counts.shape) <= _SHARES_UP_TO
    for (row, column), count in np.ndenumerate(counts):
        share = float(shares[row, column])
        middle: dict[str, Any] = {"ha": "center", "color": _readable(share)}
        if not with_share or not math.isfinite(share):
            axes.text(column, row, _number(count), va="center", fontsize=size, **middle)
            continue
        axes.text(column, row - 0.03, _number(count), va="bottom", fontsize=size, fontweight="bold", **middle)
        axes.text(column, row + 0.06, f"{100 * share:.0f} %", va="top", fontsize=size * 0.8, **middle)


def _readable(share: float) -> str:
    """White or ink, whichever stands out more against the cell's shade (WCAG relative luminance)."""
    shade = relative_luminance(_SHADES(0.0 if math.isnan(share) else share)[:3])
    on_white = 1.05 / (shade + 0.05)
    on_ink = (shade + 0.05) / (relative_luminance(to_rgb(INK)) + 0.05)
    return "white" if on_white > on_ink else INK


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.2f}"
