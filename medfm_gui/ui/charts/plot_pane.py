"""One pair of axes of pyqtgraph in the window's manner: themed, named in plain text, moved by mouse and keys."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QWidget

from medfm_gui.ui import theme
from medfm_gui.ui.charts.axis_name import AxisName, small_font
from medfm_gui.ui.charts.ticks import round_step, tick_text

_PADDING = 0.02
_TICK_PX = {"left": 44.0, "bottom": 72.0}
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

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._home: tuple[Range, Range] = ((0.0, 1.0), (0.0, 1.0))
        self._plot: Any = pg.PlotWidget()
        self._item: Any = self._plot.getPlotItem()
        self._box: Any = self._item.getViewBox()
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
        self.restyle()

    def _prepare(self) -> None:
        plot, item, box = self._plot, self._item, self._box
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot.viewport().installEventFilter(self)
        plot.scene().sigMouseMoved.connect(self._on_mouse)
        plot.scene().sigMouseClicked.connect(self._on_click)
        plot.setFrameShape(plot.Shape.NoFrame)
        item.hideButtons()
        item.setMenuEnabled(False)
        item.showGrid(x=True, y=True, alpha=0.5)
        box.disableAutoRange()
        box.setDefaultPadding(0.0)
        box.sigRangeChanged.connect(lambda *_: self.moved.emit())
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.enableAutoSIPrefix(False)
            font = small_font(self.font())
            axis.setStyle(tickLength=0, tickFont=font, maxTickLevel=0, maxTextLevel=0, hideOverlappingLabels=False)
            axis.tickSpacing = partial(_spacing, _TICK_PX[side])
            axis.tickStrings = partial(_numbers, axis)
        item.layout.setContentsMargins(0, theme.SPACE[1], theme.SPACE[2], 0)

    def add(self, item: QObject | Any, depth: float = 0.0) -> None:
        """Put an item of the scene on the axes; ``depth`` orders them, higher in front."""
        item.setZValue(depth)
        self._box.addItem(item, ignoreBounds=True)

    def remove(self, item: Any) -> None:
        """Take it off again."""
        self._box.removeItem(item)

    def set_home(self, x: Range, y: Range, *, room: float = _PADDING) -> None:
        """Show these ranges, and come back to them on reset; the reader may move away by one width at most."""
        (x_low, x_high), (y_low, y_high) = _roomy(x, _PADDING), _roomy(y, room)
        stays = self.is_home
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
        if stays:
            self.reset()

    def reset(self) -> None:
        """Show the whole chart."""
        x, y = self._home
        self._box.setRange(xRange=x, yRange=y, padding=0, disableAutoRange=True)

    @property
    def is_home(self) -> bool:
        """Whether the whole chart is shown as at first."""
        return all(
            math.isclose(shown, home, rel_tol=1e-6, abs_tol=1e-9 * max(1e-9, home_axis[1] - home_axis[0]))
            for shown_axis, home_axis in zip(self._box.viewRange(), self._home, strict=True)
            for shown, home in zip(shown_axis, home_axis, strict=True)
        )

    def zoom(self, factor: float) -> None:
        """Show 1/``factor`` of the width and height around the middle."""
        self._box.scaleBy((1 / factor, 1 / factor))

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

    def link_x(self, other: PlotPane) -> None:
        """Move along x together with ``other``."""
        self._box.setXLink(other._box)

    def set_axis(self, side: str, *, width: int | None = None, height: int | None = None, values: bool = True) -> None:
        """Fix an axis's room in pixels; ``values`` False leaves its numbers out."""
        axis = self._item.getAxis(side)
        if width is not None:
            axis.setWidth(width)
        if height is not None:
            axis.setHeight(height)
        axis.setStyle(showValues=values)

    def set_logarithmic_y(self, logarithmic: bool) -> None:
        """Whether the values drawn are powers of ten, written as such."""
        self._item.getAxis("left").setLogMode(y=logarithmic)

    def restyle(self) -> None:
        """Take the current theme's colours."""
        now = theme.current()
        self._plot.setBackground(QColor(now.panel))
        for side in ("left", "bottom"):
            axis = self._item.getAxis(side)
            axis.setPen(QPen(QColor(now.line), 1))
            axis.setTextPen(QPen(QColor(now.muted)))
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
            self.reset()
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

    def _on_click(self, event: Any) -> None:
        if event.double():
            self.reset()


def paint_ring(painter: QPainter, widget: QWidget) -> None:
    """Draw the focus ring just inside the widget's edge."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.current().accent), theme.FOCUS))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inset = theme.FOCUS // 2
    painter.drawRoundedRect(widget.rect().adjusted(inset, inset, -inset, -inset), theme.RADIUS, theme.RADIUS)


def _spacing(tick_px: float, low: float, high: float, size_px: float) -> list[tuple[float, float]]:
    """One step of 1, 2 or 5 times a power of ten, so that numbers stand at least ``tick_px`` apart."""
    step = round_step((high - low) / max(2.0, size_px / tick_px))
    return [(step, 0.0)]


def _numbers(axis: Any, values: list[float], scale: float, step: float) -> list[str]:
    if axis.logMode:
        return [f"{10.0**value:.3g}" for value in values]
    return [tick_text(value * scale, step * scale) for value in values]


def _roomy(limits: Range, room: float) -> Range:
    low, high = limits
    return low - (high - low) * room, high + (high - low) * room
