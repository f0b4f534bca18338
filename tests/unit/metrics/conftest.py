"""Small made-up results of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from medfm_gui.domain.dataset import Task
from medfm_gui.metrics.scored import Scored

MakeScored = Callable[..., Scored]


def _make(
    task: Task = Task.BINARY, *, n: int = 120, classes: int = 2, images: int = 0, seed: int = 0, signal: float = 1.0
) -> Scored:
    random = np.random.default_rng(seed)
    patient = np.arange(n) // max(images, 1)
    noise = random.normal(size=(n, classes))
    if task is Task.MULTILABEL:
        targets = (random.random((n, classes)) < 0.4).astype(np.intp)
        scores = 1 / (1 + np.exp(-(noise + signal * (2 * targets - 1))))
    else:
        targets = random.integers(0, classes, n)[patient]
        noise += random.normal(size=(n, classes))[patient] * (images > 1)
        noise[np.arange(n), targets] += signal
        scores = np.exp(noise) / np.exp(noise).sum(axis=1, keepdims=True)
    names = tuple(f"class {item}" for item in range(classes))
    return Scored(
        samples=tuple(f"image {place}" for place in range(n)),
        targets=targets,
        scores=scores,
        patients=tuple(f"patient {item}" for item in patient) if images else None,
        task=task,
        classes=names,
        positive=names[1] if task is Task.BINARY else None,
    )


def _fail(scored: Scored, places: Sequence[int]) -> Scored:
    scores = scored.scores.copy()
    scores[list(places)] = np.nan
    return replace(scored, scores=scores)


@pytest.fixture
def make_scored() -> MakeScored:
    """Scores of a task: ``images`` is how many images a patient has (0 = no patient names)."""
    return _make


@pytest.fixture
def fail() -> Callable[[Scored, Sequence[int]], Scored]:
    """The same scores without those of some units."""
    return _fail
