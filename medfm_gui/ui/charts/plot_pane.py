"""One pair of axes of pyqtgraph in the window's manner: themed, named in plain text, moved by mouse and keys."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QWidget

from medfm_gui.domain.log_axis import LogAxis
from medfm_gui.ui import theme
from medfm_gui.ui.charts.axes import Axes
from medfm_gui.ui.charts.axis_name import AxisName, small_font
from medfm_gui.ui.charts.grid_lines import GridLines

CHART_PX = QSize(420, 300)
LEAST_CHART_PX = QSize(180, 140)
"""Size of a chart's drawing as wished, and at least."""
_PADDING = 0.02
_STEP = 1.25
_KEY_ZOOM = {
    Qt.Key.Key_Plus: _STEP,
    Qt.Key.Key_Equal: _STEP,
    Qt.Key.Key_Minus: 1 / _STEP,
}
_KEY_STEPS = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}
Range = tuple[float, float]


class PlotPane(QWidget):
    """Axes with a grid. Drag moves, the wheel zooms (with Ctrl, or once the chart has the focus), 0 resets."""

    hovered = Signal(float, float)
    left = Signal()
    stepped = Signal(int)
    moved = Signal()
    reset_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._home: tuple[Range, Range] = ((0.0, 1.0), (0.0, 1.0))
        self.is_home = True
        axes = Axes()
        self._plot, self._box, self._sides = axes.view, axes.box, axes.sides
        self._grid = GridLines(axes, small_font(self.font()))
        self.x_name, self.y_name = AxisName(), AxisName(upright=True)
        layout = QGridLayout(self)
        layout.setContentsMargins(theme.FOCUS, theme.FOCUS, theme.FOCUS, theme.FOCUS)
        layout.setSpacing(0)
        layout.addWidget(self.y_name, 0, 0)
        layout.addWidget(self._plot, 0, 1)
        layout.addWidget(self.x_name, 1, 1)
        layout.setColumnStretch(1, 1)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._prepare()
        self.reset_wanted.connect(self.reset)
        self.restyle()

    def _prepare(self) -> None:
        plot, box = self._plot, self._box
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot.viewport().installEventFilter(self)
        plot.scene().sigMouseMoved.connect(self._on_mouse)
        plot.scene().sigMouseClicked.connect(lambda event: self.reset_wanted.emit() if event.double() else None)
        plot.setFrameShape(plot.Shape.NoFrame)
        box.disableAutoRange()
        box.setDefaultPadding(0.0)
        box.sigRangeChanged.connect(lambda *_: self.moved.emit())
        box.sigRangeChangedManually.connect(self._on_moved_by_hand)

    def add(self, item: Any, depth: float = 0.0) -> None:
        """Put an item of the scene on the axes; ``depth`` orders them, higher in front."""
        item.setZValue(depth)
        self._box.addItem(item, ignoreBounds=True)

    def remove(self, item: Any) -> None:
        """Take it off again."""
        self._box.removeItem(item)

    def set_home(self, x: Range, y: Range, *, room: float = _PADDING, follow: bool = True) -> None:
        """Show these ranges, and come back to them on reset; the reader may move away by one width at most.

        ``room`` is left free above and below; a reader who has moved away, or ``follow`` False, stays in place.
        """
        (x_low, x_high), (y_low, y_high) = _roomy(x, _PADDING), _roomy(y, room)
        self._home = ((x_low, x_high), (y_low, y_high))
        width, height = x_high - x_low, y_high - y_low
        self._box.setLimits(
            xMin=x_low - width,
            xMax=x_high + width,
            yMin=y_low - height,
            yMax=y_high + height,
            minXRange=width * 1e-4,
            minYRange=height * 1e-4,
            maxXRange=width * 2,
            maxYRange=height * 2,
        )
        if follow and self.is_home:
            self.reset()

    def reset(self) -> None:
        """Show the whole chart."""
        x, y = self._home
        self.is_home = True
        self._box.setRange(xRange=x, yRange=y, padding=0, disableAutoRange=True)
        self.moved.emit()

    def zoom(self, factor: float) -> None:
        """Show 1/``factor`` of the width and height around the middle."""
        self._box.scaleBy((1 / factor, 1 / factor))
        self._on_moved_by_hand()

    def shown(self) -> tuple[Range, Range]:
        """The ranges of x and y now on screen."""
        x, y = self._box.viewRange()
        return (x[0], x[1]), (y[0], y[1])

    def scales(self) -> tuple[float, float]:
        """Pixels a unit along x and y."""
        (x_low, x_high), (y_low, y_high) = self.shown()
        area = self._box.sceneBoundingRect()
        return area.width() / (x_high - x_low or 1.0), area.height() / (y_high - y_low or 1.0)

    def place_of(self, x: float, y: float) -> QPointF:
        """Where a point of the chart lies on this widget."""
        point = self._plot.mapFromScene(self._box.mapViewToScene(QPointF(x, y)))
        return QPointF(self._plot.mapTo(self, point))

    def show_x(self, limits: Range) -> None:
        """Show this range of x, as a neighbour does."""
        self._box.setXRange(*limits, padding=0)

    def set_axis(
        self,
        side: str,
        px: int | None = None,
        *,
        values: bool = True,
        powers: bool = False,
        decades: LogAxis | None = None,
    ) -> None:
        """Fix the room of the ``left`` or ``bottom`` axis (None: as needed).

        ``values`` False leaves its numbers out; ``powers`` True writes each value as the power of ten it is of;
        ``decades`` marks the lower axis by a logarithmic one.
        """
        if side == "bottom":
            self._grid.set_decades(decades)
        axis = self._sides[side]
        (axis.setWidth if side == "left" else axis.setHeight)(px)
        axis.setStyle(showValues=values)
        axis.setLogMode(powers)

    def restyle(self) -> None:
        """Take the current theme's colours."""
        now = theme.current()
        self._plot.setBackground(QColor(now.panel))
        self._grid.restyle(now)
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the wheel to the page unless the chart has the focus; notice the mouse leaving."""
        if event.type() == QEvent.Type.Wheel:
            wants = self.hasFocus() or bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)  # type: ignore[attr-defined]
            if not wants:
                event.ignore()
            return not wants
        if event.type() == QEvent.Type.Leave:
            self.left.emit()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows read point by point, + and − zoom, 0 resets, Escape puts the readout away."""
        key = Qt.Key(event.key())
        if key in _KEY_STEPS:
            self.stepped.emit(_KEY_STEPS[key])
        elif key in _KEY_ZOOM:
            self.zoom(_KEY_ZOOM[key])
        elif key == Qt.Key.Key_0:
            self.reset_wanted.emit()
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
            event.ignore()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Draw the ring."""
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring and the readout away."""
        self.update()
        self.left.emit()
        super().focusOutEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The panel's ground, with a ring while keys come here."""
        painter = QPainter(self)
        now = theme.current()
        painter.fillRect(self.rect(), QColor(now.panel))
        if self.hasFocus():
            paint_ring(painter, self)

    def _on_mouse(self, place: QPointF) -> None:
        if not self._box.sceneBoundingRect().contains(place):
            self.left.emit()
            return
        point = self._box.mapSceneToView(place)
        self.hovered.emit(point.x(), point.y())

    def _on_moved_by_hand(self, *_: object) -> None:
        self.is_home = False
        self.moved.emit()


def paint_ring(painter: QPainter, widget: QWidget) -> None:
    """Draw the focus ring just inside the widget's edge."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.current().accent), theme.FOCUS))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inset = theme.FOCUS // 2
    painter.drawRoundedRect(widget.rect().adjusted(inset, inset, -inset, -inset), theme.RADIUS, theme.RADIUS)


def _roomy(limits: Range, room: float) -> Range:
    low, high = limits
    return low - (high - low) * room, high + (high - low) * room
