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
from torch import Tensor

from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain import events as ev
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.bank import Rows
from medfm_gui.engine.cases import Cases, bags_of, cases_of, rows_of
from medfm_gui.engine.features import FrozenBackbone, StoredFeatures
from medfm_gui.engine.head import BagHead, Head, Scores
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.loader import ahead, batches_of
from medfm_gui.engine.progress import Pace
from medfm_gui.engine.reading import read
from medfm_gui.engine.similar import Kept

_TOKENS_AT_ONCE = 64
_CASES_AT_ONCE = 8192
_RELEASE_EVERY = 16


@dataclass(frozen=True, slots=True)
class SampleScores:
    """``probabilities`` and ``logits`` are n × classes, row by row for ``ids``; a vote has no logits."""

    ids: tuple[str, ...]
    probabilities: Rows
    logits: Rows | None


@dataclass(frozen=True, slots=True)
class Scorer:
    """An adapted model in eval mode; the head lies on the CPU when the backbone is frozen.

    ``kept`` takes features out of every pass.
    """

    backbone: Backbone
    head: Head
    device: torch.device
    images: ImageReader
    batch_size: int
    workers: int = 1
    kept: Kept | None = None

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
                    seen = read(self.backbone, self.head.facts.reads, inputs.to(self.device, non_blocking=True))
                    scores = self.head.scores(seen)
                if self.kept is not None:
                    self.kept.take(batch, seen)
                logits = None if scores.logits is None else scores.logits.float().cpu().numpy()
                parts.append((scores.probabilities.float().cpu().numpy(), logits))
                if number % _RELEASE_EVERY == 0:
                    self.images.release()
                yield pace.advanced(len(batch))
        self.images.release()
        return _joined(ids, parts, len(self.head.facts.classes))


def scores_of_frozen(frozen: FrozenBackbone, head: Head, ids: Sequence[str]) -> Generator[ev.Event, None, SampleScores]:
    """Scores through the feature bank: images that any run of this backbone has seen cost nothing.

    Where images of a patient are one case, each of them gets the patient's score.
    """
    features = yield from frozen.look(ids, head.facts.reads)
    return scores_of_rows(features, head, cases_of(frozen.dataset, ids, head.facts.aggregate), ids)


def scores_of_rows(features: StoredFeatures, head: Head, cases: Cases, ids: Sequence[str]) -> SampleScores:
    """Scores of samples that belong to cases, of features that are there."""
    device = next(iter(head.state_dict().values())).device
    parts: list[tuple[Rows, Rows | None]] = []
    step = _TOKENS_AT_ONCE if head.facts.reads.kind == "tokens" else _CASES_AT_ONCE
    for start in range(0, len(cases), step):
        some = cases.taken(range(start, min(start + step, len(cases))))
        with torch.no_grad():
            if isinstance(head, BagHead):
                bags, there = bags_of(features, some.members)
                scores = head.bag_scores(bags.to(device), there.to(device))
            else:
                scores = head.scores(torch.from_numpy(rows_of(features, some, head.facts.aggregate)).to(device))
        logits = None if scores.logits is None else scores.logits.float().cpu().numpy()
        parts.append((scores.probabilities.float().cpu().numpy(), logits))
    return of_images(_joined(cases.firsts, parts, len(head.facts.classes)), cases, ids)


def scores_of_case(head: Head, rows: Tensor) -> tuple[Scores, Tensor]:
    """Scores 1 × classes of one case by a head that joins images, and the row D that its images come to.

    Args:
        rows: n × D, what was read of each of its images.
    """
    match head.facts.aggregate:
        case "attention" if isinstance(head, BagHead):
            there = torch.ones(1, len(rows), dtype=torch.bool, device=rows.device)
            return head.bag_scores(rows[None], there), rows.mean(dim=0)
        case "max":
            joined = rows.amax(dim=0)
        case _:
            joined = rows.double().mean(dim=0).to(rows.dtype)
    return head.scores(joined[None]), joined


def of_images(scores: SampleScores, cases: Cases, ids: Sequence[str]) -> SampleScores:
    """Scores of cases, row by row, as scores of their images."""
    row = {one: place for place, members in enumerate(cases.members) for one in members}
    places = np.array([row[one] for one in ids], dtype=np.intp)
    logits = None if scores.logits is None else scores.logits[places]
    return SampleScores(tuple(ids), scores.probabilities[places], logits)


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
