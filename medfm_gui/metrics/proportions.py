"""Shares of units (sensitivity, specificity, accuracy) and their paired differences."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from medfm_gui.metrics.arrays import Clusters, Floats, Groups, checked_events, clusters
from medfm_gui.metrics.bootstrap import bootstrap_test, percentile_interval, replicates_of, vary
from medfm_gui.metrics.counting import share_statistic
from medfm_gui.metrics.estimate import Interval, PairedTest, joined, not_estimable
from medfm_gui.metrics.newcombe import mover


def wilson(hits: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of ``hits`` of ``n`` (n at least 1). Source: Wilson, JASA 1927."""
    low, high = proportion_confint(hits, n, alpha=1 - confidence, method="wilson")
    # At 0 and at n of n the limit is the bound itself; rounding may step a hair across.
    return (0.0 if hits <= 0 else max(0.0, float(low))), (1.0 if hits >= n else min(1.0, float(high)))


def share_interval(
    counted: npt.ArrayLike, *, groups: Groups | None = None, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """The share of flagged units (n,) with Wilson's interval, or the patient bootstrap where a patient repeats."""
    flags = checked_events(counted)
    return share_among(flags, np.ones(len(flags), np.bool_), clusters(groups, len(flags)), confidence, seed)


def share_among(
    counted: npt.NDArray[np.bool_],
    among: npt.NDArray[np.bool_],
    who: Clusters,
    confidence: float = 0.95,
    seed: int = 0,
    absent: str = "there are no units",
) -> Interval:
    """The share of ``counted`` within ``among``, both (n,), of units that belong to the patients ``who``.

    Where patients repeat: percentile bootstrap of all patients; where no replicate can leave the share (0, 1, all
    patients alike) Wilson's interval with the number of patients for n.
    """
    n = int(among.sum())
    if n == 0:
        return not_estimable(absent, n=0, n_events=0, confidence=confidence)
    hits = int((counted & among).sum())
    if not who.repeated:
        return Interval(hits / n, *wilson(hits, n, confidence), "wilson", n, hits, confidence)
    values = replicates_of((share_statistic(counted, who, among),), who, seed=seed)[0]
    if vary(values):
        return percentile_interval(hits / n, values, who, n=n, n_events=hits, confidence=confidence)
    patients = who.taken(among).count
    limits = wilson(patients * hits / n, patients, confidence)
    return Interval(hits / n, *limits, "wilson-patients", n, hits, confidence, "the replicates do not vary")


def mcnemar_mid_p(only_a: int, only_b: int) -> float:
    """Two-sided mid-p of McNemar's test from the numbers of units that only a, and only b, got right.

    Source: Fagerland, Lydersen & Laake, BMC Med Res Methodol 2013; 13: 91. 1 where the two never differ.
    """
    n, fewer = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    exact = 2 * float(stats.binom.cdf(fewer, n, 0.5)) - float(stats.binom.pmf(fewer, n, 0.5))
    return min(1.0, exact)


def mcnemar_exact_p(only_a: int, only_b: int) -> float:
    """Two-sided exact conditional p of McNemar's test, for those who ask for it."""
    n = only_a + only_b
    return float(stats.binomtest(only_a, n, 0.5).pvalue) if n else 1.0


def paired_difference(
    both: float, only_a: float, only_b: float, neither: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of the difference of two shares on the same units, from counts of who got which right.

    Source: Newcombe, Stat Med 1998; 17: 2635–2650, method 10 (square-and-add of Wilson's intervals).
    """
    n = both + only_a + only_b + neither
    right_a, right_b = both + only_a, both + only_b
    product = right_a * (n - right_a) * right_b * (n - right_b)
    cross = both * neither - only_a * only_b
    # The continuity correction of φ that gives the method its coverage.
    shared = max(0.0, cross - n / 2) if cross > 0 else float(cross)
    phi = shared / math.sqrt(product) if product > 0 else 0.0
    return mover(right_a / n, wilson(right_a, n, confidence), right_b / n, wilson(right_b, n, confidence), phi)


def paired_shares(
    a: npt.NDArray[np.bool_],
    b: npt.NDArray[np.bool_],
    among: npt.NDArray[np.bool_],
    who: Clusters,
    confidence: float = 0.95,
    seed: int = 0,
    values: Floats | None = None,
) -> PairedTest:
    """Share of a minus share of b within ``among``, all (n,).

    McNemar mid-p; the patient bootstrap where a patient repeats (``values`` as ``bootstrap_test`` takes them).
    """
    n = int(among.sum())
    if n == 0:
        return PairedTest(None, None, None, None, None, "not-estimable", 0, confidence, "there are no units")
    only_a, only_b = int((a & ~b & among).sum()), int((~a & b & among).sum())
    both, size, note = int((a & b & among).sum()), float(n), ""
    if who.repeated:
        first, second = share_statistic(a, who, among), share_statistic(b, who, among)
        test = bootstrap_test(first, second, who, n=n, confidence=confidence, seed=seed, values=values)
        if test.p_value is not None:
            return test
        # Nobody's draw changes the difference: the patients, not their units, are the evidence.
        size = float(who.taken(among).count)
        note = joined(test.note, "counted with patients for n")
    scale = size / n
    counts = both * scale, only_a * scale, only_b * scale, (n - both - only_a - only_b) * scale
    p = mcnemar_mid_p(round(only_a * scale), round(only_b * scale))
    limits = paired_difference(*counts, confidence)
    return PairedTest((only_a - only_b) / n, *limits, None, p, "mcnemar-mid-p", n, confidence, note)
