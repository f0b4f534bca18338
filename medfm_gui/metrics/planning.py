"""How precise a test set of a given size will be, before it is collected or opened.

Every answer is multiplied by the design effect 1 + (m − 1)·ICC where a patient gives m units (Kish 1965).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats

from medfm_gui.domain.errors import UsageError
from medfm_gui.metrics.estimate import quantile
from medfm_gui.metrics.newcombe import newcombe_auc
from medfm_gui.metrics.proportions import wilson


@dataclass(frozen=True, slots=True)
class Precision:
    """What ``n`` units with ``n_events`` events promise: the interval around ``expected`` and half its width.

    ``n`` and ``n_events`` are those collected; ``effective`` is what they are worth after the design effect.
    """

    metric: str
    expected: float
    low: float
    high: float
    half_width: float
    n: int
    n_events: int
    design_effect: float
    method: str
    confidence: float = 0.95

    @property
    def effective(self) -> float:
        """Independent units that these are worth."""
        return self.n / self.design_effect


def design_effect(units_a_patient: float, icc: float) -> float:
    """1 + (m − 1)·ICC.

    Raises:
        UsageError: fewer than one unit a patient, or a correlation beyond 0 … 1.
    """
    if units_a_patient < 1 or not 0 <= icc <= 1:
        raise UsageError(
            f"{units_a_patient:g} units a patient with a correlation of {icc:g} cannot be.",
            "Give at least 1 unit a patient and a correlation between 0 and 1.",
        )
    return 1 + (units_a_patient - 1) * icc


def auc_precision(
    expected: float, n: int, n_events: int, *, effect: float = 1.0, confidence: float = 0.95
) -> Precision:
    """Newcombe's score interval at the expected AUC.

    Raises:
        UsageError: an AUC beyond 0.5 … 1, or a class without units.
    """
    _check_counts(n, n_events)
    if not 0.5 <= expected < 1:
        raise UsageError(f"An AUC of {expected:g} cannot be expected.", "Give one from 0.5 to below 1.")
    sizes = max(1, round(n_events / effect)), max(1, round((n - n_events) / effect))
    return _precision("auc", expected, newcombe_auc(expected, *sizes, confidence), n, n_events, effect, "newcombe")


def auc_difference_precision(
    expected_a: float,
    expected_b: float,
    correlation: float,
    n: int,
    n_events: int,
    *,
    effect: float = 1.0,
    confidence: float = 0.95,
) -> Precision:
    """The difference of two AUCs on the same units, by the binormal variance of Obuchowski & McClish.

    Source: Obuchowski & McClish, Stat Med 1997; 16: 1529–1542, equal spread of both classes: V = 0.0099 e^(−A²/2)
    · (5A² + 8 + (A² + 8)/k), A = 1.414 Φ⁻¹(AUC), k = others / events.

    Args:
        correlation: between the two estimated areas, 0 … below 1; 0.5 where nothing is known of two models on the
            same images.

    Raises:
        UsageError: numbers that cannot be.
    """
    _check_counts(n, n_events)
    if not (0.5 <= expected_a < 1 and 0.5 <= expected_b < 1 and 0 <= correlation < 1):
        raise UsageError(
            "These areas or their correlation cannot be.", "Areas from 0.5 to below 1, correlation from 0."
        )
    events, others = n_events / effect, (n - n_events) / effect
    first, second = (_binormal_variance(area, others / events) / events for area in (expected_a, expected_b))
    variance = first + second - 2 * correlation * math.sqrt(first * second)
    difference, half = expected_a - expected_b, quantile(confidence) * math.sqrt(variance)
    limits = difference - half, difference + half
    return _precision("auc difference", difference, limits, n, n_events, effect, "obuchowski-mcclish")


def share_precision(
    metric: str, expected: float, n: int, n_events: int, *, effect: float = 1.0, confidence: float = 0.95
) -> Precision:
    """Wilson's interval of an expected sensitivity (among the events) or specificity (among the others).

    Raises:
        UsageError: another metric, a share beyond 0 … 1, or a class without units.
    """
    _check_counts(n, n_events)
    if metric not in ("sensitivity", "specificity") or not 0 <= expected <= 1:
        raise UsageError(f"{metric} {expected:g} cannot be planned.", "Plan sensitivity or specificity, from 0 to 1.")
    among = (n_events if metric == "sensitivity" else n - n_events) / effect
    return _precision(metric, expected, wilson(expected * among, among, confidence), n, n_events, effect, "wilson")


def dice_precision(
    expected: float, deviation: float, n: int, *, effect: float = 1.0, confidence: float = 0.95
) -> Precision:
    """Student's interval of a mean Dice of n cases with a stated standard deviation.

    Raises:
        UsageError: fewer than two cases, or numbers that cannot be.
    """
    if n / effect < 2 or not 0 <= expected <= 1 or deviation <= 0:
        raise UsageError("A mean Dice needs two cases, 0 … 1, and a deviation above 0.", "Check the three numbers.")
    worth = n / effect
    half = float(stats.t.ppf(0.5 + confidence / 2, worth - 1)) * deviation / math.sqrt(worth)
    limits = max(0.0, expected - half), min(1.0, expected + half)
    return _precision("dice_case_mean", expected, limits, n, n, effect, "student-t")


def calibration_precision(
    prevalence: float, n: int, *, slope_spread: float = 1.0, effect: float = 1.0, confidence: float = 0.95
) -> tuple[Precision, Precision]:
    """Observed/expected ratio and calibration slope of a model that is calibrated, by Riley et al. 2021.

    Source: Riley et al., Stat Med 2021; 40: 4230–4251: SE(ln O/E) = √((1 − φ)/(nφ)); SE(slope) from Fisher's
    information of a logistic model whose linear predictor is normal with standard deviation ``slope_spread``.

    Raises:
        UsageError: numbers that cannot be.
    """
    if not 0 < prevalence < 1 or n < 2 or slope_spread <= 0:
        raise UsageError("Calibration needs a prevalence between 0 and 1 and two units.", "Check the numbers.")
    worth, z = n / effect, quantile(confidence)
    ratio = math.sqrt((1 - prevalence) / (worth * prevalence))
    limits = math.exp(-z * ratio), math.exp(z * ratio)
    n_events = round(n * prevalence)
    whole = _precision("observed / expected", 1.0, limits, n, n_events, effect, "riley-2021")
    half = z * _slope_error(prevalence, slope_spread) / math.sqrt(worth)
    slope = _precision("calibration slope", 1.0, (1 - half, 1 + half), n, n_events, effect, "riley-2021")
    return whole, slope


def _slope_error(prevalence: float, spread: float) -> float:
    """The standard error of a slope of 1 from one unit: information integrated over a normal linear predictor."""
    import numpy as np
    from scipy import optimize, special

    nodes, weights = np.polynomial.hermite_e.hermegauss(201)
    weights = weights / weights.sum()
    centre = optimize.brentq(lambda mu: float(weights @ special.expit(mu + spread * nodes)) - prevalence, -30, 30)
    odds = centre + spread * nodes
    part = weights * special.expit(odds) * special.expit(-odds)
    one, two, three = float(part.sum()), float(part @ odds), float(part @ odds**2)
    return math.sqrt(one / (one * three - two**2))


def _binormal_variance(area: float, ratio: float) -> float:
    """Of an AUC times the number of events; ``ratio`` is others / events."""
    a = math.sqrt(2) * float(stats.norm.ppf(area))
    return 0.0099 * math.exp(-(a**2) / 2) * (5 * a**2 + 8 + (a**2 + 8) / ratio)


def _precision(
    metric: str, expected: float, limits: tuple[float, float], n: int, n_events: int, effect: float, method: str
) -> Precision:
    low, high = limits
    return Precision(metric, expected, low, high, (high - low) / 2, n, n_events, effect, method)


def _check_counts(n: int, n_events: int) -> None:
    if not 0 < n_events < n:
        raise UsageError(f"{n_events} events among {n} units leave a class empty.", "Give both classes some units.")
