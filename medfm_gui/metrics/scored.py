"""Scores of one run beside the reference: what every evaluation starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.units import IMAGE, counted, plural, unit_parts
from medfm_gui.metrics.arrays import Clusters, Codes, Flags, Floats, clusters
from medfm_gui.metrics.pooling import pooled

TOLERANCE = 0.01
"""How far the probabilities of a unit may be from a sum of 1 (they may come from half precision)."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """n units with reference and probabilities.

    ``targets``: (n,) class index, or (n, c) of 0, 1, ``UNKNOWN`` for a multi-label task. ``scores``: (n, c)
    probabilities, float64; a row with a value that is not finite is a *failed* unit. ``patients``: one name a
    unit, an empty one for unknown (counted as a patient of its own), or None where the data have none.
    ``unit`` is what a row is, as ``domain.units`` writes it; ``note`` says what pooling did. ``groups`` names, for
    other units than patients (lesion, eye, breast, study), the one of each row; empty where it is unknown.

    Raises:
        InputError: shapes that do not fit, targets outside the classes, scores that are no probabilities.
    """

    samples: tuple[str, ...]
    targets: Codes
    scores: Floats
    patients: tuple[str, ...] | None
    task: Task
    classes: tuple[str, ...]
    positive: str | None = None
    unit: str = IMAGE
    note: str = ""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _failed: Flags = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", tuple(self.samples))
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "patients", None if self.patients is None else tuple(self.patients))
        targets = np.array(self.targets, dtype=np.intp)
        scores = np.array(self.scores, dtype=np.float64)
        _check_shapes(self, targets, scores)
        _check_targets(self, targets)
        failed = ~np.isfinite(scores).all(axis=1)
        _check_scores(self.task, scores[~failed])
        for name, array in (("targets", targets), ("scores", scores), ("_failed", failed)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def failed(self) -> tuple[str, ...]:
        """The units that the run could not score."""
        return tuple(name for name, bad in zip(self.samples, self._failed, strict=True) if bad)

    @property
    def positive_index(self) -> int:
        """Index of the positive class of a binary task.

        Raises:
            UsageError: the task is not binary.
        """
        if self.task is not Task.BINARY or self.positive is None:
            raise UsageError("Only a binary task has a positive class.", "Choose a number that fits the task.")
        return self.classes.index(self.positive)

    @property
    def events(self) -> Flags:
        """(n,) units of the positive class of a binary task."""
        return np.asarray(self.targets == self.positive_index)

    @property
    def event_scores(self) -> Floats:
        """(n,) probability of the positive class of a binary task."""
        return np.asarray(self.scores[:, self.positive_index])

    @property
    def clusters(self) -> Clusters:
        """Which units are of one patient."""
        return clusters(self.patients, len(self))

    @property
    def n_patients(self) -> int | None:
        """How many patients; None where the data have no patient names."""
        return None if self.patients is None else self.clusters.count

    def taken(self, units: Flags) -> Scored:
        """Some of the units: ``units`` is (n,)."""
        return replace(
            self,
            samples=tuple(name for name, kept in zip(self.samples, units, strict=True) if kept),
            targets=self.targets[units],
            scores=self.scores[units],
            patients=None
            if self.patients is None
            else tuple(name for name, kept in zip(self.patients, units, strict=True) if kept),
            groups={
                unit: tuple(name for name, kept in zip(names, units, strict=True) if kept)
                for unit, names in self.groups.items()
            },
        )

    def without_failed(self) -> Scored:
        """The units that have a score."""
        return self.taken(~self._failed) if self._failed.any() else self

    def failures_as_errors(self) -> Scored:
        """Every failed unit with the most wrong score: certain of the farthest class, or of the opposite finding."""
        if not self._failed.any():
            return self
        scores = self.scores.copy()
        scores[self._failed] = _worst(self.targets[self._failed], len(self.classes), self.task)
        return replace(self, scores=scores)

    def by_unit(self, unit: str) -> Scored:
        """The same scores with one row a unit: an image, or what ``domain.units`` knows that images belong to.

        A unit's score is the mean over its scored images, or with the rule ``max`` that of the highest one; its label
        is the worst finding (binary: positive if any image is; ordinal: the highest grade; multi-label: present if
        present anywhere). A multi-class task has no worst finding and no highest image. Each unit keeps its patient.

        Raises:
            UsageError: no unit, or another one asked of pooled rows; the highest image of classes without order.
            InputError: the data do not tell the unit; a multi-class unit with images of several classes.
        """
        if unit == self.unit:
            return self
        word, rule = unit_parts(unit)
        if self.unit != IMAGE:
            raise UsageError(
                f"Scores by {self.unit} cannot be turned into scores by {unit}.", "Start from the scores of the images."
            )
        return pooled(self, self.names_of(word), unit, rule)

    def names_of(self, unit: str) -> tuple[str, ...]:
        """The unit that each row belongs to: the row itself where its unit is unknown.

        Raises:
            InputError: the data do not tell this unit.
        """
        names = self.samples if unit == self.unit else self.patients if unit == "patient" else self.groups.get(unit)
        if names is None:
            raise InputError(
                f"These data do not tell which images are of one {unit}, so nothing can be counted by {unit}.",
                f"Use unit=image, or import the dataset with a column that names its {plural(unit)}.",
            )
        return tuple(name or sample for name, sample in zip(names, self.samples, strict=True))


def _check_shapes(scored: Scored, targets: Codes, scores: Floats) -> None:
    n, c = len(scored.samples), len(scored.classes)
    wanted = (n, c) if scored.task is Task.MULTILABEL else (n,)
    if targets.shape != wanted:
        raise InputError(f"The targets have shape {targets.shape} instead of {wanted}.", "Give one target a sample.")
    if scores.shape != (n, c):
        raise InputError(
            f"The scores have shape {scores.shape} instead of {(n, c)}.", "Give one score a class for each sample."
        )
    if scored.patients is not None and len(scored.patients) != n:
        raise InputError(
            f"There are {len(scored.patients)} patient names for {n} samples.",
            "Give one name a sample, or none at all.",
        )
    for unit, names in scored.groups.items():
        if len(names) != n:
            raise InputError(
                f"There are names of {counted(len(names), unit)} for {n} samples.", "Give one name a sample."
            )
    if len(set(scored.samples)) != n:
        raise InputError("A sample stands in the scores twice.", "Keep one row a sample.")


def _check_targets(scored: Scored, targets: Codes) -> None:
    low, high = (UNKNOWN, 1) if scored.task is Task.MULTILABEL else (0, len(scored.classes) - 1)
    if targets.size and (targets.min() < low or targets.max() > high):
        raise InputError(
            f"A target lies outside {low} … {high}.",
            "Check that the predictions belong to this dataset and its classes.",
        )
    if scored.task is Task.BINARY and (len(scored.classes) != 2 or scored.positive not in scored.classes):
        raise InputError(
            f"A binary task has two classes, one of them positive; here are {', '.join(scored.classes)}, "
            f"positive “{scored.positive}”.",
            "Name the positive class.",
        )


def _check_scores(task: Task, scores: Floats) -> None:
    slack = 1e-6
    if scores.size and (scores.min() < -slack or scores.max() > 1 + slack):
        raise InputError(
            "A score lies outside 0 … 1, so the scores are no probabilities.",
            "Give probabilities: softmax of the outputs, or sigmoid for several labels.",
        )
    if task is not Task.MULTILABEL and scores.size and np.abs(scores.sum(axis=1) - 1).max() > TOLERANCE:
        raise InputError(
            "The scores of a sample do not add up to 1 over the classes.", "Give one probability a class (softmax)."
        )


def _worst(targets: Codes, classes: int, task: Task) -> Floats:
    if task is Task.MULTILABEL:
        return np.where(targets == UNKNOWN, 0.5, 1.0 - targets)
    farthest = np.where(2 * targets >= classes - 1, 0, classes - 1)
    return np.asarray(np.eye(classes)[farthest])
