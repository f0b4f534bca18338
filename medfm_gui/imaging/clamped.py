"""A CT slice between two Hounsfield values instead of through the window of its header: what a recipe orders."""

from __future__ import annotations

from medfm_gui.domain.units import counted
from medfm_gui.imaging import elements as el
from medfm_gui.imaging.dicom import contained, header_of, parsing
from medfm_gui.imaging.frames import decode_frame
from medfm_gui.imaging.gate import Admitted
from medfm_gui.imaging.header import DicomHeader
from medfm_gui.imaging.picture import Picture, stored_sha256
from medfm_gui.imaging.presentation import header_notes, modality_values
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.window import Window, to_uint16, windowed


def read_clamped(admitted: Admitted, frame: int | None, clamp: tuple[float, float]) -> Picture | None:
    """One frame of a CT as uint16: the lower bound (HU) and below is 0, the upper and above 65535.

    Returns:
        The picture; None where the object is no grey CT.

    Raises:
        UnreadableFile: many frames and none chosen, or the file cannot become pixels.
    """
    low, high = clamp
    with parsing(admitted, pixels=True) as parsed:
        header = header_of(parsed)
        if header.modality != "CT" or header.samples_per_pixel != 1:
            return None
        index = _frame(header, frame)
        with el.quiet():
            raw = decode_frame(parsed.data, index)
            with contained():
                values, notes = modality_values(parsed.data, raw, index)
        unit = windowed(values, Window((low + high) / 2, high - low, "LINEAR_EXACT"))
        return Picture(to_uint16(unit), stored_sha256(raw), header.covariates(), (*header_notes(header), *notes))


def _frame(header: DicomHeader, frame: int | None) -> int:
    if frame is None and header.frames > 1:
        raise refusal(Reason.MULTI_FRAME, f"The file holds {header.frames} frames, and none was chosen.")
    if not 0 <= (frame or 0) < header.frames:
        raise refusal(
            Reason.NO_SUCH_FRAME, f"The file has {counted(header.frames, 'frame')}; there is no number {frame}."
        )
    return frame or 0
