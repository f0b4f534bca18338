"""Bits of uncompressed pixels that belong to no value: old overlays stand there, and nobody sees them in a viewer.

What a cell has above its value is cleared. There the sign of a value may be repeated, and the cell that stands for
padding may have bits of its own: both stay. Every value is as before. Values at the upper end of their cells are left
alone, for it is not certain which bits they have.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from medfm_gui.imaging import elements as el
from medfm_gui.imaging.odd_bits import shift_of

_AT_ONCE = 4 << 20
_Cells = npt.NDArray[np.unsignedinteger]


def has_room(data: Dataset) -> bool:
    """Whether a cell has bits above its value, which can be cleared where the pixels are not compressed."""
    allocated, stored = el.integer(data, "BitsAllocated"), el.integer(data, "BitsStored")
    return allocated in (8, 16, 32) and stored is not None and 1 <= stored < allocated and not shift_of(data)


def without_unused_bits(data: Dataset, value: bytes) -> bytes:
    """The same bytes where nothing stands beside the values, else others in which that is cleared.

    Args:
        data: the image, of which only bits, sign and padding are read.
        value: its uncompressed pixels.
    """
    if not has_room(data):
        return value
    width = (el.integer(data, "BitsAllocated") or 8) // 8
    is_big = str(data.file_meta.TransferSyntaxUID) == ExplicitVRBigEndian
    cells = np.frombuffer(value, f"{'>' if is_big else '<'}u{width}", len(value) // width)
    made: bytearray | None = None
    for start in range(0, cells.size, _AT_ONCE):
        part = cells[start : start + _AT_ONCE]
        clean = _cleaned(data, part.astype(part.dtype.newbyteorder("=")))
        if clean is not None:
            made = bytearray(value) if made is None else made
            made[start * width : (start + part.size) * width] = clean.astype(part.dtype).tobytes()
    return value if made is None else bytes(made)


def _cleaned(data: Dataset, cells: _Cells) -> _Cells | None:
    """Cells without what stands beside their values; None where nothing does."""
    width = cells.dtype.itemsize * 8
    stored = el.integer(data, "BitsStored") or width
    values = cells & cells.dtype.type((1 << stored) - 1)
    hidden = cells != values
    if el.integer(data, "PixelRepresentation") == 1:
        above = width - stored
        repeated = ((values << above).view(f"i{cells.dtype.itemsize}") >> above).view(cells.dtype)
        hidden &= cells != repeated
        values = repeated
    padding = el.integer(data, "PixelPaddingValue")
    if padding is not None:
        hidden &= cells != cells.dtype.type(padding & ((1 << width) - 1))
    return np.where(hidden, values, cells) if hidden.any() else None
