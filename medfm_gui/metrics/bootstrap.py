"""The patient bootstrap: whole patients are drawn with replacement, all replicates of a chunk computed at once.

A *statistic* is a function of multiplicities: how often each patient was drawn. Each is built once from sorted
scores or from sums a patient (``ranking.py``, ``counting.py``), so that a replicate costs a weighted cumulative
sum and no sorting. With every patient drawn once it gives the point estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from medfm_gui.metrics.arrays import Clusters, Floats
from medfm_gui.metrics.estimate import Interval, PairedTest, joined, not_estimable, quantile, two_sided_p

Statistic = Callable[[Floats], Floats]
"""(patients, replicates) multiplicities → (replicates,) values; NaN where the statistic does not exist."""

REPLICATES = 2_000
CHUNK_CELLS = 2**20
"""Units × replicates held at once (8 MiB in float64): small enough for the processor's cache, measured."""
FEW_PATIENTS = 20


def point(statistic: Statistic, count: int) -> float | None:
    """The statistic on the data themselves; None where it does not exist. ``count`` is the number of clusters."""
    value = float(statistic(np.ones((count, 1)))[0])
    return value if np.isfinite(value) else None


def replicates_of(
    statistics: Sequence[Statistic],
    clusters: Clusters,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    chunk_cells: int = CHUNK_CELLS,
) -> Floats:
    """All statistics on the same draws of patients: (statistics, replicates), NaN where one does not exist.

    The draws depend on ``seed`` and the number of clusters alone, never on ``chunk_cells``.
    """
    values = np.empty((len(statistics), replicates))
    done = 0
    for drawn in _draws(clusters, replicates, seed, chunk_cells):
        for row, statistic in enumerate(statistics):
            values[row, done : done + drawn.shape[1]] = statistic(drawn)
        done += drawn.shape[1]
    return values


def _draws(clusters: Clusters, replicates: int, seed: int, chunk_cells: int) -> Iterator[Floats]:
    random = np.random.default_rng(seed)
    width = max(1, min(replicates, max(8, chunk_cells // max(len(clusters.codes), 1))))
    for start in range(0, replicates, width):
        rows = min(width, replicates - start)
        chosen = random.integers(0, clusters.count, (rows, clusters.count))
        chosen += np.arange(rows)[:, None] * clusters.count
        counts = np.bincount(chosen.ravel(), minlength=rows * clusters.count)
        yield np.ascontiguousarray(counts.reshape(rows, clusters.count).T, dtype=np.float64)


def method_of(clusters: Clusters) -> str:
    """The name of the bootstrap that these clusters make: of patients with several units, or of single units."""
    return "clustered-bootstrap" if clusters.repeated else "bootstrap"


def percentile_interval(
    estimate: float | None,
    values: Floats,
    clusters: Clusters,
    *,
    n: int,
    n_events: int | None = None,
    confidence: float = 0.95,
) -> Interval:
    """The interval between two percentiles of the replicates. Those in which the number does not exist are counted.

    Args:
        values: (replicates,) of one statistic.
    """
    if estimate is None:
        return not_estimable(
            "the data lack a class that this number needs", n=n, n_events=n_events, confidence=confidence
        )
    usable = values[np.isfinite(values)]
    note = _remarks(len(values), len(usable), clusters)
    if 2 * len(usable) < len(values) or not len(usable):
        return Interval(estimate, None, None, method_of(clusters), n, n_events, confidence, note)
    low, high = np.quantile(usable, (0.5 - confidence / 2, 0.5 + confidence / 2))
    if low == high:
        note = joined(note, "all replicates agree: an interval without width understates the uncertainty")
    return Interval(estimate, float(low), float(high), method_of(clusters), n, n_events, confidence, note)


def bootstrap_test(
    a: Statistic,
    b: Statistic,
    clusters: Clusters,
    *,
    n: int,
    confidence: float = 0.95,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> PairedTest:
    """Difference a - b of two statistics on the same draws: percentile interval, p from z = difference / bootstrap SE.

    A count of replicates could not give a p below one over their number, and so would never survive
    an adjustment for many comparisons.
    """
    first, second = point(a, clusters.count), point(b, clusters.count)
    if first is None or second is None:
        return PairedTest(None, None, None, None, None, "not-estimable", n, confidence, "a class is absent")
    values = replicates_of((a, b), clusters, replicates=replicates, seed=seed)
    shifts = values[0] - values[1]
    usable = shifts[np.isfinite(shifts)]
    note = _remarks(len(shifts), len(usable), clusters)
    difference = first - second
    error = float(usable.std(ddof=1)) if len(usable) > 1 else 0.0
    # Sums in another order differ in the last digits: a spread of that size is none.
    if 2 * len(usable) < len(shifts) or error < 1e-12:
        note = joined(note, "the replicates do not vary, so there is no test" if error < 1e-12 else "")
        return PairedTest(difference, None, None, None, None, method_of(clusters), n, confidence, note)
    low, high = np.quantile(usable, (0.5 - confidence / 2, 0.5 + confidence / 2))
    z = difference / error
    return PairedTest(difference, float(low), float(high), z, two_sided_p(z), method_of(clusters), n, confidence, note)


def standard_error(test: PairedTest) -> float:
    """Half the width of a test's interval over the normal deviate; NaN where it has none."""
    if test.low is None or test.high is None:
        return float("nan")
    return (test.high - test.low) / 2 / quantile(test.confidence)


def _remarks(total: int, usable: int, clusters: Clusters) -> str:
    lacking = f"{total - usable:,} of {total:,} replicates lacked a class" if usable < total else ""
    withheld = "too many for an interval" if 2 * usable < total else ""
    noun = "patients" if clusters.known else "units"
    few = f"only {clusters.count} {noun}: a bootstrap of so few is too narrow" if clusters.count < FEW_PATIENTS else ""
    return joined(lacking, withheld, few)
