"""A PNG made ready for the page, and checked, so that a broken one neither stops a report nor leaves a blank.

Twice, for typst errs twice: it passes over a file that is cut short in silence, and fails the whole report over
one whose pixels cannot be unpacked. So its parts are checked here, its pixels by setting it once alone.
"""

from __future__ import annotations

import base64
import functools
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import typst

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRIAL = b'#set document(title: "trial")\n#image("picture.svg", alt: "trial")'


@dataclass(frozen=True, slots=True)
class Drawable:
    """A picture as typst takes it: ``svg`` wraps the PNG, ``height`` is relative to the width."""

    svg: bytes
    height: float


def read_picture(path: str) -> Drawable | None:
    """The picture of that file, or None where there is none that can be drawn."""
    try:
        png = Path(path).read_bytes()
        across, down = png_size(png)
    except (OSError, ValueError):
        return None
    svg = _wrapped(png, across, down)
    return Drawable(svg, down / across) if _draws(svg) else None


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


def _wrapped(png: bytes, across: int, down: int) -> bytes:
    """A PNG inside an SVG: typst takes files from memory only as text."""
    coded = base64.b64encode(png).decode("ascii")
    size = f'width="{across}" height="{down}"'
    link = f'href="data:image/png;base64,{coded}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><image {size} {link}/></svg>'.encode()


def _draws(svg: bytes) -> bool:
    files = cast("Any", {"main.typ": _TRIAL, "picture.svg": svg})
    try:
        typst.compile(files, format="pdf", font_paths=_no_fonts(), ignore_system_fonts=True)
    except typst.TypstError:
        return False
    return True


@functools.cache
def _no_fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False)
