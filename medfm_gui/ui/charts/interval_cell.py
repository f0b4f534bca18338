"""A table cell with an estimate, its interval as text, and the interval as a bar on the column's common scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPalette, QPen
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from medfm_gui.ui import theme
from medfm_gui.ui.charts.axis_name import body_font
from medfm_gui.ui.charts.estimates import Estimate, Scale
from medfm_gui.ui.charts.forest import paint_bar
from medfm_gui.ui.charts.marks import series_colour
from medfm_gui.ui.charts.wording import difference, estimate

INTERVAL_ROLE = int(Qt.ItemDataRole.UserRole) + 40
"""Role under which a model gives an ``IntervalCell``; ``DisplayRole`` should give its ``text``."""

_SAMPLE = "0.873 (0.841–0.899)"
_LEAST_BAR_PX = 56


@dataclass(frozen=True, slots=True)
class IntervalCell:
    """An estimate (None: not estimable), its limits (None: not known), the ends of the column's scale.

    ``colour`` is the run's place among the theme's series colours (below zero: grey), ``family`` decides the marker;
    a ``hollow`` one is an outline: no run of the comparison. A ``signed`` one is a difference: its text says which way.
    """

    value: float | None
    low: float | None
    high: float | None
    scale_low: float = 0.0
    scale_high: float = 1.0
    colour: int = 0
    family: str = ""
    hollow: bool = False
    signed: bool = False

    @property
    def text(self) -> str:
        """``0.873 (0.841–0.899)``, or ``+0.024 (−0.013 to +0.061)``."""
        row, span = self.estimate, max(1.0, abs(self.scale_high - self.scale_low))
        return (difference if self.signed else estimate)(row.value, row.low, row.high, span)

    @property
    def estimate(self) -> Estimate:
        """The same as a row of an interval chart."""
        value, low, high = (math.nan if part is None else part for part in (self.value, self.low, self.high))
        return Estimate("", value, low, high, self.family, self.colour, 0, self.hollow)


class IntervalDelegate(QStyledItemDelegate):
    """Draws ``IntervalCell``s: the text left, the bar right of it, or below it where the column is narrow."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw one cell; a cell without an interval is drawn as usual."""
        cell = index.data(INTERVAL_ROLE)
        if not isinstance(cell, IntervalCell):
            super().paint(painter, option, index)
            return
        blank = QStyleOptionViewItem(option)
        self.initStyleOption(blank, index)
        blank.text = ""
        style = blank.widget.style() if blank.widget else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, blank, painter, blank.widget)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(option.rect)
        self.paint_cell(painter, option, cell)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Room for text and bar side by side."""
        if not isinstance(index.data(INTERVAL_ROLE), IntervalCell):
            return super().sizeHint(option, index)
        metrics = QFontMetrics(body_font(option.font))
        wide = metrics.horizontalAdvance(_SAMPLE) + 2 * _LEAST_BAR_PX + 3 * theme.SPACE[1]
        return QSize(wide, max(theme.CONTROL_PX, metrics.height() + theme.SPACE[2]))

    def paint_cell(self, painter: QPainter, option: QStyleOptionViewItem, cell: IntervalCell) -> None:
        """Draw the content on the ground that the style has drawn."""
        now, gap = theme.current(), theme.SPACE[1]
        font = body_font(option.font)
        metrics = QFontMetrics(font)
        area = QRectF(option.rect).adjusted(gap, 0, -gap, 0)
        words = max(metrics.horizontalAdvance(_SAMPLE), metrics.horizontalAdvance(cell.text)) + 1.0
        beside = area.width() - words - gap >= _LEAST_BAR_PX
        line_px = metrics.height()
        top = area.top() + (area.height() - line_px) / 2 if beside else area.top() + 2
        painter.setFont(font)
        colour = option.palette.color(QPalette.ColorRole.Text)
        painter.setPen(colour if cell.value is not None else QColor(now.muted))
        shown = metrics.elidedText(cell.text, Qt.TextElideMode.ElideRight, int(area.width()) + 1)
        start = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(QRectF(area.left(), top, area.width(), line_px), start, shown)
        bar = area.adjusted(words + gap + 6, 0, -6, 0) if beside else area.adjusted(6, line_px, -6, 0)
        if not (cell.scale_low < cell.scale_high) or bar.height() < 4:
            return
        middle = bar.center().y()
        painter.setPen(QPen(QColor(now.line), 1))
        painter.drawLine(QPointF(bar.left(), middle), QPointF(bar.right(), middle))
        scale = Scale(cell.scale_low, cell.scale_high)
        paint_bar(painter, bar, scale, cell.estimate, middle, series_colour(now, cell.colour), 8.0 if beside else 6.0)
