"""A PNG made ready for the page: checked by drawing it once, so that a broken one never stops a report."""

from __future__ import annotations

import base64
import functools
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import typst

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">8s4x4sII")
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
        signature, kind, across, down = _HEADER.unpack_from(png)
    except (OSError, ValueError, struct.error):
        return None
    if signature != _SIGNATURE or kind != b"IHDR" or not across or not down:
        return None
    svg = _wrapped(png, across, down)
    return Drawable(svg, down / across) if _draws(svg) else None


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
