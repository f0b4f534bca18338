"""A table cell with a paired difference: its text, and its interval on a scale with zero in the middle."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPalette, QPen
from PySide6.QtWidgets import QStyleOptionViewItem

from medfm_gui.ui import theme
from medfm_gui.ui.charts.estimates import Scale
from medfm_gui.ui.charts.forest import paint_bar
from medfm_gui.ui.charts.interval_cell import IntervalCell, IntervalDelegate
from medfm_gui.ui.charts.marks import MARKER_PX, series_colour

_SAMPLE = "−0.000 (−0.000 to −0.000)"
"""The widest text: every row keeps as much room, so that all bars of a column share one scale."""


class DifferenceDelegate(IntervalDelegate):
    """Draws ``IntervalCell``s whose scale is symmetrical, with a mark at zero."""

    def paint_cell(self, painter: QPainter, option: QStyleOptionViewItem, cell: IntervalCell) -> None:
        """Draw the text, and right of it the interval about the mark."""
        now, gap = theme.current(), theme.SPACE[1]
        font = theme.figures_font()
        metrics = QFontMetrics(font)
        area = QRectF(option.rect).adjusted(gap, 0, -gap, 0)
        painter.setFont(font)
        known = option.palette.color(QPalette.ColorRole.Text)
        painter.setPen(known if cell.value is not None else QColor(now.muted))
        start = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(area, start, cell.text)
        bar = area.adjusted(metrics.horizontalAdvance(_SAMPLE) + 2 * gap, 0, -gap, 0)
        if bar.width() <= 0:
            return
        middle, scale = bar.center(), Scale(cell.scale_low, cell.scale_high)
        painter.setPen(QPen(QColor(now.line), 1))
        painter.drawLine(QPointF(bar.left(), middle.y()), QPointF(bar.right(), middle.y()))
        painter.setPen(QPen(QColor(now.muted), 1))
        zero = scale.place_of(0.0, bar)
        painter.drawLine(QPointF(zero, middle.y() - gap), QPointF(zero, middle.y() + gap))
        paint_bar(painter, bar, scale, cell.estimate, middle.y(), series_colour(now, cell.colour), MARKER_PX)
