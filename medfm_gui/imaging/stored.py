"""Frames as they are stored, with the way from stored numbers to values: what a viewer windows by itself.

For the decoding children: this loads the decoders. A file with many frames is parsed once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from medfm_gui.imaging.gate import VOLUMES, Admitted, FileKind, admit
from medfm_gui.imaging.grid import Extent, Grid, StoredType, fits
from medfm_gui.imaging.overlay import to_eight_bit
from medfm_gui.imaging.picture import Picture
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.window import percentile_window

_KINDS: Mapping[str, StoredType] = {
    "uint8": "uint8",
    "bool": "uint8",
    "int8": "int16",
    "uint16": "uint16",
    "int16": "int16",
}
_EXACT = 1e-3
"""How far from a whole number a mapped value may be, in steps."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One frame: stored numbers (or RGB at 8 bits), and value = stored × slope + intercept."""

    pixels: npt.NDArray[Any]
    slope: float = 1.0
    intercept: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def values(self) -> npt.NDArray[np.float32]:
        """In units of the modality."""
        if (self.slope, self.intercept) == (1.0, 0.0):
            return self.pixels.astype(np.float32)
        return (self.pixels.astype(np.float64) * self.slope + self.intercept).astype(np.float32)

    @property
    def extent(self) -> Extent:
        """From the lowest to the highest stored number."""
        whole = self.pixels.dtype.kind != "f"
        low, high = float(self.pixels.min()), float(self.pixels.max())
        return Extent(low, high, self.slope, self.intercept, whole, *self.pixels.shape[:2])

    def own_grid(self) -> Grid | None:
        """The scale of this frame itself; None where its numbers have more than 16 bits."""
        rows, columns = self.pixels.shape[:2]
        if self.pixels.ndim == 3:
            return Grid(rows, columns, 3, "uint8")
        dtype = _KINDS.get(self.pixels.dtype.name)
        return Grid(rows, columns, 1, dtype, self.slope, self.intercept) if dtype else None

    def on(self, grid: Grid) -> npt.NDArray[Any] | None:
        """The frame on the scale of its series; None where that scale cannot hold its values.

        Raises:
            UnreadableFile: it has another size, or is colour among grey.
        """
        shape = (grid.rows, grid.columns) if grid.channels == 1 else (grid.rows, grid.columns, 3)
        if self.pixels.shape != shape:
            said = "×".join(str(length) for length in self.pixels.shape)
            wanted = "×".join(str(length) for length in shape)
            raise refusal(Reason.BAD_HEADER, f"The image is {said} and the series {wanted}.")
        if grid.channels == 3:
            return self.pixels
        numbers: npt.NDArray[Any] = self.pixels
        if (self.slope, self.intercept) != (grid.slope, grid.intercept) or numbers.dtype.kind == "f":
            mapped = (numbers.astype(np.float64) * self.slope + (self.intercept - grid.intercept)) / grid.slope
            numbers = np.rint(mapped)
            if not grid.is_rounded and float(np.abs(mapped - numbers).max()) > _EXACT:
                return None
        if numbers.dtype.name != grid.dtype and not fits(float(numbers.min()), float(numbers.max()), grid.dtype):
            return None
        return np.ascontiguousarray(numbers, dtype=grid.dtype)


class FrameFile(Protocol):
    """A file held open for its frames."""

    frames: int

    def stored(self, frame: int) -> Stored:
        """One frame, counted from 0.

        Raises:
            UnreadableFile: there is no such frame, or it cannot be decoded.
        """

    def picture(self, frame: int | None) -> Picture:
        """One frame ready to look at.

        Raises:
            UnreadableFile: as ``stored``.
        """

    def facts(self, frame: int, stored: Stored) -> dict[str, Any]:
        """What this file says of how its frames are to be shown, as JSON values of ``volume.ViewFacts``."""


class PictureFile:
    """A plain picture; the pages of a TIFF are its frames."""

    _remarks: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        from medfm_gui.imaging import raster  # Pillow costs 0.1 s, which a DICOM series need not pay

        self._path = path
        with admit(path) as admitted:
            self.frames = raster.count_pages(admitted)
        if self.frames >= raster.MOST_PAGES:
            self._remarks = (f"Of the file's images only the first {raster.MOST_PAGES} are read.",)

    def stored(self, frame: int) -> Stored:
        """One page, upright."""
        from medfm_gui.imaging.raster import read_stored

        with admit(self._path) as admitted:
            pixels, notes = read_stored(admitted, frame=frame)
        return Stored(to_eight_bit(pixels) if pixels.ndim == 3 else pixels, notes=notes)

    def picture(self, frame: int | None) -> Picture:
        """One page ready to look at."""
        from medfm_gui.imaging.raster import read_raster

        with admit(self._path) as admitted:
            return read_raster(admitted, frame=frame)

    def facts(self, frame: int, stored: Stored) -> dict[str, Any]:
        """What there is to know of it."""
        found: dict[str, Any] = {"header": None, "frames": self.frames, "notes": [*stored.notes, *self._remarks]}
        if stored.pixels.ndim == 2:
            if stored.pixels.dtype == np.uint8:
                window = (127.5, 255.0)
            else:
                robust = percentile_window(stored.values)
                window = (robust.centre, robust.width)
            found.update(window=list(window), window_function="LINEAR_EXACT")
        return found


class MatlabFile(PictureFile):
    """The one image of a MATLAB record."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.frames = 1

    def stored(self, frame: int) -> Stored:
        """The image as its numbers."""
        from medfm_gui.imaging.matlab import read_values  # h5py, for a kind of file that hardly anybody has

        if frame:
            raise refusal(Reason.NO_SUCH_FRAME, f"The file has no image number {frame}.")
        with admit(self._path) as admitted:
            return Stored(read_values(admitted))

    def picture(self, frame: int | None) -> Picture:
        """The image ready to look at."""
        from medfm_gui.imaging.matlab import read_matlab

        if frame:
            raise refusal(Reason.NO_SUCH_FRAME, f"The file has no image number {frame}.")
        with admit(self._path) as admitted:
            return read_matlab(admitted)


def open_file(path: Path) -> FrameFile:
    """A file whose frames are wanted.

    Raises:
        UnreadableFile: it is not an image that is read here.
    """
    with admit(path) as admitted:
        return open_admitted(path, admitted)


def open_admitted(path: Path, admitted: Admitted) -> FrameFile:
    """As ``open_file``, of a file that has passed the gate.

    Raises:
        UnreadableFile: it is not an image that is read here.
    """
    if admitted.kind is FileKind.DICOM:
        from medfm_gui.imaging.dicom_frames import DicomFile  # pydicom costs 0.2 s, which a PNG need not pay

        return DicomFile(admitted)
    if admitted.kind in VOLUMES:
        from medfm_gui.imaging.volume_file import VolumeFile  # brings a reader of its own

        return VolumeFile(admitted)
    if admitted.kind is FileKind.MATLAB:
        return MatlabFile(path)
    return PictureFile(path)
