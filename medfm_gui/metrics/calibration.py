"""Whether probabilities mean what they say: intercept, slope, a smooth curve with its band, bins.

Source: Van Calster et al., BMC Medicine 2019; 17: 230 (weak and moderate calibration); Harrell, Regression Modeling
Strategies 2015, 2.4.5 (restricted cubic splines). Everything is logistic regression on the log odds of the
probabilities; where a patient has several units, covariances are the clustered sandwich.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from medfm_gui.domain.errors import InputError
from medfm_gui.metrics.arrays import Clusters, Flags, Floats, Groups, checked_events, checked_scores, clusters
from medfm_gui.metrics.bootstrap import percentile_interval, replicates_of, vary
from medfm_gui.metrics.counting import share_statistic
from medfm_gui.metrics.estimate import Interval, not_estimable, quantile
from medfm_gui.metrics.proportions import share_among

EDGE = 1e-6
"""Probabilities nearer to 0 or 1 are moved here: the log odds of a certainty do not exist."""
_KNOTS = (0.05, 0.35, 0.65, 0.95)
_FEW_KNOTS = (0.1, 0.5, 0.9)
_MANY_UNITS = 100
_LARGEST_SLOPE = 100.0
_SEPARATED = "the probabilities part the classes without an error, so no slope fits"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weak calibration of n probabilities of an event.

    ``in_the_large`` is the intercept of a model whose slope is held at 1 (0 is right, above 0: events are more
    frequent than said); ``slope`` is that of a model of its own (1 is right, below 1: too extreme). ``ece`` is the
    mean distance of ten equally filled bins from what they say, never a headline.
    """

    in_the_large: Interval
    slope: Interval
    ece: float | None


@dataclass(frozen=True, slots=True)
class CalibrationCurve:
    """Observed against said: ``said`` (k,), ``observed`` with a pointwise band ``low`` … ``high``.

    ``bins`` are equally filled: mean probability said, share of events with its interval.
    """

    said: tuple[float, ...]
    observed: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    bins: tuple[tuple[float, Interval], ...]
    note: str = ""


def calibration(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    groups: Groups | None = None,
    confidence: float = 0.95,
) -> Calibration:
    """Calibration-in-the-large and slope with intervals (Wald; clustered sandwich where patients repeat), and ECE.

    Args:
        labels: (n,) 0 or 1.
        probabilities: (n,) of the event, 0 … 1.
        groups: (n,) patient of each unit, or None where each unit is a patient.

    Raises:
        InputError: arrays of another shape, other labels, numbers that are no probabilities.
    """
    events, said = checked_events(labels), _checked(probabilities, len(np.atleast_1d(labels)))
    who, n_events = clusters(groups, len(events)), int(events.sum())
    if n_events in (0, len(events)):
        why = "all units are of one class" if len(events) else "there are no units"
        lacking = not_estimable(why, n=len(events), n_events=n_events, confidence=confidence)
        return Calibration(lacking, lacking, _ece(events, said) if len(events) else None)
    odds = log_odds(said)
    ones = np.ones((len(events), 1))
    shift = _fitted(events, ones, who, offset=odds)
    line = _fitted(events, np.column_stack([ones, odds]), who) if np.ptp(odds) > 0 else None
    no_slope = "all probabilities are the same" if np.ptp(odds) == 0 else _SEPARATED
    return Calibration(
        _wald(shift, 0, events, who, confidence, _SEPARATED), _wald(line, 1, events, who, confidence, no_slope),
        _ece(events, said),
    )  # fmt: skip


def calibration_curve(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    groups: Groups | None = None,
    confidence: float = 0.95,
    points: int = 101,
    bins: int = 10,
) -> CalibrationCurve:
    """A smooth curve of observed against said, by a restricted cubic spline of the log odds, and bins beside it.

    The curve runs from the 1st to the 99th percentile of the probabilities: beyond, it would be made up. With few
    units, few distinct probabilities, or classes that are parted without error it has no points, and ``note`` says so.

    Args:
        labels: (n,) 0 or 1.
        probabilities: (n,) of the event.
        groups: (n,) patient of each unit.
        bins: how many; 0 for none.

    Raises:
        InputError: as ``calibration``.
    """
    events, said = checked_events(labels), _checked(probabilities, len(np.atleast_1d(labels)))
    who = clusters(groups, len(events))
    filled = tuple(_bins(events, said, who, bins, confidence)) if bins else ()
    odds = log_odds(said)
    knots = np.unique(np.quantile(odds, _KNOTS if len(events) >= _MANY_UNITS else _FEW_KNOTS)) if len(events) else odds
    if events.all() or not events.any() or len(knots) < 3:
        return CalibrationCurve((), (), (), (), filled, "Too few distinct probabilities, or one class, for a curve.")
    model = _fitted(events, _spline(odds, knots), who)
    if model is None:
        return CalibrationCurve((), (), (), (), filled, f"No curve: {_SEPARATED}.")
    lowest, highest = np.quantile(odds, (0.01, 0.99))
    grid = np.linspace(float(lowest), float(highest), points)
    basis = _spline(grid, knots)
    middle = basis @ model.weights
    half = quantile(confidence) * np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", basis, model.covariance, basis), 0))
    shown, observed, low, high = (
        tuple(map(float, special.expit(values))) for values in (grid, middle, middle - half, middle + half)
    )
    return CalibrationCurve(shown, observed, low, high, filled)


def log_odds(probabilities: Floats) -> Floats:
    """Log odds of probabilities (n,), those of certainties moved to the edge."""
    return np.asarray(special.logit(np.clip(probabilities, EDGE, 1 - EDGE)))


def _checked(probabilities: npt.ArrayLike, n: int) -> Floats:
    said = checked_scores(probabilities, n)
    if said.size and (said.min() < -EDGE or said.max() > 1 + EDGE):
        raise InputError(
            "A number lies outside 0 … 1, so these are no probabilities.", "Calibration is asked of probabilities."
        )
    return said


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Coefficients (k,) and their covariance (k, k)."""

    weights: Floats
    covariance: Floats


def _fitted(events: Flags, basis: Floats, who: Clusters, offset: Floats | None = None) -> _Fit | None:
    """A logistic regression, or None where it runs away because nothing holds it."""
    if np.linalg.matrix_rank(basis) < basis.shape[1] or len(events) <= basis.shape[1]:
        return None
    model = GLM(events.astype(np.float64), basis, family=Binomial(), offset=offset)
    robust = {"cov_type": "cluster", "cov_kwds": {"groups": who.codes}} if who.repeated and who.count > 1 else {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", (PerfectSeparationWarning, RuntimeWarning))
        try:
            found = model.fit(maxiter=100, **robust)
        except (np.linalg.LinAlgError, ValueError):
            return None
        fit = _Fit(np.asarray(found.params), np.asarray(found.cov_params()))
        if robust and not np.isfinite(fit.covariance).all():
            fit = _Fit(fit.weights, _sandwich(events, basis, np.asarray(found.mu), who))
        certain = bool(np.minimum(found.mu, 1 - found.mu).max() < EDGE)
    numbers = np.concatenate([fit.weights, np.diag(fit.covariance)])
    runs_away = not np.isfinite(numbers).all() or bool(np.abs(fit.weights).max() > _LARGEST_SLOPE)
    runs_away |= bool((np.diag(fit.covariance) < 0).any())  # the sandwich of very few patients
    return None if runs_away or certain or not found.converged else fit


def _sandwich(events: Flags, basis: Floats, fitted: Floats, who: Clusters) -> Floats:
    """The clustered covariance where a fitted probability is 0 or 1 in floating point, by which no share is divided.

    With the canonical link the score of a unit is its row times (event - fitted); corrected as statsmodels does.
    """
    n, terms = basis.shape
    bread = np.linalg.pinv((basis * (fitted * (1 - fitted))[:, None]).T @ basis)
    scores = np.zeros((who.count, terms))
    np.add.at(scores, who.codes, basis * (events - fitted)[:, None])
    correction = who.count / (who.count - 1) * (n - 1) / (n - terms)
    return np.asarray(bread @ (scores.T @ scores) @ bread * correction)


def _wald(model: _Fit | None, place: int, events: Flags, who: Clusters, confidence: float, why: str) -> Interval:
    n, n_events = len(events), int(events.sum())
    if model is None:
        return not_estimable(why, n=n, n_events=n_events, confidence=confidence)
    middle = float(model.weights[place])
    half = quantile(confidence) * float(np.sqrt(model.covariance[place, place]))
    method = "logistic-clustered" if who.repeated else "logistic-wald"
    return Interval(middle, middle - half, middle + half, method, n, n_events, confidence)


def _spline(x: Floats, knots: Floats) -> Floats:
    """Constant, x, and the restricted cubic terms of k knots: (n, k). Straight beyond the outer knots."""
    last, before = knots[-1], knots[-2]
    scale = (last - knots[0]) ** 2

    def cubed(at: float) -> Floats:
        return np.asarray(np.maximum(x - at, 0) ** 3)

    terms = [
        (cubed(k) - cubed(before) * (last - k) / (last - before) + cubed(last) * (before - k) / (last - before)) / scale
        for k in knots[:-2]
    ]
    return np.column_stack([np.ones_like(x), x, *terms])


def _edges(said: Floats, bins: int) -> list[npt.NDArray[np.intp]]:
    """Units of each of some equally filled bins in the order of their probabilities; equal ones stay together."""
    order = np.argsort(said, kind="stable")
    cuts = np.linspace(0, len(order), bins + 1).round().astype(int)[1:-1]
    ranked = said[order]
    starts = np.unique([0, *(int(np.searchsorted(ranked, ranked[cut])) for cut in cuts if cut < len(order))])
    return [part for part in np.split(order, starts[1:]) if len(part)]


def _bins(events: Flags, said: Floats, who: Clusters, bins: int, confidence: float) -> list[tuple[float, Interval]]:
    """Mean probability and share of events of each bin; where patients repeat all bins share the same draws."""
    parts = _edges(said, bins)
    means = [float(said[part].mean()) for part in parts]
    among = np.zeros((len(parts), len(events)), np.bool_)
    for row, part in enumerate(parts):
        among[row, part] = True
    if not who.repeated:
        return list(zip(means, (share_among(events, row, who, confidence) for row in among), strict=True))
    drawn = replicates_of([share_statistic(events, who, row) for row in among], who)
    shares = [_share(events, row, values, who, confidence) for row, values in zip(among, drawn, strict=True)]
    return list(zip(means, shares, strict=True))


def _share(events: Flags, among: Flags, values: Floats, who: Clusters, confidence: float) -> Interval:
    if not vary(values):
        return share_among(events, among, who, confidence)
    n, hits = int(among.sum()), int((events & among).sum())
    return percentile_interval(hits / n, values, who, n=n, n_events=hits, confidence=confidence)


def _ece(events: Flags, said: Floats, bins: int = 10) -> float:
    parts = _edges(said, bins)
    gaps = [abs(float(events[part].mean()) - float(said[part].mean())) * len(part) for part in parts]
    return sum(gaps) / len(events)
