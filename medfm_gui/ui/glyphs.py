"""The few drawings a stylesheet needs (arrows, check marks), tinted with the theme and held in memory.

A stylesheet can only name files. The icons are drawn in ``currentColor``, so each theme's copies are made here and
given to Qt as a resource in memory (``:/medfm/<theme>/<name>.svg``): nothing is written, no colour declared twice.
"""

from __future__ import annotations

import struct
from typing import Final

from PySide6.QtCore import QResource
from PySide6.QtWidgets import QApplication

from medfm_gui.ui import icons
from medfm_gui.ui.theme import Theme

_GLYPHS: Final = {
    "down": ("chevron-down", "muted"),
    "down-disabled": ("chevron-down", "disabled"),
    "up": ("chevron-up", "muted"),
    "up-disabled": ("chevron-up", "disabled"),
    "right": ("chevron-right", "muted"),
    "left": ("chevron-left", "muted"),
    "close": ("close", "muted"),
    "check": ("check", "on_accent"),
    "check-disabled": ("check", "disabled"),
    "dash": ("minus", "on_accent"),
    "dot": ("dot", "on_accent"),
    "dot-disabled": ("dot", "disabled"),
}


def register(app: QApplication, theme: Theme) -> str:
    """Give this theme's glyphs to Qt, once; returns the prefix of their names."""
    prefix = f"/medfm/{theme.name}"
    kept = f"medfm_glyphs_{theme.name}"
    if app.property(kept) is None:
        data = resource({f"{name}.svg": icons.drawing(*what, theme) for name, what in _GLYPHS.items()})
        app.setProperty(kept, _Kept(data))  # Qt reads the bytes where they are, so they live as long as it
        QResource.registerResourceData(data, prefix)
    return f":{prefix}"


class _Kept:
    """Bytes that Qt does not copy."""

    def __init__(self, data: bytes) -> None:
        self.data = data


def resource(files: dict[str, bytes]) -> bytes:
    """Files of one folder in the format of Qt's resource compiler, version 1 (``qrc`` binary, big endian).

    Layout: header · data (length, bytes) · names (length, hash, UTF-16) · tree, whose children are sorted by hash.
    """
    names, data, nodes = b"", b"", []
    for name, content in files.items():
        nodes.append((_hash(name), len(names), len(data)))
        names += struct.pack(">HI", len(name), _hash(name)) + name.encode("utf-16-be")
        data += struct.pack(">I", len(content)) + content
    root = struct.pack(">IHII", 0, 2, len(nodes), 1)
    tree = root + b"".join(struct.pack(">IHHHI", name, 0, 0, 1, at) for _, name, at in sorted(nodes))
    start = 20
    header = b"qres" + struct.pack(">IIII", 1, start + len(data) + len(names), start, start + len(data))
    return header + data + names + tree


def _hash(name: str) -> int:
    value = 0
    for character in name:
        value = ((value << 4) + ord(character)) & 0xFFFFFFFF
        value ^= (value & 0xF0000000) >> 23
        value &= 0x0FFFFFFF
    return value
