"""Weights made ours: a file is checked against its model and rewritten as safetensors with a record beside it.

The order of things: the file is found (given, bundled in a package, or fetched from the hub when that is
allowed); its hash is compared before a byte is parsed; its names are converted; every key and shape is
checked against the model, built without memory for its numbers; the result is written atomically.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import torch
from torch import nn

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.base.weights_status import WeightsRecord, bundled_file, record_file
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import Offline, WeightsAbsent, WeightsRejected
from medfm_gui.domain.events import Answered, Event, RunFinished, StageStarted
from medfm_gui.domain.run import WeightsSpec
from medfm_gui.engine.backbones import build_backbone
from medfm_gui.engine.converters import converted
from medfm_gui.engine.fit import check_finite, check_fit
from medfm_gui.engine.hub import download
from medfm_gui.engine.tensor_files import read_tensors, write_tensors


def import_weights(spec: WeightsSpec) -> Iterator[Event]:
    """Make ``spec.out`` from the file, the package or the hub.

    Yields:
        StageStarted and Progressed (bytes while downloading), at last Answered with the record's facts
        (name, path, sha256, size, source, licence, tensors, parameters, original_sha256) and RunFinished.

    Raises:
        WeightsAbsent: there is nothing to import from.
        Offline: a download is needed and not allowed, or the hub cannot be reached.
        WeightsRejected: the file is not what this model needs.
        DiskFull: there is not enough space; the former file is as it was.
    """
    begun = time.monotonic()
    out = Path(spec.out)
    if spec.file:
        record = yield from import_file(spec.card, Path(spec.file), out, source=f"file {Path(spec.file).name}")
    elif (bundled := bundled_file(spec.card)) is not None:
        _check_hash(spec.card, bundled)
        record = yield from import_file(spec.card, bundled, out, source=spec.card.weights.label)
    else:
        fetched = out.with_name(f".{out.stem}.download")
        yield from _from_hub(spec, fetched)
        try:
            _check_hash(spec.card, fetched)
            record = yield from import_file(spec.card, fetched, out, source=spec.card.weights.label)
        finally:
            fetched.unlink(missing_ok=True)
    facts = {key: str(value) for key, value in wire.plain(record).items()}
    yield Answered(time.time(), {**facts, "path": str(out)})
    yield RunFinished(time.time(), metrics={}, seconds=time.monotonic() - begun)


def skeleton(card: BackboneCard) -> nn.Module:
    """The card's module at its native size on the meta device: names and shapes, no memory."""
    with torch.device("meta"):
        return build_backbone(card, card.native_size).module


def import_file(card: BackboneCard, file: Path, out: Path, *, source: str) -> Generator[Event, None, WeightsRecord]:
    """Check a file against a model and keep it at ``out`` with its record.

    Raises:
        WeightsRejected: as ``import_weights``.
        DiskFull: there is not enough space; the former file is as it was.
    """
    yield StageStarted(time.time(), "weights")
    module = skeleton(card)
    tensors = converted(read_tensors(file, first=card.weights.inner), module, card.weights.converter, what=file.name)
    own = check_fit(module, tensors, ignore=card.weights.ignore, what=file.name, model=card.title)
    check_finite(own, what=file.name)
    original = sha256_file(file)
    with _unrecorded(out):  # until the new record stands, the weights count as absent
        sha256 = write_tensors(out, own)
    record = WeightsRecord(
        name=card.name,
        sha256=sha256,
        size=out.stat().st_size,
        source=source,
        licence=card.licence,
        tensors=len(own),
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        original_sha256=original,
    )
    wire.write(record_file(out), record)
    return record


@contextlib.contextmanager
def _unrecorded(out: Path) -> Iterator[None]:
    """While the block lasts, the file has no record; when it fails, the former file has its own again."""
    record = record_file(out)
    aside = record.with_name(f".{record.name}.former")
    if record.exists():
        record.replace(aside)
    try:
        yield
    except BaseException:
        if aside.exists():
            aside.replace(record)
        raise
    aside.unlink(missing_ok=True)


def _from_hub(spec: WeightsSpec, target: Path) -> Iterator[Event]:
    where = spec.card.weights
    if not where.hub_repo:
        raise WeightsAbsent(
            f"{spec.card.title} has no weights on the hub. {where.note}".strip(),
            f"Fetch the file with a browser, then use “medfm weights import FILE --model {spec.card.name}”.",
        )
    if spec.offline:
        raise Offline(
            f"The weights of {spec.card.title} would come from {where.label}, and the network is switched off.",
            f"Allow the network in the settings, or use “medfm weights import FILE --model {spec.card.name}”.",
        )
    yield from download(where.hub_repo, where.hub_file, target, gated=spec.card.gated)


def _check_hash(card: BackboneCard, file: Path) -> None:
    expected = card.weights.sha256
    if expected and (actual := sha256_file(file)) != expected:
        raise WeightsRejected(
            f"“{file.name}” is not the file that {card.title} names: its SHA-256 is {actual[:16]}…, "
            f"not {expected[:16]}….",
            "Fetch it again, or install the package again.",
        )
