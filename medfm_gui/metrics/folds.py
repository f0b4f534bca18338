"""The folds of a cross-validation, or sites left out in turn: the number within each, their mean, and how far they lie.

The number is computed within each fold and averaged; scores of several folds come of several models and are never
pooled as they are. The interval of the mean draws patients within folds and holds the models; the spread over folds is
no interval. Two ways over the same folds are compared fold by fold on the same draws of patients. One area of all
out-of-fold scores exists after a calibration in each fold alone, and without DeLong, who takes one model's scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    of_all,
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
from medfm_gui.metrics.simultaneous import Simultaneous, simultaneous_intervals

METHOD = "bootstrap-within-folds"
POOLED = "pooled-calibrated-folds"

Fold = tuple[Scored, OperatingPoint | None]
"""Scores of a fold on what was held out of it, with the threshold of its own model."""
Folds = Sequence[Fold]


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


@dataclass(frozen=True, slots=True)
class FoldFamily:
    """Several differences over the folds of one division, and their intervals that hold together."""

    differences: tuple[FoldDifference, ...]
    together: Simultaneous


def fold_difference(
    a: Folds,
    b: Folds,
    *,
    metric: str = "",
    confidence: float = 0.95,
    seed: int = 0,
    replicates: Floats | None = None,
) -> FoldDifference:
    """The mean over folds of a metric of a minus that of b, on the units of each fold that both could score.

    The same patients are drawn for both, within each fold; p is of z = difference / bootstrap SE. The models are held:
    it speaks of these trainings, and for other divisions repeats are needed (``repeats.repeats_test``).

    Args:
        replicates: (r,) of the mean difference on the draws of these very folds, where they are known.

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
        if replicates is None and points[0] is not None and points[1] is not None:
            drawn = replicates_of(pair, first.clusters, replicates=REPLICATES, seed=seed + place)
            shifts.append(drawn[0] - drawn[1])
    known = [value for value in values if value is not None]
    note = f"{lost} units were not scored by both and are left out" if lost else ""
    if len(known) < len(values):
        why = f"{len(values) - len(known)} of {len(values)} folds lack a class that this number needs"
        return FoldDifference(
            metric, tuple(values), PairedTest(None, None, None, None, None, "not-estimable", n, confidence, why)
        )
    drawn_means = np.mean(shifts, axis=0) if replicates is None else replicates
    test = _mean_shift(float(np.mean(known)), drawn_means, n, confidence, note)
    return FoldDifference(metric, tuple(values), test)


def fold_differences(
    pairs: Sequence[tuple[Mapping[int, Fold], Mapping[int, Fold]]],
    *,
    metric: str = "",
    confidence: float = 0.95,
    seed: int = 0,
) -> FoldFamily:
    """``fold_difference`` of several pairs over one division, with simultaneous intervals of the mean differences.

    The patients of each fold are drawn once for all pairs, so that what the differences share (a reference, the
    patients) counts. A pair over all folds of the family that lost no unit has its own interval on the same draws.

    Args:
        pairs: both ways of a pair, each by the number of the fold; the two of a pair have the same numbers.

    Raises:
        InputError: as ``fold_difference``.
    """
    metric = metric or headline(next(iter(pairs[0][0].values()))[0].task)
    numbers = sorted({number for pair in pairs for number in pair[0]})
    sums = np.zeros((len(pairs), REPLICATES))
    lost = [False] * len(pairs)
    for place, number in enumerate(numbers):
        concerned = [at for at, pair in enumerate(pairs) if number in pair[0]]
        shifts = _shifts([(pairs[at][0][number], pairs[at][1][number]) for at in concerned], metric, seed + place)
        for at, (shift, is_whole) in zip(concerned, shifts, strict=True):
            sums[at] += shift / len(pairs[at][0])
            lost[at] |= not is_whole
    found = []
    for at, (one, other) in enumerate(pairs):
        own = sorted(one)
        on_these = not lost[at] and own == numbers[: len(own)]
        sides = [one[number] for number in own], [other[number] for number in own]
        replicates = sums[at] if on_these else None
        found.append(fold_difference(*sides, metric=metric, confidence=confidence, seed=seed, replicates=replicates))
    points = [one.test.difference for one in found]
    return FoldFamily(tuple(found), simultaneous_intervals(points, sums, confidence=confidence))


def _shifts(sides: Sequence[tuple[Fold, Fold]], metric: str, seed: int) -> list[tuple[Floats, bool]]:
    """Of pairs in one fold the replicates of their differences, and whether both could score all units."""
    whole = sides[0][0][0]
    statistics: list[Statistic] = []
    known: dict[tuple[int, bytes], int] = {}
    rows: list[tuple[int, int, bool]] = []
    for pair in sides:
        scored = [_in_order(whole, fold[0]) for fold in pair]
        both = np.asarray(np.isfinite(scored[0].scores + scored[1].scores).all(axis=1))
        places = []
        for fold, ordered in zip(pair, scored, strict=True):
            key = (id(fold[0]), both.tobytes())
            if key not in known:
                known[key] = len(statistics)
                taken = replace(ordered, patients=whole.patients).taken(both)
                statistic = _statistic(taken, fold[1], metric)
                statistics.append(of_all(statistic, taken.clusters, whole.clusters.codes[both]))
            places.append(known[key])
        rows.append((places[0], places[1], bool(both.all())))
    drawn = replicates_of(statistics, whole.clusters, replicates=REPLICATES, seed=seed)
    return [(drawn[first] - drawn[second], is_whole) for first, second, is_whole in rows]


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
