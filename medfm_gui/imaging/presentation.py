"""Stored DICOM values become what a reader should see: modality step, VOI step, then polarity (PS3.4 N.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from medfm_gui.imaging import elements as el
from medfm_gui.imaging.header import DicomHeader
from medfm_gui.imaging.picture import Pixels
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.window import Function, Window, percentile_window, to_uint8, to_uint16, windowed

NO_WINDOW = "The header has no window: shown between the 1st and 99th percentile."
BAD_WINDOW = "The header's window is impossible: shown between the 1st and 99th percentile."
TABLE_WINDOW = "The header's look-up table (VOI LUT) is not a window: shown between the 1st and 99th percentile."
BLANK_WINDOW = "The header's window leaves nothing to see: shown between the 1st and 99th percentile."
BAD_RESCALE = "The rescale slope or intercept is impossible and was left out."
NOT_HOUNSFIELD = "CT values lie outside of what Hounsfield units can be."
FOR_PROCESSING = "FOR PROCESSING: raw detector values, not meant to be looked at."
LOSSY = "The image was compressed with loss."
BURNED_IN = "The image has text burned in, perhaps a name."
IRREGULAR = "Some numbers in the header are not numbers and were left out."
OVERLAY = "Graphics (overlays) lie beside the pixels; they are not drawn and not learnt from."
_HOUNSFIELD = (-1100.0, 32_000.0)


def header_notes(header: DicomHeader) -> tuple[str, ...]:
    """What the header says that a person should know before using the image."""
    said = (
        (header.presentation_intent == "FOR PROCESSING", FOR_PROCESSING),
        (header.lossy, LOSSY),
        (header.burned_in_annotation == "YES", BURNED_IN),
        (header.irregular > 0, IRREGULAR),
    )
    return tuple(note for true, note in said if true)


def has_overlay(data: Dataset) -> bool:
    """Whether an overlay plane (groups 6000 to 60FE, even) lies beside the pixels or in their unused bits."""
    return any(0x6000 <= tag.group <= 0x60FE and tag.element in (0x3000, 0x0102) for tag in data.keys())  # noqa: SIM118


def present(data: Dataset, raw: npt.NDArray[Any], frame: int) -> tuple[Pixels, tuple[str, ...]]:
    """Pixels ready to look at, and what was noticed.

    Up to 8 stored bits give uint8, more give uint16 over its full range. Colour stays as it is. Grey
    goes through the first VOI LUT or window of the header, else, beyond 8 bits, through robust
    percentiles; 8-bit grey without a window is ready as stored, like a PNG.

    Raises:
        UnreadableFile: a palette that cannot be applied.
    """
    colours = coloured(data, raw)
    if colours is not None:
        return colours, ()
    bits = el.integer(data, "BitsStored") or raw.dtype.itemsize * 8
    values, notes = modality_values(data, raw, frame)
    unit, remarks = _voi(data, raw, values, bits, frame)
    if is_inverted(data):
        unit = 1 - unit
    return (to_uint8(unit) if bits <= 8 else to_uint16(unit)), (*notes, *remarks)


def modality_values(
    data: Dataset, raw: npt.NDArray[Any], frame: int
) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    """Stored values in the units of the modality: through the modality LUT, or slope and intercept."""
    looked_up = through_modality_lut(data, raw)
    if looked_up is not None:
        return looked_up.astype(np.float32), ()
    slope, intercept, notes = rescale(data, frame)
    if (slope, intercept) == (1.0, 0.0):
        values = raw.astype(np.float32)
    else:
        values = (raw.astype(np.float64) * slope + intercept).astype(np.float32)
    return values, (*notes, *hounsfield_notes(data, values, frame))


def through_modality_lut(data: Dataset, raw: npt.NDArray[Any]) -> npt.NDArray[np.uint16] | None:
    """The modality's own look-up table applied; None where the file has none."""
    tables = el.items(data, "ModalityLUTSequence")
    if not tables:
        return None
    table, _ = _table(data, tables[0])
    return _looked_up(raw, tables[0], table).astype(np.uint16)


def rescale(data: Dataset, frame: int) -> tuple[float, float, tuple[str, ...]]:
    """Slope and intercept from stored values to the modality's units; 1 and 0 where there are none that can be."""
    place = el.of_frame(data, "PixelValueTransformationSequence", frame)
    if not _is_rescaled(place):
        return 1.0, 0.0, ()
    slope, intercept = el.real(place, "RescaleSlope"), el.real(place, "RescaleIntercept")
    if slope is None or intercept is None or slope == 0:
        return 1.0, 0.0, (BAD_RESCALE,)
    return slope, intercept, ()


def _is_rescaled(place: Dataset) -> bool:
    return any(el.element(place, name) is not None for name in ("RescaleSlope", "RescaleIntercept"))


def hounsfield_notes(data: Dataset, values: npt.NDArray[np.float32], frame: int) -> tuple[str, ...]:
    """Said of a CT whose rescaled values cannot be Hounsfield units."""
    if el.text(data, "Modality") != "CT" or rescale(data, frame)[2]:
        return ()
    if not _is_rescaled(el.of_frame(data, "PixelValueTransformationSequence", frame)):
        return ()
    return () if _plausible_hounsfield(values) else (NOT_HOUNSFIELD,)


def _plausible_hounsfield(values: npt.NDArray[np.float32]) -> bool:
    """Told from the bulk of the image; what lies at its minimum is mostly the outside of the field of view."""
    inside = values[values > values.min()]
    if inside.size < 100:
        return True
    low, high = np.percentile(inside[:: max(1, inside.size // 50_000)], (5, 95))
    return bool(low >= _HOUNSFIELD[0] and high <= _HOUNSFIELD[1])


def _voi(
    data: Dataset, raw: npt.NDArray[Any], values: npt.NDArray[np.float32], bits: int, frame: int
) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    place = el.of_frame(data, "FrameVOILUTSequence", frame)
    tables = el.items(place, "VOILUTSequence")
    if tables:
        table, depth = _table(data, tables[0])
        return (_looked_up(values, tables[0], table) / (2.0**depth - 1)).astype(np.float32).clip(0, 1), ()
    declared = el.element(place, "WindowCenter") is not None
    window = _declared_window(place)
    if window is not None:
        unit = windowed(values, window)
        if unit.min() < unit.max() or values.min() == values.max():
            return unit, ()
    if not declared and bits <= 8 and raw.dtype.kind != "f":
        return _whole_range(raw, bits), ()
    percentiles = percentile_window(values, padding=_padding(data, raw))
    note = BLANK_WINDOW if window is not None else BAD_WINDOW if declared else NO_WINDOW
    return windowed(values, percentiles), (note,)


def first_window(
    data: Dataset, raw: npt.NDArray[Any], values: npt.NDArray[np.float32], frame: int
) -> tuple[Window, tuple[str, ...]]:
    """The window a viewer begins with, in units of the values: the header's first, else robust percentiles.

    A look-up table of the header (see ``voi_table``) is no window; percentiles stand in, and it is said.
    """
    bits = el.integer(data, "BitsStored") or raw.dtype.itemsize * 8
    place = el.of_frame(data, "FrameVOILUTSequence", frame)
    has_table = bool(el.items(place, "VOILUTSequence"))
    declared = el.element(place, "WindowCenter") is not None
    window = None if has_table else _declared_window(place)
    if window is not None:
        unit = windowed(values, window)
        if unit.min() < unit.max() or values.min() == values.max():
            return window, ()
    if not declared and not has_table and bits <= 8 and raw.dtype.kind != "f":
        slope, intercept, _ = rescale(data, frame)
        middle = (2**bits - 1) / 2 - (2 ** (bits - 1) if raw.dtype.kind == "i" else 0)
        return Window(middle * slope + intercept, abs(slope) * (2**bits - 1), "LINEAR_EXACT"), ()
    note = BLANK_WINDOW if window is not None else TABLE_WINDOW if has_table else BAD_WINDOW if declared else NO_WINDOW
    return percentile_window(values, padding=_padding(data, raw)), (note,)


def voi_table(data: Dataset, place: Dataset) -> tuple[float, tuple[int, ...]] | None:
    """The first mapped value and the greys 0…255 of the header's first VOI LUT; None where there is none."""
    tables = el.items(place, "VOILUTSequence")
    if not tables:
        return None
    table, depth = _table(data, tables[0])
    descriptor = el.reals(tables[0], "LUTDescriptor", 3) or (0.0, 0.0, 0.0)
    greys = to_uint8((table / np.float32(2.0**depth - 1)).clip(0, 1))
    return descriptor[1], tuple(greys.tolist())


def is_inverted(data: Dataset) -> bool:
    """Whether high values are dark: one statement, not two, for DX images say both."""
    photometric = el.text(data, "PhotometricInterpretation")
    return photometric == "MONOCHROME1" or el.text(data, "PresentationLUTShape") == "INVERSE"


def coloured(data: Dataset, raw: npt.NDArray[Any]) -> Pixels | None:
    """Pixels of a colour or palette image, H×W×3; None for grey.

    Raises:
        UnreadableFile: a palette that cannot be applied.
    """
    bits = el.integer(data, "BitsStored") or raw.dtype.itemsize * 8
    if el.text(data, "PhotometricInterpretation") == "PALETTE COLOR":
        return _palette(data, raw, bits)
    return _colour(raw, bits) if raw.ndim == 3 else None


def _declared_window(place: Dataset) -> Window | None:
    """The first window of the header, if the standard allows it."""
    centre, width = el.real(place, "WindowCenter"), el.real(place, "WindowWidth")
    if centre is None or width is None:
        return None
    named = el.text(place, "VOILUTFunction")
    function: Function = "LINEAR"
    if named == "SIGMOID":
        function = "SIGMOID"
    elif named == "LINEAR_EXACT":
        function = "LINEAR_EXACT"
    window = Window(centre, width, function)
    return window if window.is_valid else None


def _whole_range(raw: npt.NDArray[Any], bits: int) -> npt.NDArray[np.float32]:
    offset = 2 ** (bits - 1) if raw.dtype.kind == "i" else 0
    return ((raw.astype(np.float32) + offset) / np.float32(2**bits - 1)).clip(0, 1)


def _padding(data: Dataset, raw: npt.NDArray[Any]) -> npt.NDArray[np.bool_] | None:
    """Pixels outside of the image, by Pixel Padding Value and its range limit."""
    value = el.integer(data, "PixelPaddingValue")
    if value is None:
        return None
    limit = el.integer(data, "PixelPaddingRangeLimit")
    low, high = sorted((value, value if limit is None else limit))
    return np.asarray((raw >= low) & (raw <= high))


def _table(data: Dataset, item: Dataset) -> tuple[npt.NDArray[np.float32], int]:
    """The entries of a LUT item and the bits of an entry.

    Raises:
        ValueError: it is empty or its descriptor is impossible.
    """
    descriptor = el.reals(item, "LUTDescriptor", 3)
    entries = el.element(item, "LUTData")
    if descriptor is None or entries is None or not 1 <= descriptor[2] <= 16:
        raise ValueError("a LUT without descriptor or data")
    if isinstance(entries, bytes):
        _, little = data.original_encoding
        entries = np.frombuffer(entries, dtype="<u2" if little else ">u2")
    count = int(descriptor[0]) or 2**16
    table = np.asarray(entries, dtype=np.float32).reshape(-1)[:count]
    if not table.size:
        raise ValueError("a LUT without entries")
    return table, int(descriptor[2])


def _looked_up(values: npt.NDArray[Any], item: Dataset, table: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Values below the first mapped one take the first entry, values beyond the last take the last."""
    descriptor = el.reals(item, "LUTDescriptor", 3) or (0.0, 0.0, 0.0)
    index = np.rint(values.astype(np.float64) - descriptor[1]).clip(0, table.size - 1).astype(np.intp)
    return table[index]


def _palette(data: Dataset, raw: npt.NDArray[Any], bits: int) -> Pixels:
    try:
        coloured = apply_color_lut(raw, data)
    except el.DAMAGED as error:
        raise refusal(Reason.BAD_HEADER, "The colour palette is missing or damaged.") from error
    rgb = np.asarray(coloured)[..., :3]
    if rgb.dtype.itemsize == 2 and bits <= 8:
        rgb = (rgb >> 8).astype(np.uint8) if rgb.max() > 255 else rgb.astype(np.uint8)
    return np.ascontiguousarray(rgb)


def _colour(raw: npt.NDArray[Any], bits: int) -> Pixels:
    if raw.dtype == np.uint8 and bits == 8:
        return np.ascontiguousarray(raw)
    unit = (raw.astype(np.float64) / (2.0**bits - 1)).clip(0, 1).astype(np.float32)
    return to_uint8(unit) if bits <= 8 else to_uint16(unit)
