"""A DICOM file held open for its frames: stored numbers, and what a viewer has to know of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from medfm_gui.domain.units import counted
from medfm_gui.imaging import elements as el
from medfm_gui.imaging.dicom import contained, header_of, parsing, picture_of
from medfm_gui.imaging.frames import decode_frame
from medfm_gui.imaging.gate import Admitted
from medfm_gui.imaging.header import DicomHeader, header_to_plain
from medfm_gui.imaging.overlay import to_eight_bit
from medfm_gui.imaging.picture import Picture
from medfm_gui.imaging.presentation import (
    OVERLAY,
    coloured,
    first_window,
    has_overlay,
    header_notes,
    hounsfield_notes,
    is_inverted,
    rescale,
    through_modality_lut,
    voi_table,
)
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.series import slice_spacing
from medfm_gui.imaging.stored import Stored

_TOMOGRAPHIC = ("CT", "MR", "PT", "NM")
_PROJECTION = ("CR", "DX", "MG", "RF", "XA", "RG", "IO", "PX")
_TISSUE = 1
_CENTIMETRES = 3
MANY_PLANES = "The frames do not lie in parallel planes: letters and positions are those of the first."


class DicomFile:
    """A parsed file. Made of an admitted file, of which nothing is needed afterwards.

    Raises:
        UnreadableFile: it is no image, or is cut short.
    """

    def __init__(self, admitted: Admitted) -> None:
        with parsing(admitted, pixels=True) as parsed:
            self._parsed = parsed
            self._data: Dataset = parsed.data
            self.frames = el.integer(parsed.data, "NumberOfFrames") or 1

    def stored(self, frame: int) -> Stored:
        """One frame.

        Raises:
            UnreadableFile: there is no such frame, or it cannot be decoded.
        """
        if not 0 <= frame < self.frames:
            raise refusal(
                Reason.NO_SUCH_FRAME, f"The file has {counted(self.frames, 'frame')}; there is no number {frame}."
            )
        with el.quiet():
            raw = decode_frame(self._data, frame)
            with contained():
                colours = coloured(self._data, raw)
                if colours is not None:
                    return Stored(to_eight_bit(colours))
                looked_up = through_modality_lut(self._data, raw)
                if looked_up is not None:
                    return Stored(looked_up)
                slope, intercept, notes = rescale(self._data, frame)
                return Stored(raw, slope, intercept, (*notes, *self._lossy()))

    def picture(self, frame: int | None) -> Picture:
        """One frame ready to look at; None takes the only one.

        Raises:
            UnreadableFile: there are several and none was chosen, or it cannot be decoded.
        """
        return picture_of(self._parsed, frame)

    def _lossy(self) -> tuple[str, ...]:
        from medfm_gui.imaging.presentation import LOSSY

        return (LOSSY,) if el.text(self._data, "LossyImageCompression") == "01" else ()

    def facts(self, frame: int, stored: Stored) -> dict[str, Any]:
        """What this file says of how its frames are to be shown; see ``volume.ViewFacts``."""
        with el.quiet(), contained():
            header = header_of(self._parsed)
            spacing, note = _spacing(self._data, header)
            positions, flat = _positions(self._data, self.frames)
            found: dict[str, Any] = {
                "header": header_to_plain(header),
                "frames": self.frames,
                "spacing": spacing,
                "spacing_note": note,
                "aspect": _aspect(self._data),
                "positions_mm": positions,
            }
            gaps = slice_spacing(sorted(positions))[1] if len(positions) > 1 else []
            overlays = (OVERLAY,) if has_overlay(self._data) else ()
            notes = [*header_notes(header), *stored.notes, *overlays, *gaps, *(() if flat else (MANY_PLANES,))]
            if stored.pixels.ndim == 2:
                notes += self._grey(found, header, frame, stored)
        return {**found, "notes": list(dict.fromkeys(notes))}

    def _grey(self, found: dict[str, Any], header: DicomHeader, frame: int, stored: Stored) -> tuple[str, ...]:
        """Add window, table, polarity and unit; returns what was noticed."""
        values = stored.values
        place = el.of_frame(self._data, "FrameVOILUTSequence", frame)
        table = voi_table(self._data, place)
        window, notes = first_window(self._data, _raw_of(stored), values, frame)
        found.update(
            window=(window.centre, window.width),
            window_function=window.function,
            is_inverted=is_inverted(self._data),
            unit=_unit(self._data, header, frame),
        )
        if table is not None:
            found.update(voi_first=table[0], voi_greys=table[1])
            notes = ()
        return (*notes, *hounsfield_notes(self._data, values, frame))


def _raw_of(stored: Stored) -> npt.NDArray[Any]:
    return stored.pixels


def _unit(data: Dataset, header: DicomHeader, frame: int) -> str:
    """HU for a CT whose rescale says nothing else; ``raw`` otherwise."""
    if header.modality != "CT":
        return "raw"
    place = el.of_frame(data, "PixelValueTransformationSequence", frame)
    named = el.text(place, "RescaleType").upper()
    is_rescaled = el.real(place, "RescaleSlope") is not None or bool(el.items(data, "ModalityLUTSequence"))
    return "HU" if is_rescaled and named in ("", "HU") else "raw"


def _spacing(data: Dataset, header: DicomHeader) -> tuple[tuple[float, float] | None, str]:
    """Distances of pixel centres (row, column), and where they are measured."""
    given, detector = header.pixel_spacing, header.imager_pixel_spacing
    if header.modality in ("US", "IVUS"):
        region = _region(data)
        return (region or given, "mm") if region or given else (None, "px")
    if header.modality in _PROJECTION:
        is_calibrated = bool(el.text(data, "PixelSpacingCalibrationType")) or (detector and given and given != detector)
        if given and is_calibrated:
            return given, "mm"
        return (detector or given, "mm at detector") if detector or given else (None, "px")
    if given:
        return given, "mm"
    return (detector, "mm at detector") if detector else (None, "px")


def _region(data: Dataset) -> tuple[float, float] | None:
    """Spacing of an ultrasound image whose tissue regions all have one, in mm."""
    found = set()
    for item in el.items(data, "SequenceOfUltrasoundRegions"):
        if el.integer(item, "RegionSpatialFormat") != _TISSUE:
            continue
        units = (el.integer(item, "PhysicalUnitsYDirection"), el.integer(item, "PhysicalUnitsXDirection"))
        down, right = el.real(item, "PhysicalDeltaY"), el.real(item, "PhysicalDeltaX")
        if units != (_CENTIMETRES, _CENTIMETRES) or not down or not right:
            return None
        found.add((abs(down) * 10, abs(right) * 10))
    return found.pop() if len(found) == 1 else None


def _aspect(data: Dataset) -> float:
    """Height of a pixel over its width, of an image without spacing (Pixel Aspect Ratio, vertical\\horizontal)."""
    ratio = el.reals(data, "PixelAspectRatio", 2)
    return ratio[0] / ratio[1] if ratio and min(ratio) > 0 else 1.0


def _positions(data: Dataset, frames: int) -> tuple[tuple[float, ...], bool]:
    """Places of the frames along their common normal, mm; empty without; and whether the planes are parallel."""
    first = el.reals(el.of_frame(data, "PlaneOrientationSequence", 0), "ImageOrientationPatient", 6)
    if frames == 1 or first is None:
        return (), True
    normal = np.cross(first[:3], first[3:])
    found = []
    for frame in range(frames):
        turn = el.reals(el.of_frame(data, "PlaneOrientationSequence", frame), "ImageOrientationPatient", 6)
        place = el.reals(el.of_frame(data, "PlanePositionSequence", frame), "ImagePositionPatient", 3)
        if place is None or turn is None:
            return (), True
        if float(np.abs(np.subtract(turn, first)).max()) > 1e-3:
            return (), False
        found.append(round(float(np.dot(normal, place)), 4))
    return (tuple(found), True) if len(set(found)) > 1 else ((), True)
