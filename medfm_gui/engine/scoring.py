"""Scores of samples by an adapted model, and the file that keeps them."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain import events as ev
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.bank import Rows
from medfm_gui.engine.features import FrozenBackbone
from medfm_gui.engine.head import Head
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.loader import ahead, batches_of
from medfm_gui.engine.progress import Pace

_RELEASE_EVERY = 16


@dataclass(frozen=True, slots=True)
class SampleScores:
    """``probabilities`` and ``logits`` are n × classes, row by row for ``ids``; a vote has no logits."""

    ids: tuple[str, ...]
    probabilities: Rows
    logits: Rows | None


@dataclass(frozen=True, slots=True)
class Scorer:
    """An adapted model in eval mode; the head lies on the CPU when the backbone is frozen."""

    backbone: Backbone
    head: Head
    device: torch.device
    images: ImageReader
    batch_size: int
    workers: int = 1

    def scores(self, ids: Sequence[str], stage: str) -> Generator[ev.Event, None, SampleScores]:
        """Look at every image; yields StageStarted and Progressed under the name ``stage``."""
        yield ev.StageStarted(time.time(), stage, len(ids))
        pace = Pace(stage, len(ids))
        batches = batches_of(ids, self.batch_size)
        parts: list[tuple[Rows, Rows | None]] = []
        self.backbone.module.eval()
        with contextlib.closing(ahead(self.images.batch, batches, self.workers)) as ready:
            for number, (batch, inputs) in enumerate(zip(batches, ready, strict=True), 1):
                with torch.no_grad():
                    scores = self.head.scores(self.backbone.features(inputs.to(self.device, non_blocking=True)))
                logits = None if scores.logits is None else scores.logits.float().cpu().numpy()
                parts.append((scores.probabilities.float().cpu().numpy(), logits))
                if number % _RELEASE_EVERY == 0:
                    self.images.release()
                yield pace.advanced(len(batch))
        self.images.release()
        return _joined(ids, parts, len(self.head.facts.classes))


def scores_of_frozen(frozen: FrozenBackbone, head: Head, ids: Sequence[str]) -> Generator[ev.Event, None, SampleScores]:
    """Scores through the feature bank: images that any run of this backbone has seen cost nothing."""
    features = yield from frozen.look(ids)
    with torch.no_grad():
        scores = head.scores(torch.from_numpy(features.of(ids)))
    logits = None if scores.logits is None else scores.logits.numpy()
    return SampleScores(tuple(ids), scores.probabilities.numpy(), logits)


def write_scores(path: Path, scores: SampleScores) -> str:
    """Keep scores as ``.npz``: ``sample`` (names), ``scores`` and perhaps ``logits`` (n × classes, float32).

    Returns:
        The file's SHA-256; equal scores give equal bytes.

    Raises:
        DiskFull: there is not enough space.
    """
    arrays = {"sample": np.array(scores.ids, dtype=np.str_), "scores": scores.probabilities.astype(np.float32)}
    if scores.logits is not None:
        arrays["logits"] = scores.logits.astype(np.float32)
    held = io.BytesIO()
    np.savez(held, allow_pickle=False, **arrays)
    return atomic_write(path, held.getvalue())


def _joined(ids: Sequence[str], parts: Sequence[tuple[Rows, Rows | None]], classes: int) -> SampleScores:
    empty = np.empty((0, classes), dtype=np.float32)
    logits = [part for _, part in parts if part is not None]
    return SampleScores(
        tuple(ids),
        np.concatenate([empty, *(part for part, _ in parts)]),
        np.concatenate([empty, *logits]) if logits or not parts else None,
    )
