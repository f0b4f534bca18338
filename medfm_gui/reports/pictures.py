"""A PNG made ready for the page, and checked, so that a broken one neither stops a report nor leaves a blank.

Typst errs twice: it passes over a file that is cut short in silence, and fails the whole report over one whose
pixels cannot be unpacked. So its parts are checked here, and its pixels are unpacked. They go on as a JPEG: the
noise of a radiograph does not pack, and sixteen pictures of 512 × 512 would take 2.6 MB of the PDF instead of 0.3.
"""

from __future__ import annotations

import base64
import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_PIXELS = 50_000_000
_JPEG = {"quality": 90, "subsampling": 0, "optimize": True}  # full colour resolution: a heat map's edges stay


@dataclass(frozen=True, slots=True)
class Drawable:
    """A picture as typst takes it: ``svg`` wraps a JPEG, ``height`` is relative to the width."""

    svg: bytes
    height: float


def read_picture(path: str) -> Drawable | None:
    """The picture of that file, or None where there is none that can be drawn."""
    try:
        png = Path(path).read_bytes()
        across, down = png_size(png)
        if across * down > _MOST_PIXELS:
            return None
        jpeg = _jpeg(image.imread(io.BytesIO(png), format="png"))
    except (OSError, ValueError, SyntaxError):  # SyntaxError is what Pillow says of a broken PNG
        return None
    return Drawable(_wrapped(jpeg, across, down), down / across)


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels of a PNG all of whose parts are there.

    Raises:
        ValueError: it is no PNG, it is cut short, or a checksum is wrong.
    """
    if not png.startswith(_SIGNATURE):
        raise ValueError("not a PNG")
    place, size = len(_SIGNATURE), (0, 0)
    try:
        while True:
            length, kind = struct.unpack_from(">I4s", png, place)
            (checksum,) = struct.unpack_from(">I", png, place + 8 + length)
            if checksum != zlib.crc32(png[place + 4 : place + 8 + length]):
                raise ValueError("a part of the PNG is damaged")
            if kind == b"IHDR":
                size = struct.unpack_from(">II", png, place + 8)
            if kind == b"IEND":
                break
            place += 12 + length
    except struct.error:
        raise ValueError("the PNG is cut short") from None
    if not all(size):
        raise ValueError("the PNG has no size")
    return size


def _jpeg(pixels: Any) -> bytes:
    """Pixels H × W (grey), H × W × 3 or H × W × 4 in 0…1; what is transparent becomes white."""
    held = io.BytesIO()
    image.imsave(held, pixels, vmin=0, vmax=1, cmap="gray", format="jpeg", pil_kwargs=dict(_JPEG))
    return held.getvalue()


def _wrapped(jpeg: bytes, across: int, down: int) -> bytes:
    """A JPEG inside an SVG: typst takes files from memory only as text."""
    coded = base64.b64encode(jpeg).decode("ascii")
    size = f'width="{across}" height="{down}"'
    link = f'href="data:image/jpeg;base64,{coded}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><image {size} {link}/></svg>'.encode()
