"""Two runs compared by a number of each case: the mean paired difference, and the Wilcoxon test with its shift.

Cases in which either run has no finite number are left out and counted in the note.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.arrays import Clusters, Floats, Groups, clusters
from medfm_gui.metrics.bootstrap import REPLICATES, bootstrap_test
from medfm_gui.metrics.counting import share_statistic
from medfm_gui.metrics.estimate import PairedTest, checked_confidence, joined, quantile

SIGNED_RANK = "wilcoxon-hodges-lehmann"
EXACT_UP_TO = 50
"""Pairs up to which the interval comes from the exact distribution of the signed-rank sum."""
MOST = 1e150
"""A larger difference has no finite square, hence no standard error: it counts as none."""
ROUNDING = 1e-12
"""Differences are rounded to this share of the largest value: 0.9 - 0.8 ties with 0.8 - 0.7."""


def paired_shift(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    groups: Groups | None = None,
    confidence: float = 0.95,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> PairedTest:
    """The mean of a minus b over cases: percentile interval of a bootstrap of patients, p of z = difference / its SE.

    Args:
        a, b: (n,) numbers of the same cases in one order, any unit; NaN or infinite where a case has none.
        groups: (n,) the patient of each case; None makes each case its own.

    Raises:
        InputError: not two columns of numbers of one length, or not one patient a case.
        UsageError: a confidence that is no share.
    """
    confidence = checked_confidence(confidence)
    differences, who, note = _paired(a, b, groups)
    n = len(differences)
    if not n:
        return PairedTest(None, None, None, None, None, "not-estimable", 0, confidence, joined("no pair", note))
    shift, none = share_statistic(differences, who), share_statistic(np.zeros(n), who)
    found = bootstrap_test(shift, none, who, n=n, confidence=confidence, replicates=replicates, seed=seed)
    return _with_note(found, note)


def signed_rank_shift(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    groups: Groups | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> PairedTest:
    """Wilcoxon's signed-rank p, never without the Hodges–Lehmann shift of a minus b and its interval.

    The shift is the median of the Walsh averages of the differences (Hodges & Lehmann 1963); its interval lies between
    two of them (Hollander, Wolfe & Chicken 2014, 3.3), exact up to ``EXACT_UP_TO`` pairs, else by the normal
    approximation; ties make it conservative. Pairs without a difference count in the shift and by Pratt's rule
    in p (``scipy.stats.wilcoxon``). The test takes pairs for independent: where a patient has several cases it gives
    way to ``paired_shift``, whose method and note say so.

    Args:
        a, b, groups: as ``paired_shift``. Memory grows with n, not with the n(n + 1) / 2 averages.

    Raises:
        InputError, UsageError: as ``paired_shift``.
    """
    confidence = checked_confidence(confidence)
    differences, who, note = _paired(a, b, groups)
    n = len(differences)
    if who.repeated:
        why = "a patient has several cases: the mean difference by bootstrap of patients in place of Wilcoxon's test"
        return _with_note(paired_shift(a, b, groups=groups, confidence=confidence, seed=seed), why)
    if not n:
        return PairedTest(None, None, None, None, None, "not-estimable", 0, confidence, joined("no pair", note))
    ordered = np.sort(differences)
    whole = n * (n + 1) // 2
    shift = (walsh_average(ordered, (whole + 1) // 2) + walsh_average(ordered, whole // 2 + 1)) / 2
    zeros = int((differences == 0).sum())
    if zeros == n:
        why = joined(note, "no pair differs")
        return PairedTest(shift, None, None, None, None, SIGNED_RANK, n, confidence, why)
    note = joined(note, f"{zeros} of {n} pairs do not differ" if zeros else "")
    p = float(stats.wilcoxon(differences, zero_method="pratt").pvalue)
    rank = _rank(n, confidence)
    if rank < 1:
        note = joined(note, f"{n} pairs are too few for an interval at {100 * confidence:g} %")
        return PairedTest(shift, None, None, None, p, SIGNED_RANK, n, confidence, note)
    low, high = walsh_average(ordered, rank), walsh_average(ordered, whole + 1 - rank)
    return PairedTest(shift, low, high, None, p, SIGNED_RANK, n, confidence, note)


def walsh_average(ordered: Floats, rank: int) -> float:
    """The ``rank``-th smallest (from 1) of the averages of all pairs i ≤ j of ``ordered`` (n,), which must be sorted.

    Bisection between sums that exist; each step counts the sums up to a value in all rows: O(n log n), memory O(n).
    """
    n = len(ordered)
    rows = np.arange(n)
    low, high = 2 * ordered[0], 2 * ordered[-1]
    while low < high:
        middle = low + (high - low) / 2
        middle = middle if middle < high else low
        ends = _row_ends(ordered, middle)
        if int((ends - rows).sum()) >= rank:
            filled = ends > rows
            high = (ordered[filled] + ordered[ends[filled] - 1]).max()
        else:
            open_ = ends < n
            low = (ordered[open_] + ordered[ends[open_]]).min()
    return float(low / 2)


def _row_ends(ordered: Floats, most: float) -> npt.NDArray[np.intp]:
    """For each i the first j ≥ i whose sum with it is above ``most``: a binary search of all rows at once."""
    low, high = np.arange(len(ordered)), np.full(len(ordered), len(ordered))
    while (low < high).any():
        middle = (low + high) // 2
        inside = (low < high) & (ordered + ordered[np.minimum(middle, len(ordered) - 1)] <= most)
        low, high = np.where(inside, middle + 1, low), np.where(inside | (low >= high), high, middle)
    return low


def _rank(n: int, confidence: float) -> int:
    """Which Walsh average from either end bounds the interval; 0 where none is far enough out."""
    tail = (1 - confidence) / 2
    if n > EXACT_UP_TO:
        spread = np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return int(np.floor(n * (n + 1) / 4 - quantile(confidence) * spread))
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1
    for rank in range(1, n + 1):
        ways[rank:] = ways[rank:] + ways[:-rank]
    return int((np.cumsum(ways) / 2.0**n <= tail * (1 + 1e-9)).sum())


def _paired(a: npt.ArrayLike, b: npt.ArrayLike, groups: Groups | None) -> tuple[Floats, Clusters, str]:
    first, second = _column(a), _column(b)
    if len(first) != len(second):
        raise InputError(
            f"There are {len(first)} numbers of one run and {len(second)} of the other.", "Give the same cases twice."
        )
    who = clusters(groups, len(first))
    with np.errstate(invalid="ignore", over="ignore"):
        differences = first - second
    kept = np.abs(differences) <= MOST
    lost = int((~kept).sum())
    note = f"{lost} of {len(kept)} cases lack a finite number in either run and are left out" if lost else ""
    differences = differences[kept]
    if len(differences):
        step = float(max(np.abs(first[kept]).max(), np.abs(second[kept]).max())) * ROUNDING
        differences = np.rint(differences / step) * step if step > np.finfo(np.float64).tiny else differences
    return differences, who.taken(kept) if lost else who, note


def _column(values: npt.ArrayLike) -> Floats:
    try:
        if np.iscomplexobj(values):
            raise TypeError
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            "The numbers of the cases are no column of real numbers.", "Give one number a case."
        ) from error
    if array.ndim != 1:
        raise InputError("The numbers of the cases are not one column.", "Give one number a case.")
    return array


def _with_note(found: PairedTest, note: str) -> PairedTest:
    return PairedTest(
        found.difference, found.low, found.high, found.statistic, found.p_value, found.method, found.n,
        found.confidence, joined(found.note, note),
    )  # fmt: skip
