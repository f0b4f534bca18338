"""The feature bank on disk: rows of numbers by sample, append-only, readable after a kill at any instant.

A bank is a folder: ``features.f32`` (or ``.f16``) holds rows of little-endian floats, ``index.jsonl`` says line by
line which samples the next rows belong to and their SHA-256, ``about.json`` what the folder's name was made of,
``shape.json`` the shape of a row. Rows are durable before the line that names them; a chunk whose rows are not whole
is absent.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain.errors import InputError

Rows = npt.NDArray[np.float32]
Precision = Literal["f32", "f16"]

_DTYPES: dict[str, np.dtype[np.floating]] = {"f32": np.dtype("<f4"), "f16": np.dtype("<f2")}
_READ_AT_ONCE_BYTES = 32 << 20
_HASHED_ROW_BYTES = 1 << 16
_USED = "used"
_NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class BankKey:
    """All that decides a feature; runs with equal keys share a bank.

    ``device`` (its kind) and the versions of ``torch`` and ``timm`` are here because they decide the last bits;
    ``rows`` says what a row is (``pooled``, ``depths4``, ``tokens``, ``raw tokens``).
    """

    model: str
    arch: str
    pooling: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    weights_sha256: str
    input_size: int
    preprocessing: str
    dataset_fingerprint: str
    device: str
    torch: str
    rows: str = "pooled"
    timm: str = ""

    @property
    def digest(self) -> str:
        """The name of the bank's folder."""
        return hashlib.sha256(wire.canonical(asdict(self))).hexdigest()[:32]


class FeatureBank:
    """Rows of floats by sample key, all of one shape.

    Args:
        banks: the folder of all banks; the bank's own is made below it.
        shape: of a row; None = as the bank on disk has it, or as the first rows that are added.
        precision: of the numbers on disk; read they are always float32.
    """

    def __init__(
        self, banks: Path, key: BankKey, shape: int | tuple[int, ...] | None = None, precision: Precision = "f32"
    ) -> None:
        self.folder = banks / key.digest
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "about.json").exists():
            atomic_write(self.folder / "about.json", json.dumps(asdict(key), indent=1))
        self._data = self.folder / f"features.{precision}"
        self._index = self.folder / "index.jsonl"
        self._shape_file = self.folder / "shape.json"
        self._dtype = _DTYPES[precision]
        self._shape = (shape,) if isinstance(shape, int) else shape
        self._row: dict[str, int] = {}
        self._rows = 0
        self._index_bytes = 0
        self._use = FileLock(self.folder / f"use-{os.getpid()}-{next(_NUMBERS)}.lock", thread_local=False)
        self.lock = FileLock(self.folder / "lock")
        """Held by whoever appends."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a row; empty while there is none."""
        return self._shape or ()

    @property
    def row_bytes(self) -> int:
        """What a row takes on disk."""
        return int(np.prod(self.shape, dtype=np.int64)) * self._dtype.itemsize if self._shape else 0

    def hold(self) -> None:
        """Let nobody remove this bank while this object lives, and remember that it was used now."""
        in_use(self.folder)  # sweeps away what killed processes left
        self._use.acquire()
        (self.folder / _USED).touch()

    def refresh(self) -> None:
        """Take note of chunks that were added since, by whatever process."""
        if not self._index.exists() or not self._data.exists() or not self._knows_shape():
            return
        width = self.row_bytes
        with self._index.open("rb") as index, self._data.open("rb") as data:
            index.seek(self._index_bytes)
            lines = index.readlines()
            for number, line in enumerate(lines, 1):
                entry = _entry(line)
                if entry is None:
                    return
                keys, sha256 = entry
                # a kill can only harm what was written last; wide rows are not all read again for that
                looked_at = width <= _HASHED_ROW_BYTES or number == len(lines)
                if not _is_whole(data, self._rows * width, len(keys) * width, sha256 if looked_at else None):
                    return
                self._row.update((key, self._rows + place) for place, key in enumerate(keys))
                self._rows += len(keys)
                self._index_bytes += len(line)

    def missing(self, keys: Sequence[str]) -> list[int]:
        """Places in ``keys`` of those that have no row yet."""
        return [place for place, key in enumerate(keys) if key not in self._row]

    def append(self, keys: Sequence[str], rows: npt.NDArray[np.floating]) -> None:
        """Make rows durable, over whatever an interrupted attempt left behind; the caller holds ``lock``.

        Raises:
            OSError: they cannot be written; the bank is as it was.
            InputError: a number is larger than the bank's precision holds (65,504 for ``f16``).
        """
        with np.errstate(over="ignore"):
            kept = np.ascontiguousarray(rows, dtype=self._dtype)
        if not np.isfinite(kept).all() and np.isfinite(rows).all():
            raise InputError(
                f"A number of these features ({np.abs(rows).max():.3g}) is larger than the feature bank can hold.",
                "Use another adaptation of this model, such as linear, or train the backbone too (unfreeze).",
            )
        if not self._shape_file.exists():
            self._shape = tuple(rows.shape[1:])
            atomic_write(self._shape_file, json.dumps(self._shape))
        raw = kept.tobytes()
        line = json.dumps({"sha256": hashlib.sha256(raw).hexdigest(), "keys": list(keys)}).encode() + b"\n"
        _write_end(self._data, self._rows * self.row_bytes, raw)
        _write_end(self._index, self._index_bytes, line)
        self.refresh()

    def read(self, keys: Sequence[str]) -> Rows:
        """Rows n × … of these keys, which must all be there, through a map of the file.

        Takes the memory of the answer and little more: the map is let go part by part, since its pages count.
        """
        answer = np.empty((len(keys), *self.shape), dtype=np.float32)
        if not keys:
            return answer
        rows = np.array([self._row[key] for key in keys], dtype=np.int64)
        step = max(1, _READ_AT_ONCE_BYTES // max(1, self.row_bytes))
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            mapped = np.memmap(self._data, self._dtype, mode="r", shape=(self._rows, *self.shape))
            answer[start : start + step] = mapped[part]
            del mapped
        return answer

    def _knows_shape(self) -> bool:
        if self._shape is None and self._shape_file.exists():
            try:
                self._shape = tuple(int(size) for size in json.loads(self._shape_file.read_bytes()))
            except (ValueError, TypeError):  # it was never whole: the bank is as new
                self._shape_file.unlink(missing_ok=True)
        return self._shape is not None


def in_use(folder: Path) -> bool:
    """Whether some process holds the bank in this folder; marks that a killed one left behind are swept away."""
    held = False
    for path in folder.glob("use-*.lock"):
        try:
            with FileLock(path, timeout=0):
                path.unlink(missing_ok=True)
        except Timeout:
            held = True
        except OSError:  # Windows lets nobody remove an open file; it is swept another time
            continue
    return held


def last_used(folder: Path) -> float:
    """When a bank was held last, in seconds since the epoch."""
    path = folder / _USED
    return (path if path.exists() else folder).stat().st_mtime


def _is_whole(data: BinaryIO, offset: int, size: int, sha256: str | None) -> bool:
    """Whether a chunk is all there, and, if ``sha256`` is given, as it was written."""
    if sha256 is None:
        return os.fstat(data.fileno()).st_size >= offset + size
    data.seek(offset)
    return hashlib.sha256(data.read(size)).hexdigest() == sha256


def _entry(line: bytes) -> tuple[list[str], str] | None:
    """Keys and hash of a line of the index; None for a torn one."""
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
        return (entry["keys"], entry["sha256"]) if entry else None
    except (ValueError, KeyError, TypeError):
        return None


def _write_end(path: Path, offset: int, raw: bytes) -> None:
    """Let a file end with ``raw`` at ``offset``, durably."""
    with path.open("r+b" if path.exists() else "w+b") as handle:
        handle.seek(offset)
        handle.write(raw)
        handle.truncate()
        handle.flush()
        os.fsync(handle.fileno())
