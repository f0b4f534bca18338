"""Features of a frozen backbone: computed once for each image, kept in a bank, read by every adaptation.

Batches always have the same size (the last is filled up), so that a row does not depend on which other
images were missing: features are equal bit by bit however often the work was interrupted.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from filelock import BaseFileLock, Timeout
from torch import Tensor

from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Dataset
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.bank import BankKey, FeatureBank, Rows
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.loader import ahead
from medfm_gui.engine.preprocess import PREPROCESSING
from medfm_gui.engine.progress import Pace

_STAGE = "features"
_CHUNK_ROWS = 128
_CHUNK_S = 3.0
_CPU_BATCH = 8
_GPU_BATCH = 64
_LOCK_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class StoredFeatures:
    """Features of samples that were looked at, on disk."""

    bank: FeatureBank
    keys: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.keys)

    def of(self, ids: Sequence[str]) -> Rows:
        """Rows n × D of some of these samples, in this order, read into memory."""
        return self.bank.read([self.keys[sample_id] for sample_id in ids])


@dataclass(frozen=True, slots=True)
class FrozenBackbone:
    """A backbone that is not trained, looking at one dataset through the bank in ``banks``.

    ``workers`` threads prepare images ahead.
    """

    backbone: Backbone
    device: torch.device
    dataset: Dataset
    images: ImageReader
    banks: Path
    weights_sha256: str
    workers: int = 1

    @property
    def batch_size(self) -> int:
        """Images a batch; always the same on a device, so that a row does not depend on its neighbours."""
        return _CPU_BATCH if self.device.type == "cpu" else _GPU_BATCH

    def missing(self, ids: Sequence[str]) -> int:
        """How many of these samples the bank does not hold yet."""
        bank = FeatureBank(self.banks, self._bank_key(), self.backbone.feature_dim)
        bank.refresh()
        return len(bank.missing(self._row_keys(ids)))

    def forward(self, inputs: Tensor) -> Rows:
        """Features B × D of a batch, on the CPU."""
        # no_grad, not inference_mode: the module must stay usable for gradients (heat maps)
        with torch.no_grad():
            features = self.backbone.features(inputs.to(self.device, non_blocking=True))
        return np.asarray(features.float().cpu().numpy())

    def look(self, ids: Sequence[str]) -> Generator[ev.Event, None, StoredFeatures]:
        """Let the bank hold these samples; those that it lacks are computed, in memory that does not grow with them.

        Yields:
            StageStarted and Progressed while computing, then FeaturesReady.
        """
        bank = FeatureBank(self.banks, self._bank_key(), self.backbone.feature_dim)
        keys = self._row_keys(ids)
        bank.refresh()
        computed = (yield from self._fill(bank, ids, keys)) if bank.missing(keys) else 0
        yield ev.FeaturesReady(time.time(), computed, len(ids))
        return StoredFeatures(bank, dict(zip(ids, keys, strict=True)))

    def _bank_key(self) -> BankKey:
        card = self.backbone.card
        return BankKey(
            model=card.name,
            arch=card.arch,
            pooling=card.features,
            mean=card.mean,
            std=card.std,
            weights_sha256=self.weights_sha256,
            input_size=self.backbone.image_size,
            preprocessing=PREPROCESSING,
            dataset_fingerprint=self.dataset.fingerprint,
            device=self.device.type,
            torch=str(torch.__version__),
        )

    def _row_keys(self, ids: Sequence[str]) -> list[str]:
        """Sample and pixels: after another import of the same data an id may stand for another image."""
        pixels = {sample.id: sample.pixels_sha256[:16] for sample in self.dataset.samples}
        return [f"{sample_id} {pixels[sample_id]}" for sample_id in ids]

    def _fill(self, bank: FeatureBank, ids: Sequence[str], keys: Sequence[str]) -> Generator[ev.Event, None, int]:
        yield from _acquired(bank.lock)
        try:
            bank.refresh()  # somebody may have computed them while we waited
            places = bank.missing(keys)
            yield ev.StageStarted(time.time(), _STAGE, len(places))
            yield from self._compute(bank, [ids[place] for place in places], [keys[place] for place in places])
            return len(places)
        finally:
            bank.lock.release()

    def _compute(self, bank: FeatureBank, ids: Sequence[str], keys: Sequence[str]) -> Iterator[ev.Event]:
        pace = Pace(_STAGE, len(ids))
        size = self.batch_size
        batches = [ids[start : start + size] for start in range(0, len(ids), size)]
        waiting = _Waiting(bank, keys)
        self.backbone.module.to(self.device).eval()
        try:
            with contextlib.closing(
                ahead(lambda batch: self.images.batch(batch, size), batches, self.workers)
            ) as ready:
                for batch, inputs in zip(batches, ready, strict=True):
                    waiting.rows.append(self.forward(inputs)[: len(batch)])
                    if waiting.due:
                        waiting.keep()
                        self.images.release()
                    yield pace.advanced(len(batch))
        finally:  # also when the run is paused or cancelled: what is computed is kept
            waiting.keep()
            self.images.release()


class _Waiting:
    """Computed rows that are not in the bank yet."""

    def __init__(self, bank: FeatureBank, keys: Sequence[str]) -> None:
        self.rows: list[Rows] = []
        self._bank = bank
        self._keys = keys
        self._kept = 0
        self._kept_at = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether a kill would lose more than a chunk, or than a few seconds of work."""
        return sum(map(len, self.rows)) >= _CHUNK_ROWS or time.monotonic() - self._kept_at >= _CHUNK_S

    def keep(self) -> None:
        """Make them durable."""
        self._kept_at = time.monotonic()
        if not self.rows:
            return
        rows = np.concatenate(self.rows)
        self.rows.clear()
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
