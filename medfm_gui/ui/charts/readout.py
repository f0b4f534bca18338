"""The small panel beside the cursor that tells the values under it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from medfm_gui.ui import theme
from medfm_gui.ui.charts.axis_name import small_font
from medfm_gui.ui.charts.marks import draw_marker, is_repeated, series_colour

_MOST = 12
_NAME_PX = 190
_MARK_PX = 16
_AWAY_PX = 14


@dataclass(frozen=True, slots=True)
class ReadoutRow:
    """One value: of whom, and what; ``slot`` None draws no marker."""

    name: str
    value: str
    family: str = ""
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands in the readout: a line above (may be empty) and a row a series."""

    heading: str
    rows: tuple[ReadoutRow, ...] = ()

    @property
    def text(self) -> str:
        """The same in one sentence, for a screen reader."""
        values = "; ".join(f"{row.name} {row.value}".strip() for row in self.rows)
        return ": ".join(part for part in (self.heading, values) if part)


class Readout(QWidget):
    """Floats over a chart and never takes the mouse; all text is painted plain."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._ground = parent
        self._reading = Reading("")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFont(small_font(self.font()))
        self.hide()

    @property
    def reading(self) -> Reading:
        """What is shown now."""
        return self._reading

    def show_at(self, reading: Reading, place: QPointF) -> None:
        """Show the reading beside ``place`` (of the parent), on the side where there is room."""
        self._reading = reading
        size = self.sizeHint()
        self.resize(size)
        room = self._ground.size()
        x = place.x() + _AWAY_PX
        if x + size.width() > room.width():
            x = place.x() - _AWAY_PX - size.width()
        y = place.y() + _AWAY_PX
        if y + size.height() > room.height():
            y = place.y() - _AWAY_PX - size.height()
        self.move(round(max(0, min(x, room.width() - size.width()))), round(max(0, y)))
        self.show()
        self.raise_()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for the heading and all rows that are shown."""
        names, values = self._widths()
        metrics = self.fontMetrics()
        pad = theme.SPACE[1]
        lines = len(self._lines()) + bool(self._reading.heading)
        heading = min(metrics.horizontalAdvance(self._reading.heading), 2 * _NAME_PX)
        width = max(_MARK_PX + names + theme.SPACE[2] + values, heading) + 2 * pad
        return QSize(width, lines * self._line_px() + 2 * pad)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the panel and its lines."""
        now, pad, step = theme.current(), theme.SPACE[1], self._line_px()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(now.line), 1))
        painter.setBrush(QColor(now.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)
        area = QRect(pad, pad, self.width() - 2 * pad, step)
        if self._reading.heading:
            painter.setPen(QColor(now.muted))
            self._write(painter, area, self._reading.heading, Qt.AlignmentFlag.AlignLeft)
            area.translate(0, step)
        names, _ = self._widths()
        for row in self._lines():
            self._paint_row(painter, area, row, names)
            area.translate(0, step)

    def _paint_row(self, painter: QPainter, area: QRect, row: ReadoutRow, names: int) -> None:
        now = theme.current()
        if row.slot is not None:
            centre = QPointF(area.left() + _MARK_PX / 2 - 2, area.center().y() + 0.5)
            colour, pierced = series_colour(now, row.slot), is_repeated(now, row.slot)
            draw_marker(painter, row.family, centre, colour, QColor(now.raised), pierced=pierced)
        painter.setPen(QColor(now.text))
        self._write(painter, area.adjusted(_MARK_PX, 0, 0, 0), row.value, Qt.AlignmentFlag.AlignRight)
        name = QRect(area.left() + _MARK_PX, area.top(), names, area.height())
        self._write(painter, name, row.name, Qt.AlignmentFlag.AlignLeft)

    def _write(self, painter: QPainter, area: QRect, text: str, side: Qt.AlignmentFlag) -> None:
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)

    def _lines(self) -> tuple[ReadoutRow, ...]:
        rows = self._reading.rows
        if len(rows) <= _MOST:
            return rows
        return (*rows[: _MOST - 1], ReadoutRow(f"and {len(rows) - _MOST + 1} more", ""))

    def _widths(self) -> tuple[int, int]:
        metrics = self.fontMetrics()
        names = [metrics.horizontalAdvance(row.name) for row in self._lines()]
        values = [metrics.horizontalAdvance(row.value) for row in self._lines()]
        return min(max(names, default=0) + 1, _NAME_PX), max(values, default=0) + 1

    def _line_px(self) -> int:
        return self.fontMetrics().height() + theme.SPACE[0]
