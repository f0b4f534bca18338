"""Inner cross-validation: a few cases dealt into folds, patient by patient, classes evenly."""

from __future__ import annotations

import hashlib

import numpy as np

from medfm_gui.domain.dataset import Task
from medfm_gui.engine.cases import Cases

_MOST = 5
_LEAST = 2

Fold = tuple[list[int], list[int]]
"""Places to learn from, and places that are held out."""


def folds_of(cases: Cases, task: Task, seed: int) -> list[Fold]:
    """Folds of which each learns every class, or none where some class has a single patient.

    There are five, or as many as the rarest class has patients. Who is in which is decided by the seed.
    """
    kinds = _kinds(cases, task)
    kind_of = {name: max(kinds[place] for place in places) for name, places in _places(cases).items()}
    sizes = np.bincount(np.array(list(kind_of.values()), dtype=np.intp))
    count = int(min(_MOST, sizes[sizes > 0].min(initial=_MOST)))
    if count < _LEAST or len(sizes[sizes > 0]) < _LEAST:
        return []
    dealt: dict[str, int] = {}
    for name in sorted(kind_of, key=lambda name: (kind_of[name], _lot(seed, name))):
        dealt[name] = len(dealt) % count
    held = np.array([dealt[name] for name in cases.names])
    return [(np.flatnonzero(held != fold).tolist(), np.flatnonzero(held == fold).tolist()) for fold in range(count)]


def _places(cases: Cases) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, name in enumerate(cases.names):
        found.setdefault(name, []).append(place)
    return found


def _kinds(cases: Cases, task: Task) -> list[int]:
    """What each case is dealt by: its class, or of several labels the rarest that it has (0: none of them)."""
    if task is not Task.MULTILABEL:
        return [int(target) for target in cases.targets]
    positive = cases.targets == 1
    counts = np.where(positive, positive.sum(axis=0), len(cases) + 1)
    return [int(row.argmin()) + 1 if there.any() else 0 for row, there in zip(counts, positive, strict=True)]


def _lot(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed} {name}".encode()).digest()
