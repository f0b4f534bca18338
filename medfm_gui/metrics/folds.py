"""The folds of a cross-validation, or sites left out in turn: the number within each, their mean, and how far they lie.

The number is computed within each fold and averaged; scores of several folds come of several models and are never
pooled as they are. The interval of the mean draws patients within folds and holds the models; the spread over folds is
no interval. Two ways over the same folds are compared fold by fold on the same draws of patients. One area of all
out-of-fold scores exists after a calibration in each fold alone, and without DeLong, who takes one model's scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.evaluation import Calibrator, OperatingPoint
from medfm_gui.metrics import bootstrap
from medfm_gui.metrics.arrays import Floats
from medfm_gui.metrics.bootstrap import (
    CHUNK_CELLS,
    REPLICATES,
    Statistic,
    draws,
    percentile_interval,
    replicates_of,
    vary,
)
from medfm_gui.metrics.estimate import Interval, PairedTest, joined, not_estimable, two_sided_p
from medfm_gui.metrics.names import headline
from medfm_gui.metrics.quantities import quantities
from medfm_gui.metrics.ranking import auc_statistic
from medfm_gui.metrics.recalibration import calibrated
from medfm_gui.metrics.scored import Scored

METHOD = "bootstrap-within-folds"
POOLED = "pooled-calibrated-folds"

Folds = Sequence[tuple[Scored, OperatingPoint | None]]
"""Scores of each fold on what was held out of it, each with the threshold of its own model."""


@dataclass(frozen=True, slots=True)
class FoldSummary:
    """A metric within folds: ``values`` in their order, their mean with an interval over patients, and the spread.

    ``spread`` is the standard deviation of the values over folds, ``lowest`` and ``highest`` their range; None where a
    fold has no value.
    """

    metric: str
    values: tuple[float | None, ...]
    mean: Interval
    spread: float | None
    lowest: float | None
    highest: float | None


@dataclass(frozen=True, slots=True)
class FoldDifference:
    """A metric of a minus that of b: ``values`` one a fold, ``test`` their mean with interval and p."""

    metric: str
    values: tuple[float | None, ...]
    test: PairedTest


def fold_summary(
    folds: Folds,
    *,
    metric: str = "",
    confidence: float = 0.95,
    seed: int = 0,
) -> FoldSummary:
    """The mean over folds of a metric, the task's headline where none is named; failed units are left out.

    Raises:
        InputError: no fold, or the task has no such metric.
    """
    if not folds:
        raise InputError("There is no fold to sum up.", "Choose the runs of a cross-validation.")
    metric = metric or headline(folds[0][0].task)
    values: list[float | None] = []
    drawn = []
    n = events = lost = 0
    for place, (scored, point) in enumerate(folds):
        good = scored.without_failed()
        lost += len(scored) - len(good)
        n += len(good)
        events += int(good.events.sum()) if good.positive is not None else 0
        statistic = _statistic(good, point, metric)
        values.append(bootstrap.point(statistic, good.clusters.count))
        drawn.append(replicates_of([statistic], good.clusters, replicates=REPLICATES, seed=seed + place)[0])
    n_events = events if folds[0][0].positive is not None else None
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        why = f"{len(values) - len(known)} of {len(values)} folds lack a class that this number needs"
        lacking = not_estimable(why, n=n, n_events=n_events, confidence=confidence)
        return FoldSummary(metric, tuple(values), lacking, None, None, None)
    whole = percentile_interval(
        float(np.mean(known)), np.mean(drawn, axis=0), folds[0][0].clusters, n=n, n_events=n_events,
        confidence=confidence,
    )  # fmt: skip
    note = joined(whole.note, f"{lost} units that were not scored are left out" if lost else "")
    mean = Interval(whole.estimate, whole.low, whole.high, METHOD, n, n_events, confidence, note)
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return FoldSummary(metric, tuple(values), mean, spread, min(known), max(known))


def fold_difference(a: Folds, b: Folds, *, metric: str = "", confidence: float = 0.95, seed: int = 0) -> FoldDifference:
    """The mean over folds of a metric of a minus that of b, on the units of each fold that both could score.

    The same patients are drawn for both, within each fold; p is of z = difference / bootstrap SE. The models are held:
    it speaks of these trainings, and for other divisions repeats are needed (``repeats.repeats_test``).

    Raises:
        InputError: no fold, other folds on either side, folds of other units, or the task has no such metric.
    """
    if not a or len(a) != len(b):
        raise InputError("The two ways have other folds.", "Compare trainings of the same folds.")
    metric = metric or headline(a[0][0].task)
    values: list[float | None] = []
    shifts: list[Floats] = []
    n = lost = 0
    for place, (one, other) in enumerate(zip(a, b, strict=True)):
        first, second = one[0], _in_order(one[0], other[0])
        both = np.asarray(np.isfinite(first.scores + second.scores).all(axis=1))
        first, second = first.taken(both), second.taken(both)
        n, lost = n + len(first), lost + int((~both).sum())
        pair = _statistic(first, one[1], metric), _statistic(second, other[1], metric)
        points = [bootstrap.point(statistic, first.clusters.count) for statistic in pair]
        values.append(None if points[0] is None or points[1] is None else points[0] - points[1])
        drawn = replicates_of(pair, first.clusters, replicates=REPLICATES, seed=seed + place)
        shifts.append(drawn[0] - drawn[1])
    known = [value for value in values if value is not None]
    note = f"{lost} units were not scored by both and are left out" if lost else ""
    if len(known) < len(values):
        why = f"{len(values) - len(known)} of {len(values)} folds lack a class that this number needs"
        return FoldDifference(
            metric, tuple(values), PairedTest(None, None, None, None, None, "not-estimable", n, confidence, why)
        )
    test = _mean_shift(float(np.mean(known)), np.mean(shifts, axis=0), n, confidence, note)
    return FoldDifference(metric, tuple(values), test)


def pooled_auc(
    folds: Sequence[Scored],
    lines: Sequence[Calibrator | None],
    *,
    method: str = POOLED,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The ROC-AUC of all out-of-fold scores of a binary task, each put right by the calibration of its own fold.

    Patients are drawn within folds and the models and their calibrations are held.

    Args:
        lines: the calibration that each fold's own training fixed; without one its scores are on a scale of their own.

    Raises:
        InputError: no fold, or one without a calibration.
        UsageError: another method, DeLong's among them: his variance is of the scores of a single model.
    """
    if method != POOLED:
        raise UsageError(
            f"Scores of {len(folds)} folds are of {len(folds)} models, so {method} does not hold for their pool.",
            "Take the mean over folds, or the pool after calibration with its bootstrap within folds.",
        )
    if not folds or len(folds) != len(lines):
        raise InputError("There is not one calibration a fold.", "Choose the runs of a cross-validation.")
    parts = []
    for one, line in zip(folds, lines, strict=True):
        if line is None:
            raise InputError(
                "A fold has no calibration of its own, so its scores are on a scale of their own.",
                "Take the mean over folds.",
            )
        parts.append(calibrated(one, line).without_failed())
    if any(part.task is not Task.BINARY for part in parts):
        raise UsageError("Scores are pooled of a task with two classes alone.", "Take the mean over folds.")
    events = np.concatenate([part.events for part in parts])
    scores = np.concatenate([part.event_scores for part in parts])
    starts = np.cumsum([0, *(part.clusters.count for part in parts)])
    codes = np.concatenate([part.clusters.codes + start for part, start in zip(parts, starts[:-1], strict=True)])
    statistic = auc_statistic(events, scores, codes)
    estimate = bootstrap.point(statistic, int(starts[-1]))
    n, n_events = len(scores), int(events.sum())
    width = max(8, CHUNK_CELLS // max(n, 1))
    within = [draws(part.clusters, REPLICATES, seed + at, width * max(len(part), 1)) for at, part in enumerate(parts)]
    values = np.concatenate([statistic(np.vstack(drawn)) for drawn in zip(*within, strict=True)])
    found = percentile_interval(estimate, values, parts[0].clusters, n=n, n_events=n_events, confidence=confidence)
    method = POOLED if found.estimate is not None else found.method
    return Interval(found.estimate, found.low, found.high, method, n, n_events, confidence, found.note)


def _statistic(scored: Scored, point: OperatingPoint | None, metric: str) -> Statistic:
    found = [item for item in quantities(scored, point) if item.metric == metric and not item.label]
    if not found:
        raise InputError(f"This task has no {metric}.", "Choose the headline number.")
    return found[0].statistic


def _in_order(first: Scored, other: Scored) -> Scored:
    """The other's units in the order of the first's."""
    if first.samples == other.samples:
        return other
    places = {name: place for place, name in enumerate(other.samples)}
    if set(places) != set(first.samples):
        raise InputError("A fold was tested on different units.", "Compare trainings of the same folds.")
    return replace(first, scores=other.scores[[places[name] for name in first.samples]])


def _mean_shift(difference: float, shifts: Floats, n: int, confidence: float, note: str) -> PairedTest:
    usable = shifts[np.isfinite(shifts)]
    lacking = f"{len(shifts) - len(usable):,} of {len(shifts):,} replicates lacked a class in a fold"
    note = joined(note, lacking if len(usable) < len(shifts) else "")
    if 2 * len(usable) < len(shifts) or not vary(shifts):
        why = "too many for an interval" if vary(shifts) else "the replicates do not vary"
        return PairedTest(difference, None, None, None, None, METHOD, n, confidence, joined(note, why))
    low, high = np.quantile(usable, (0.5 - confidence / 2, 0.5 + confidence / 2))
    z = difference / float(usable.std(ddof=1))
    return PairedTest(difference, float(low), float(high), z, two_sided_p(z), METHOD, n, confidence, note)
