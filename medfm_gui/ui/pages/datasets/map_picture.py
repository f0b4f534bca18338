"""The picture of a map: which part of the plane is seen, and its points stamped into an array.

Dots are stamped into one array, and their numbers into a second one, so that a look below the pointer costs nothing
and drawing costs a few milliseconds; both are made again only when the view or what is shown changes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QImage

from medfm_gui.ui import theme as themes
from medfm_gui.ui.charts.marks import series_colour

NOBODY: Final = -1
_ROOM: Final = 0.04
_FAR: Final = 40.0
_MANY: Final = 60_000


class MapPicture:
    """Points of the plane as seen through a window of some size; sides are 0…1 before zooming."""

    def __init__(self) -> None:
        self.x: NDArray[np.float32] = np.empty(0, np.float32)
        self._y: NDArray[np.float32] = np.empty(0, np.float32)
        self._group: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._slots: tuple[int, ...] = ()
        self._hidden: frozenset[int] = frozenset()
        self._zoom, self._centre = 1.0, QPointF(0.5, 0.5)
        self._size, self._ratio = QSize(1, 1), 1.0
        self._image: QImage | None = None
        self._pick: NDArray[np.int32] = np.empty((0, 0), np.int32)

    def set_points(
        self, x: NDArray[np.float32], y: NDArray[np.float32], group: NDArray[np.uint8], slots: tuple[int, ...]
    ) -> None:
        """Take other points; all of them are seen."""
        low_x, high_x = (float(x.min()), float(x.max())) if len(x) else (0.0, 1.0)
        low_y, high_y = (float(y.min()), float(y.max())) if len(y) else (0.0, 1.0)
        self.x = _ROOM + (1 - 2 * _ROOM) * (x - low_x) / (high_x - low_x or 1.0)
        self._y = 1 - _ROOM - (1 - 2 * _ROOM) * (y - low_y) / (high_y - low_y or 1.0)
        self._group, self._slots = group, slots
        self.reset()

    def set_hidden(self, groups: frozenset[int]) -> None:
        """Leave groups out."""
        self._hidden = groups
        self.forget()

    def set_size(self, size: QSize, ratio: float) -> None:
        """The window's size in its own pixels, and how many of the screen's one of them has."""
        if (size, ratio) != (self._size, self._ratio):
            self._size, self._ratio = QSize(size), ratio
            self.forget()

    def reset(self) -> None:
        """See all points."""
        self._zoom, self._centre = 1.0, QPointF(0.5, 0.5)
        self.forget()

    def move(self, step: QPointF) -> None:
        """Move the view by so many pixels."""
        wide, high = max(1, self._size.width()) * self._zoom, max(1, self._size.height()) * self._zoom
        self._centre -= QPointF(step.x() / wide, step.y() / high)
        self.forget()

    def zoom(self, factor: float, around: QPointF | None = None) -> None:
        """See more or less of the plane; the place ``around`` stays where it is."""
        wide, high = max(1, self._size.width()), max(1, self._size.height())
        wanted = min(_FAR, max(1.0, self._zoom * factor))
        where = around or QPointF(wide / 2, high / 2)
        off = QPointF(where.x() / wide - 0.5, where.y() / high - 0.5)
        self._centre += off / self._zoom - off / wanted
        self._zoom = wanted
        if wanted == 1.0:
            self._centre = QPointF(0.5, 0.5)
        self.forget()

    def forget(self) -> None:
        """What was drawn counts no more."""
        self._image = None

    def place_of(self, point: int) -> QPointF:
        """Where a point lies in the window."""
        x = (float(self.x[point]) - self._centre.x()) * self._zoom + 0.5
        y = (float(self._y[point]) - self._centre.y()) * self._zoom + 0.5
        return QPointF(x * self._size.width(), y * self._size.height())

    def point_at(self, place: QPointF) -> int:
        """The point drawn at a place, the uppermost; -1 for none."""
        self.image()
        column, row = int(place.x() * self._ratio), int(place.y() * self._ratio)
        inside = 0 <= row < self._pick.shape[0] and 0 <= column < self._pick.shape[1]
        return int(self._pick[row, column]) if inside else NOBODY

    def image(self) -> QImage:
        """What is seen, in the theme's colours."""
        if self._image is None:
            wide, high = (round(side * self._ratio) for side in (self._size.width(), self._size.height()))
            self._image = self._stamped(max(1, wide), max(1, high))
            self._image.setDevicePixelRatio(self._ratio)
        return self._image

    def _stamped(self, width: int, height: int) -> QImage:
        theme = themes.current()
        canvas = np.full((height, width), QColor(theme.panel).rgb(), np.uint32)
        self._pick = np.full((height, width), NOBODY, np.int32)
        columns = np.round(((self.x - self._centre.x()) * self._zoom + 0.5) * width).astype(np.int32)
        rows = np.round(((self._y - self._centre.y()) * self._zoom + 0.5) * height).astype(np.int32)
        stamp = _stamp(len(self.x), self._ratio)
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


def _stamp(points: int, ratio: float) -> NDArray[np.int64]:
    """Offsets (down, right) of a dot's pixels: a disc, smaller where there are very many."""
    radius = (1.2 if points > _MANY else 2.3) * ratio
    reach = int(radius)
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = down**2 + right**2 <= radius**2
    return np.stack([down[disc], right[disc]], axis=1)
