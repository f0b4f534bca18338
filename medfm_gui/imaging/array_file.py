"""NumPy arrays in a file (``.npy``): a picture, or a stack of them. Objects are never unpickled."""

from __future__ import annotations

import math
import tokenize
from typing import Any

import numpy as np
from numpy.lib import format as npy

from medfm_gui.imaging.gate import Admitted
from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.voxels import Voxels, check_budget

_LONGEST_HEADER = 10_000
_DAMAGED = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    EOFError,
    SyntaxError,
    OverflowError,
    RecursionError,
    MemoryError,
    tokenize.TokenError,
)
"""What NumPy was seen to raise: it parses the header as an expression."""


def read_array(admitted: Admitted) -> Voxels:
    """An array of rows × columns, rows × columns × 3, or slices × rows × columns.

    Raises:
        UnreadableFile: truncated, too large, not of numbers, or of another number of axes.
    """
    handle = admitted.handle
    try:
        version = npy.read_magic(handle)
        reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, is_fortran, dtype = reader(handle, max_header_size=_LONGEST_HEADER)
    except _DAMAGED as error:
        raise refusal(Reason.BAD_HEADER, "The header of the NumPy array is damaged.") from error
    if dtype.hasobject:
        raise refusal(Reason.UNSUPPORTED_FORMAT, "The array holds Python objects (pickle), which are never opened.")
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        raise refusal(Reason.UNSUPPORTED_FORMAT, f"Arrays of the type {dtype.name} are not read here.")
    if len(shape) not in (2, 3):
        raise refusal(Reason.UNSUPPORTED_FORMAT, f"An array of {len(shape)} axes is no picture and no stack of them.")
    check_budget(shape, dtype.itemsize)
    wanted = math.prod(shape) * dtype.itemsize
    if admitted.size - handle.tell() < wanted:
        raise refusal(Reason.TRUNCATED, "The file is shorter than its header says.")
    array: Any = np.frombuffer(handle.read(wanted), dtype=dtype)
    array = array.reshape(shape, order="F" if is_fortran else "C").astype(dtype.newbyteorder("="), copy=False)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    if array.ndim == 2:
        array = array[None]
    elif array.shape[2] in (3, 4) and array.dtype == np.uint8 and array.shape[0] > 4:
        return Voxels(np.moveaxis(array[None, ..., :3], (0, 1, 2), (2, 1, 0)))
    return Voxels(np.moveaxis(array, (0, 1, 2), (2, 1, 0)))
