"""Many runs of one point each, drawn as one item: thirty items of pyqtgraph take longer than a frame has."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from medfm_gui.ui import theme
from medfm_gui.ui.charts.marks import draw_marker, is_repeated, line_pen, series_colour
from medfm_gui.ui.charts.trace import Trace

_BAR_PX = 1.2


class Cloud(pg.GraphicsObject):  # type: ignore[misc]
    """A marker a run with its interval as a bar; each can be hidden."""

    def __init__(self) -> None:
        super().__init__()
        self._traces: tuple[Trace, ...] = ()
        self._hidden: set[int] = set()
        self._area = QRectF()

    def set_traces(self, traces: Sequence[Trace], area: QRectF) -> None:
        """Draw these, all shown; ``area`` is the part of the axes in which they lie."""
        self.prepareGeometryChange()
        self._traces, self._area = tuple(traces), area
        self._hidden.clear()
        self.update()

    def set_shown(self, index: int, shown: bool) -> None:
        """Show or hide one of them."""
        if shown:
            self._hidden.discard(index)
        else:
            self._hidden.add(index)
        self.update()

    def is_shown(self, index: int) -> bool:
        """Whether it is drawn."""
        return index not in self._hidden

    def boundingRect(self) -> QRectF:
        """Room for all of them, and for the markers that reach over."""
        wide, high = self._area.width() * 0.1, self._area.height() * 0.1
        return self._area.adjusted(-wide, -high, wide, high)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Bars first, then markers, at sizes of the screen."""
        now = theme.current()
        to_screen = painter.transform()
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shown = [trace for at, trace in enumerate(self._traces) if at not in self._hidden and trace.drawn.any()]
        for trace in shown:
            if len(trace.low) and math.isfinite(trace.low[0]) and math.isfinite(trace.high[0]):
                painter.setPen(line_pen(series_colour(now, trace.slot), width=_BAR_PX))
                ends = (QPointF(float(trace.x[0]), float(end)) for end in (trace.low[0], trace.high[0]))
                painter.drawLine(*map(to_screen.map, ends))
        for trace in shown:
            centre = to_screen.map(QPointF(float(trace.x[0]), float(trace.y[0])))
            colour, pierced = series_colour(now, trace.slot), is_repeated(now, trace.slot)
            draw_marker(painter, trace.family, centre, colour, QColor(now.panel), pierced=pierced)
        painter.restore()
