"""One frame becomes a QImage no larger than the pane needs: cropped, thinned, and through the table of greys.

Where several pixels of the picture fall on one of the screen, the first painting takes every k-th of them, so
that a mammogram of 12 megapixels follows the hand; once the hand rests, ``Fining`` averages the stored values of
each block in steps of a few milliseconds, and the next painting shows those. Averaging comes before windowing, as
it must: the grey of a mean is not the mean of greys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from medfm_gui.ui.viewer.grey import looked_up
from medfm_gui.ui.viewer.orientation import Turn

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of which frame is wanted, and every how many pixels."""

    frame: int
    left: int
    top: int
    right: int
    bottom: int
    step: int

    @property
    def is_empty(self) -> bool:
        """Nothing of the picture lies in the pane."""
        return self.right <= self.left or self.bottom <= self.top


def cut_for(frame: int, visible: tuple[int, int, int, int], pixels_a_column: float) -> Cut:
    """The part that is seen, widened to whole blocks so that panning does not make them shimmer.

    Args:
        frame: its number.
        visible: left, top, right, bottom in picture pixels.
        pixels_a_column: pixels of the screen a picture column, the smaller direction where they differ.
    """
    step = max(1, int(1 / pixels_a_column + _ROUNDING)) if pixels_a_column > 0 else 1
    left, top, right, bottom = visible
    return Cut(frame, left - left % step, top - top % step, right, bottom, step)


class Fining:
    """The means of the blocks of a cut, computed one row of each block at a time."""

    def __init__(self, frames: npt.NDArray[Any], cut: Cut) -> None:
        self.cut = cut
        self._part = frames[cut.frame, cut.top : cut.bottom, cut.left : cut.right]
        blocks = [-(-size // cut.step) for size in self._part.shape[:2]]
        self._sum = np.zeros((*blocks, *self._part.shape[2:]), dtype=np.int64 if cut.step > 128 else np.int32)
        self._row = 0
        self.means: npt.NDArray[Any] | None = None

    def advance(self) -> bool:
        """Add one row of each block; whether it was the last one and ``means`` is there."""
        step = self.cut.step
        if self._row < step:
            for column in range(step):
                some = self._part[self._row :: step, column::step]
                self._sum[: some.shape[0], : some.shape[1]] += some
            self._row += 1
            return False
        if self.means is None:
            tall, wide = (np.minimum(step, size - np.arange(0, size, step)) for size in self._part.shape[:2])
            counted = np.outer(tall, wide).reshape(len(tall), len(wide), *[1] * (self._part.ndim - 2))
            self.means = np.floor_divide(self._sum + counted // 2, counted).astype(self._part.dtype)
        return True


class Picture:
    """The last image made, made again only where something changed."""

    def __init__(self) -> None:
        self._made: tuple[Cut, Turn, bool, int] | None = None
        self._pixels: npt.NDArray[np.uint8] | None = None
        self._image = QImage()
        self.fining: Fining | None = None

    def image(
        self, frames: npt.NDArray[Any], cut: Cut, turn: Turn, table: npt.NDArray[np.uint8] | None, edition: int
    ) -> QImage:
        """The cut as grey (through the table) or as colour (without one), turned: Qt is quick only at upright ones.

        Args:
            frames: all frames of the series.
            cut: what is wanted; not empty.
            turn: quarter turns and mirrors.
            table: one grey a bit pattern.
            edition: another number whenever the table or the series is another.
        """
        means = self.fining.means if self.fining is not None and self.fining.cut == cut else None
        made = (cut, turn, means is not None, edition)
        if made != self._made:
            part = frames[cut.frame, cut.top : cut.bottom : cut.step, cut.left : cut.right : cut.step]
            self._draw(turn.of(part if means is None else means), table)
            self._made = made
        return self._image

    def is_coarse(self, cut: Cut) -> bool:
        """Whether averaging would make the cut better than it is."""
        return cut.step > 1 and (self.fining is None or self.fining.cut != cut or self.fining.means is None)

    def forget(self) -> None:
        """Another series: nothing made so far is of use."""
        self._made = None
        self.fining = None

    def _draw(self, part: npt.NDArray[Any], table: npt.NDArray[np.uint8] | None) -> None:
        part = np.ascontiguousarray(part)
        pixels = part if table is None else looked_up(part, table)
        rows, columns = pixels.shape[:2]
        kind = QImage.Format.Format_RGB888 if table is None else QImage.Format.Format_Grayscale8
        self._image = QImage(pixels.data, columns, rows, pixels.strides[0], kind)
        self._pixels = pixels  # the image does not own its pixels
