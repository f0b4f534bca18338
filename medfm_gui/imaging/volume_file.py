"""A file with voxels, held open for its slices: for a viewer, for a prediction, for a thumbnail."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.units import counted
from medfm_gui.imaging.gate import Admitted, FileKind
from medfm_gui.imaging.grid import ROUNDED, STEPS
from medfm_gui.imaging.header import DicomHeader, header_to_plain
from medfm_gui.imaging.picture import MAX_PIXELS, Picture, Pixels, stored_sha256
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.stored import Stored
from medfm_gui.imaging.voxels import Slices, Voxels, frames_of
from medfm_gui.imaging.window import to_uint16, windowed

STRETCHED_VOLUME = "The volume has no declared window: shown between the 1st and 99th percentile of all its voxels."
_NARROW = ("uint8", "int8", "uint16", "int16")


def read_voxels(admitted: Admitted) -> Voxels:
    """The voxels of a file of ``gate.VOLUMES``.

    Raises:
        UnreadableFile: it cannot become voxels.
    """
    match admitted.kind:
        case FileKind.NIFTI:
            from medfm_gui.imaging.nifti import read_nifti  # nibabel costs 0.2 s

            return read_nifti(admitted)
        case FileKind.NRRD | FileKind.META:
            from medfm_gui.imaging.itk_volume import read_itk  # and SimpleITK 0.4 s

            return read_itk(admitted)
        case FileKind.ARRAY:
            from medfm_gui.imaging.array_file import read_array

            return read_array(admitted)
    raise refusal(Reason.UNSUPPORTED_FORMAT, f"A {admitted.kind.value.upper()} file holds no volume.")


class VolumeFile:
    """A volume in memory. Made of an admitted file, of which nothing is needed afterwards.

    Raises:
        UnreadableFile: it cannot be read, is too large, or holds values that are not numbers.
    """

    def __init__(self, admitted: Admitted) -> None:
        self.slices: Slices = frames_of(read_voxels(admitted))
        self.frames = int(self.slices.stored.shape[0])
        rows, columns = self.slices.stored.shape[1:3]
        if rows * columns > MAX_PIXELS:
            raise refusal(Reason.TOO_LARGE, f"A slice has {rows} × {columns} pixels.")
        self._is_ready = self.slices.stored.dtype == np.uint8 and self.slices.place is None
        self._low, self._high, self._is_whole = self._measured()
        self._window = None if self.slices.is_colour or self._is_ready else self.slices.window()

    def _measured(self) -> tuple[float, float, bool]:
        """Lowest and highest stored number of all slices, and whether all are whole."""
        stored = self.slices.stored
        if stored.dtype.kind != "f":
            return float(stored.min()), float(stored.max()), True
        low, high, whole = np.inf, -np.inf, True
        for one in stored:
            if not np.isfinite(one).all():
                raise refusal(Reason.NONFINITE, "The volume holds values that are not numbers (NaN or infinite).")
            low, high = min(low, float(one.min())), max(high, float(one.max()))
            whole = whole and bool((one == np.rint(one)).all())
        return low, high, whole

    @property
    def extent(self) -> tuple[float, float]:
        """Lowest and highest value of all voxels."""
        ends = [end * self.slices.slope + self.slices.intercept for end in (self._low, self._high)]
        return min(ends), max(ends)

    def picture(self, frame: int | None) -> Picture:
        """One slice ready to look at; None takes the only one.

        Raises:
            UnreadableFile: there are several and none was chosen, or there is no such slice.
        """
        if frame is None and self.frames > 1:
            raise refusal(Reason.MULTI_FRAME, f"The file holds {self.frames} slices, and none was chosen.")
        raw = self._frame(frame or 0)
        notes = self.slices.notes
        pixels: Pixels
        if self._window is None:
            pixels = np.ascontiguousarray(raw)
        else:
            pixels = to_uint16(windowed(self.slices.values(frame or 0), self._window))
            notes = (*notes, STRETCHED_VOLUME)
        return Picture(pixels, stored_sha256(raw), {}, notes)

    def stored(self, frame: int) -> Stored:
        """One slice in at most 16 bits, all on the one scale of the volume.

        Whole numbers that span no more than that are exact.

        Raises:
            UnreadableFile: there is no such slice.
        """
        raw, slope, intercept = self._frame(frame), self.slices.slope, self.slices.intercept
        if self.slices.is_colour or raw.dtype.name in _NARROW:
            return Stored(np.ascontiguousarray(raw), slope, intercept, self.slices.notes)
        span = self._high - self._low
        step = 1.0 if self._is_whole and span <= STEPS else (span / STEPS or 1.0)
        numbers = np.rint((raw.astype(np.float64) - self._low) / step).astype(np.uint16)
        notes = self.slices.notes if step == 1.0 and self._is_whole else (*self.slices.notes, ROUNDED)
        return Stored(numbers, slope * step, intercept + self._low * slope, notes)

    def _frame(self, frame: int) -> npt.NDArray[Any]:
        if not 0 <= frame < self.frames:
            raise refusal(
                Reason.NO_SUCH_FRAME, f"The file has {counted(self.frames, 'slice')}; there is no number {frame}."
            )
        one: npt.NDArray[Any] = self.slices.stored[frame]
        return one

    def facts(self, frame: int, stored: Stored) -> dict[str, Any]:
        """What there is to know of its place and its greys; see ``volume.ViewFacts``."""
        found: dict[str, Any] = {"header": None, "frames": self.frames, "notes": list(stored.notes)}
        place = self.slices.place
        if place is not None:
            header = DicomHeader(
                rows=int(self.slices.stored.shape[1]),
                columns=int(self.slices.stored.shape[2]),
                frames=self.frames,
                pixel_spacing=place.spacing,
                position=place.origin,
                orientation=place.orientation,
            )
            found.update(
                header=header_to_plain(header),
                spacing=place.spacing,
                spacing_note="mm",
                positions_mm=place.positions if self.frames > 1 else (),
            )
        if self._window is not None:
            found.update(window=[self._window.centre, self._window.width], window_function=self._window.function)
        elif not self.slices.is_colour:
            found.update(window=[127.5, 255.0], window_function="LINEAR_EXACT")
        return found
