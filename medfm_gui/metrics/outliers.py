"""From which score on an image counts as unlike the training images: a percentile over patients that are like them.

Source: Sun, Ming, Zhu & Li, ICML 2022, “Out-of-distribution detection with deep nearest neighbors”, where the limit is
the score that 95 % of in-distribution images stay below. Here patients count, not images, and the percentile is taken
as in conformal prediction, so that of patients to come at most 5 % are expected beyond it, however few set it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEVEL = 0.95
"""The share of like patients that stays below the limit."""
_ROUNDING = 1e-5
"""Distances that differ by less are the same number, read from two forward passes."""


@dataclass(frozen=True, slots=True)
class FittedLimit:
    """The limit for single images and for the mean over a patient's images; None where ``why_not`` says why.

    ``n`` images with a finite score, ``n_patients`` of them differ.
    """

    limit: float | None
    pooled: float | None
    n: int
    n_patients: int
    why_not: str = ""


def fewest(level: float = LEVEL) -> int:
    """Patients that are needed before there is a limit at this level: 19 for 0.95."""
    return math.ceil(level / (1 - level) - 1e-9)


def fit_limit(
    scores: npt.NDArray[np.floating], patients: Sequence[str] | None = None, *, level: float = LEVEL
) -> FittedLimit:
    """The limit of these scores.

    Args:
        scores: n, the higher the more unlike; scores that are not finite do not count.
        patients: n names; None: each image is a patient of its own. Images of a patient share one weight, so that the
            limit is that of an image of a patient to come.

    Returns:
        ``pooled`` is filled only where some patient has several images.
    """
    there = np.isfinite(scores)
    own = np.asarray(scores, dtype=np.float64)[there]
    names = np.arange(len(scores)) if patients is None else np.asarray(patients)
    found, codes, counts = np.unique(names[there], return_inverse=True, return_counts=True)
    n_patients = len(found)
    if n_patients < fewest(level):
        what = "images" if patients is None else "patients"
        why = f"{n_patients} {what}, and {fewest(level)} are needed for a {100 * level:g}th percentile"
        return FittedLimit(None, None, len(own), n_patients, why)
    weights = 1.0 / (n_patients + 1) / counts[codes]
    limit = _percentile(own, weights, level)
    pooled = None
    if len(own) > n_patients:
        means = np.bincount(codes, own, n_patients) / counts
        pooled = _percentile(means, np.full(n_patients, 1.0 / (n_patients + 1)), level)
    return FittedLimit(limit, pooled, len(own), n_patients)


def is_beyond(score: float, limit: float) -> bool:
    """Whether a score lies above a limit; at the limit it does not."""
    return score - limit > _ROUNDING


def _percentile(scores: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], level: float) -> float:
    """The smallest score at or below which ``level`` of the weight lies; what is missing to 1 lies above all."""
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weights[order]) >= level - 1e-9
    return float(scores[order[int(np.argmax(reached))]])
