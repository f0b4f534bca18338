"""Features of a frozen backbone: computed once for each image, kept in a bank, read by every adaptation.

A transformer is looked at once for all of them: a row of its bank has the class tokens of its last blocks and the
mean patch, of which pooled features are a part. A network of maps, or one that pools in its own way, has a row of
pooled features. Patch tokens have a bank of their own, in half precision.

Batches always have the same size (the last is filled up), so that a row does not depend on which other
images were missing: features are equal bit by bit however often the work was interrupted.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from filelock import BaseFileLock, Timeout
from torch import Tensor

from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.bank import BankKey, FeatureBank, Precision, Rows
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.loader import ahead
from medfm_gui.engine.preprocess import PREPROCESSING
from medfm_gui.engine.progress import Pace
from medfm_gui.engine.reading import POOLED, Reading, of_depths, pooled_of_depths, read, rows_of_depths
from medfm_gui.engine.shelf import Shelf

Layout = Literal["pooled", "depths", "tokens"]
"""What a row of a bank is."""

_STAGE = "features"
_DEPTHS = 4
"""Blocks that a row has class tokens of: what linear heads read at most, unless a reading asks for more."""
_PARTS_OF_DEPTHS = ("cls", "mean", "cls+mean")
_GIGA = 1e9
_CHUNK_ROWS = 128
_CHUNK_S = 3.0
_CHUNK_BYTES = 64 << 20
_CPU_BATCH = 8
_GPU_BATCH = 64
_LOCK_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class StoredFeatures:
    """Features of samples that were looked at, on disk."""

    bank: FeatureBank
    keys: Mapping[str, str]
    reading: Reading = POOLED
    layout: Layout = "pooled"
    pooling: str = ""

    def __len__(self) -> int:
        return len(self.keys)

    def of(self, ids: Sequence[str]) -> Rows:
        """What the reading takes of some of these samples, n × …, in this order, read into memory."""
        rows = self.bank.read([self.keys[sample_id] for sample_id in ids])
        if self.layout != "depths":
            return rows
        held = torch.from_numpy(rows)
        if self.reading.kind == "depths":
            return np.asarray(of_depths(held, self.reading).numpy())
        return np.ascontiguousarray(pooled_of_depths(held, self.pooling).numpy())

    def read_as(self, reading: Reading) -> StoredFeatures:
        """The same rows, of which another part is taken; both readings must be of one bank."""
        return replace(self, reading=reading)

    @property
    def blocks(self) -> int:
        """How many blocks a row has class tokens of; 1 where it has pooled features."""
        return self.bank.shape[0] - 1 if self.layout == "depths" and self.bank.shape else 1


@dataclass(frozen=True, slots=True)
class FrozenBackbone:
    """A backbone that is not trained, looking at one dataset through the bank in ``banks``.

    ``workers`` threads prepare images ahead; ``preprocessing`` names the path from stored pixels to the model's input;
    ``limit_bytes`` is what all banks in ``banks`` may take of the disk.
    """

    backbone: Backbone
    device: torch.device
    dataset: Dataset
    images: ImageReader
    banks: Path
    weights_sha256: str
    workers: int = 1
    preprocessing: str = PREPROCESSING
    limit_bytes: int | None = None

    @property
    def batch_size(self) -> int:
        """Images a batch; always the same on a device, so that a row does not depend on its neighbours."""
        return _CPU_BATCH if self.device.type == "cpu" else _GPU_BATCH

    def missing(self, ids: Sequence[str], reading: Reading = POOLED) -> int:
        """How many of these samples the bank does not hold yet."""
        bank = self._bank(reading)
        bank.refresh()
        return len(bank.missing(self._row_keys(ids)))

    def forward(self, inputs: Tensor, reading: Reading = POOLED) -> Rows:
        """Rows of the bank for a batch, B × …, on the CPU: float32, or what the bank keeps of tokens."""
        # no_grad, not inference_mode: the module must stay usable for gradients (heat maps)
        with torch.no_grad():
            images = inputs.to(self.device, non_blocking=True)
            if self._layout(reading) == "depths":
                rows = torch.cat(rows_of_depths(self.backbone, images, self._blocks(reading)), dim=1)
            else:
                rows = read(self.backbone, reading if reading.kind == "tokens" else POOLED, images)
        return np.asarray(rows.float().cpu().numpy())

    def look(self, ids: Sequence[str], reading: Reading = POOLED) -> Generator[ev.Event, None, StoredFeatures]:
        """Let the bank hold these samples; those that it lacks are computed, in memory that does not grow with them.

        Yields:
            StageStarted and Progressed while computing, then FeaturesReady.
        """
        bank = self._bank(reading)
        keys = self._row_keys(ids)
        bank.refresh()
        computed = (yield from self._fill(bank, ids, keys, reading)) if bank.missing(keys) else 0
        yield ev.FeaturesReady(time.time(), computed, len(ids))
        layout = self._layout(reading)
        return StoredFeatures(bank, dict(zip(ids, keys, strict=True)), reading, layout, self.backbone.card.features)

    def _bank(self, reading: Reading) -> FeatureBank:
        precision: Precision = "f16" if reading.kind == "tokens" else "f32"
        return Shelf(self.banks, self.limit_bytes).bank(self._bank_key(reading), precision)

    def _layout(self, reading: Reading) -> Layout:
        """What a row of the bank is that serves a reading."""
        if reading.kind == "tokens":
            return "tokens"
        card = self.backbone.card
        if card.convolutional:
            return "pooled"
        return "depths" if reading.kind == "depths" or card.features in _PARTS_OF_DEPTHS else "pooled"

    def _blocks(self, reading: Reading) -> int:
        return max(_DEPTHS, reading.blocks)

    def _bank_key(self, reading: Reading = POOLED) -> BankKey:
        card = self.backbone.card
        layout = self._layout(reading)
        return BankKey(
            model=card.name,
            arch=card.arch,
            pooling=card.features if layout == "pooled" else "",
            mean=card.mean,
            std=card.std,
            weights_sha256=self.weights_sha256,
            input_size=self.backbone.image_size,
            preprocessing=self.preprocessing,
            dataset_fingerprint=self.dataset.fingerprint,
            device=self.device.type,
            torch=str(torch.__version__),
            timm=version("timm"),
            rows=f"depths{self._blocks(reading)}" if layout == "depths" else f"raw {layout}" if reading.raw else layout,
        )

    def _row_keys(self, ids: Sequence[str]) -> list[str]:
        """Sample and pixels: after another import of the same data an id may stand for another image."""
        pixels = {sample.id: sample.pixels_sha256[:16] for sample in self.dataset.samples}
        return [f"{sample_id} {pixels[sample_id]}" for sample_id in ids]

    def _fill(
        self, bank: FeatureBank, ids: Sequence[str], keys: Sequence[str], reading: Reading
    ) -> Generator[ev.Event, None, int]:
        yield from _acquired(bank.lock)
        try:
            bank.refresh()  # somebody may have computed them while we waited
            places = bank.missing(keys)
            yield ev.StageStarted(time.time(), _STAGE, len(places))
            chosen = [ids[place] for place in places], [keys[place] for place in places]
            yield from self._compute(bank, *chosen, reading)
            return len(places)
        finally:
            bank.lock.release()

    def _compute(
        self, bank: FeatureBank, ids: Sequence[str], keys: Sequence[str], reading: Reading
    ) -> Iterator[ev.Event]:
        pace = Pace(_STAGE, len(ids))
        size = self.batch_size
        batches = [ids[start : start + size] for start in range(0, len(ids), size)]
        waiting = _Waiting(bank, keys)
        self.backbone.module.to(self.device).eval()
        try:
            with contextlib.closing(
                ahead(lambda batch: self.images.batch(batch, size), batches, self.workers)
            ) as ready:
                for number, (batch, inputs) in enumerate(zip(batches, ready, strict=True)):
                    rows = self.forward(inputs, reading)
                    if number == 0:
                        yield from self._room_for(len(ids) * rows[0].nbytes // (2 if reading.kind == "tokens" else 1))
                    waiting.add(rows[: len(batch)])
                    if waiting.due:
                        waiting.keep()
                        self.images.release()
                    yield pace.advanced(len(batch))
        finally:  # also when the run is paused or cancelled: what is computed is kept
            waiting.keep()
            self.images.release()

    def _room_for(self, wanted_bytes: int) -> Iterator[ev.Event]:
        room = Shelf(self.banks, self.limit_bytes).make_room(wanted_bytes)
        if not room.suffices and self.limit_bytes is not None:
            yield ev.Warned(
                time.time(),
                f"These features take {wanted_bytes / _GIGA:.1f} GB, and with those in use the feature bank grows "
                f"beyond its limit of {self.limit_bytes / _GIGA:g} GB; it shrinks again when they are unused.",
            )


class _Waiting:
    """Computed rows that are not in the bank yet."""

    def __init__(self, bank: FeatureBank, keys: Sequence[str]) -> None:
        self._rows: list[Rows] = []
        self._bank = bank
        self._keys = keys
        self._kept = 0
        self._kept_at = time.monotonic()

    def add(self, rows: Rows) -> None:
        """Take rows that were computed."""
        self._rows.append(rows)

    @property
    def due(self) -> bool:
        """Whether a kill would lose more than a chunk or a few seconds of work, or waiting would take much memory."""
        many = sum(map(len, self._rows)) >= _CHUNK_ROWS or sum(rows.nbytes for rows in self._rows) >= _CHUNK_BYTES
        return many or time.monotonic() - self._kept_at >= _CHUNK_S

    def keep(self) -> None:
        """Make them durable."""
        self._kept_at = time.monotonic()
        if not self._rows:
            return
        rows = np.concatenate(self._rows)
        self._rows.clear()
        self._bank.append(self._keys[self._kept : self._kept + len(rows)], rows)
        self._kept += len(rows)


def _acquired(lock: BaseFileLock) -> Iterator[ev.Event]:
    """Wait for the lock of a bank that another run is filling, and let a request be seen meanwhile."""
    told = False
    while True:
        try:
            lock.acquire(timeout=_LOCK_POLL_S)
            return
        except Timeout:
            if not told:
                yield ev.Warned(time.time(), "Another run is computing the same features; this one waits for them.")
            told = True
            yield ev.Beat(time.time())
