"""One image in JPEG 2000 whose stream says the same of it as its header: decoded without asking a general decoder.

OpenJPEG itself takes 26 ms for a noisy slice of 512 × 512 wherever it is built in (pylibjpeg, Pillow, SimpleITK); what
is left out here is only what stands around it. Codestream: ISO 15444-1, A.4.1 and A.5.1.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from medfm_gui.imaging.quick import QuickImage

_JPEG_2000 = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")
_BEGIN = b"\xff\x4f\xff\x51"
_SIZ = struct.Struct(">4s4x4L16xH3B").unpack_from
"""Begin, width, height, left, top, components, then of the first: sign and depth, and its sampling."""
_SIGNED = 0x80


def is_jpeg_2000(image: QuickImage) -> bool:
    """Whether ``unpacked`` may try: the lossless syntax or the other, both of which may be without loss."""
    return image.header.transfer_syntax in _JPEG_2000


def unpacked(items: bytes, image: QuickImage) -> npt.NDArray[Any] | None:
    """The stored values, rows × columns; None where stream and header disagree, or the decoder refuses it.

    Args:
        items: the file from the first item of its pixel element on.
    """
    from openjpeg.utils import decode  # both are loaded by the child before the first slice
    from pydicom.encaps import get_frame

    header = image.header
    try:
        stream = get_frame(BytesIO(items), 0, number_of_frames=1)
        begin, right, bottom, left, top, components, depth, *sampling = _SIZ(stream)
        if (begin, components, sampling) != (_BEGIN, 1, [1, 1]):
            return None
        if (bottom - top, right - left) != (header.rows, header.columns):
            return None
        if depth != (header.bits_stored - 1) | (_SIGNED if image.is_signed else 0):
            return None
        values = np.asarray(decode(stream))
    except (RuntimeError, ValueError, TypeError, IndexError, struct.error):
        return None
    wanted = np.dtype(f"{'i' if image.is_signed else 'u'}{image.bits // 8}")
    return values if values.shape == (header.rows, header.columns) and values.dtype == wanted else None
