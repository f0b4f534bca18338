"""The patient bootstrap: whole patients are drawn with replacement, all replicates of a chunk computed at once.

A *statistic* is a function of multiplicities: how often each patient was drawn. Each is built once from sorted
scores or from sums a patient (``ranking.py``, ``counting.py``), so that a replicate costs a weighted cumulative
sum and no sorting. With every patient drawn once it gives the point estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from medfm_gui.metrics.arrays import Clusters, Codes, Floats
from medfm_gui.metrics.estimate import Interval, PairedTest, joined, not_estimable, two_sided_p

Statistic = Callable[[Floats], Floats]
"""(patients, replicates) multiplicities → (replicates,) values; NaN where the statistic does not exist."""

REPLICATES = 2_000
CHUNK_CELLS = 2**20
"""Units × replicates held at once (8 MiB in float64): small enough for the processor's cache, measured."""
FEW_PATIENTS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """The mean of several statistics; it does not exist where one of them does not: every replicate has all labels.

    The parts stay visible, so that replicates of a part that stands in its own row are computed once.
    """

    parts: tuple[Statistic, ...]

    def __call__(self, drawn: Floats) -> Floats:
        """The statistic (see ``Statistic``)."""
        return self.of([part(drawn) for part in self.parts], drawn.shape[1])

    def of(self, values: Sequence[Floats], replicates: int) -> Floats:
        """The mean of the parts' values, each (replicates,)."""
        return np.mean(values, axis=0) if values else np.full(replicates, np.nan)


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
    on_draws: Callable[[int, int], None] | None = None,
) -> Floats:
    """All statistics on the same draws of patients: (statistics, replicates), NaN where one does not exist.

    The draws depend on ``seed`` and the number of clusters alone, never on ``chunk_cells``. ``on_draws`` is told how
    many replicates are done, and of how many; it may raise to end the work.
    """
    values = np.empty((len(statistics), replicates))
    done = 0
    for drawn in draws(clusters, replicates, seed, chunk_cells):
        known: dict[int, Floats] = {}
        for row, statistic in enumerate(statistics):
            values[row, done : done + drawn.shape[1]] = _value(statistic, drawn, known)
        done += drawn.shape[1]
        if on_draws is not None:
            on_draws(done, replicates)
    return values


def _value(statistic: Statistic, drawn: Floats, known: dict[int, Floats]) -> Floats:
    """A statistic on these draws; ``known`` keeps what was computed on them, by identity."""
    if id(statistic) not in known:
        if isinstance(statistic, Mean):
            parts = [_value(part, drawn, known) for part in statistic.parts]
            known[id(statistic)] = statistic.of(parts, drawn.shape[1])
        else:
            known[id(statistic)] = statistic(drawn)
    return known[id(statistic)]


def of_all(statistic: Statistic, own: Clusters, among_all: Codes) -> Statistic:
    """A statistic of some units as one of multiplicities of all patients.

    Args:
        own: the clusters that it takes, of those units alone.
        among_all: (n,) of the same units, which patient of all each is of.
    """
    numbers = np.empty(own.count, np.intp)
    numbers[own.codes] = among_all

    def drawn_from_all(drawn: Floats) -> Floats:
        return statistic(drawn[numbers])

    return drawn_from_all


def vary(values: Floats) -> bool:
    """Whether replicates differ by more than sums in another order do in their last digits."""
    usable = values[np.isfinite(values)]
    return len(usable) > 1 and float(usable.std()) > 1e-12


def draws(
    clusters: Clusters, replicates: int = REPLICATES, seed: int = 0, chunk_cells: int = CHUNK_CELLS
) -> Iterator[Floats]:
    """How often each cluster is drawn, (clusters, some replicates) at a time, until there are ``replicates``."""
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
    if clusters.count < 2:  # every draw is the data themselves
        return Interval(estimate, None, None, method_of(clusters), n, n_events, confidence, note)
    low, high = np.quantile(usable, (0.5 - confidence / 2, 0.5 + confidence / 2))
    if not vary(values):
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
    values: Floats | None = None,
) -> PairedTest:
    """Difference a - b of two statistics on the same draws: percentile interval, p from z = difference / bootstrap SE.

    A count of replicates could not give a p below one over their number, and so would never survive
    an adjustment for many comparisons. ``values`` (2, replicates) are those of both on these very draws, where they
    are known from another pair.
    """
    first, second = point(a, clusters.count), point(b, clusters.count)
    if first is None or second is None:
        return PairedTest(None, None, None, None, None, "not-estimable", n, confidence, "a class is absent")
    if values is None:
        values = replicates_of((a, b), clusters, replicates=replicates, seed=seed)
    shifts = values[0] - values[1]
    usable = shifts[np.isfinite(shifts)]
    note = _remarks(len(shifts), len(usable), clusters)
    difference = first - second
    if 2 * len(usable) < len(shifts) or not vary(shifts):
        note = joined(note, "" if vary(shifts) else "the replicates do not vary")
        return PairedTest(difference, None, None, None, None, method_of(clusters), n, confidence, note)
    low, high = np.quantile(usable, (0.5 - confidence / 2, 0.5 + confidence / 2))
    z = difference / float(usable.std(ddof=1))
    return PairedTest(difference, float(low), float(high), z, two_sided_p(z), method_of(clusters), n, confidence, note)


def _remarks(total: int, usable: int, clusters: Clusters) -> str:
    lacking = f"{total - usable:,} of {total:,} replicates lacked a class" if usable < total else ""
    withheld = "too many for an interval" if 2 * usable < total else ""
    noun = "patients" if clusters.known else "units"
    few = f"only {clusters.count} {noun}: a bootstrap of so few is too narrow" if clusters.count < FEW_PATIENTS else ""
    if clusters.count < 2:
        few = f"a single {noun[:-1]}: nothing to draw from, so no interval"
    return joined(lacking, withheld, few)
