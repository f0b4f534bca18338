"""Painting of an interval chart: axis, rows, bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from medfm_gui.ui import theme
from medfm_gui.ui.charts.axis_name import body_font, small_font
from medfm_gui.ui.charts.estimates import Estimate, Scale
from medfm_gui.ui.charts.marks import LINE_PX, draw_marker, series_colour
from medfm_gui.ui.charts.ticks import tick_text, ticks
from medfm_gui.ui.charts.wording import line

_ROW_PX, _TALL_ROW_PX = 30, 44
_NARROW_PX = 460
"""Below this width a row's words stand above its bar, not beside it."""
_NAMES_SHARE = 0.42
_CAP_PX = 4.0
_TICK_PX = 48
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
_CENTRE = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine


@dataclass(frozen=True, slots=True)
class Forest:
    """Where everything lies: the bars' area, the height of a row, the columns' widths (0: words above the bar)."""

    plot: QRectF
    row_px: int
    names_px: float
    values_px: float

    @classmethod
    def of(cls, width: float, height: float, rows: Sequence[Estimate], span: float, font: QFont, label: str) -> Forest:
        """The layout for an area of that size."""
        small, body = QFontMetricsF(small_font(font)), QFontMetricsF(body_font(font))
        gap = theme.SPACE[2]
        axis = small.height() * (2 if label else 1) + theme.SPACE[2]
        bottom = max(1.0, height - axis)
        if width < _NARROW_PX:
            return cls(QRectF(gap, 0, max(1.0, width - 3 * gap), bottom), _TALL_ROW_PX, 0.0, 0.0)
        values = max((body.horizontalAdvance(row.text(span)) for row in rows[:200]), default=0.0)
        names = max((body.horizontalAdvance(line(row.name)) for row in rows[:200]), default=0.0)
        names = min(names + 1, _NAMES_SHARE * width)
        left = names + 2 * gap
        right = values + 2 * gap
        return cls(QRectF(left, 0, max(1.0, width - left - right), bottom), _ROW_PX, names, values)


def paint_axis(painter: QPainter, forest: Forest, scale: Scale, label: str, font: QFont, *, zero: bool) -> None:
    """Draw the grid, the numbers below, the axis's name, and the line of no difference."""
    now, plot = theme.current(), forest.plot
    small = small_font(font)
    metrics = QFontMetricsF(small)
    painter.setFont(small)
    high = metrics.height()
    values = ticks(scale.low, scale.high, max(3, int(plot.width() // _TICK_PX)))
    step = values[1] - values[0] if len(values) > 1 else scale.span
    for value in values:
        x = scale.place_of(value, plot)
        painter.setPen(QPen(QColor(now.line), 1))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        painter.setPen(QColor(now.muted))
        painter.drawText(QRectF(x - _TICK_PX, plot.bottom() + 4, 2 * _TICK_PX, high), _CENTRE, tick_text(value, step))
    if zero and scale.low <= 0 <= scale.high:
        pen = QPen(QColor(now.muted), 1)
        pen.setDashPattern([3, 3])
        painter.setPen(pen)
        x = scale.place_of(0, plot)
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
    painter.setPen(QColor(now.muted))
    area = QRectF(0, plot.bottom() + high + 6, plot.right() + plot.left(), high)
    if forest.names_px:
        area = QRectF(plot.left() - 60, area.top(), plot.width() + 120, high)
    painter.drawText(area, _CENTRE, metrics.elidedText(label, Qt.TextElideMode.ElideMiddle, area.width()))


def paint_row(painter: QPainter, forest: Forest, scale: Scale, row: Estimate, top: float, number_span: float) -> None:
    """Draw name, bar and number of a row whose upper edge lies at ``top``."""
    font = body_font(painter.font())
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    now, plot, height = theme.current(), forest.plot, forest.row_px
    value, name = row.text(number_span), line(row.name)
    painter.setPen(QColor(now.text))
    if forest.names_px:
        middle = top + height / 2
        names = QRectF(theme.SPACE[2], top, forest.names_px, height)
        values = QRectF(plot.right() + theme.SPACE[2], top, forest.values_px + 2, height)
    else:
        middle = top + height * 0.72
        wide = metrics.horizontalAdvance(value) + 1
        values = QRectF(plot.right() - wide, top, wide, height * 0.5)
        names = QRectF(plot.left(), top, plot.width() - wide - theme.SPACE[1], height * 0.5)
    painter.drawText(names, _LEFT, metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, names.width()))
    painter.setPen(QColor(now.text if math.isfinite(row.value) else now.muted))
    painter.drawText(values, _RIGHT, value)
    painter.save()
    painter.setClipRect(plot.adjusted(-6, 0, 6, 0), Qt.ClipOperation.IntersectClip)
    paint_bar(painter, plot, scale, row, middle, series_colour(now, row.slot))
    painter.restore()


def paint_bar(
    painter: QPainter, plot: QRectF, scale: Scale, row: Estimate, middle: float, colour: QColor, px: float = 9.0
) -> None:
    """Draw the interval with its ends, and the estimate's marker on it."""
    painter.setPen(QPen(colour, LINE_PX))
    if math.isfinite(row.low) and math.isfinite(row.high):
        # far beyond the edge a line would overflow the painter's coordinates
        ends = [min(max(scale.place_of(end, plot), plot.left() - 20), plot.right() + 20) for end in (row.low, row.high)]
        painter.drawLine(QPointF(ends[0], middle), QPointF(ends[1], middle))
        for end in ends:
            painter.drawLine(QPointF(end, middle - _CAP_PX), QPointF(end, middle + _CAP_PX))
    if math.isfinite(row.value) and scale.low - scale.span <= row.value <= scale.high + scale.span:
        centre = QPointF(scale.place_of(row.value, plot), middle)
        draw_marker(painter, row.family, centre, colour, QColor(theme.current().panel), px, hollow=row.hollow)
