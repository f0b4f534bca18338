"""Statistics that are made of sums: shares, mean errors, and whatever comes from a confusion matrix.

Sums are taken by ``einsum`` and ``reduceat``, not by a matrix product: the threads of BLAS would fight over the cores
with a training, and the last digits would depend on their number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from medfm_gui.metrics.arrays import Clusters, Codes, Floats
from medfm_gui.metrics.bootstrap import Statistic

Measure = Callable[[Floats], Floats]
"""(replicates, classes, classes) weighted counts, rows the reference, columns the decision → (replicates,)."""


def share_statistic(counted: npt.ArrayLike, clusters: Clusters, among: npt.ArrayLike | None = None) -> Statistic:
    """The mean of ``counted`` (n,) over the units flagged by ``among`` (n,), or over all."""
    values = np.asarray(counted, dtype=np.float64)
    of = np.ones(len(values)) if among is None else np.asarray(among, dtype=np.float64)
    sums = np.stack([_summed(values * of, clusters), _summed(of, clusters)])

    def statistic(drawn: Floats) -> Floats:
        above, below = np.einsum("kg,gr->kr", sums, drawn)
        share: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
        return share

    return statistic


def confusion_statistic(
    targets: Codes, decisions: Codes, classes: int, clusters: Clusters, measure: Measure
) -> Statistic:
    """A measure of the confusion matrix of class numbers, both (n,)."""
    cells = targets * classes + decisions
    order = np.argsort(cells, kind="stable")
    filled, starts = np.unique(cells[order], return_index=True)
    codes = clusters.codes[order]

    def statistic(drawn: Floats) -> Floats:
        counts = np.zeros((drawn.shape[1], classes * classes))
        counts[:, filled] = np.add.reduceat(drawn[codes], starts, axis=0).T
        return measure(counts.reshape(-1, classes, classes))

    return statistic


def balanced_accuracy(present: npt.NDArray[np.bool_]) -> Measure:
    """The mean recall over the classes that are present in the data (c,): the same in every replicate."""

    def measure(confusion: Floats) -> Floats:
        rows = confusion.sum(axis=2)[:, present]
        hits = np.diagonal(confusion, axis1=1, axis2=2)[:, present]
        recall = np.divide(hits, rows, out=np.full(rows.shape, np.nan), where=rows > 0)
        return np.asarray(recall.mean(axis=1), dtype=np.float64)

    return measure


def kappa(classes: int, power: int) -> Measure:
    """Cohen's kappa with disagreement |i - j|^power: 0 unweighted, 1 linear, 2 quadratic.

    It does not exist where chance would agree always (one class in both). Source: Cohen, Psychol Bull 1968.
    """
    steps = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes))).astype(np.float64)
    cost = (steps > 0).astype(np.float64) if power == 0 else steps**power

    def measure(confusion: Floats) -> Floats:
        total = confusion.sum(axis=(1, 2))
        chance = np.einsum("ri,rj,ij->r", confusion.sum(axis=2), confusion.sum(axis=1), cost)
        seen = np.einsum("rij,ij->r", confusion, cost) * total
        ratio: Floats = np.divide(seen, chance, out=np.full(seen.shape, np.nan), where=chance > 0)
        return 1 - ratio

    return measure


def confusion_matrix(targets: Codes, decisions: Codes, classes: int) -> npt.NDArray[np.int64]:
    """Counts (classes, classes): rows the reference, columns the decision."""
    counts = np.bincount(targets * classes + decisions, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def _summed(values: Floats, clusters: Clusters) -> Floats:
    return np.bincount(clusters.codes, weights=values, minlength=clusters.count).astype(np.float64)
