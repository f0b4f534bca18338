"""Several images as one case: the score, the label and the patient of what they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.units import MAX, counted, plural, unit_word
from medfm_gui.metrics.arrays import Clusters, Codes, Flags, Floats, clusters
from medfm_gui.metrics.estimate import joined

if TYPE_CHECKING:
    from medfm_gui.metrics.scored import Scored


def pooled(scored: Scored, names: Sequence[str], unit: str, rule: str) -> Scored:
    """Scores with one row a unit: see ``Scored.by_unit``.

    Args:
        names: (n,) the unit of each image, none empty.
        unit: what the rows are called afterwards.
        rule: ``mean`` or ``max``.

    Raises:
        UsageError: the highest image of classes that have no order.
        InputError: a multi-class unit with images of several classes.
    """
    who = clusters(tuple(names), len(scored))
    good = np.asarray(np.isfinite(scored.scores).all(axis=1))
    first = np.unique(who.codes, return_index=True)[1]
    called = tuple(names[place] for place in first)
    targets, mixed = _worst_finding(scored, who, unit_word(unit))
    several = plural(unit)
    note = f"{mixed} of {who.count} {several} have images of both kinds and count by the worst finding" if mixed else ""
    own = unit_word(unit) == "patient"
    known = None if scored.patients is None else tuple(scored.patients[place] for place in first)
    return replace(
        scored,
        samples=called,
        targets=targets,
        scores=_highest(scored, who, good) if rule == MAX else _mean(scored.scores, who, good),
        patients=called if own else known,
        unit=unit,
        note=joined(scored.note, note),
        groups={},
    )


def _mean(scores: Floats, who: Clusters, good: Flags) -> Floats:
    """(units, c): the mean over the images that have a score; NaN where none has."""
    images = np.bincount(who.codes[good], minlength=who.count)
    found = np.full((who.count, scores.shape[1]), np.nan)
    for column in range(scores.shape[1]):
        total = np.bincount(who.codes[good], weights=scores[good, column], minlength=who.count)
        np.divide(total, images, out=found[:, column], where=images > 0)
    return found


def _highest(scored: Scored, who: Clusters, good: Flags) -> Floats:
    """(units, c): of several findings the highest each, else the image with the most of the event or grade."""
    found = np.full((who.count, scored.scores.shape[1]), np.nan)
    if scored.task is Task.MULTILABEL:
        best = np.full(found.shape, -np.inf)
        np.maximum.at(best, who.codes[good], scored.scores[good])
        return np.where(np.isfinite(best), best, np.nan)
    if scored.task is Task.MULTICLASS:
        raise UsageError(
            "These classes have no order, so no image of several is the highest.", "Use the mean (unit_score=mean)."
        )
    grades = np.arange(scored.scores.shape[1])
    much = scored.event_scores if scored.task is Task.BINARY else scored.scores @ grades
    order = np.flatnonzero(good)[np.argsort(much[good], kind="stable")]
    found[who.codes[order]] = scored.scores[order]  # the last one written of a unit is its highest
    return found


def _worst_finding(scored: Scored, who: Clusters, unit: str) -> tuple[Codes, int]:
    """The label of each unit, and how many have images with different labels."""
    graded = scored.events.astype(np.intp) if scored.task is Task.BINARY else scored.targets
    shape = (who.count, *graded.shape[1:])
    worst, least = np.full(shape, UNKNOWN - 1, np.intp), np.full(shape, np.iinfo(np.intp).max, np.intp)
    np.maximum.at(worst, who.codes, graded)
    np.minimum.at(least, who.codes, np.where(graded == UNKNOWN, np.iinfo(np.intp).max, graded))
    differ = (least < worst).reshape(who.count, -1).any(axis=1)
    if scored.task is Task.MULTICLASS and differ.any():
        raise InputError(
            f"{counted(int(differ.sum()), unit)} with images of several classes, and these classes have no order, "
            f"so such a {unit} has no class.",
            "Evaluate by image (unit=image).",
        )
    if scored.task is Task.BINARY:
        positive = scored.positive_index
        worst = np.where(worst == 1, positive, 1 - positive)
    return worst, int(differ.sum())
