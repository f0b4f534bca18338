"""The feature bank on disk: rows of numbers by sample, append-only, readable after a kill at any instant.

A bank is a folder: ``features.f32`` holds rows of little-endian float32, ``index.jsonl`` says line by
line which samples the next rows belong to and their SHA-256, ``about.json`` what the folder's name was
made of. Rows are durable before the line that names them; a chunk whose rows are not whole is absent.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BankKey:
    """All that decides a feature; runs with equal keys share a bank.

    ``device`` (its kind) and ``torch`` (its version) are here because they decide the last bits.
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

    @property
    def digest(self) -> str:
        """The name of the bank's folder."""
        return hashlib.sha256(wire.canonical(asdict(self))).hexdigest()[:32]


class FeatureBank:
    """Rows of D float32 by sample key.

    Args:
        banks: the folder of all banks; the bank's own is made below it.
        dim: D.
    """

    def __init__(self, banks: Path, key: BankKey, dim: int) -> None:
        self._folder = banks / key.digest
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._folder / "about.json").exists():
            atomic_write(self._folder / "about.json", json.dumps(asdict(key), indent=1))
        self._data = self._folder / "features.f32"
        self._index = self._folder / "index.jsonl"
        self._dim = dim
        self._width = dim * np.dtype("<f4").itemsize
        self._row: dict[str, int] = {}
        self._rows = 0
        self._index_bytes = 0
        self.lock = FileLock(self._folder / "lock")
        """Held by whoever appends."""

    def refresh(self) -> None:
        """Take note of chunks that were added since, by whatever process."""
        if not self._index.exists() or not self._data.exists():
            return
        with self._index.open("rb") as index, self._data.open("rb") as data:
            index.seek(self._index_bytes)
            data.seek(self._rows * self._width)
            for line in index:
                entry = _entry(line)
                if entry is None:
                    return
                keys, sha256 = entry
                if hashlib.sha256(data.read(len(keys) * self._width)).hexdigest() != sha256:
                    return
                self._row.update((key, self._rows + place) for place, key in enumerate(keys))
                self._rows += len(keys)
                self._index_bytes += len(line)

    def missing(self, keys: Sequence[str]) -> list[int]:
        """Places in ``keys`` of those that have no row yet."""
        return [place for place, key in enumerate(keys) if key not in self._row]

    def append(self, keys: Sequence[str], rows: Rows) -> None:
        """Make rows durable, over whatever an interrupted attempt left behind; the caller holds ``lock``.

        Raises:
            OSError: they cannot be written; the bank is as it was.
        """
        raw = np.ascontiguousarray(rows, dtype="<f4").tobytes()
        line = json.dumps({"sha256": hashlib.sha256(raw).hexdigest(), "keys": list(keys)}).encode() + b"\n"
        _write_end(self._data, self._rows * self._width, raw)
        _write_end(self._index, self._index_bytes, line)
        self.refresh()

    def read(self, keys: Sequence[str]) -> Rows:
        """Rows n × D of these keys, which must all be there; takes the memory of the answer and no more."""
        answer = np.empty((len(keys), self._dim), dtype=np.float32)
        if not keys:
            return answer
        rows = np.array([self._row[key] for key in keys], dtype=np.int64)
        with self._data.open("rb") as handle:
            for start, end in _runs(rows):
                handle.seek(int(rows[start]) * self._width)
                handle.readinto(answer[start:end].view(np.uint8).data)
        return answer if sys.byteorder == "little" else answer.byteswap()


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


def _runs(rows: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """(start, end) of the parts in which each row is the one before plus one."""
    cuts = np.flatnonzero(np.diff(rows) != 1) + 1
    yield from zip([0, *cuts.tolist()], [*cuts.tolist(), len(rows)], strict=True)
