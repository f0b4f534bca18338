"""What the pixel cache keeps of a file: the picture at the cache's size, and what tells the file apart from others.

A JPEG that is at least twice as large is decoded at a half, a quarter or an eighth by its own transform (draft
scaling). What that leaves is resized again only where it is much larger than wanted: it costs as much as the decoding.
What is kept therefore depends on the file and the size alone, whether it is made at the
import or again later. ``stored_sha256`` is always that of all pixels: the import pays a whole decode for it; where
the file's bytes are known to be the same, they vouch for its pixels and the whole decode is spared.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from medfm_gui.imaging.file_facts import FileFacts
from medfm_gui.imaging.gate import VOLUMES, Admitted, FileKind, admit
from medfm_gui.imaging.picture import Picture
from medfm_gui.imaging.shrink import shrink
from medfm_gui.imaging.window import Window, to_uint16, windowed

_LEFT_AS_IS = 1.5
"""A scaled JPEG may be so many times as large as wanted, and is not resized again."""
Clamp = tuple[float, float]
"""Least and greatest value that is told apart, in units of the modality (HU for CT)."""


@dataclass(frozen=True, slots=True)
class Small:
    """A picture at the cache's size; ``rows`` and ``columns`` are those of the whole image.

    ``picture.stored_sha256`` is empty where the file's contents are those that the caller knew.
    """

    picture: Picture
    rows: int
    columns: int
    file: FileFacts


@dataclass(frozen=True, slots=True)
class Wish:
    """How a picture is wanted.

    ``short_side`` is its shorter side at most, in pixels (of a scaled JPEG half as much more; None: full size);
    ``clamp`` the bounds of a CT's values (None: the window that its header declares); ``known_sha256`` that of a file
    whose pixels are known already.
    """

    short_side: int | None = None
    clamp: Clamp | None = None
    known_sha256: str = ""


class Digests:
    """The facts of the file that was read last: the frames of one file come one after the other."""

    def __init__(self) -> None:
        self._known: tuple[tuple[int, ...], str] = ((), "")

    def facts(self, admitted: Admitted) -> FileFacts:
        """Of an admitted file, whose handle stands at position 0 afterwards."""
        status = os.fstat(admitted.handle.fileno())
        mark = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if self._known[0] != mark:
            admitted.handle.seek(0)
            self._known = mark, hashlib.file_digest(cast(io.BufferedReader, admitted.handle), "sha256").hexdigest()
            admitted.handle.seek(0)
        return FileFacts(status.st_size, status.st_mtime_ns, self._known[1])


def read_small(
    path: Path,
    wish: Wish,
    read: Callable[[], Picture],
    *,
    frame: int | None = None,
    root: Path | None = None,
    digests: Digests | None = None,
    values: Callable[[], npt.NDArray[np.float32]] | None = None,
) -> Small:
    """Decode an image for the pixel cache.

    Args:
        read: decodes the whole image.
        frame: the index of a frame, from 0.
        root: the folder that links may not lead out of.
        digests: kept between calls, so that a file of many frames is hashed once.
        values: those of the slice of a volume that ``read`` has just decoded, in units of the modality.

    Raises:
        UnreadableFile: with a ``reason`` of ``reasons.Reason``.
    """
    with admit(path, root=root) as admitted:
        facts = (digests or Digests()).facts(admitted)
        found = None if frame else _scaled(admitted, wish.short_side)
        clamped = _clamped(admitted, frame, wish.clamp)
        is_volume = admitted.kind in VOLUMES
    if found is None:
        picture = clamped or read()
        if is_volume and wish.clamp is not None and values is not None:
            picture = _volume_clamped(picture, values(), wish.clamp)
        return Small(_shrunk(picture, wish), picture.rows, picture.columns, facts)
    scaled, rows, columns = found
    if facts.sha256 != wish.known_sha256:
        scaled = replace(scaled, stored_sha256=read().stored_sha256)
    much = wish.short_side is not None and min(scaled.pixels.shape[:2]) > _LEFT_AS_IS * wish.short_side
    return Small(_shrunk(scaled, wish) if much else scaled, rows, columns, facts)


def _shrunk(picture: Picture, wish: Wish) -> Picture:
    return replace(picture, pixels=shrink(picture.pixels, wish.short_side))


def _scaled(admitted: Admitted, short_side: int | None) -> tuple[Picture, int, int] | None:
    """A JPEG by draft scaling; None where that gains nothing, or the file is none."""
    if admitted.kind is not FileKind.JPEG or short_side is None:
        return None
    from medfm_gui.imaging.raster import read_scaled  # Pillow costs 0.1 s

    return read_scaled(admitted, short_side)


def _volume_clamped(picture: Picture, values: npt.NDArray[np.float32], clamp: Clamp) -> Picture:
    """A slice of a volume between two values: such files do not say their modality, the recipe does."""
    low, high = clamp
    unit = windowed(values, Window((low + high) / 2, high - low, "LINEAR_EXACT"))
    return replace(picture, pixels=to_uint16(unit)) if unit.shape == picture.pixels.shape else picture


def _clamped(admitted: Admitted, frame: int | None, clamp: Clamp | None) -> Picture | None:
    """A CT between two values; None where nothing of the kind is wanted, or the image is no CT."""
    if clamp is None or admitted.kind is not FileKind.DICOM:
        return None
    from medfm_gui.imaging.clamped import read_clamped  # pydicom costs 0.2 s

    return read_clamped(admitted, frame, clamp)
