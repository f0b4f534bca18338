"""Whether acting on the probabilities does more good than harm: net benefit over thresholds, against all and none.

Source: Vickers & Elkin, Med Decis Making 2006; 26: 565–574.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.metrics.arrays import Floats, Groups, checked_events, checked_scores, clusters
from medfm_gui.metrics.bootstrap import draws


@dataclass(frozen=True, slots=True)
class DecisionCurve:
    """Net benefit a unit at each of k threshold probabilities, with a pointwise bootstrap band.

    ``treat_all`` is that of calling every unit positive; that of calling none is 0. ``prevalence`` is the share of
    events that was assumed, None where it is that of these data.
    """

    thresholds: tuple[float, ...]
    benefit: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    treat_all: tuple[float, ...]
    n: int
    n_events: int
    prevalence: float | None = None
    confidence: float = 0.95


def decision_curve(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    low: float,
    high: float,
    points: int = 51,
    prevalence: float | None = None,
    groups: Groups | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> DecisionCurve:
    """Net benefit = π·sensitivity − (1 − π)·(1 − specificity)·t / (1 − t), between two thresholds that a person names.

    Args:
        labels: (n,) 0 or 1.
        probabilities: (n,) of the event; a unit at or above a threshold is called positive.
        low, high: the range of thresholds, 0 < low < high < 1.
        prevalence: π of the population it is meant for; None takes the share of events here.
        groups: (n,) patient of each unit, drawn together.

    Raises:
        UsageError: a range or a prevalence that cannot be.
        InputError: as ``arrays.checked_scores``; a class is absent.
    """
    if not 0 < low < high < 1:
        raise UsageError(
            f"The thresholds {low:g} to {high:g} are no range within 0 … 1.", "Name two, such as 0.05 0.4."
        )
    if prevalence is not None and not 0 < prevalence < 1:
        raise UsageError(f"A prevalence of {prevalence:g} cannot be.", "Give a share between 0 and 1.")
    events = checked_events(labels)
    scores, who = checked_scores(probabilities, len(events)), clusters(groups, len(events))
    n_events = int(events.sum())
    if n_events in (0, len(events)):
        raise InputError("All units are of one class, so nothing can be weighed.", "Use units with and without event.")
    at = np.linspace(low, high, points)
    called = (scores[:, None] >= at[None, :]).astype(np.float64)
    counts = _Counts(
        _sums(called * events[:, None], who.codes, who.count),
        _sums(called * ~events[:, None], who.codes, who.count),
        np.bincount(who.codes, weights=events, minlength=who.count).astype(np.float64),
        np.bincount(who.codes, weights=~events, minlength=who.count).astype(np.float64),
        at / (1 - at),
        prevalence,
    )
    benefit = counts.benefit(np.ones((who.count, 1)))[:, 0]
    drawn = np.concatenate([counts.benefit(part) for part in draws(who, seed=seed)], axis=1)
    band = np.nanquantile(drawn, (0.5 - confidence / 2, 0.5 + confidence / 2), axis=1)
    share = n_events / len(events) if prevalence is None else prevalence
    everybody = share - (1 - share) * at / (1 - at)
    shown, found, below, above, treated = (tuple(map(float, row)) for row in (at, benefit, *band, everybody))
    return DecisionCurve(shown, found, below, above, treated, len(events), n_events, prevalence, confidence)


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """Hits and alarms of each of k thresholds in each cluster (k, clusters), and units of both classes (clusters,)."""

    hits: Floats
    alarms: Floats
    events: Floats
    others: Floats
    odds: Floats
    prevalence: float | None

    def benefit(self, drawn: Floats) -> Floats:
        """Net benefit (k, replicates); NaN where a class was not drawn.

        These are whole numbers, so their matrix products are exact in whatever order they are summed.
        """
        sick, well = self.events @ drawn, self.others @ drawn
        share = sick / (sick + well) if self.prevalence is None else np.full(drawn.shape[1], self.prevalence)
        with np.errstate(divide="ignore", invalid="ignore"):
            good = share * (self.hits @ drawn) / sick
            harm = (1 - share) * self.odds[:, None] * (self.alarms @ drawn) / well
        return np.asarray(np.where((sick > 0) & (well > 0), good - harm, np.nan))


def _sums(values: Floats, codes: npt.NDArray[np.intp], count: int) -> Floats:
    """Sums (thresholds, clusters) of values (n, thresholds)."""
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, codes, values)
    return np.ascontiguousarray(sums.T)
