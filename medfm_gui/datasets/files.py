"""Datasets and splits as files: ``manifest.json`` with ``samples.jsonl`` beside it, and ``splits/<id>.json``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write
from medfm_gui.base.collecting import uncollected
from medfm_gui.domain.dataset import Count, Dataset, Sample, Skipped, Statement, Task
from medfm_gui.domain.errors import InputError, NotFound
from medfm_gui.domain.run import FileRef
from medfm_gui.domain.split import Split

MANIFEST = "manifest.json"
SAMPLES = "samples.jsonl"
_BYTES_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """A dataset without its samples; ``samples_sha256`` is the SHA-256 of ``samples.jsonl`` beside it."""

    id: str
    name: str
    layout: str
    task: Task
    classes: tuple[str, ...]
    positive: str | None
    source: str
    fingerprint: str
    created: str
    n_samples: int
    n_patients: int | None
    samples_sha256: str
    taken: Mapping[str, str]
    warnings: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    format: int = 1
    counts: tuple[Count, ...] = ()
    policies: Mapping[str, str] = field(default_factory=dict)
    statement: Statement = field(default_factory=Statement)
    parent: str = ""


def write_dataset(folder: Path, dataset: Dataset) -> FileRef:
    """Write samples, then the manifest that vouches for them; returns the manifest's path and SHA-256.

    Raises:
        DiskFull, InputError: the folder cannot take them; nothing half-written stays under a final name.
    """
    samples_sha256 = atomic_write(folder / SAMPLES, wire.lines(dataset.samples))
    manifest = Manifest(
        id=dataset.id,
        name=dataset.name,
        layout=dataset.layout,
        task=dataset.task,
        classes=dataset.classes,
        positive=dataset.positive,
        source=dataset.source,
        fingerprint=dataset.fingerprint,
        created=dataset.created,
        n_samples=len(dataset.samples),
        n_patients=dataset.n_patients,
        samples_sha256=samples_sha256,
        taken=dataset.taken,
        warnings=dataset.warnings,
        skipped=dataset.skipped,
        counts=dataset.counts,
        policies=dataset.policies,
        statement=dataset.statement,
        parent=dataset.parent,
    )
    path = (folder / MANIFEST).absolute()
    return FileRef(str(path), wire.write(path, manifest))


def read_manifest(folder: Path) -> Manifest:
    """What is known of a dataset without reading its samples.

    Raises:
        NotFound: there is no dataset in this folder.
        InputError: the manifest is damaged.
    """
    return wire.read(Manifest, folder / MANIFEST)


def read_dataset(folder: Path) -> Dataset:
    """Read a dataset back, checking that its samples are those the manifest vouches for.

    Raises:
        NotFound: there is no dataset in this folder.
        InputError: a file is damaged or was changed.
    """
    manifest = read_manifest(folder)
    return Dataset(
        id=manifest.id,
        name=manifest.name,
        layout=manifest.layout,
        task=manifest.task,
        classes=manifest.classes,
        source=manifest.source,
        samples=_read_samples(folder / SAMPLES, manifest),
        fingerprint=manifest.fingerprint,
        positive=manifest.positive,
        created=manifest.created,
        taken=manifest.taken,
        warnings=manifest.warnings,
        skipped=manifest.skipped,
        counts=manifest.counts,
        policies=manifest.policies,
        statement=manifest.statement,
        parent=manifest.parent,
    )


def _read_samples(path: Path, manifest: Manifest) -> tuple[Sample, ...]:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"The dataset “{manifest.id}” has lost “{path.name}”.", "Import it again.") from None
    if hashlib.sha256(raw).hexdigest() != manifest.samples_sha256:
        raise InputError(
            f"“{path.name}” of the dataset “{manifest.id}” was changed after the import.",
            "Restore it from a copy, or import the source again.",
        )
    try:
        with uncollected():
            samples = tuple(_samples_of(raw))
    except ValidationError as error:
        raise InputError(
            f"“{path.name}” of the dataset “{manifest.id}” was written by another version.", "Import the source again."
        ) from error
    return samples


def _samples_of(raw: bytes) -> Iterator[Sample]:
    """The samples of the lines, many lines a document for the validator.

    A call a line costs several times as much, and one document for all twice the memory.
    """
    adapter = TypeAdapter(tuple[Sample, ...])
    begin = 0
    while begin < len(raw):
        end = raw.find(b"\n", begin + _BYTES_AT_ONCE) + 1 or len(raw)
        yield from adapter.validate_json(b"[" + raw[begin:end].strip().replace(b"\n", b",") + b"]")
        begin = end


def write_split(path: Path, split: Split) -> FileRef:
    """Freeze a split as one JSON file; returns its path and SHA-256."""
    return FileRef(str(path.absolute()), atomic_write(path, wire.encode(split) + b"\n"))


def read_split(path: Path) -> Split:
    """Read a split back.

    Raises:
        NotFound: there is no such file.
        InputError: it is damaged, or it leaks and nobody accepted that.
    """
    return wire.read(Split, path)
