"""A series becomes one file that grows frame by frame: an ``.npy`` array of stored values on one scale.

Values stay as stored (no window, no polarity), so that a viewer can window them and every pixel has its
value: value = stored × slope + intercept, one slope and intercept for the whole array. The children of the
pool write into the file; nothing here decodes, and neither pydicom nor Pillow is loaded.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.grid import Extent, Grid
from medfm_gui.imaging.header import DicomHeader, header_from_plain
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.imaging.window import Function


@dataclass(frozen=True, slots=True)
class Source:
    """Where a frame is: a file and the index of the frame in it, from 0."""

    path: str
    frame: int = 0


@dataclass(frozen=True, slots=True)
class ViewFacts:
    """What the first decoded frame said of the series; see ``Begun``."""

    header: DicomHeader | None
    frames: int
    window: tuple[float, float] | None = None
    window_function: Function = "LINEAR"
    voi_first: float = 0.0
    voi_greys: tuple[int, ...] = ()
    is_inverted: bool = False
    unit: str = ""
    spacing: tuple[float, float] | None = None
    spacing_note: Literal["mm", "mm at detector", "px"] = "px"
    aspect: float = 1.0
    positions_mm: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Begun:
    """The array's file is there with one frame in it, ``index``.

    ``frames`` are those of a file that is all of the series, in order of their positions; empty where they lie so.
    """

    grid: Grid
    facts: ViewFacts
    count: int
    index: int
    data_at: int
    """Bytes before the first frame in the file."""
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NeedsExtents:
    """Nothing was written: values beyond 16 bits have to be measured in all frames first."""


@dataclass(frozen=True, slots=True)
class FrameResult:
    """What became of one frame: it is in the file, or ``is_off_scale`` (the grid cannot hold it), or a reason."""

    index: int
    ok: bool
    is_off_scale: bool = False
    reason: str = ""
    message: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture as a reader would see it: 8 bits, rows × columns × channels (1 or 3), row by row."""

    key: str
    ok: bool
    rows: int = 0
    columns: int = 0
    channels: int = 1
    payload: bytes = b""
    message: str = ""


def begin(
    pool: DecodePool,
    source: Source,
    out: Path,
    *,
    count: int | None,
    index: int,
    grid: Grid | None = None,
) -> Begun | NeedsExtents:
    """Decode one frame, make the array's file for all frames, and put the frame in its place.

    Args:
        count: how many frames the array has; None for those of the file, of which the middle one is taken.
        index: the place of this frame.
        grid: on which scale; by default that of this frame.

    Raises:
        UnreadableFile: the frame cannot be decoded.
    """
    words = {
        "work": "begin",
        "path": str(Path(source.path).absolute()),
        "frame": source.frame,
        "out": str(out.absolute()),
        "count": count,
        "index": index,
        "grid": grid.plain() if grid else None,
    }
    (answer,) = pool.run([("", words)], lambda _, said, __: said)
    if not answer["ok"]:
        raise UnreadableFile(str(answer["message"]), reason=str(answer["reason"]))
    if answer.get("needs_extents"):
        return NeedsExtents()
    return Begun(
        grid=Grid(**answer["grid"]),
        facts=_facts(answer["facts"]),
        count=answer["count"],
        index=answer["index"],
        data_at=answer["data_at"],
        frames=tuple(answer["frames"]),
    )


def _facts(words: dict[str, Any]) -> ViewFacts:
    found: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in words.items()}
    found["header"] = header_from_plain(words["header"]) if words["header"] else None
    return ViewFacts(**found)


def fill(
    pool: DecodePool, frames: Iterable[tuple[int, Source]], out: Path, grid: Grid, offset: int
) -> Iterator[FrameResult]:
    """Put frames into the array's file; results come in any order.

    Args:
        offset: bytes before the first frame in the file.

    Raises:
        DiskFull: the disk is full.
    """
    same = {"work": "frame", "out": str(out.absolute()), "grid": grid.plain()}
    orders = (
        (
            str(index),
            {
                **same,
                "path": str(Path(source.path).absolute()),
                "frame": source.frame,
                "at": offset + index * grid.frame_bytes,
            },
        )
        for index, source in frames
    )
    yield from pool.run(orders, _frame_result)


def _frame_result(key: str, words: dict[str, Any], shard: str) -> FrameResult:
    return FrameResult(
        index=int(key),
        ok=bool(words["ok"]) and not words.get("off_scale"),
        is_off_scale=bool(words.get("off_scale")),
        reason=str(words.get("reason", "")),
        message=str(words.get("message", "")),
        notes=tuple(words.get("notes", ())),
    )


def extents(pool: DecodePool, sources: Iterable[Source]) -> Iterator[Extent | None]:
    """The values of each frame, in any order; None for a frame that cannot be decoded. Each frame is decoded for it."""
    orders = (
        ("", {"work": "extent", "path": str(Path(source.path).absolute()), "frame": source.frame}) for source in sources
    )
    yield from pool.run(orders, _extent)


def _extent(key: str, words: dict[str, Any], shard: str) -> Extent | None:
    return Extent(**words["extent"]) if words["ok"] and words.get("extent") else None


def warm_up(pool: DecodePool) -> None:
    """Start every child of the pool and let it load its decoders (0.3 s), so that the first series opens at once."""
    orders = [("", {"work": "warm"})] * pool.size
    for _ in pool.run(orders, lambda _, said, __: said):
        pass


def count_frames(pool: DecodePool, path: str) -> int:
    """How many frames a file has; 0 where it cannot be read."""
    orders = [("", {"work": "count", "path": str(Path(path).absolute())})]
    (answer,) = pool.run(orders, lambda _, said, __: said)
    return int(answer["frames"]) if answer["ok"] else 0


def thumbnails(pool: DecodePool, jobs: Iterable[tuple[str, str, int | None]], side: int) -> Iterator[Thumbnail]:
    """Small pictures of files (key, path, frame; None for the middle one), windowed as in a viewer, in any order."""
    orders = (
        (key, {"work": "thumbnail", "path": str(Path(path).absolute()), "frame": frame, "side": side})
        for key, path, frame in jobs
    )
    yield from pool.run(orders, _thumbnail)


def _thumbnail(key: str, words: dict[str, Any], shard: str) -> Thumbnail:
    if not words["ok"]:
        return Thumbnail(key, False, message=str(words["message"]))
    rows, columns, channels = words["shape"]
    return Thumbnail(key, True, rows, columns, channels, base64.b64decode(words["data"]))
