"""How far readers agree beyond chance: Cohen's and Fleiss' kappa, Krippendorff's alpha, by a patient bootstrap."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.arrays import Codes, Floats, Groups, clusters
from medfm_gui.metrics.bootstrap import Statistic, percentile_interval, point, replicates_of
from medfm_gui.metrics.estimate import Interval, not_estimable

UNREAD = -1
"""In a table of reads: this reader did not read this unit."""
Level = Literal["nominal", "ordinal", "interval"]


def cohen_kappa(reads: npt.ArrayLike, categories: int, *, groups: Groups | None = None, seed: int = 0) -> Interval:
    """Cohen's kappa of two readers on the units that both read. Source: Cohen 1960.

    Args:
        reads: (2, n) category indices, ``UNREAD`` where one was not read.
        groups: one patient a unit; the bootstrap draws patients.
    """
    table = _checked(reads, categories)
    if len(table) != 2:
        raise InputError("Cohen's kappa is of two readers.", "Use Fleiss' kappa for more.")
    return _interval(_all_read(table, categories, cohen=True), table, groups, seed)


def fleiss_kappa(reads: npt.ArrayLike, categories: int, *, groups: Groups | None = None, seed: int = 0) -> Interval:
    """Fleiss' kappa of two readers or more on the units that all of them read. Source: Fleiss 1971."""
    table = _checked(reads, categories)
    return _interval(_all_read(table, categories, cohen=False), table, groups, seed)


def krippendorff_alpha(
    reads: npt.ArrayLike,
    categories: int,
    *,
    level: Level = "nominal",
    groups: Groups | None = None,
    seed: int = 0,
) -> Interval:
    """Krippendorff's alpha on all units that two readers or more read. Source: Krippendorff 2011.

    ``ordinal`` and ``interval`` weigh how far two categories lie apart.
    """
    table = _checked(reads, categories)
    return _interval(_alpha(table, categories, level), table, groups, seed)


def majority(reads: npt.ArrayLike, categories: int) -> Codes:
    """(n,) the category that most readers gave; ``UNREAD`` on a tie and where nobody read."""
    table = _checked(reads, categories)
    counts = _counts(table, categories)
    best = counts.max(axis=1)
    alone = (counts == best[:, None]).sum(axis=1) == 1
    return np.where(alone & (best > 0), counts.argmax(axis=1), UNREAD).astype(np.intp)


def _checked(reads: npt.ArrayLike, categories: int) -> Codes:
    table = np.asarray(reads)
    if table.ndim != 2 or table.shape[0] < 2:
        raise InputError("Agreement needs the reads of two readers or more.", "Give one row a reader.")
    if table.size and (table.min() < UNREAD or table.max() >= categories):
        raise InputError(f"A read lies outside 0 … {categories - 1}.", "Check the categories.")
    return table.astype(np.intp)


def _counts(table: Codes, categories: int) -> Floats:
    """(n, categories) how many readers gave each category."""
    return np.stack([(table == category).sum(axis=0) for category in range(categories)], axis=1).astype(np.float64)


def _interval(per_unit: _Ratio, table: Codes, groups: Groups | None, seed: int) -> Interval:
    n = int(per_unit.used.sum())
    if not n:
        return not_estimable("no unit was read by enough readers", n=0)
    who = clusters(groups, table.shape[1])
    statistic = per_unit.statistic(who.codes, who.count)
    value = point(statistic, who.count)
    if value is None:
        return not_estimable("all reads are of one category", n=n)
    values = replicates_of([statistic], who, seed=seed)[0]
    return percentile_interval(value, values, who, n=n)


class _Ratio:
    """Sums over units from which agreement follows: ``parts`` (n, k), ``used`` (n,), ``of`` of (k, replicates)."""

    def __init__(self, parts: Floats, used: npt.NDArray[np.bool_], of: Statistic) -> None:
        self.parts, self.used, self.of = parts * used[:, None], used, of

    def statistic(self, codes: Codes, count: int) -> Statistic:
        """The agreement as a function of how often each patient was drawn."""
        sums = np.stack([np.bincount(codes, part, count) for part in self.parts.T])

        def value(drawn: Floats) -> Floats:
            return self.of(sums @ drawn)

        return value


def _all_read(table: Codes, categories: int, *, cohen: bool) -> _Ratio:
    used = np.asarray((table != UNREAD).all(axis=0))
    readers = len(table)
    counts = _counts(table, categories)
    agreed = (counts * (counts - 1)).sum(axis=1) / (readers * (readers - 1))
    margins = [(table[0] == one).astype(np.float64) for one in range(categories)] if cohen else []
    margins += (
        [(table[1] == one).astype(np.float64) for one in range(categories)] if cohen else list(counts.T / readers)
    )

    def of(sums: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = sums[2:] / sums[1]
            expected = (shares[:categories] * shares[categories:]).sum(axis=0) if cohen else (shares**2).sum(axis=0)
            return _beyond(sums[0] / sums[1], expected)

    return _Ratio(np.stack([agreed, np.ones(len(agreed)), *margins], axis=1), used, of)


def _beyond(observed: Floats, expected: Floats) -> Floats:
    return np.where(expected < 1 - 1e-12, (observed - expected) / (1 - expected), np.nan)


def _alpha(table: Codes, categories: int, level: Level) -> _Ratio:
    counts = _counts(table, categories)
    readers = counts.sum(axis=1)
    used = np.asarray(readers >= 2)
    weights = np.where(used, 1 / np.maximum(readers - 1, 1), 0)
    # pairs of values within a unit, each unit weighing as many values as it has
    pairs = (counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(categories)) * weights[:, None, None]

    def of(sums: Floats) -> Floats:
        met = sums.reshape(categories, categories, -1)
        totals = met.sum(axis=1)
        apart = _distance(totals, categories, level)
        n = totals.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            observed = (met * apart).sum(axis=(0, 1))
            expected = (totals[:, None] * totals[None, :] * apart).sum(axis=(0, 1)) / (n - 1)
            return np.where(expected > 0, 1 - observed / expected, np.nan)

    return _Ratio(pairs.reshape(len(pairs), -1), used, of)


def _distance(totals: Floats, categories: int, level: Level) -> Floats:
    """(categories, categories, replicates) squared distances between categories."""
    if level == "ordinal":
        ranks = np.cumsum(totals, axis=0) - totals / 2
        return np.asarray((ranks[:, None] - ranks[None, :]) ** 2)
    steps = np.arange(categories, dtype=np.float64)
    if level == "interval":
        return ((steps[:, None] - steps[None, :]) ** 2)[:, :, None]
    return (1 - np.eye(categories))[:, :, None]
