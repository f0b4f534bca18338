"""How unlike its training images an image is, and which of them are nearest."""

from __future__ import annotations

from dataclasses import dataclass

MOST_SIMILAR = 5
"""Training images that are named beside a prediction, at most."""
SELECTED_ON = "also used for model selection"
"""What stands beside a limit that validation images set."""
METHOD = "mean cosine distance to the k nearest training images (after Sun et al. 2022)"


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A training image near to one that is scored: a sample's id in the run's dataset and nothing of the patient.

    ``labels`` are its classes in the reference standard at training; ``distance`` is 1 - cosine of the two features
    (0 … 2).
    """

    sample: str
    labels: tuple[str, ...]
    distance: float


@dataclass(frozen=True, slots=True)
class OutlierLimit:
    """From which score on an image looks unlike the training images (``outlier.json`` beside the operating point).

    ``limit`` is for single images, every patient with the same weight; ``limit_pooled`` for the mean over a patient's
    images, where patients have several. None: there is no such limit, and ``note`` says why; else it says what a
    reader must know of it. ``level`` is the share of like patients below it, ``fitted_on`` is ``cal``, ``val`` or
    empty, ``n`` counts its images and ``n_patients`` their patients (None: not known, each image counts as one).
    ``references`` training images of ``of`` are compared with; ``k`` of them are near.
    """

    limit: float | None
    limit_pooled: float | None
    level: float
    fitted_on: str
    n: int
    n_patients: int | None
    k: int
    references: int
    of: int
    note: str = ""
    method: str = METHOD
