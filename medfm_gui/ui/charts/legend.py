"""The legend under a chart: one switch a series, by mouse and by keys."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from medfm_gui.ui import theme
from medfm_gui.ui.charts.axis_name import small_font
from medfm_gui.ui.charts.marks import draw_marker, draw_sample, is_repeated, series_colour
from medfm_gui.ui.charts.plot_pane import paint_ring
from medfm_gui.ui.charts.wording import line
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.text import tip

_SAMPLE_PX = 28
_NAME_PX = 240


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """What a series looks like; ``marker`` False for lines that have none, ``line`` False for points alone."""

    name: str
    family: str = ""
    style: str = ""
    slot: int = 0
    marker: bool = True
    line: bool = True


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
        if self.isChecked() and self._entry.line:
            draw_sample(painter, sample, colour, self._entry.style)
        if self._entry.marker:
            centre, pierced = QPointF(sample.center().x(), middle), is_repeated(now, self._entry.slot)
            draw_marker(painter, self._entry.family, centre, colour, QColor(now.panel), pierced=pierced)
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
        self._flow = FlowLayout(self, theme.SPACE[0])
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("Legend")

    @property
    def switches(self) -> tuple[LegendSwitch, ...]:
        """The entries in their order."""
        return tuple(self._switches)

    def set_entries(self, entries: tuple[LegendEntry, ...]) -> None:
        """Show these, all switched on."""
        self._flow.clear()
        self._switches = [LegendSwitch(entry, self) for entry in entries]
        for index, switch in enumerate(self._switches):
            switch.toggled.connect(lambda on, place=index: self.toggled.emit(place, on))
            self._flow.addWidget(switch)
            switch.show()  # a layout leaves what it has not shown yet out of its height
        self.updateGeometry()
