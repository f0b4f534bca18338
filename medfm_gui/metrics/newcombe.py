"""Newcombe's intervals: the score interval of an AUC, and square-and-add for a difference."""

from __future__ import annotations

import math

from scipy import optimize

from medfm_gui.metrics.estimate import quantile


def newcombe_auc(auc: float, n_events: int, n_others: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of an AUC, which exists at 0 and 1 too.

    Source: Newcombe, Stat Med 2006; 25: 559–573, method 5: the values θ with
    (AUC - θ)² = z² θ(1 - θ) {1 + N*(1 - θ)/(2 - θ) + N*θ/(1 + θ)} / (n_events · n_others),
    N* = (n_events + n_others)/2 - 1.

    Args:
        auc: the Mann–Whitney estimate, ties counted half, 0 … 1.
        n_events, n_others: units with and without the event, each at least 1.
    """
    spread = quantile(confidence) ** 2 / (n_events * n_others)
    size = (n_events + n_others) / 2 - 1
    # The variance is the same for θ and 1 - θ, so the upper limit is the mirrored lower limit.
    return _lower(auc, spread, size), 1 - _lower(1 - auc, spread, size)


def _lower(auc: float, spread: float, size: float) -> float:
    if auc <= 0:
        return 0.0

    def excess(theta: float) -> float:
        slope = spread * theta * (1 + size * ((1 - theta) / (2 - theta) + theta / (1 + theta)))
        # At AUC 1 both sides hold a factor (1 - θ); divided out, the root is simple and in reach.
        return (1 - theta) - slope if auc >= 1 else (auc - theta) ** 2 - (1 - theta) * slope

    return float(optimize.brentq(excess, 0.0, min(auc, 1.0), xtol=1e-14))


def mover(
    a: float, interval_a: tuple[float, float], b: float, interval_b: tuple[float, float], correlation: float = 0.0
) -> tuple[float, float]:
    """Interval of a - b from two single intervals (method of variance estimates recovery, square-and-add).

    Source: Newcombe, Stat Med 1998; 17: 2635–2650 (method 10 for paired proportions, where ``correlation`` is φ).
    Without the correlation of paired data (0) the interval is too wide rather than too narrow.
    """
    below_a, above_a = a - interval_a[0], interval_a[1] - a
    below_b, above_b = b - interval_b[0], interval_b[1] - b
    low = below_a**2 + above_b**2 - 2 * correlation * below_a * above_b
    high = above_a**2 + below_b**2 - 2 * correlation * above_a * below_b
    return a - b - math.sqrt(max(low, 0.0)), a - b + math.sqrt(max(high, 0.0))
