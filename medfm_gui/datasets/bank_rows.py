"""Feature banks as the front reads them: which there are of a dataset, and their rows, in bounded memory.

The engine writes a bank (``engine.bank``): ``about.json``, ``shape.json``, ``index.jsonl`` and ``features.f32``. Here
nothing is written, and a bank that is being filled reads as far as its index goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medfm_gui.domain.dataset import Dataset

Rows = NDArray[np.float32]
_DATA = "features.f32"
_VECTORS = ("pooled", "depths")
_STEP_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class BankFacts:
    """A bank: the name of its folder, the model it is of, its input size in pixels, and what a row is."""

    name: str
    model: str
    input_size: int
    rows: str


@dataclass(frozen=True, slots=True)
class BankRows:
    """An open bank: for each sample of a dataset its row number, -1 where it has none yet."""

    folder: Path
    facts: BankFacts
    shape: tuple[int, ...]
    n_rows: int
    places: NDArray[np.int64]

    @property
    def width(self) -> int:
        """Numbers a sample: of a transformer the last block's class token and the mean patch."""
        return (
            int(np.prod(self.shape[1:], dtype=np.int64)) * min(2, self.shape[0])
            if len(self.shape) > 1
            else (self.shape[0])
        )

    def blocks(self, samples: NDArray[np.int64] | Sequence[int]) -> Iterator[tuple[slice, Rows]]:
        """Rows of these samples (by number), n × ``width``, some at a time: where they belong, and the numbers."""
        wanted = np.asarray(samples, dtype=np.int64)
        step = max(1, _STEP_BYTES // (4 * max(1, self.width)))
        for start in range(0, len(wanted), step):
            mapped = np.memmap(self.folder / _DATA, "<f4", mode="r", shape=(self.n_rows, *self.shape))
            rows = mapped[self.places[wanted[start : start + step]]]
            if rows.ndim > 2:  # class tokens of the last blocks, then the mean patch: the last two say most
                rows = rows[:, -2:]
            yield slice(start, start + len(rows)), np.array(rows.reshape(len(rows), -1), dtype=np.float32)
            del mapped


def banks_of(features: Path, fingerprint: str) -> list[BankFacts]:
    """Banks of vectors that hold features of a dataset, the one used last first; broken ones are no banks."""
    found = [path for path in features.glob("*/about.json") if (path.parent / _DATA).exists()]
    facts: list[tuple[float, BankFacts]] = []
    for path in found:
        try:
            about = json.loads(path.read_bytes())
            if about["dataset_fingerprint"] != fingerprint or not str(about["rows"]).startswith(_VECTORS):
                continue
            one = BankFacts(path.parent.name, str(about["model"]), int(about["input_size"]), str(about["rows"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        facts.append(((path.parent / _DATA).stat().st_mtime, one))
    return [one for _, one in sorted(facts, key=lambda pair: (-pair[0], pair[1].name))]


def open_bank(features: Path, facts: BankFacts, dataset: Dataset) -> BankRows | None:
    """A bank's rows for the samples of a dataset; None where it is not readable."""
    folder = features / facts.name
    try:
        shape = tuple(int(size) for size in json.loads((folder / "shape.json").read_bytes()))
        lines = (folder / "index.jsonl").read_bytes().splitlines(keepends=True)
        there = (folder / _DATA).stat().st_size // (4 * int(np.prod(shape, dtype=np.int64)))
    except (OSError, ValueError, TypeError, ZeroDivisionError):
        return None
    number: dict[str, int] = {}
    count = 0
    for line in lines:
        try:
            keys = json.loads(line)["keys"] if line.endswith(b"\n") else None
        except (ValueError, KeyError, TypeError):
            keys = None
        if keys is None or count + len(keys) > there:
            break
        number.update((key, count + place) for place, key in enumerate(keys))
        count += len(keys)
    keys_of = (f"{sample.id} {sample.pixels_sha256[:16]}" for sample in dataset.samples)
    places = np.fromiter((number.get(key, -1) for key in keys_of), np.int64, len(dataset.samples))
    return BankRows(folder, facts, shape, count, places)
