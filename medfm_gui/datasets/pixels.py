"""The pixel cache: decoded images in a few large files, mapped into memory instead of read.

``index.json`` holds columns of equal length (sample, shard, offset in bytes, rows, columns, channels, type), for
250,000 short lists would cost a worker more memory than the images it looks at. The shards lie beside it, or, where it
names a ``set``, in that folder of the workspace's ``pixels/``, which several datasets of the same files share (see
``pixel_store``). One dataset may have several indexes, one a ``Look``: ``index.json`` is what the import made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain.errors import InputError, NotFound

INDEX = "index.json"
IMPORT_SIDE = 512
"""The shorter side at most, in pixels, of what the import keeps."""
STORE = "pixels"
_TYPES = ("uint8", "uint16")
_AGAIN = "Import the dataset again."
_LET_GO = "Decoded images that nobody used make room for others; the next run of this dataset decodes them again."
Pixels = NDArray[Any]


class Cached(Protocol):
    """Where one image lies: ``offset`` in bytes, ``shape`` (rows, columns) or (rows, columns, 3), ``dtype`` by name."""

    @property
    def shard(self) -> str:
        """Name of a file in the cache's folder."""

    @property
    def offset(self) -> int:
        """Bytes before the image."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, columns and, of a coloured image, 3."""

    @property
    def dtype(self) -> str:
        """``uint8`` or ``uint16``."""


@dataclass(frozen=True, slots=True)
class Look:
    """How files become cached pixels.

    ``side`` is the shorter side, in pixels, to which larger images are shrunk (a JPEG perhaps only to half as much
    more, see ``imaging.small``); 0 stands for what the import made. ``clamp`` are the bounds of a
    CT's values in HU; None shows each image through the window of its header.
    """

    side: int = 0
    clamp: tuple[float, float] | None = None

    @property
    def index(self) -> str:
        """The name of a dataset's index for it."""
        if self.is_imported:
            return INDEX
        bounds = f"-hu{self.clamp[0]:g}to{self.clamp[1]:g}" if self.clamp else ""
        return f"index-{self.side or IMPORT_SIDE}{bounds}.json"

    @property
    def is_imported(self) -> bool:
        """Whether the import makes it."""
        return self.clamp is None and self.side in (0, IMPORT_SIDE)

    @property
    def key(self) -> str:
        """Short text that is empty for what the import makes, and else differs where a pixel would."""
        return "" if self.is_imported else self.index.removeprefix("index-").removesuffix(".json")


def store_of(folder: Path) -> Path:
    """The folder of shared pixels of the workspace in which ``folder`` is ``datasets/<id>/pixels``."""
    return folder.parent.parent.parent / STORE


@dataclass(frozen=True, slots=True)
class Place:
    """A ``Cached`` of our own, for images that come out of an archive rather than from the decode pool."""

    shard: str
    offset: int
    shape: tuple[int, ...]
    dtype: str


class ShardWriter:
    """Appends images to one new shard of a cache folder; close it before the index is written."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / name
        self._file: BinaryIO = self._path.open("xb")

    def append(self, image: Pixels) -> Place:
        """Write one image, H×W or H×W×3, uint8 or uint16, and say where it lies."""
        offset = self._file.tell()
        self._file.write(np.ascontiguousarray(image).tobytes())
        return Place(self._path.name, offset, tuple(image.shape), str(image.dtype))

    def close(self) -> None:
        """Bring what was written to the disk and end the shard."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()


def write_index(
    folder: Path, places: Mapping[str, Cached], *, name: str = INDEX, about: Mapping[str, str | int] | None = None
) -> str:
    """Write the index of a cache folder for sample id → place; returns its SHA-256.

    Args:
        name: of the index.
        about: more to be said in it: ``set``, where the shards lie in the shared store.
    """
    ids = sorted(places)
    shards = sorted({place.shard for place in places.values()})
    number = {name: position for position, name in enumerate(shards)}
    found = [places[sample_id] for sample_id in ids]
    columns = {
        "format": 1,
        **(about or {}),
        "shards": shards,
        "samples": ids,
        "shard": [number[place.shard] for place in found],
        "offset": [place.offset for place in found],
        "rows": [place.shape[0] for place in found],
        "columns": [place.shape[1] for place in found],
        "channels": [place.shape[2] if len(place.shape) == 3 else 1 for place in found],
        "type": [_TYPES.index(place.dtype) for place in found],
    }
    return atomic_write(folder / name, json.dumps(columns, separators=(",", ":")))


IMPORTED = Look()
"""What the import made."""


class PixelCache:
    """The images of one dataset, by sample id, as views of memory-mapped files.

    Views are read-only: copy before changing, or before handing to a library that demands writable arrays.

    Raises:
        NotFound: the folder has no cache.
        InputError: its index is damaged.
    """

    def __init__(self, folder: Path, look: Look = IMPORTED) -> None:
        columns = _read_index(folder / look.index)
        self.look = look
        self.set: str = columns.get("set", "")
        """The folder of the shared store in which the pixels lie; empty: beside the index."""
        self._folder = store_of(folder) / self.set if self.set else folder
        self._held: object = None
        self._shards: list[str] = columns["shards"]
        self._row = {sample_id: position for position, sample_id in enumerate(columns["samples"])}
        names = ("shard", "offset", "rows", "columns", "channels", "type")
        self._table = np.array([columns[name] for name in names], dtype=np.int64)
        self._maps: dict[int, NDArray[np.uint8]] = {}

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, sample_id: object) -> bool:
        return sample_id in self._row

    def image(self, sample_id: str) -> Pixels:
        """One image without a copy: H×W or H×W×3, uint8 or uint16, read-only.

        Raises:
            NotFound: the cache has no such sample.
            InputError: the file with its pixels is gone or cut short.
        """
        try:
            column = self._row[sample_id]
        except KeyError:
            raise NotFound(f"The pixel cache has no image of sample “{sample_id}”.", _AGAIN) from None
        shard, offset, rows, columns, channels, kind = (int(value) for value in self._table[:, column])
        dtype = np.dtype(_TYPES[kind])
        size = rows * columns * channels * dtype.itemsize
        raw = self._mapped(shard)[offset : offset + size]
        if raw.size != size:
            raise self._lost(shard)
        return raw.view(dtype).reshape((rows, columns) if channels == 1 else (rows, columns, channels))

    def check(self) -> None:
        """Look whether every file of the cache is there in full length.

        Raises:
            InputError: one is missing or cut short; the dataset must be imported again.
        """
        shards, offsets, rows, columns, channels, kinds = self._table
        itemsize = np.array([np.dtype(name).itemsize for name in _TYPES])
        ends = offsets + rows * columns * channels * itemsize[kinds]
        for number, name in enumerate(self._shards):
            needed = int(ends[shards == number].max(initial=0))
            path = self._folder / name
            if not path.is_file() or path.stat().st_size < needed:
                raise self._lost(number)

    def keep(self, held: object) -> None:
        """Let an object live as long as this cache does: the lock that keeps its pixels from being removed."""
        self._held = held

    def suffices(self, whole: Mapping[str, tuple[int, int]], side: int) -> bool:
        """Whether each image is as large as a model of that side could use.

        Args:
            whole: rows and columns of the whole image by sample id; 0 where that is not known.
            side: the shorter side that is wanted, in pixels.
        """
        rows, columns = self._table[2], self._table[3]
        short = np.minimum(rows, columns)
        known = [min(whole.get(sample_id, (0, 0))) for sample_id in self._row]
        return bool((short >= np.minimum(np.array(known, dtype=np.int64), side)).all())

    def places(self) -> dict[str, Place]:
        """Where each image lies, by sample id."""
        found = {}
        for sample_id, column in self._row.items():
            shard, offset, rows, columns, channels, kind = (int(value) for value in self._table[:, column])
            shape = (rows, columns) if channels == 1 else (rows, columns, channels)
            found[sample_id] = Place(self._shards[shard], offset, shape, _TYPES[kind])
        return found

    def close(self) -> None:
        """Let go of the mapped files (views that are still held keep theirs)."""
        self._maps.clear()

    def _mapped(self, shard: int) -> NDArray[np.uint8]:
        if shard not in self._maps:
            try:
                mapped = np.memmap(self._folder / self._shards[shard], dtype=np.uint8, mode="r")
            except (OSError, ValueError):  # ValueError: an empty file cannot be mapped
                raise self._lost(shard) from None
            self._maps[shard] = mapped.view(np.ndarray)  # plain views: memmap's own bookkeeping is slow
        return self._maps[shard]

    def _lost(self, shard: int) -> InputError:
        hint = _LET_GO if self.set else _AGAIN
        return InputError(f"The pixel cache lacks “{self._shards[shard]}” or a part of it.", hint)


def _read_index(path: Path) -> dict[str, Any]:
    try:
        columns: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise NotFound(f"There is no pixel cache in “{path.parent}”.", _AGAIN) from None
    except ValueError as error:
        raise InputError("The index of the pixel cache is damaged.", _AGAIN) from error
    wanted = ("shards", "samples", "shard", "offset", "rows", "columns", "channels", "type")
    whole = isinstance(columns, dict) and all(isinstance(columns.get(name), list) for name in wanted)
    if not whole or len({len(columns[name]) for name in wanted[1:]}) != 1 or not _safe(columns):
        raise InputError("The index of the pixel cache is damaged.", _AGAIN)
    return columns


def _safe(columns: dict[str, Any]) -> bool:
    """Whether no name leads out of the cache's folder and every number is one that can be."""
    names = all(isinstance(name, str) and Path(name).name == name for name in columns["shards"])
    place = columns.get("set", "")
    names = names and isinstance(place, str) and Path(place).name == place
    limits = {"shard": len(columns["shards"]), "type": len(_TYPES)}
    numbers = all(
        type(value) is int and 0 <= value < limits.get(name, 1 << 62)
        for name in ("shard", "offset", "rows", "columns", "channels", "type")
        for value in columns[name]
    )
    return names and numbers
