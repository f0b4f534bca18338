"""Uncompressed values whose bits stand where hardly anybody has them: PS3.5, sections 8.1.1 and 8.2.

Frames of single bits follow one another without a gap, so that most begin within a byte. And a value may stand
anywhere in its cell, up to its High Bit; today's standard wants it at the lower end, old files have it at the upper.
pydicom reads neither as it should: it loses the last bits of such a frame, and takes the lowest bits of a cell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRBigEndian

from medfm_gui.imaging import elements as el


def odd_frame(data: Dataset, index: int) -> npt.NDArray[Any] | None:
    """One frame of an uncompressed image, rows × columns; None where nothing is odd about its bits.

    Raises:
        ValueError: there are fewer bits than the frame needs.
    """
    if el.integer(data, "SamplesPerPixel") != 1 or el.integer(data, "BitsStored") is None:
        return None
    if el.integer(data, "BitsAllocated") == 1:
        return _single_bits(data, index)
    shift = shift_of(data)
    return _shifted(data, index, shift) if shift > 0 else None


def shift_of(data: Dataset) -> int:
    """How many bits of a cell lie below its value; 0 where the header says nothing that can be."""
    allocated, stored = el.integer(data, "BitsAllocated"), el.integer(data, "BitsStored")
    high = el.integer(data, "HighBit")
    if allocated is None or stored is None or high is None or not stored - 1 < high < allocated:
        return 0
    return high + 1 - stored


def _single_bits(data: Dataset, index: int) -> npt.NDArray[np.uint8] | None:
    """A frame that does not begin or end with a byte; any other is none of ours, and so are words of big endian."""
    rows, columns = el.integer(data, "Rows") or 0, el.integer(data, "Columns") or 0
    count = rows * columns
    if count % 8 == 0 or str(data.file_meta.TransferSyntaxUID) == ExplicitVRBigEndian:
        return None
    start = index * count
    first, within = divmod(start, 8)
    raw = np.frombuffer(data.PixelData, np.uint8, count=-(-(within + count) // 8), offset=first)
    return np.unpackbits(raw, bitorder="little")[within : within + count].reshape(rows, columns)


def _shifted(data: Dataset, index: int, shift: int) -> npt.NDArray[Any] | None:
    """The values moved to the lower end of their cells.

    Some writers name a wrong High Bit. Then there are bits below the “value” that no overlay accounts for, and the
    values are where the standard wants them.
    """
    cells = np.asarray(pixel_array(data, index=index, correct_unused_bits=False))
    if cells.dtype.kind not in "ui":
        return None
    width = cells.dtype.itemsize * 8
    plain = cells.view(f"{cells.dtype.byteorder}u{cells.dtype.itemsize}")
    if (plain & ((1 << shift) - 1)).any() and not _has_overlay_below(data, shift):
        return None
    stored = el.integer(data, "BitsStored") or width
    above = width - stored - shift
    moved = (plain << above).view(cells.dtype) if cells.dtype.kind == "i" else plain << above
    return np.asarray(moved >> (width - stored))


def _has_overlay_below(data: Dataset, shift: int) -> bool:
    """Whether an overlay of the old kind stands in the bits below the values."""
    for group in range(0x6000, 0x6020, 2):
        position = getattr(data.get((group, 0x0102)), "value", None)
        if isinstance(position, int) and position < shift and (group, 0x3000) not in data:
            return True
    return False
