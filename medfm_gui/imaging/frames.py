"""One frame of pixel data, decoded after its claims were compared with what is there.

Declared sizes are checked against budgets and against the compressed stream's own header before a
decoder sees a byte: a 3-kB stream may claim 60,000 × 60,000 pixels. python-gdcm, should it be
installed, is passed over: a 3-kB file makes it abort the process.
"""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.pixels.utils import get_expected_length, pixel_array

from medfm_gui.imaging import elements as el
from medfm_gui.imaging.odd_bits import odd_frame
from medfm_gui.imaging.picture import MAX_PIXELS
from medfm_gui.imaging.reasons import Reason, refusal

MAX_FRAMES = 100_000
MAX_FRAME_BYTES = 1 << 30
_PIXEL_TAGS = {0x7FE00008, 0x7FE00009, 0x7FE00010}
_REQUIRED = ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated")
_REQUIRED_OF_INTEGERS = ("BitsStored", "PixelRepresentation")
_LONG_FORM = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN", b"UC", b"UR", b"UT")
_PASSED_OVER = "gdcm"


def pixel_length(stream: BinaryIO, *, little: bool) -> int | None:
    """The declared length of the pixel element at the stream's position, which moves to the first pixel.

    Returns:
        Bytes, 0xFFFFFFFF for encapsulated pixels, None if no pixel element stands here.
    """
    order = "<" if little else ">"
    start = stream.tell()
    head = stream.read(12)
    if len(head) < 8:
        return None
    group, number = struct.unpack(f"{order}HH", head[:4])
    if group << 16 | number not in _PIXEL_TAGS:
        return None
    # Some writers mix encodings, and pydicom reads them: the element itself decides. The letters of a VR
    # and two zeros would be an odd length, which no element has.
    if head[4:6] in _LONG_FORM and head[6:8] == b"\0\0" and len(head) == 12:
        return int(struct.unpack(f"{order}L", head[8:12])[0])
    stream.seek(start + 8)
    return int(struct.unpack(f"{order}L", head[4:8])[0])


def check_image(data: Dataset, native_bytes: int | None) -> None:
    """Refuse an image whose description is incomplete, contradictory or beyond the budget.

    Args:
        native_bytes: length of uncompressed pixel data; None if they are compressed.

    Raises:
        UnreadableFile: ``bad_header``, ``too_large`` or ``truncated``.
    """
    rows, columns, samples, allocated = _claims(data)
    frames = el.integer(data, "NumberOfFrames")
    if el.element(data, "NumberOfFrames") is None:
        frames = 1
    if frames is None or not 1 <= frames <= MAX_FRAMES:
        raise refusal(Reason.BAD_HEADER, "The number of frames (0028,0008) is impossible.")
    frame_bytes = rows * columns * samples * max(1, allocated // 8)
    if rows * columns > MAX_PIXELS or frame_bytes > MAX_FRAME_BYTES:
        raise refusal(
            Reason.TOO_LARGE,
            f"Rows (0028,0010) × columns (0028,0011) say {rows} × {columns}; the limit is {MAX_PIXELS // 10**6} "
            "million pixels.",
        )
    if native_bytes is not None and native_bytes < _expected_bytes(data):
        raise refusal(Reason.TRUNCATED, "The pixel data are shorter than rows × columns × frames.")


def _claims(data: Dataset) -> tuple[int, int, int, int]:
    required = _REQUIRED + (_REQUIRED_OF_INTEGERS if not _is_float(data) else ())
    absent = [name for name in required if el.element(data, name) is None]
    if absent:
        raise refusal(Reason.BAD_HEADER, f"The element {absent[0]} is missing.")
    rows, columns, samples, allocated = (
        el.integer(data, name) or 0 for name in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")
    )
    stored = el.integer(data, "BitsStored") or allocated
    if rows < 1 or columns < 1:
        raise refusal(Reason.BAD_HEADER, "The image has no rows (0028,0010) or no columns (0028,0011).")
    if samples not in (1, 3) or allocated not in (1, 8, 16, 32, 64):
        raise refusal(
            Reason.BAD_HEADER, f"{samples} samples a pixel with {allocated} bits each are not a known kind of image."
        )
    if not 1 <= stored <= allocated:
        raise refusal(Reason.BAD_HEADER, f"{stored} bits stored (0028,0101) do not fit in {allocated} (0028,0100).")
    return rows, columns, samples, allocated


def _is_float(data: Dataset) -> bool:
    """Parametric maps leave the integer elements out; the pixel element itself may not have been read."""
    return el.integer(data, "BitsAllocated") in (32, 64) and el.element(data, "PixelRepresentation") is None


def _expected_bytes(data: Dataset) -> int:
    return int(get_expected_length(data, unit="bytes"))


def decode_frame(data: Dataset, index: int) -> npt.NDArray[Any]:
    """Stored values of one frame, rows × columns (× 3, as RGB), native byte order.

    Raises:
        UnreadableFile: the transfer syntax is not known, or every decoder refuses the data.
    """
    syntax = data.file_meta.TransferSyntaxUID
    name = getattr(syntax, "name", str(syntax))
    try:
        decoder = get_decoder(syntax)
    except el.DAMAGED:
        raise refusal(Reason.UNDECODABLE, f"The transfer syntax “{name}” cannot be decoded.") from None
    try:
        if decoder.is_encapsulated:
            _check_stream(data, index)
        values = _decoded(data, decoder, index)
    except MemoryError as error:
        raise refusal(Reason.TOO_LARGE, "There is not enough memory to decode the image.") from error
    except el.DAMAGED as error:
        raise refusal(Reason.UNDECODABLE, f"The pixel data ({name}) cannot be decoded.") from error
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise refusal(Reason.NONFINITE, "The image holds values that are not numbers (NaN or infinite).")
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _decoded(data: Dataset, decoder: Decoder, index: int) -> npt.NDArray[Any]:
    if not decoder.is_encapsulated:
        odd = odd_frame(data, index)
        return np.asarray(pixel_array(data, index=index)) if odd is None else odd
    problem: Exception = NotImplementedError("no decoder")
    for plugin in decoder.available_plugins:
        if plugin == _PASSED_OVER:
            continue
        try:
            return np.asarray(pixel_array(data, index=index, decoding_plugin=plugin))
        except el.DAMAGED as error:
            problem = error
    raise problem


def _check_stream(data: Dataset, index: int) -> None:
    """Compare the compressed stream's own size with the header's before it is decoded."""
    frames = el.integer(data, "NumberOfFrames") or 1
    stream = get_frame(data.PixelData, index, number_of_frames=frames)
    size = stream_size(stream)
    if size is not None and size != (data.Rows, data.Columns):
        raise refusal(
            Reason.BAD_HEADER,
            f"The compressed data say {size[0]} × {size[1]} pixels, the header {data.Rows} × {data.Columns}.",
        )


def stream_size(stream: bytes) -> tuple[int, int] | None:
    """(rows, columns) that a JPEG, JPEG-LS or JPEG 2000 stream declares; None for other streams."""
    if stream[:4] == b"\xff\x4f\xff\x51" and len(stream) >= 24:  # SOC, SIZ: extent minus offset (ISO 15444-1 A.5.1)
        width, height, left, top = struct.unpack(">4L", stream[8:24])
        return height - top, width - left
    if stream[:2] != b"\xff\xd8":
        return None
    position = 2
    while position + 9 <= len(stream) and stream[position] == 0xFF:
        marker = stream[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            rows, columns = struct.unpack(">HH", stream[position + 5 : position + 9])
            return (rows, columns) if rows else None  # 0: told later by a DNL marker
        position += 2 + int(struct.unpack(">H", stream[position + 2 : position + 4])[0])
    return None
