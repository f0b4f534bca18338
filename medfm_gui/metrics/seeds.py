"""Several trainings that differ in nothing but their seed: their mean, and its two uncertainties apart.

How far a new training would lie (an interval over seeds, t) and how far new patients would (bootstrap of patients, the
seeds fixed) are different questions. A claim about a way of adapting needs both at once: seeds and patients drawn
together. Source: Bouthillier et al., MLSys 2021 (variance of trainings); Davison & Hinkley 1997, 3.8 (two levels).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import OperatingPoint
from medfm_gui.metrics.arrays import Floats
from medfm_gui.metrics.bootstrap import REPLICATES, percentile_interval, replicates_of
from medfm_gui.metrics.estimate import Interval, PairedTest, not_estimable, two_sided_p
from medfm_gui.metrics.names import headline
from medfm_gui.metrics.quantities import quantities
from medfm_gui.metrics.scored import Scored

FEWEST_SEEDS = 5
"""Seeds that each of two ways needs before anything is claimed of them."""

ALIKE = "every seed gave the same scores: this training draws nothing by its seed, so its spread says nothing"
"""Why several seeds of a way have no interval."""

Seeded = Sequence[tuple[Scored, OperatingPoint | None]]
"""Scores of the seeds of one way on the same units, each with its own threshold."""


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """The mean of ``values``, one a seed: ``over_seeds`` (t with k - 1 degrees), ``over_patients`` (bootstrap)."""

    metric: str
    values: tuple[float | None, ...]
    spread: float | None
    over_seeds: Interval
    over_patients: Interval


def seed_summary(seeded: Seeded, *, metric: str = "", confidence: float = 0.95, seed: int = 0) -> SeedSummary:
    """The mean over seeds of a metric (the task's headline where none is named), with both intervals.

    Units that one of the seeds could not score are left out of all.

    Raises:
        InputError: no seed, or the seeds scored different units.
    """
    metric, replicates, points, data = _replicates(seeded, metric, seed)
    known = [value for value in points if value is not None]
    n, n_events = len(data), _events(data)
    if len(known) < len(points):
        lacking = not_estimable("the data lack a class that this number needs", n=n, confidence=confidence)
        return SeedSummary(metric, tuple(points), None, lacking, lacking)
    mean = float(np.mean(known))
    drawn = percentile_interval(
        mean, replicates.mean(axis=0), data.clusters, n=n, n_events=n_events, confidence=confidence
    )
    if len(known) < 2:
        return SeedSummary(
            metric, tuple(points), None,
            Interval(mean, None, None, "t-seeds", n, n_events, confidence, "one seed has no spread"), drawn,
        )  # fmt: skip
    spread = float(np.std(known, ddof=1))
    if alike(seeded):
        return SeedSummary(
            metric, tuple(points), 0.0, Interval(mean, None, None, "t-seeds", n, n_events, confidence, ALIKE), drawn
        )
    half = float(stats.t.ppf(0.5 + confidence / 2, len(known) - 1)) * spread / np.sqrt(len(known))
    over = Interval(mean, mean - float(half), mean + float(half), "t-seeds", n, n_events, confidence)
    return SeedSummary(metric, tuple(points), spread, over, drawn)


def alike(seeded: Seeded) -> bool:
    """Whether several seeds scored every unit alike: their training draws nothing, so they are one model."""
    first = seeded[0][0].scores
    return len(seeded) > 1 and all(np.array_equal(one.scores, first, equal_nan=True) for one, _ in seeded[1:])


def seed_difference(a: Seeded, b: Seeded, *, metric: str = "", confidence: float = 0.95, seed: int = 0) -> PairedTest:
    """Mean over seeds of a minus that of b: seeds of either side and patients of both are drawn, all at once.

    A spread of k drawn seeds is that of trainings times √((k - 1) / k), so deviations are enlarged by its inverse.
    Below ``FEWEST_SEEDS`` on a side there is no interval and no p: nothing can be claimed of the way as such.

    Raises:
        InputError: as ``seed_summary``; both sides scored different units.
    """
    metric, both, points, data = _replicates([*a, *b], metric, seed)
    if None in points:
        return PairedTest(None, None, None, None, None, "not-estimable", len(data), confidence, "a class is absent")
    values = np.array([value for value in points if value is not None])
    difference = float(values[: len(a)].mean() - values[len(a) :].mean())
    few = min(len(a), len(b)) < FEWEST_SEEDS
    if few:
        why = f"fewer than {FEWEST_SEEDS} seeds of a side: these are single models, no claim about the way"
        return PairedTest(difference, None, None, None, None, "seeds-patients", len(data), confidence, why)
    random = np.random.default_rng(seed)
    shifts = _drawn_means(both[: len(a)], values[: len(a)], random) - _drawn_means(
        both[len(a) :], values[len(a) :], random
    )
    usable = shifts[np.isfinite(shifts)]
    spread = float(usable.std(ddof=1)) if len(usable) > 1 else 0.0
    if not spread > 1e-12:
        why = "the replicates do not vary"
        return PairedTest(difference, None, None, None, None, "seeds-patients", len(data), confidence, why)
    low, high = np.quantile(usable, (0.5 - confidence / 2, 0.5 + confidence / 2))
    z = difference / spread
    note = ALIKE if alike(a) or alike(b) else ""
    test = PairedTest(difference, float(low), float(high), z, two_sided_p(z), "seeds-patients", len(data), confidence)
    return replace(test, note=note)


def _drawn_means(replicates: Floats, points: Floats, random: np.random.Generator) -> Floats:
    """Means of drawn seeds in each replicate of patients: (replicates,)."""
    seeds, count = replicates.shape
    chosen = random.integers(0, seeds, (seeds, count))
    drawn = np.take_along_axis(replicates, chosen, axis=0).mean(axis=0)
    among = replicates.mean(axis=0)  # the same patients, no seed drawn
    return np.asarray(among + (drawn - among) * np.sqrt(seeds / max(1, seeds - 1)))


def _replicates(seeded: Seeded, metric: str, seed: int) -> tuple[str, Floats, list[float | None], Scored]:
    if not seeded:
        raise InputError("There is no training to sum up.", "Choose runs that differ in their seed.")
    first = seeded[0][0]
    if any(one.samples != first.samples for one, _ in seeded):
        raise InputError("The seeds were tested on different units.", "Compare runs of one test.")
    failed = np.zeros(len(first), np.bool_)
    for one, _ in seeded:
        failed |= ~np.isfinite(one.scores).all(axis=1)
    kept = [(one.taken(~failed) if failed.any() else one, point) for one, point in seeded]
    metric = metric or headline(first.task)
    statistics = []
    for one, point in kept:
        found = next((item for item in quantities(one, point) if item.metric == metric and not item.label), None)
        if found is None:
            raise InputError(f"This task has no {metric}.", "Choose the headline number.")
        statistics.append(found.statistic)
    data = kept[0][0]
    whole = np.ones((data.clusters.count, 1))
    points = [float(item(whole)[0]) for item in statistics]
    values = replicates_of(statistics, data.clusters, replicates=REPLICATES, seed=seed)
    return metric, values, [value if np.isfinite(value) else None for value in points], data


def _events(scored: Scored) -> int | None:
    return int(scored.events.sum()) if scored.positive is not None else None
