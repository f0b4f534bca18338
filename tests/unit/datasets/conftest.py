"""Builders for the datasets' tests: small sources on disk, a pool that decodes nothing, datasets without pixels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medfm_gui.datasets.ingest import ImportOptions, read_source
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.imaging.examined import VolumeJob, VolumeResult
from medfm_gui.imaging.header import DicomHeader
from medfm_gui.imaging.pool import CachedPixels, HeaderResult, PictureJob, PictureResult, RecordResult
from medfm_gui.imaging.record import Record

MARK = b"\0" * 128 + b"DICM"
KEY = b"k" * 32


class FakePool:
    """Takes a file's bytes for its pixels; ``broken…`` does not decode. Answers come back to front, as they may."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def pictures(self, jobs: Iterable[PictureJob]) -> Iterator[PictureResult]:
        for job in reversed(list(jobs)):
            self.asked.append(job.path)
            raw = Path(job.path).read_bytes()
            if raw.startswith(b"broken"):
                yield PictureResult(job.key, False, "truncated", "The file ends early.")
                continue
            facts = json.loads(raw[len(MARK) :]) if raw.startswith(MARK) else {}
            yield PictureResult(
                job.key,
                True,
                rows=4,
                columns=5,
                stored_sha256=hashlib.sha256(facts.get("pixels", raw.decode()).encode()).hexdigest(),
                header=DicomHeader(**facts.get("header", {})).covariates(),
                notes=("the colours are odd",) if b"odd" in raw else (),
                cached=CachedPixels("shard-0.pixels", 0, (4, 5), "uint8"),
            )

    def headers(self, paths: Iterable[str | Path]) -> Iterator[HeaderResult]:
        for path in reversed([str(path) for path in paths]):
            raw = Path(path).read_bytes()
            if raw.startswith(MARK):
                yield HeaderResult(path, True, header=DicomHeader(**json.loads(raw[len(MARK) :])["header"]))
            else:
                yield HeaderResult(path, False, "not_dicom", "This is not DICOM.")

    def telling(self, files: Iterable[tuple[str, Sequence[str]]]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Parts of paths that hold the stand-in's patient, if that has four letters or more."""
        for path, parts in files:
            header = json.loads(Path(path).read_bytes()[len(MARK) :])["header"]
            patient = header.get("patient_id", "").strip()
            yield path, tuple(part for part in parts if len(patient) > 3 and patient in part)

    def to_npys(self, files: Iterable[tuple[str | Path, Path]]) -> Iterator[PictureResult]:
        """A file's bytes are its grey values, one row."""
        for path, out in files:
            self.asked.append(str(path))
            np.save(out, np.frombuffer(Path(path).read_bytes(), np.uint8)[None])
            yield PictureResult(str(path), True)

    def volumes(self, jobs: Iterable[VolumeJob]) -> Iterator[VolumeResult]:
        """No stand-in for a volume exists; the real pool's children open them."""
        for job in jobs:
            yield VolumeResult(job.key, False, "unsupported_format", "It is no volume.")

    def records(self, paths: Iterable[str | Path]) -> Iterator[RecordResult]:
        """A file's bytes, as JSON, are the fields of its record."""
        for path in reversed([str(path) for path in paths]):
            raw = Path(path).read_bytes()
            if raw.startswith(b"{"):
                yield RecordResult(path, True, record=Record(**json.loads(raw)))
            else:
                yield RecordResult(path, False, "unsupported_format", "It is no MATLAB file.")


@pytest.fixture
def pool() -> FakePool:
    return FakePool()


Tree = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Write files below ``source``: relative path → contents."""

    def build(files: Mapping[str, str | bytes]) -> Path:
        source = tmp_path / "source"
        source.mkdir(exist_ok=True)
        for name, contents in files.items():
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        return source

    return build


@pytest.fixture
def dicom_file() -> Callable[..., bytes]:
    """The contents of a stand-in for a DICOM file with these header fields."""

    def build(pixels: str = "", **header: Any) -> bytes:
        fields = {"rows": 4, "columns": 5, "modality": "DX", **header}
        return MARK + json.dumps({"pixels": pixels or repr(fields), "header": fields}).encode()

    return build


Read = Callable[..., Dataset]


@pytest.fixture
def read(pool: FakePool) -> Read:
    """Import a source with the pool that decodes nothing."""

    def run(source: Path, layout: str = "auto", **options: Any) -> Dataset:
        return read_source(
            layout, source, ImportOptions(**options), dataset_id="d", name="d", pixels=None, pool=pool, key=KEY
        )

    return run


Make = Callable[..., Dataset]


@pytest.fixture
def make() -> Make:
    """A dataset of samples given as (class, patient, pixels) or a mapping of Sample's fields."""

    def build(
        rows: Sequence[Mapping[str, Any]], task: Task = Task.BINARY, classes: tuple[str, ...] = ("no", "yes")
    ) -> Dataset:
        samples = []
        for number, row in enumerate(rows, 1):
            given = {"id": f"s{number:06d}", "path": f"images/{number:04d}.png", "target": (0,), **row}
            given.setdefault("pixels_sha256", hashlib.sha256(str(given["path"]).encode()).hexdigest())
            samples.append(Sample(**given))
        positive = classes[-1] if task is Task.BINARY else None
        return Dataset("d", "d", "csv", task, classes, "/nowhere", tuple(samples), "f" * 64, positive)

    return build
