"""A heat map becomes a QImage of its own size: one table from value to premultiplied colour, drawn over the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from medfm_gui.ui.viewer.image import HeatMap
from medfm_gui.ui.viewer.orientation import Turn


@dataclass(frozen=True, slots=True)
class Overlay:
    """How a heat map is laid over the picture."""

    opacity: float = 0.45
    """Of the map, 0…1."""
    follow_value: bool = True
    """Weak values are more transparent, so that the picture shows where the map says nothing."""
    shown: bool = False


def colour_table(colours: npt.NDArray[np.uint8], overlay: Overlay) -> npt.NDArray[np.uint32]:
    """The 256 premultiplied ARGB colours of values 0…1."""
    opacity = min(max(overlay.opacity, 0.0), 1.0)
    unit = np.linspace(0, 1, 256)
    alpha = opacity * (unit if overlay.follow_value else np.ones_like(unit))
    red, green, blue = (np.rint(colours[:, channel] * alpha).astype(np.uint32) for channel in range(3))
    return np.asarray((np.rint(alpha * 255).astype(np.uint32) << 24) | (red << 16) | (green << 8) | blue)


class HeatLayer:
    """The last map drawn, drawn again only where something changed."""

    def __init__(self) -> None:
        self._made: tuple[HeatMap, int, Turn, Overlay] | None = None
        self._table: tuple[HeatMap, Overlay, npt.NDArray[np.uint32]] | None = None
        self._pixels: npt.NDArray[np.uint32] | None = None
        self._image = QImage()

    def image(self, heat: HeatMap, frame: int, turn: Turn, overlay: Overlay) -> QImage:
        """The map of a frame that it covers, turned; what is not a number is transparent."""
        wanted = (heat, frame, turn, overlay)
        if self._made is None or self._made[0] is not heat or self._made[1:] != wanted[1:]:
            unit = np.nan_to_num(np.clip(np.ascontiguousarray(turn.of(heat.of(frame))), 0, 1), nan=0.0)
            self._pixels = np.take(self._colours(heat, overlay), (unit * 255 + 0.5).astype(np.uint8))
            rows, columns = self._pixels.shape
            format_ = QImage.Format.Format_ARGB32_Premultiplied
            self._image = QImage(self._pixels.data, columns, rows, columns * 4, format_)
            self._made = wanted
        return self._image

    def forget(self) -> None:
        """Another map, or none."""
        self._made = self._table = None

    def _colours(self, heat: HeatMap, overlay: Overlay) -> npt.NDArray[np.uint32]:
        if self._table is None or self._table[0] is not heat or self._table[1] != overlay:
            self._table = (heat, overlay, colour_table(heat.colours, overlay))
        return self._table[2]
