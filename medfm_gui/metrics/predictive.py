"""What decisions and probabilities are worth at a prevalence: predictive values, and a re-weighted Brier score."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.metrics.arrays import Groups, checked_events, checked_scores, clusters
from medfm_gui.metrics.bootstrap import percentile_interval, replicates_of, vary
from medfm_gui.metrics.counting import share_statistic
from medfm_gui.metrics.estimate import Interval, checked_confidence, not_estimable, quantile

_HALF = 0.5
"""Added to both cells where one of them is empty, for the interval alone."""


def predictive_values(
    labels: npt.ArrayLike,
    decisions: npt.ArrayLike,
    *,
    prevalence: float,
    groups: Groups | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[Interval, Interval]:
    """Positive and negative predictive value by Bayes' rule from sensitivity and specificity of these decisions.

    They hold in a population where ``prevalence`` of the units have the event, whatever the share of events here is.

    Args:
        labels: n flags, true = event.
        decisions: n flags, true = called positive, at a threshold that was fixed beforehand.
        prevalence: between 0 and 1, ends excluded.
        groups: n patients; where one repeats the interval is the percentile bootstrap of patients, else that of the
            logit of the predictive value.

    Raises:
        InputError: lengths differ, or a flag cannot be.
        UsageError: the prevalence is no share.

    Source: Mercaldo, Lau & Zhou, Stat Med 2007; 26: 2170–2183 (standard logit interval; 0.5 in empty cells).
    """
    confidence = checked_confidence(confidence)
    events = checked_events(labels)
    called = checked_events(decisions)
    if len(called) != len(events):
        raise InputError(f"There are {len(called)} decisions for {len(events)} labels.", "Give one decision a label.")
    _check_share(prevalence)
    who = clusters(groups, len(events))
    n, n_events = len(events), int(events.sum())
    if n_events in (0, n):
        why = "both outcomes are needed, and only one is here"
        neither = not_estimable(why, n=n, n_events=n_events, confidence=confidence)
        return neither, neither
    hits, alarms = int((called & events).sum()), int((called & ~events).sum())
    cells = ((hits, n_events, alarms, n - n_events), (n - n_events - alarms, n - n_events, n_events - hits, n_events))
    shares = (prevalence, 1 - prevalence)
    drawn = None
    if who.repeated:
        drawn = replicates_of(
            (share_statistic(called, who, events), share_statistic(called, who, ~events)), who, seed=seed
        )
    found = []
    for place, ((right, of_right, wrong, of_wrong), share) in enumerate(zip(cells, shares, strict=True)):
        if not right + wrong:
            sign = ("positive", "negative")[place]
            found.append(not_estimable(f"no unit was called {sign}", n=n, n_events=n_events, confidence=confidence))
            continue
        value = _worth(right / of_right, wrong / of_wrong, share)
        if drawn is not None:
            pair = drawn if place == 0 else 1 - drawn[::-1]
            values = _worths(pair[0], pair[1], share)
            if vary(values):
                found.append(percentile_interval(value, values, who, n=n, n_events=n_events, confidence=confidence))
                continue
        low, high, note = _logit_limits(right, of_right, wrong, of_wrong, share, confidence)
        found.append(Interval(value, low, high, "logit-predictive", n, n_events, confidence, note))
    return found[0], found[1]


def brier_at(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    prevalence: float,
    groups: Groups | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The Brier score with cases re-weighted to a population where ``prevalence`` of the units have the event.

    Prevalence times the mean squared error of the events, and the rest of that of the others; percentile bootstrap of
    patients (or units).

    Args:
        labels: n flags, true = event.
        probabilities: n probabilities of the event, as they were said.

    Raises:
        InputError: lengths differ, or a value cannot be.
        UsageError: the prevalence is no share.
    """
    confidence = checked_confidence(confidence)
    events = checked_events(labels)
    said = checked_scores(probabilities, len(events))
    _check_share(prevalence)
    n, n_events = len(events), int(events.sum())
    if n_events in (0, n):
        why = "both outcomes are needed, and only one is here"
        return not_estimable(why, n=n, n_events=n_events, confidence=confidence)
    who = clusters(groups, n)
    error = (said - events) ** 2
    parts = (share_statistic(error, who, events), share_statistic(error, who, ~events))
    drawn = replicates_of(parts, who, seed=seed)
    value = prevalence * float(error[events].mean()) + (1 - prevalence) * float(error[~events].mean())
    values = prevalence * drawn[0] + (1 - prevalence) * drawn[1]
    return percentile_interval(value, values, who, n=n, n_events=n_events, confidence=confidence)


def _check_share(prevalence: float) -> None:
    if not 0 < prevalence < 1:
        raise UsageError(f"A prevalence of {prevalence} cannot be.", "Give a share between 0 and 1, such as 0.01.")


def _worth(right: float, wrong: float, share: float) -> float:
    return right * share / (right * share + wrong * (1 - share))


def _worths(right: npt.NDArray[np.float64], wrong: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.float64]:
    above, all_of_them = right * share, right * share + wrong * (1 - share)
    values: npt.NDArray[np.float64] = np.divide(
        above, all_of_them, out=np.full(above.shape, np.nan), where=all_of_them > 0
    )
    return values


def _logit_limits(
    right: int, of_right: int, wrong: int, of_wrong: int, share: float, confidence: float
) -> tuple[float, float, str]:
    """Limits from the variance of log(right share / wrong share), the likelihood ratio."""
    note = ""
    a, m, b, k = float(right), float(of_right), float(wrong), float(of_wrong)
    if a in (0, m) or b in (0, k):
        a, m, b, k = a + _HALF, m + 2 * _HALF, b + _HALF, k + 2 * _HALF
        note = "an empty cell was filled with 0.5 for the interval"
    middle = math.log(share / (1 - share)) + math.log((a / m) / (b / k))
    half = quantile(confidence) * math.sqrt((1 - a / m) / a + (1 - b / k) / b)
    low, high = (1 / (1 + math.exp(-(middle + side * half))) for side in (-1, 1))
    value = _worth(right / of_right, wrong / of_wrong, share)
    return min(low, value), max(high, value), note
