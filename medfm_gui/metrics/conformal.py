"""Sets of classes instead of one: at most a given share of each class is left out, on average over like cases.

Source: Vovk, Machine Learning 2013; 92: 349–376 (label-conditional, “Mondrian” conformal prediction). The promise holds
class by class and on average over cases like those of calibration, not for the patient at hand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.metrics.arrays import Flags
from medfm_gui.metrics.estimate import Interval
from medfm_gui.metrics.proportions import share_among
from medfm_gui.metrics.scored import Scored

_ROUNDING = 1e-9
"""100 units at 0.55 are 55, though the product of floats is a hair above."""
PROMISE = "holds on average per class for cases like the calibration set, not for this patient"


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The smallest probability, by class, with which that class stays in the set; 0 where there were too few cases.

    ``level`` is the promised coverage of each class, ``n`` the calibration units of each.
    """

    level: float
    smallest: tuple[float, ...]
    n: tuple[int, ...]
    fitted_on: str
    unit: str


def fewest(level: float) -> int:
    """Calibration units that a class needs before it can ever be left out at this coverage: 9 for 0.9."""
    return math.ceil(level / (1 - level) - _ROUNDING)


def one_a_patient(scored: Scored, seed: int = 0) -> Scored:
    """One scored unit of each patient by lot, the same for the same seed: then units are exchangeable."""
    data, random = scored.without_failed(), np.random.default_rng(seed)
    order = random.permutation(len(data))
    _, first = np.unique(data.clusters.codes[order], return_index=True)
    chosen = np.zeros(len(data), np.bool_)
    chosen[order[first]] = True
    return data.taken(chosen)


def fit_quantiles(scored: Scored, *, level: float, fitted_on: str, unit: str) -> Quantiles:
    """Class-conditional quantiles of 1 − probability of the true class: the ⌈(n + 1)·level⌉-th smallest of n.

    A class with n < level / (1 − level) units is never left out.

    Raises:
        UsageError: a task with fewer than three classes or with findings that may occur together; a level beyond 0 … 1;
            several units a patient.
    """
    if scored.task not in (Task.MULTICLASS, Task.ORDINAL) or len(scored.classes) < 3:
        raise UsageError("Sets of classes need three classes or more.", "Read the probability and the threshold.")
    if not 0 < level < 1:
        raise UsageError(f"A coverage of {level:g} cannot be promised.", "Use a share such as 0.9.")
    pooled = scored.by_unit(unit).without_failed()
    if pooled.clusters.repeated:
        raise UsageError("A patient has several units here, so they are not exchangeable.", "Use unit=patient.")
    own = pooled.scores[np.arange(len(pooled)), pooled.targets]
    smallest, counts = [], []
    for item in range(len(pooled.classes)):
        ranked = np.sort(own[pooled.targets == item])[::-1]
        place = math.ceil((len(ranked) + 1) * level - _ROUNDING)
        smallest.append(float(ranked[place - 1]) if place <= len(ranked) else 0.0)
        counts.append(len(ranked))
    return Quantiles(level, tuple(smallest), tuple(counts), fitted_on, unit)


def sets_of(scored: Scored, quantiles: Quantiles) -> Flags:
    """(n, classes): which classes stay in the set of each unit; of a failed unit all do."""
    inside = scored.scores >= np.asarray(quantiles.smallest)
    inside[~np.isfinite(scored.scores).all(axis=1)] = True
    return np.asarray(inside)


def set_of(scores: Sequence[float], quantiles: Quantiles) -> tuple[int, ...]:
    """The classes, by number, that stay in the set of one unit with these probabilities (classes,)."""
    return tuple(
        place
        for place, (score, smallest) in enumerate(zip(scores, quantiles.smallest, strict=True))
        if score >= smallest
    )


def coverage(scored: Scored, quantiles: Quantiles) -> tuple[tuple[str, Interval], ...]:
    """By class the share of its units whose set holds it, with Wilson's interval (patients drawn where they repeat)."""
    inside = sets_of(scored, quantiles)[np.arange(len(scored)), scored.targets]
    who = scored.clusters
    return tuple(
        (name, share_among(inside, np.asarray(scored.targets == item), who)) for item, name in enumerate(scored.classes)
    )
