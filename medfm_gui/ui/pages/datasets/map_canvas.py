"""The embedding map on screen: 25,000 dots that can be pointed at, zoomed, moved, walked along and chosen."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from medfm_gui.ui import theme as themes
from medfm_gui.ui.pages.datasets.map_picture import NOBODY, MapPicture
from medfm_gui.ui.theme import FOCUS, SPACE

_STEP: Final = 1.25
_LEAST_PX: Final = 80
_CLICK_PX: Final = 4


class MapCanvas(QWidget):
    """Points in the plane. The wheel zooms, a drag moves, a click chooses, 0 shows all; arrows walk along x.

    Signals:
        hovered(int): the point below the pointer, -1 for none.
        chosen(int): a point was clicked, or chosen by Enter.
    """

    hovered = Signal(int)
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = MapPicture()
        self._pressed: QPointF | None = None
        self._moved = False
        self._below = self.current = NOBODY
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(_LEAST_PX * 2, _LEAST_PX * 2)
        self.setAccessibleName("Embedding map")

    @property
    def n_points(self) -> int:
        """How many points there are."""
        return len(self.picture.x)

    def set_points(
        self, x: NDArray[np.float32], y: NDArray[np.float32], group: NDArray[np.uint8], slots: tuple[int, ...]
    ) -> None:
        """Draw these; ``slots`` give each group's place among the series colours, -1 for a muted one."""
        self.picture.set_points(x, y, group, slots)
        self._below = self.current = NOBODY
        self.update()

    def set_hidden(self, groups: frozenset[int]) -> None:
        """Leave groups out."""
        self.picture.set_hidden(groups)
        self.update()

    def place_of(self, point: int) -> QPointF:
        """Where a point lies on this widget."""
        return self._sized().place_of(point)

    def point_at(self, place: QPointF) -> int:
        """The point drawn at a place, the uppermost; -1 for none."""
        return self._sized().point_at(place)

    def zoom(self, factor: float, around: QPointF | None = None) -> None:
        """Show more or less of the plane; the place ``around`` stays where it is."""
        self._sized().zoom(factor, around)
        self.update()

    def _sized(self) -> MapPicture:
        self.picture.set_size(self.size(), self.devicePixelRatioF())
        return self.picture

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, and rings around the marked point and the one below the pointer."""
        painter = QPainter(self)
        theme = themes.current()
        painter.drawImage(QPointF(0, 0), self._sized().image())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for point, colour in ((self.current, theme.accent), (self._below, theme.text)):
            if point >= 0:
                painter.setPen(QPen(QColor(colour), FOCUS))
                painter.drawEllipse(self.place_of(point), SPACE[1] - 1, SPACE[1] - 1)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 1))
            painter.drawRect(QRect(0, 0, self.width() - 1, self.height() - 1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A drag may begin."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._moved = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the view, or tell what is below the pointer."""
        place = event.position()
        if self._pressed is not None:
            step = place - self._pressed
            if self._moved or step.manhattanLength() >= _CLICK_PX:
                self._moved = True
                self._pressed = place
                self._sized().move(step)
                self.update()
            return
        self._hover(self.point_at(place))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A press that did not move chooses."""
        if event.button() == Qt.MouseButton.LeftButton and self._pressed is not None:
            point = self.point_at(event.position())
            if not self._moved and point >= 0:
                self._choose(point)
            self._pressed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all."""
        self.picture.reset()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is below the pointer."""
        self._hover(NOBODY)
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the pointer."""
        place = event.position()
        self.zoom(_STEP if event.angleDelta().y() > 0 else 1 / _STEP, place)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows walk from point to point along x, Enter chooses, plus and minus zoom, 0 shows all."""
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self.n_points:
            order = np.argsort(self.picture.x, kind="stable")
            place = int(np.flatnonzero(order == self._below)[0]) if self._below >= 0 else NOBODY
            step = 1 if key == Qt.Key.Key_Right else -1
            self._hover(int(order[max(0, min(len(order) - 1, place + step))]))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._below >= 0:
            self._choose(self._below)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / _STEP)
        elif key == Qt.Key.Key_0:
            self.picture.reset()
            self.update()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Draw in the new colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.picture.forget()
            self.update()

    def _hover(self, point: int) -> None:
        if point != self._below:
            self._below = point
            self.update()
            self.hovered.emit(point)

    def _choose(self, point: int) -> None:
        self.current = point
        self.update()
        self.chosen.emit(point)
