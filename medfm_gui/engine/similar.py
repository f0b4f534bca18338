"""Training images that a new image is compared with: their features as the head reads them, kept beside the model.

``similar.safetensors`` of a run folder holds a row a training image, of unit length in half precision, its labels, and
in one more tensor (JSON bytes) which images these are. An image's score is the mean cosine distance to the k nearest
of them. A model that leaves its workspace leaves this file behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.errors import InputError, MedfmError
from medfm_gui.domain.similar import MOST_SIMILAR, SimilarCase
from medfm_gui.engine.tensor_files import read_tensors, write_tensors

SIMILAR = "similar.safetensors"
NEAR = 10
"""Neighbours that a score is the mean of, at most."""
_HEAD = "weights/head.safetensors"
_FACTS, _ROWS, _LABELS = "similar.json", "rows", "labels"
_ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class SimilarFacts:
    """What the rows are: ids of samples, class names of the labels, of how many training images they were drawn.

    ``head_sha256`` names the head that reads such rows: after another training they are another model's.
    """

    samples: tuple[str, ...]
    classes: tuple[str, ...]
    of: int
    head_sha256: str


class Nearness(NamedTuple):
    """Scores of B images (NaN where one has no finite features), the places of those nearest B × k, their distances."""

    scores: Tensor
    places: Tensor
    distances: Tensor


@dataclass(frozen=True, slots=True)
class SimilarCases:
    """Rows n × D of training images, float32 of unit length, and their labels n × classes: 1, 0, -1 (not assessed)."""

    rows: Tensor
    labels: Tensor
    facts: SimilarFacts

    def near(self, vectors: Tensor, barred: Tensor | None = None) -> Nearness:
        """The training images nearest to images with these ``vectors`` (B × D, of unit length).

        Args:
            barred: B × n, true where a training image may not count (it is of the same patient).
        """
        k = min(NEAR, len(self.rows))
        parts = []
        for part in torch.split(torch.arange(len(vectors)), _ROWS_AT_ONCE):
            distances = (1.0 - vectors[part] @ self.rows.T).clamp_(min=0.0)
            if barred is not None:
                distances = distances.masked_fill(barred[part], torch.inf)
            found = distances.nan_to_num(nan=torch.inf, posinf=torch.inf).topk(k, dim=1, largest=False)
            there = found.values.isfinite()
            total = found.values.masked_fill(~there, 0.0).sum(dim=1)
            parts.append((total / there.sum(dim=1), found.indices, found.values))
        if not parts:
            return Nearness(torch.empty(0), torch.empty(0, k, dtype=torch.long), torch.empty(0, k))
        return Nearness(*(torch.cat(kind) for kind in zip(*parts, strict=True)))

    def of_image(self, seen: Tensor) -> tuple[float | None, tuple[SimilarCase, ...]]:
        """Score and nearest training images of one image, of what the head reads of it (1 × …); None: not finite."""
        found = self.near(vectors_of(seen).cpu())
        score = float(found.scores[0])
        nearest = [
            SimilarCase(self.facts.samples[place], self._labels(place), distance)
            for place, distance in zip(found.places[0].tolist(), found.distances[0].tolist(), strict=True)
            if np.isfinite(distance)
        ]
        return (score if np.isfinite(score) else None), tuple(nearest[:MOST_SIMILAR])

    def _labels(self, place: int) -> tuple[str, ...]:
        flags = self.labels[place].tolist()
        return tuple(name for name, there in zip(self.facts.classes, flags, strict=True) if there == 1)


Rows = dict[str, Tensor]
"""Vectors D by sample, of unit length, in half precision as they are kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Takes features of some samples out of a pass that is made for something else."""

    wanted: frozenset[str]
    rows: Rows = field(default_factory=dict)

    def take(self, ids: Sequence[str], seen: Tensor) -> None:
        """What the head reads of a batch: B × …"""
        if self.wanted.isdisjoint(ids):
            return
        vectors = vectors_of(seen).half().cpu()
        self.rows.update((one, vectors[place]) for place, one in enumerate(ids) if one in self.wanted)


def vectors_of(seen: Tensor) -> Tensor:
    """What a head reads of images as vectors B × D of unit length; of tokens B × T × C the mean. NaN stays NaN."""
    pooled = seen.float().mean(dim=1) if seen.ndim == 3 else seen.float()
    pooled = torch.where(pooled.isfinite(), pooled, torch.nan)
    return functional.normalize(pooled, dim=1)


def write_similar(folder: Path, cases: SimilarCases) -> str:
    """Keep them in a run's folder; returns the file's SHA-256.

    Raises:
        DiskFull: there is not enough space.
    """
    said = torch.from_numpy(np.frombuffer(wire.encode(cases.facts), dtype=np.uint8).copy())
    tensors = {_ROWS: cases.rows.half(), _LABELS: cases.labels.to(torch.int8), _FACTS: said}
    return write_tensors(folder / SIMILAR, tensors)


def read_similar(folder: Path) -> SimilarCases | None:
    """What a run's folder holds; None where it holds nothing, or of another training.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / SIMILAR
    if not path.exists():
        return None
    try:
        tensors = read_tensors(path)
        facts = wire.decode(SimilarFacts, tensors[_FACTS].numpy().tobytes())
        rows, labels = tensors[_ROWS].float(), tensors[_LABELS]
        if rows.ndim != 2 or not len(rows) == len(labels) == len(facts.samples) > 0:
            raise ValueError("its parts differ in length")
        if labels.shape[1:] != (len(facts.classes),):
            raise ValueError("its labels are not of its classes")
    except (MedfmError, KeyError, ValueError, RuntimeError) as error:
        raise InputError(
            f"The training images' features of the run “{folder.name}” ({SIMILAR}) are damaged.",
            f"Make them again with “medfm similar {folder.name}”.",
        ) from error
    return SimilarCases(rows, labels, facts) if facts.head_sha256 == head_of_run(folder) else None


def head_of_run(folder: Path) -> str:
    """The SHA-256 of a run's head."""
    path = folder / _HEAD
    return sha256_file(path) if path.exists() else ""


def same_patient(first: Sequence[str] | None, second: Sequence[str] | None) -> Tensor | None:
    """n × m: whether two images are of one patient; None where no patients are known."""
    if first is None or second is None:
        return None
    codes = np.unique(np.array([*first, *second], dtype=np.str_), return_inverse=True)[1]
    return torch.from_numpy(codes[: len(first), None] == codes[None, len(first) :])
