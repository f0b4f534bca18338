"""Many points as one picture: 25,000 images of a map, each a dot in its group's colour, found again below the pointer.

Dots are stamped into an array, and their numbers into a second one, so that a look below the pointer costs nothing
and drawing costs a few milliseconds; both are made again only when the view or what is shown changes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from medfm_gui.ui import theme as themes
from medfm_gui.ui.charts.marks import series_colour
from medfm_gui.ui.theme import FOCUS, SPACE

_ROOM: Final = 0.04
_STEP: Final = 1.25
_FAR: Final = 40.0
_MANY: Final = 60_000
_LEAST_PX: Final = 80
_CLICK_PX: Final = 4
_NOBODY: Final = -1


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
        self._x: NDArray[np.float32] = np.empty(0, np.float32)
        self._y: NDArray[np.float32] = np.empty(0, np.float32)
        self._group: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._slots: tuple[int, ...] = ()
        self._hidden: frozenset[int] = frozenset()
        self._zoom, self._centre = 1.0, QPointF(0.5, 0.5)
        self._image: QImage | None = None
        self._pick: NDArray[np.int32] = np.empty((0, 0), np.int32)
        self._pressed: QPointF | None = None
        self._moved = False
        self._below = _NOBODY
        self._current = _NOBODY
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(_LEAST_PX * 2, _LEAST_PX * 2)
        self.setAccessibleName("Embedding map")

    def set_points(
        self, x: NDArray[np.float32], y: NDArray[np.float32], group: NDArray[np.uint8], slots: tuple[int, ...]
    ) -> None:
        """Draw these; ``slots`` give each group's place among the series colours, -1 for a muted one."""
        low_x, high_x = (float(x.min()), float(x.max())) if len(x) else (0.0, 1.0)
        low_y, high_y = (float(y.min()), float(y.max())) if len(y) else (0.0, 1.0)
        self._x = _ROOM + (1 - 2 * _ROOM) * (x - low_x) / (high_x - low_x or 1.0)
        self._y = 1 - _ROOM - (1 - 2 * _ROOM) * (y - low_y) / (high_y - low_y or 1.0)
        self._group, self._slots = group, slots
        self._below = self._current = _NOBODY
        self.reset()

    def set_hidden(self, groups: frozenset[int]) -> None:
        """Leave groups out."""
        self._hidden = groups
        self._again()

    @property
    def n_points(self) -> int:
        """How many points there are."""
        return len(self._x)

    @property
    def current(self) -> int:
        """The marked point; -1 for none."""
        return self._current

    def set_current(self, point: int) -> None:
        """Mark a point."""
        self._current = point if 0 <= point < len(self._x) else _NOBODY
        self.update()

    def reset(self) -> None:
        """Show all points."""
        self._zoom, self._centre = 1.0, QPointF(0.5, 0.5)
        self._again()

    def place_of(self, point: int) -> QPointF:
        """Where a point lies on this widget."""
        x = (float(self._x[point]) - self._centre.x()) * self._zoom + 0.5
        y = (float(self._y[point]) - self._centre.y()) * self._zoom + 0.5
        return QPointF(x * self.width(), y * self.height())

    def point_at(self, place: QPointF) -> int:
        """The point drawn at a place, the uppermost; -1 for none."""
        self._picture()
        ratio = self.devicePixelRatioF()
        column, row = int(place.x() * ratio), int(place.y() * ratio)
        inside = 0 <= row < self._pick.shape[0] and 0 <= column < self._pick.shape[1]
        return int(self._pick[row, column]) if inside else _NOBODY

    # -- drawing

    def _again(self) -> None:
        self._image = None
        self.update()

    def _picture(self) -> QImage:
        if self._image is None:
            ratio = self.devicePixelRatioF()
            size = QSize(max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))
            self._image = self._stamped(size, ratio)
            self._image.setDevicePixelRatio(ratio)
        return self._image

    def _stamped(self, size: QSize, ratio: float) -> QImage:
        width, height = size.width(), size.height()
        theme = themes.current()
        canvas = np.full((height, width), QColor(theme.panel).rgb(), np.uint32)
        self._pick = np.full((height, width), _NOBODY, np.int32)
        columns = np.round(((self._x - self._centre.x()) * self._zoom + 0.5) * width).astype(np.int32)
        rows = np.round(((self._y - self._centre.y()) * self._zoom + 0.5) * height).astype(np.int32)
        stamp = _stamp(len(self._x), ratio)
        reach = int(np.abs(stamp).max())
        seen = (columns >= reach) & (columns < width - reach) & (rows >= reach) & (rows < height - reach)
        if self._hidden:
            seen &= ~np.isin(self._group, list(self._hidden))
        points = np.flatnonzero(seen)
        # small groups last, so that they lie above large ones
        sizes = np.bincount(self._group, minlength=max(1, len(self._slots)))
        points = points[np.argsort(-sizes[self._group[points]], kind="stable")]
        muted = QColor(themes.mix(theme.panel, theme.text, 0.3))
        inks = [(series_colour(theme, slot) if slot >= 0 else muted).rgb() for slot in self._slots] or [muted.rgb()]
        ink = np.array(inks, np.uint32)[self._group[points]]
        at = rows[points] * width + columns[points]
        flat, pick = canvas.reshape(-1), self._pick.reshape(-1)
        for down, right in stamp:
            flat[at + (down * width + right)] = ink
            pick[at + (down * width + right)] = points
        return QImage(canvas.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, and rings around the marked point and the one below the pointer."""
        painter = QPainter(self)
        theme = themes.current()
        painter.drawImage(QPointF(0, 0), self._picture())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for point, colour in ((self._current, theme.accent), (self._below, theme.text)):
            if point >= 0:
                painter.setPen(QPen(QColor(colour), FOCUS))
                painter.drawEllipse(self.place_of(point), SPACE[1] - 1, SPACE[1] - 1)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.accent), 1))
            painter.drawRect(QRect(0, 0, self.width() - 1, self.height() - 1))

    # -- the person

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
                self._centre -= QPointF(step.x() / (self.width() * self._zoom), step.y() / (self.height() * self._zoom))
                self._again()
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
        self.reset()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is below the pointer."""
        self._hover(_NOBODY)
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the pointer."""
        place = event.position()
        self.zoom(_STEP if event.angleDelta().y() > 0 else 1 / _STEP, place)
        event.accept()

    def zoom(self, factor: float, around: QPointF | None = None) -> None:
        """Show more or less of the plane; the place ``around`` stays where it is."""
        wanted = min(_FAR, max(1.0, self._zoom * factor))
        where = around or QPointF(self.width() / 2, self.height() / 2)
        off = QPointF(where.x() / max(1, self.width()) - 0.5, where.y() / max(1, self.height()) - 0.5)
        self._centre += off / self._zoom - off / wanted
        self._zoom = wanted
        if wanted == 1.0:
            self._centre = QPointF(0.5, 0.5)
        self._again()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows walk from point to point along x, Enter chooses, plus and minus zoom, 0 shows all."""
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and len(self._x):
            order = np.argsort(self._x, kind="stable")
            place = int(np.flatnonzero(order == self._below)[0]) if self._below >= 0 else _NOBODY
            step = 1 if key == Qt.Key.Key_Right else -1
            self._hover(int(order[max(0, min(len(order) - 1, place + step))]))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._below >= 0:
            self._choose(self._below)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / _STEP)
        elif key == Qt.Key.Key_0:
            self.reset()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw at another size."""
        super().resizeEvent(event)
        self._again()

    def changeEvent(self, event: QEvent) -> None:
        """Draw in the new colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._again()

    def _hover(self, point: int) -> None:
        if point != self._below:
            self._below = point
            self.update()
            self.hovered.emit(point)

    def _choose(self, point: int) -> None:
        self.set_current(point)
        self.chosen.emit(point)


def _stamp(points: int, ratio: float) -> NDArray[np.int64]:
    """Offsets (down, right) of a dot's pixels: a disc, smaller where there are very many."""
    radius = (1.2 if points > _MANY else 2.3) * ratio
    reach = int(radius)
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = down**2 + right**2 <= radius**2
    return np.stack([down[disc], right[disc]], axis=1)
