"""The interval of an AUC: which method holds for these data is decided here, and named in the result."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy.typing as npt
from scipy import special

from medfm_gui.domain.errors import UsageError
from medfm_gui.metrics.arrays import Clusters, Flags, Floats, Groups, checked_events, checked_scores, clusters
from medfm_gui.metrics.bootstrap import percentile_interval, replicates_of, vary
from medfm_gui.metrics.delong import Placements, patients_by_class, placements
from medfm_gui.metrics.estimate import Interval, checked_confidence, not_estimable, quantile
from medfm_gui.metrics.newcombe import newcombe_auc
from medfm_gui.metrics.obuchowski import clustered_variance
from medfm_gui.metrics.ranking import auc_statistic

AucMethod = Literal["auto", "newcombe", "delong-logit", "delong", "obuchowski", "bootstrap"]
SMALL_CLASS = 60
"""With fewer units in the smaller class the score interval holds its coverage better than DeLong's."""


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    events: Flags
    scores: Floats
    clusters: Clusters
    parts: Placements
    confidence: float
    seed: int

    @property
    def n_events(self) -> int:
        return int(self.events.sum())

    def interval(self, limits: tuple[float, float], method: str, note: str = "") -> Interval:
        return Interval(self.parts.auc, *limits, method, len(self.events), self.n_events, self.confidence, note)


def auc_interval(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    method: AucMethod = "auto",
    groups: Groups | None = None,
    seed: int = 0,
) -> Interval:
    """AUC with an interval.

    ``auto``: where a patient has several units, the percentile bootstrap of patients; else with fewer than 60
    units in the smaller class Newcombe's score interval; else DeLong's variance on the logit scale. A method
    whose variance vanishes (AUC 0 or 1, all scores tied) gives way to Newcombe's, with patients for n where
    they repeat; ``method`` and ``note`` of the result say so.

    Args:
        labels: (n,) 0 or 1.
        scores: (n,) finite, higher for the event.
        confidence: of the two-sided interval, between 0 and 1.
        method: ``auto`` or one of ``newcombe``, ``delong-logit``, ``delong``, ``obuchowski``, ``bootstrap``.
        groups: (n,) patient of each unit, or None where each unit is a patient.
        seed: of the bootstrap.

    Returns:
        ``estimate`` is the Mann–Whitney area, ties counted half; with one class only it and its limits are None.

    Raises:
        InputError: arrays of another shape, labels other than 0 and 1, scores that are not finite.
        UsageError: an unknown method, a confidence that is none.

    Source: Newcombe, Stat Med 2006; 25: 559–573 (method 5); DeLong et al., Biometrics 1988; 44: 837–845, by mid-ranks
    (Sun & Xu 2014); Obuchowski, Biometrics 1997; 53: 567–578.
    """
    confidence = checked_confidence(confidence)
    if method not in get_args(AucMethod):
        raise UsageError(f"There is no method “{method}”.", f"Use one of: {', '.join(get_args(AucMethod))}.")
    events = checked_events(labels)
    values, who = checked_scores(scores, len(events)), clusters(groups, len(events))
    n_events = int(events.sum())
    if n_events in (0, len(events)):
        why = "all units are of one class" if len(events) else "there are no units"
        return not_estimable(why, n=len(events), n_events=n_events, confidence=confidence)
    case = _Case(events, values, who, placements(events, values), confidence, seed)
    chosen = _automatic(case) if method == "auto" else method
    if chosen == "newcombe":
        return _newcombe(case)
    if chosen == "bootstrap":
        return _bootstrap(case)
    variance = case.parts.variance() if chosen != "obuchowski" else clustered_variance(case.parts, events, who)
    if not variance > 0:
        return _newcombe(case, "the variance is zero or cannot be had here")
    error = quantile(confidence) * math.sqrt(variance)
    auc = case.parts.auc
    if chosen == "delong":
        return case.interval((max(0.0, auc - error), min(1.0, auc + error)), chosen)
    centre, half = special.logit(auc), error / (auc * (1 - auc))
    return case.interval((float(special.expit(centre - half)), float(special.expit(centre + half))), chosen)


def _automatic(case: _Case) -> AucMethod:
    if case.clusters.repeated:
        return "bootstrap"
    return "newcombe" if min(case.n_events, len(case.events) - case.n_events) < SMALL_CLASS else "delong-logit"


def _newcombe(case: _Case, note: str = "") -> Interval:
    sizes = patients_by_class(case.events, case.clusters)
    method = "newcombe-patients" if case.clusters.repeated else "newcombe"
    return case.interval(newcombe_auc(case.parts.auc, *sizes, case.confidence), method, note)


def _bootstrap(case: _Case) -> Interval:
    statistic = auc_statistic(case.events, case.scores, case.clusters.codes)
    values = replicates_of((statistic,), case.clusters, seed=case.seed)[0]
    found = percentile_interval(
        case.parts.auc, values, case.clusters, n=len(case.events), n_events=case.n_events, confidence=case.confidence
    )
    return found if vary(values) else _newcombe(case, "the replicates do not vary")
