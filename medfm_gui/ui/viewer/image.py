"""What the viewer is given: one series (or one picture) and, over it, a heat map. Arrays and facts, no Qt.

Everything here was read, decoded and checked in another process; the viewer reads no file. Texts arrive
cleaned of control and direction characters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.errors import InternalError
from medfm_gui.imaging.window import Function, Window

SpacingNote = Literal["mm", "mm at detector", "px"]
Unit = Literal["HU", "raw", ""]
Orientation = tuple[float, float, float, float, float, float]

MAP_SCALE = "relative to this image's maximum: not comparable between images or models"
MAP_PROOF = "A map shows what moved the model; it proves no finding."

_GREY_TYPES = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.int16))


@dataclass(frozen=True, slots=True, eq=False)
class VoiTable:
    """A VOI LUT of the header: the grey of each value from ``first`` on; what lies outside takes the end's grey."""

    first: float
    greys: npt.NDArray[np.uint8]
    """One entry a value in units of the series, 0…255, before polarity."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesImage:
    """The frames of one series in the order of their positions, as stored, and how to show them."""

    frames: npt.NDArray[Any]
    """(n, rows, columns) uint8, uint16 or int16, or (n, rows, columns, 3) uint8 for colour; native byte order.
    May be a memory map that another process is still filling from the first frame on."""
    loaded: int
    """How many frames are there, counted from the first; more are told by ``Viewer.set_loaded``."""
    unit: Unit = "raw"
    """Of the values after slope and intercept: ``HU``, ``raw``, or none (plain pictures)."""
    slope: float = 1.0
    """One for the whole series: value = stored x slope + intercept. Where slices differ, frames were made alike."""
    intercept: float = 0.0
    window: tuple[float, float] | None = None
    """First centre and width, in units of the values: the header's, else of robust percentiles; none: whole range."""
    window_function: Function = "LINEAR"
    voi_table: VoiTable | None = None
    """Shown instead of ``window`` until the reader chooses a window."""
    inverted: bool = False
    """MONOCHROME1 or Presentation LUT INVERSE: applied after the window."""
    spacing_mm: tuple[float, float] | None = None
    """Between rows, between columns; none where ``spacing_note`` is ``px`` (pixels may still not be square:
    see ``aspect``)."""
    spacing_note: SpacingNote = "px"
    aspect: float = 1.0
    """Height of a pixel over its width, where there is no spacing (Pixel Aspect Ratio)."""
    orientation: Orientation | None = None
    """Direction cosines of a row (towards greater columns), then of a column (towards greater rows), LPS."""
    positions_mm: tuple[float, ...] = ()
    """Of each frame along the normal; none for projections and pictures."""
    patient_orientation: tuple[str, str] | None = None
    """Patient Orientation (0020,0020) of projection images: letters of the row and of the column direction."""
    laterality: Literal["R", "L", ""] = ""
    """For mammograms only: the breast, so that it is hung with the chest wall inwards."""
    frame_time_ms: float | None = None
    marks: tuple[str, ...] = ()
    """What a reader must know: lossy compression, uneven spacing, FOR PROCESSING, burned-in text …"""
    frame_notes: tuple[str, ...] = ()
    """None, or one a frame: why it cannot be shown, empty where it can."""
    identity: str = ""
    """Banner, hidden by one switch: who."""
    study: str = ""
    """Banner, always shown: what; identifies nobody."""

    def __post_init__(self) -> None:
        shape, dtype = self.frames.shape, self.frames.dtype
        coloured = len(shape) == 4 and shape[3] == 3 and dtype == np.uint8
        if not coloured and (len(shape) != 3 or dtype not in _GREY_TYPES):
            raise InternalError(f"A series of shape {shape} and type {dtype} cannot be shown.")
        if 0 in shape:
            raise InternalError("A series without frames or pixels cannot be shown.")
        if self.window is not None and not Window(*self.window, self.window_function).is_valid:
            raise InternalError("A series came with an impossible window.")
        if not (np.isfinite(self.slope) and np.isfinite(self.intercept) and self.slope != 0):
            raise InternalError("A series came with an impossible slope or intercept.")

    @property
    def is_colour(self) -> bool:
        """Colour has no window and no polarity."""
        return self.frames.ndim == 4

    @property
    def count(self) -> int:
        """All frames, there or not."""
        return int(self.frames.shape[0])

    @property
    def rows(self) -> int:
        """Height of a frame in pixels."""
        return int(self.frames.shape[1])

    @property
    def columns(self) -> int:
        """Width of a frame in pixels."""
        return int(self.frames.shape[2])

    @property
    def tallness(self) -> float:
        """Height of a pixel over its width, as it must be drawn."""
        if self.spacing_mm is not None and min(self.spacing_mm) > 0:
            return self.spacing_mm[0] / self.spacing_mm[1]
        return self.aspect if self.aspect > 0 else 1.0

    def value(self, frame: int, row: int, column: int) -> float:
        """The value of one pixel, in ``unit``."""
        return float(self.frames[frame, row, column]) * self.slope + self.intercept


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """What moved a model, over one frame or over a run of frames."""

    values: npt.NDArray[np.float32]
    """(h, w) for one frame, (m, h, w) for m frames from ``frame`` on; of any size, 0…1 of the image's maximum."""
    frame: int
    label: str
    """The explanation and, if it has one, the class: “Grad-CAM, Pneumonia”."""
    colours: npt.NDArray[np.uint8]
    """256 x 3, the colour of 0…1: cividis."""
    threshold_note: str = ""
    """Shown with the legend: “below the threshold 0.46: shown because you asked”."""
    box: tuple[float, float, float, float] | None = None
    """Left, top, right, bottom in pixels of the frame, where the model saw only a part of it; none: all of it."""

    def __post_init__(self) -> None:
        if self.values.ndim not in (2, 3) or 0 in self.values.shape or self.colours.shape != (256, 3):
            raise InternalError("The heat map cannot be drawn: it is no map of numbers.")

    def covers(self, frame: int) -> bool:
        """Whether this frame has a map."""
        return self.frame <= frame < self.frame + (1 if self.values.ndim == 2 else len(self.values))

    def of(self, frame: int) -> npt.NDArray[np.float32]:
        """The map of a frame that it covers, (h, w)."""
        return self.values if self.values.ndim == 2 else self.values[frame - self.frame]
