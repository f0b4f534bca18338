"""The grid behind a plot. An axis of pyqtgraph that draws a grid itself drops the numbers at its ends."""

from __future__ import annotations

from functools import partial
from typing import Any

import pyqtgraph as pg
from PySide6.QtGui import QColor, QFont, QPen

from medfm_gui.domain.log_axis import LogAxis
from medfm_gui.ui.charts.axes import Axes
from medfm_gui.ui.charts.ticks import round_step, short, tick_text, ticks
from medfm_gui.ui.theme import Theme

_TICK_PX = {"left": 30.0, "bottom": 40.0}
_DECADE_PX = 56.0
"""Numbers along an axis stand at least so far apart."""


class GridLines:
    """Lines at the round values of both axes, and those values beside them."""

    def __init__(self, axes: Axes, font: QFont) -> None:
        self._axes = axes.sides
        self._box = axes.box
        self._lines: Any = pg.PlotCurveItem(connect="pairs")
        self._lines.setZValue(-10)
        self._decades: LogAxis | None = None
        self._box.addItem(self._lines, ignoreBounds=True)
        for side, axis in self._axes.items():
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickLength=0, tickFont=font, maxTickLevel=0, maxTextLevel=0, hideOverlappingLabels=False)
            axis.tickSpacing = partial(_spacing, side)
            axis.tickStrings = partial(_numbers, axis)
        self._box.sigRangeChanged.connect(self.draw)
        self._box.sigResized.connect(self.draw)

    def set_decades(self, axis: LogAxis | None) -> None:
        """Mark x by this logarithmic axis; None: x is linear."""
        if axis is None and self._decades is not None:
            self._axes["bottom"].setTicks(None)
        self._decades = axis

    def draw(self, *_: object) -> None:
        """Put the lines where the axes' numbers are."""
        (x_low, x_high), (y_low, y_high) = self._box.viewRange()
        area = self._box.sceneBoundingRect()
        if self._decades is None:
            upright = ticks(x_low, x_high, _most("bottom", area.width()))
        else:
            marked = self._decades.ticks(x_low, x_high, max(2, int(area.width() / _DECADE_PX)))
            upright = tuple(place for place, _ in marked)
            self._axes["bottom"].setTicks([marked])
        level = ticks(y_low, y_high, _most("left", area.height()))
        xs = [end for x in upright for end in (x, x)] + [x_low, x_high] * len(level)
        ys = [y_low, y_high] * len(upright) + [end for y in level for end in (y, y)]
        self._lines.setData(xs, ys)

    def restyle(self, now: Theme) -> None:
        """Take a theme's colours."""
        self._lines.setPen(QPen(QColor(now.line), 0))
        for axis in self._axes.values():
            axis.setPen(QPen(QColor(now.line), 1))
            axis.setTextPen(QPen(QColor(now.muted)))


def _most(side: str, size_px: float) -> int:
    """How many numbers an axis of that length has room for."""
    return max(3, int(size_px / _TICK_PX[side]))


def _spacing(side: str, low: float, high: float, size_px: float) -> list[tuple[float, float]]:
    return [(round_step((high - low) / _most(side, size_px)), 0.0)]


def _numbers(axis: Any, values: list[float], scale: float, step: float) -> list[str]:
    if axis.logMode:
        return [short(10.0**value) for value in values]
    return [tick_text(value * scale, step * scale) for value in values]
