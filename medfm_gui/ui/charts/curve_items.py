"""The items of pyqtgraph that one series of a line chart consists of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsPathItem

from medfm_gui.ui.charts.marks import MARKER_PX, is_repeated, line_pen, marker_path, rim, series_colour
from medfm_gui.ui.charts.plot_pane import PlotPane
from medfm_gui.ui.charts.tones import faint
from medfm_gui.ui.charts.trace import Floats, Trace, thinned
from medfm_gui.ui.theme import Theme

_BAND_OPACITY = 0.18
_SPREAD_OPACITY, _SPREAD_PX = 0.4, 5.0
_MOST_CORNERS = 3000
"""A line of more corners than a screen is wide shows no more, and a dashed one takes long to draw."""


class CurveItems:
    """Line, band or bars, and markers of one trace; ``width`` and ``height`` are the axes' in units of the data.

    The markers are there from the first ``restyle`` on.
    """

    def __init__(self, trace: Trace, width: float, height: float) -> None:
        self._trace = trace
        self._line: Any = pg.PlotCurveItem(*_corners(trace), connect="finite", antialias=True)
        self._band: Any = None
        self._bars: Any = None
        self._spread: Any = None
        if len(trace.spread_low):
            ends = _sticks(trace, trace.spread_low, trace.spread_high)
            self._spread = pg.PlotCurveItem(*ends, connect="pairs", antialias=True)
        if len(trace.low) and trace.markers:
            self._bars = pg.PlotCurveItem(*_sticks(trace, trace.low, trace.high), connect="pairs", antialias=True)
        elif len(trace.low):
            self._band = QGraphicsPathItem(_outline(trace))
        self._places = trace.marked(width, height)
        self._markers: Any = pg.ScatterPlotItem(pxMode=True)

    @property
    def items(self) -> tuple[Any, ...]:
        """All items there are, from back to front."""
        return tuple(item for item in self._every() if item is not None)

    def _every(self) -> tuple[Any, ...]:
        return self._band, self._spread, self._bars, self._line, self._markers

    @property
    def is_shown(self) -> bool:
        """Whether the series is drawn."""
        return bool(self._line.isVisible())

    def join(self, pane: PlotPane) -> None:
        """Put the items on the axes."""
        for depth, item in enumerate(self.items, start=2):
            pane.add(item, depth)

    def leave(self, pane: PlotPane) -> None:
        """Take the items off the axes."""
        for item in self.items:
            pane.remove(item)

    def set_shown(self, shown: bool) -> None:
        """Show or hide all items."""
        for item in self.items:
            item.setVisible(shown)

    def restyle(self, now: Theme) -> None:
        """Take a theme's colours."""
        colour = series_colour(now, self._trace.slot)
        self._line.setPen(line_pen(colour, self._trace.style) if self._trace.joined else QPen(Qt.PenStyle.NoPen))
        if self._bars is not None:
            self._bars.setPen(line_pen(colour, width=1.2))
        if self._spread is not None:
            wide = line_pen(faint(colour, _SPREAD_OPACITY), width=_SPREAD_PX)
            wide.setCapStyle(Qt.PenCapStyle.FlatCap)
            self._spread.setPen(wide)
        if self._band is not None:
            self._band.setPen(QPen(Qt.PenStyle.NoPen))
            self._band.setBrush(QBrush(faint(colour, _BAND_OPACITY)))
        self._markers.setData(  # all of a look at once: each change of it draws every marker anew
            x=self._trace.x[self._places],
            y=self._trace.y[self._places],
            symbol=marker_path(self._trace.family, pierced=is_repeated(now, self._trace.slot)),
            size=MARKER_PX,
            brush=QBrush(colour),
            pen=rim(QColor(now.panel)),
        )


def _corners(trace: Trace) -> tuple[Any, Any]:
    x, y = trace.path
    if len(x) > _MOST_CORNERS and np.all(np.diff(x) >= 0):
        return thinned(x, y, _MOST_CORNERS)
    return x, y


def _sticks(trace: Trace, low: Floats, high: Floats) -> tuple[Any, Any]:
    known = np.isfinite(trace.x) & np.isfinite(low) & np.isfinite(high)
    ends = np.column_stack((low[known], high[known]))
    return np.repeat(trace.x[known], 2), ends.ravel()


def _outline(trace: Trace) -> QPainterPath:
    path: QPainterPath = pg.arrayToQPath(*trace.outline, finiteCheck=False)
    path.closeSubpath()
    return path
