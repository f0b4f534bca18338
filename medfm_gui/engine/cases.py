"""What a frozen head takes one by one: images, or patients with all their images.

Where images of a patient become one case, its label is the worst finding, as in evaluation, and each of its images
gets the case's score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from medfm_gui.datasets.targets import patients, targets
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError
from medfm_gui.engine.bank import Rows
from medfm_gui.engine.features import StoredFeatures

Targets = npt.NDArray[np.int64] | npt.NDArray[np.int8]

_IMAGES_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Cases:
    """Sample ids of each case, the name of its patient (or of the image), and one target a case."""

    members: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    targets: Targets

    def __len__(self) -> int:
        return len(self.members)

    @property
    def firsts(self) -> tuple[str, ...]:
        """The first image of each case, which stands for it."""
        return tuple(ids[0] for ids in self.members)

    def taken(self, places: Sequence[int]) -> Cases:
        """Some of the cases."""
        chosen = list(places)
        members = tuple(self.members[place] for place in chosen)
        return Cases(members, tuple(self.names[place] for place in chosen), self.targets[chosen])


def cases_of(dataset: Dataset, ids: Sequence[str], aggregate: str) -> Cases:
    """Images as they are (``none``), or joined by patient.

    Raises:
        InputError: no patient names; a multi-class patient with images of several classes.
    """
    who = patients(dataset, ids)
    labels = targets(dataset, ids)
    if aggregate == "none":
        return Cases(tuple((one,) for one in ids), tuple(who or ids), labels)
    if who is None:
        raise InputError(
            f"“{dataset.id}” has no patient names, so images cannot be joined by patient.", "Use aggregate=none."
        )
    found: dict[str, list[str]] = {}
    for one, name in zip(ids, who, strict=True):
        found.setdefault(name, []).append(one)
    worst = _worst_findings(dataset, ids, who, labels)
    members = tuple(map(tuple, found.values()))
    if not found:
        return Cases(members, (), labels)
    joined = np.stack([worst[name] for name in found])
    if labels.ndim > 1:
        return Cases(members, tuple(found), joined.astype(np.int8))
    return Cases(members, tuple(found), joined.astype(np.int64))


def rows_of(features: StoredFeatures, cases: Cases, aggregate: str) -> Rows:
    """One row a case: of its image, or the mean or the largest number over its images."""
    if aggregate == "none":
        return features.of(cases.firsts)
    parts = []
    for some in _in_parts(cases):
        rows = features.of([one for ids in some for one in ids])
        lengths = np.array([len(ids) for ids in some])
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        if aggregate == "max":
            parts.append(np.maximum.reduceat(rows, starts, axis=0))
        else:
            parts.append(
                (np.add.reduceat(rows.astype(np.float64), starts, axis=0) / lengths[:, None]).astype(np.float32)
            )
    return np.concatenate(parts) if parts else features.of([])


def bags_of(features: StoredFeatures, members: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
    """All images of some cases: B × n × D, filled up to the longest, and B × n, false where it was filled up."""
    rows = torch.from_numpy(features.of([one for ids in members for one in ids]))
    bags = torch.nn.utils.rnn.pad_sequence(list(torch.split(rows, [len(ids) for ids in members])), batch_first=True)
    lengths = torch.tensor([len(ids) for ids in members])
    return bags, torch.arange(bags.shape[1])[None] < lengths[:, None]


def _in_parts(cases: Cases) -> list[list[tuple[str, ...]]]:
    """Cases in parts of a bounded number of images."""
    parts: list[list[tuple[str, ...]]] = []
    images = _IMAGES_AT_ONCE
    for ids in cases.members:
        if images + len(ids) > _IMAGES_AT_ONCE:
            parts.append([])
            images = 0
        parts[-1].append(ids)
        images += len(ids)
    return parts


def _worst_findings(
    dataset: Dataset, ids: Sequence[str], who: Sequence[str], labels: Targets
) -> dict[str, npt.NDArray[np.intp]]:
    """The label of each patient by evaluation's own rule."""
    from medfm_gui.metrics.scored import Scored  # brings SciPy, which a prediction of single images spares

    if not len(ids):
        return {}
    even = np.full((len(ids), len(dataset.classes)), 1.0 / len(dataset.classes))
    images = Scored(
        tuple(ids), labels.astype(np.intp), even, tuple(who), dataset.task, dataset.classes, dataset.positive
    )
    pooled = images.by_unit("patient")
    return dict(zip(pooled.samples, pooled.targets, strict=True))
