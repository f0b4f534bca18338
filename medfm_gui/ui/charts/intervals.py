"""Charts of kind ``intervals``: estimates with their intervals, one a row, the first on top."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QScrollBar, QWidget

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.ui import theme
from medfm_gui.ui.charts.estimates import Estimate, Scale, estimates, reading_of
from medfm_gui.ui.charts.forest import Forest, paint_axis, paint_row
from medfm_gui.ui.charts.plot_pane import CHART_PX, LEAST_CHART_PX, paint_ring
from medfm_gui.ui.charts.readout import Readout
from medfm_gui.ui.charts.wording import line

_ZOOM = 1.25


class IntervalsCanvas(QWidget):
    """A forest plot: names left, bars in the middle, numbers right; rows beyond the height scroll."""

    zoomed = Signal(bool)
    read = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chart = ChartSpec("", "intervals", "")
        self._all: tuple[Estimate, ...] = ()
        self._hidden: set[int] = set()
        self._row = -1
        self.scale = self._home = Scale(0.0, 1.0)
        self._grip: tuple[float, Scale] | None = None
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.setAccessibleName("Scroll the estimates")
        self._bar.valueChanged.connect(lambda _: self.update())
        self._readout = Readout(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(LEAST_CHART_PX)

    def draw(self, chart: ChartSpec, slots: Sequence[int]) -> None:
        """Show the chart; ``slots`` are its series' places among the theme's colours."""
        self._chart = chart
        self._all = estimates(chart, slots)
        self._hidden = set()
        self.scale = self._home = Scale.of(chart, self._all)
        self._choose(-1)
        self._arrange()

    def sizeHint(self) -> QSize:
        """Room in which a chart is read well."""
        return CHART_PX

    def set_shown(self, index: int, shown: bool) -> None:
        """Show or hide the rows of one series."""
        if shown:
            self._hidden.discard(index)
        else:
            self._hidden.add(index)
        self._choose(-1)
        self._arrange()

    @property
    def rows(self) -> tuple[Estimate, ...]:
        """The rows that are shown."""
        return tuple(row for row in self._all if row.series not in self._hidden)

    def reset(self) -> None:
        """Show the whole range."""
        self._set_scale(self._home)

    def restyle(self) -> None:
        """Take the current theme's colours."""
        self.update()

    def forest(self) -> Forest:
        """Where everything lies at the present size."""
        label = line(self._chart.x_label)
        return Forest.of(self.width(), self.height(), self._all, self._home.span, self.font(), label)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Work out anew how many rows there is room for."""
        self._arrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the axis and the rows in sight."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        now, forest, rows = theme.current(), self.forest(), self.rows
        painter.fillRect(self.rect(), QColor(now.panel))
        height, offset, first = forest.row_px, self._bar.value(), self._bar.value() // forest.row_px
        if 0 <= self._row < len(rows):
            painter.fillRect(QRectF(0, self._row * height - offset, self.width(), height), QColor(now.raised))
        zero = self._chart.diagonal
        paint_axis(painter, forest, self.scale, line(self._chart.x_label), self.font(), zero=zero)
        painter.setClipRect(QRectF(0, 0, self.width(), forest.plot.bottom() + 1))
        for place in range(first, min(len(rows), first + int(forest.plot.height()) // height + 2)):
            paint_row(painter, forest, self.scale, rows[place], place * height - offset, self._home.span)
        painter.setClipping(False)
        if self.hasFocus():
            paint_ring(painter, self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the rows; with Ctrl widen or narrow the range around the mouse."""
        turn = event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            at = self.scale.value_at(event.position().x(), self.forest().plot)
            self._set_scale(self.scale.zoomed(_ZOOM if turn > 0 else 1 / _ZOOM, at, self._home))
            return
        before = self._bar.value()
        self._bar.setValue(before - turn // 2)
        event.setAccepted(self._bar.value() != before)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the axis; a double click shows the whole range."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.reset()
        self._grip = event.position().x(), self.scale

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the row under the mouse; move the axis while it is held."""
        forest, place = self.forest(), event.position()
        if self._grip and event.buttons() & Qt.MouseButton.LeftButton:
            start, scale = self._grip
            shift = (start - place.x()) / forest.plot.width() * scale.span
            self._set_scale(scale.moved(shift, self._home))
            return
        inside = 0 <= place.y() < forest.plot.bottom()
        row = int((place.y() + self._bar.value()) // forest.row_px) if inside else -1
        self._choose(row if row < len(self.rows) else -1, place)

    def leaveEvent(self, event: QEvent) -> None:
        """Put the readout away."""
        self._choose(-1)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Put the readout away."""
        self._choose(-1)
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down read the rows, + and − zoom, left and right move, 0 resets."""
        middle, tenth = (self.scale.low + self.scale.high) / 2, self.scale.span / 10
        match event.key():
            case Qt.Key.Key_Down:
                self._read_row(self._row + 1)
            case Qt.Key.Key_Up:
                self._read_row(self._row - 1)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self._set_scale(self.scale.zoomed(_ZOOM, middle, self._home))
            case Qt.Key.Key_Minus:
                self._set_scale(self.scale.zoomed(1 / _ZOOM, middle, self._home))
            case Qt.Key.Key_Left:
                self._set_scale(self.scale.moved(-tenth, self._home))
            case Qt.Key.Key_Right:
                self._set_scale(self.scale.moved(tenth, self._home))
            case Qt.Key.Key_0:
                self.reset()
            case _:
                super().keyPressEvent(event)

    def _read_row(self, place: int) -> None:
        if not self.rows:
            return
        place = min(max(place, 0), len(self.rows) - 1)
        forest = self.forest()
        top, seen = place * forest.row_px, int(forest.plot.height())
        self._bar.setValue(min(max(self._bar.value(), top + forest.row_px - seen), top))
        middle = forest.plot.center().x()
        self._choose(place, QPointF(middle, top - self._bar.value() + forest.row_px / 2))
        self.read.emit(self._readout.reading.text)

    def _choose(self, place: int, at: QPointF | None = None) -> None:
        self._row = place
        if place < 0 or at is None:
            self._readout.hide()
        else:
            self._readout.show_at(reading_of(self._chart, self.rows[place], self._home.span), at)
        self.update()

    def _set_scale(self, scale: Scale) -> None:
        self.scale = scale
        self.zoomed.emit(scale != self._home)
        self.update()

    def _arrange(self) -> None:
        forest = self.forest()
        content, seen = len(self.rows) * forest.row_px, int(forest.plot.height())
        width = self._bar.sizeHint().width()
        self._bar.setGeometry(self.width() - width, 0, width, seen)
        self._bar.setRange(0, max(0, content - seen))
        self._bar.setPageStep(max(1, seen))
        self._bar.setSingleStep(forest.row_px)
        self._bar.setVisible(self._bar.maximum() > 0)
        self.update()
