"""The legend under a chart: one switch a series, by mouse and by keys."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from medfm_gui.ui import theme
from medfm_gui.ui.charts.axis_name import small_font
from medfm_gui.ui.charts.marks import draw_marker, draw_sample, series_colour
from medfm_gui.ui.charts.plot_pane import paint_ring
from medfm_gui.ui.charts.wording import line
from medfm_gui.ui.widgets.text import tip

_SAMPLE_PX = 28
_NAME_PX = 240


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """What a series looks like; ``marker`` False for lines that have none."""

    name: str
    family: str = ""
    style: str = ""
    slot: int = 0
    marker: bool = True


class LegendSwitch(QAbstractButton):
    """Sample and name of one series; unchecked means hidden."""

    def __init__(self, entry: LegendEntry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entry = entry
        self._name = line(entry.name) or "unnamed"
        self.setCheckable(True)
        self.setChecked(True)
        self.setFont(small_font(self.font()))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"Show {self._name}")
        if self.fontMetrics().horizontalAdvance(self._name) > _NAME_PX:
            tip(self, line(entry.name, 400))

    def sizeHint(self) -> QSize:
        """Room for sample and name."""
        metrics, (small, gap, *_) = self.fontMetrics(), theme.SPACE
        name = min(metrics.horizontalAdvance(self._name) + 1, _NAME_PX)
        return QSize(small + _SAMPLE_PX + gap + name + small, metrics.height() + gap)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw line, marker and name; pale and without line while hidden."""
        now, (small, gap, *_) = theme.current(), theme.SPACE
        painter = QPainter(self)
        middle = self.height() / 2
        colour = series_colour(now, self._entry.slot) if self.isChecked() else QColor(now.disabled)
        sample = QRectF(small, 0, _SAMPLE_PX, self.height())
        if self.isChecked():
            draw_sample(painter, sample, colour, self._entry.style)
        if self._entry.marker:
            draw_marker(painter, self._entry.family, QPointF(sample.center().x(), middle), colour, QColor(now.panel))
        painter.setPen(QColor(now.text if self.isChecked() else now.muted))
        font = self.font()
        font.setStrikeOut(not self.isChecked())
        painter.setFont(font)
        left = small + _SAMPLE_PX + gap
        area = QRect(left, 0, self.width() - left - small + 1, self.height())
        shown = self.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)
        if self.hasFocus():
            paint_ring(painter, self)


class ChartLegend(QWidget):
    """Switches in rows that wrap."""

    toggled = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._switches: list[LegendSwitch] = []
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("Legend")

    @property
    def switches(self) -> tuple[LegendSwitch, ...]:
        """The entries in their order."""
        return tuple(self._switches)

    def set_entries(self, entries: tuple[LegendEntry, ...]) -> None:
        """Show these, all switched on."""
        for old in self._switches:
            old.setParent(None)
            old.deleteLater()
        self._switches = [LegendSwitch(entry, self) for entry in entries]
        for index, switch in enumerate(self._switches):
            switch.toggled.connect(lambda on, place=index: self.toggled.emit(place, on))
            switch.show()
        self._arrange(self.width())
        self.updateGeometry()

    def hasHeightForWidth(self) -> bool:
        """Narrow legends are tall."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Height of all rows at that width."""
        rows = self._rows(width)
        return rows[-1].bottom() + 1 if rows else 0

    def sizeHint(self) -> QSize:
        """Height at the present width."""
        return QSize(self.width(), self.heightForWidth(max(self.width(), 1)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap anew."""
        self._arrange(event.size().width())
        self.updateGeometry()

    def _arrange(self, width: int) -> None:
        for switch, area in zip(self._switches, self._rows(width), strict=True):
            switch.setGeometry(area)

    def _rows(self, width: int) -> list[QRect]:
        places, cursor = [], QPoint(0, 0)
        for switch in self._switches:
            size = switch.sizeHint().boundedTo(QSize(max(width, 1), 1000))
            if cursor.x() and cursor.x() + size.width() > width:
                cursor = QPoint(0, cursor.y() + size.height())
            places.append(QRect(cursor, size))
            cursor = cursor + QPoint(size.width() + theme.SPACE[1], 0)
        return places
