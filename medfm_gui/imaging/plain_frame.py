"""The values of an ordinary image, straight out of its file: what most series of CT and MR are made of.

A general parser and decoder take four times as long for the same numbers where they are not compressed, and a tenth
longer where they are in JPEG 2000. Anything that is not plainly ordinary, or does not fit on the scale of its series as
it is, goes the general way.
"""

from __future__ import annotations

import os
import stat
from typing import Any

import numpy as np
import numpy.typing as npt

from medfm_gui.imaging.gate import MAX_FILE_BYTES, OPEN_FLAGS
from medfm_gui.imaging.grid import Grid
from medfm_gui.imaging.packed_frame import is_jpeg_2000, unpacked
from medfm_gui.imaging.quick import QuickImage, quick_image

_FIRST_BYTES = 16 << 10
_DTYPES = {(8, False): "uint8", (16, False): "uint16", (16, True): "int16"}


def plain_frame(path: str, grid: Grid) -> npt.NDArray[Any] | None:
    """The stored values, rows × columns, where they are on the grid's scale as they stand; else None."""
    try:
        descriptor = os.open(path, OPEN_FLAGS)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= MAX_FILE_BYTES:
            return None
        image = quick_image(os.read(descriptor, _FIRST_BYTES), status.st_size)
        if image is None or not _is_on(image, grid) or (image.packed is not None and not is_jpeg_2000(image)):
            return None
        length = grid.frame_bytes if image.packed is None else status.st_size - image.packed
        os.lseek(descriptor, image.start or image.packed or 0, os.SEEK_SET)
        data = os.read(descriptor, length)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if len(data) != length:
        return None
    if image.packed is not None:
        return unpacked(data, image)
    values = np.frombuffer(data, dtype=np.dtype(grid.dtype).newbyteorder("<")).reshape(grid.rows, grid.columns)
    return values if _fits(values, image) else None


def _is_on(image: QuickImage, grid: Grid) -> bool:
    """Whether stored numbers mean the same as the grid's, so that no value has to change."""
    header = image.header
    scale = (header.rescale_slope, header.rescale_intercept)
    if scale == (None, None):
        scale = (1.0, 0.0)
    return (
        (header.rows, header.columns, header.samples_per_pixel, header.frames) == (grid.rows, grid.columns, 1, 1)
        and grid.channels == 1
        and _DTYPES.get((image.bits, image.is_signed)) == grid.dtype
        and scale == (grid.slope, grid.intercept)
        and grid.slope != 0
        and header.photometric in ("MONOCHROME1", "MONOCHROME2")
        and not (image.has_table or header.lossy or header.irregular)
    )


def _fits(values: npt.NDArray[Any], image: QuickImage) -> bool:
    """Whether bits beyond those that are stored are empty: an overlay may stand in them."""
    stored = image.header.bits_stored
    if stored == image.bits:
        return True
    low, high = (-(1 << (stored - 1)), 1 << (stored - 1)) if image.is_signed else (0, 1 << stored)
    return bool(values.min() >= low and values.max() < high)
