"""DeLong's variance of AUCs by mid-ranks, and the test of two correlated AUCs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import stats

from medfm_gui.domain.errors import UsageError
from medfm_gui.metrics.arrays import Clusters, Flags, Floats, Groups, checked_events, checked_scores, clusters
from medfm_gui.metrics.bootstrap import bootstrap_test
from medfm_gui.metrics.estimate import PairedTest, checked_confidence, joined, quantile, two_sided_p
from medfm_gui.metrics.newcombe import mover, newcombe_auc
from medfm_gui.metrics.obuchowski import clustered_variance
from medfm_gui.metrics.ranking import auc_statistic

TestMethod = Literal["auto", "delong", "obuchowski", "bootstrap"]


@dataclass(frozen=True, slots=True, eq=False)
class Placements:
    """DeLong's structural components of one AUC.

    ``of_events`` (m,): of each event, the share of other units that it outscores; ``of_others`` (k,): of each
    other unit, the share of events that outscore it; ties counted half. Both have the AUC as their mean.
    """

    of_events: Floats
    of_others: Floats

    @property
    def auc(self) -> float:
        """The Mann–Whitney estimate."""
        return float(self.of_events.mean())

    def minus(self, other: Placements) -> Placements:
        """The components of a difference of AUCs on the same units: every variance here is a quadratic form in them."""
        return Placements(self.of_events - other.of_events, self.of_others - other.of_others)

    def variance(self) -> float:
        """DeLong's variance of the AUC (or the difference); NaN with fewer than two units in a class."""
        if min(len(self.of_events), len(self.of_others)) < 2:
            return float("nan")
        return float(
            self.of_events.var(ddof=1) / len(self.of_events) + self.of_others.var(ddof=1) / len(self.of_others)
        )


def placements(events: Flags, scores: Floats) -> Placements:
    """The structural components in O(n log n) by mid-ranks. Both classes must be there.

    Source: DeLong et al., Biometrics 1988; 44: 837–845; Sun & Xu, IEEE Signal Process Lett 2014; 21: 1389–1393.
    """
    ranks = stats.rankdata(scores)
    own, other = scores[events], scores[~events]
    of_events = (ranks[events] - stats.rankdata(own)) / len(other)
    of_others = 1 - (ranks[~events] - stats.rankdata(other)) / len(own)
    return Placements(of_events, of_others)


def delong_test(
    labels: npt.ArrayLike,
    scores_a: npt.ArrayLike,
    scores_b: npt.ArrayLike,
    *,
    groups: Groups | None = None,
    confidence: float = 0.95,
    method: TestMethod = "auto",
    seed: int = 0,
) -> PairedTest:
    """Compare the AUCs of two scores on the same units.

    Args:
        labels: (n,) 0 or 1.
        scores_a, scores_b: (n,) finite.
        groups: (n,) patient of each unit. Where one has several units, ``auto`` takes the patient bootstrap.
        confidence: of the two-sided interval of the difference, between 0 and 1.
        method: ``auto``, or ``delong``, ``obuchowski`` or ``bootstrap``.
        seed: of the bootstrap.

    Returns:
        Difference a - b, its interval and p. Where the variance is zero or cannot be had (perfect separation,
        one unit in a class) the interval is the square-and-add of both single ones, said in ``method``.

    Raises:
        InputError: arrays of another shape, labels other than 0 and 1, scores that are not finite.
        UsageError: an unknown method, a confidence that is none.

    Source: DeLong et al., Biometrics 1988; 44: 837–845, by mid-ranks (Sun & Xu 2014).
    """
    confidence = checked_confidence(confidence)
    if method not in get_args(TestMethod):
        raise UsageError(f"There is no method “{method}”.", f"Use one of: {', '.join(get_args(TestMethod))}.")
    events = checked_events(labels)
    n = len(events)
    a, b, who = checked_scores(scores_a, n), checked_scores(scores_b, n), clusters(groups, n)
    return paired_areas(events, a, b, who, confidence=confidence, method=method, seed=seed)


def paired_areas(
    events: Flags,
    a: Floats,
    b: Floats,
    who: Clusters,
    *,
    confidence: float = 0.95,
    method: TestMethod = "auto",
    seed: int = 0,
    values: Floats | None = None,
) -> PairedTest:
    """``delong_test`` of arrays that were checked; ``values`` as ``bootstrap_test`` takes them."""
    n = len(events)
    if events.all() or not events.any():
        return PairedTest(None, None, None, None, None, "not-estimable", n, confidence, "all units are of one class")
    chosen = ("bootstrap" if who.repeated else "delong") if method == "auto" else method
    both = placements(events, a), placements(events, b)
    if chosen == "bootstrap":
        first, second = auc_statistic(events, a, who.codes), auc_statistic(events, b, who.codes)
        test = bootstrap_test(first, second, who, n=n, confidence=confidence, seed=seed, values=values)
        return test if test.p_value is not None else _square_and_add(both, events, who, confidence, test.note)
    shift = both[0].minus(both[1])
    variance = shift.variance() if chosen == "delong" else clustered_variance(shift, events, who)
    if not variance > 0:
        return _square_and_add(both, events, who, confidence, "")
    error = float(np.sqrt(variance))
    half, z = quantile(confidence) * error, shift.auc / error
    return PairedTest(shift.auc, shift.auc - half, shift.auc + half, z, two_sided_p(z), chosen, n, confidence)


def _square_and_add(
    both: tuple[Placements, Placements], events: Flags, who: Clusters, confidence: float, note: str
) -> PairedTest:
    """A difference whose own variance vanishes; patients stand for n, for their units are not independent."""
    sizes = patients_by_class(events, who)
    a, b = both[0].auc, both[1].auc
    low, high = mover(a, newcombe_auc(a, *sizes, confidence), b, newcombe_auc(b, *sizes, confidence))
    difference = a - b
    towards_zero = difference - low if difference > 0 else high - difference
    z = difference / (towards_zero / quantile(confidence))
    why = "the paired variance is zero or cannot be had: the interval ignores the pairing and is wide"
    return PairedTest(difference, low, high, z, two_sided_p(z), "mover", len(events), confidence, joined(note, why))


def patients_by_class(events: Flags, who: Clusters) -> tuple[int, int]:
    """How many patients have a unit with the event, and how many one without (some may have both)."""
    return len(np.unique(who.codes[events])), len(np.unique(who.codes[~events]))
