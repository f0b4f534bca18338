"""Probabilities put right before the test opens: Platt's line for two classes, one temperature for more.

Fitted on the calibration partition (or on validation, and then said so), kept with the run, applied to whatever the
run scores afterwards.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import optimize, special

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.evaluation import Calibrator
from medfm_gui.metrics.arrays import Floats
from medfm_gui.metrics.calibration import log_odds
from medfm_gui.metrics.scored import Scored

_FEWEST_A_CLASS = 10
_TINY = 1e-12


def fit_calibrator(scored: Scored, *, fitted_on: str, unit: str) -> Calibrator | None:
    """The line, or the temperature, of least log loss on these scores.

    Platt's targets are smoothed, (events + 1) / (events + 2) and 1 / (others + 2), so that classes that are parted
    without error still have a line. Source: Platt 1999; Guo et al., ICML 2017.

    Returns:
        None for findings that may occur together, with fewer than ten units of a class, and where the scores do not
        rise with the event, so that a line would turn them round.
    """
    if scored.task is Task.MULTILABEL:
        return None
    pooled = scored.by_unit(unit).without_failed()
    counts = np.bincount(pooled.targets, minlength=len(pooled.classes))
    if not len(pooled) or counts.min() < _FEWEST_A_CLASS:
        return None
    note = "also used for model selection" if fitted_on == "val" else ""
    if scored.task is Task.BINARY:
        slope, intercept = _platt(pooled)
        if not slope > 0:
            return None
        return Calibrator("platt", slope, intercept, fitted_on, unit, len(pooled), note)
    return Calibrator("temperature", _temperature(pooled), 0.0, fitted_on, unit, len(pooled), note)


def calibrated(scored: Scored, calibrator: Calibrator) -> Scored:
    """The same units with calibrated probabilities; a failed unit stays failed."""
    positive = scored.positive_index if calibrator.kind == "platt" else None
    return replace(scored, scores=calibrated_scores(scored.scores, calibrator, positive))


def calibrated_scores(scores: Floats, calibrator: Calibrator, positive: int | None) -> Floats:
    """The same for scores (n, classes) alone; ``positive`` is the index of the event that Platt's line is of.

    Raises:
        UsageError: Platt's line without an event, or of another number of classes than two.
    """
    if calibrator.kind == "temperature":
        logs = np.log(np.clip(scores, _TINY, 1.0)) * calibrator.slope
        return np.asarray(special.softmax(logs, axis=1))
    if positive is None or scores.shape[1] != 2:
        raise UsageError("Platt's line is of two classes, one of them the event.", "Calibrate by one temperature.")
    event = _line(scores[:, positive], calibrator)
    found = np.empty_like(scores)
    found[:, positive], found[:, 1 - positive] = event, 1 - event
    return found


def calibrated_threshold(threshold: float, calibrator: Calibrator) -> float:
    """Where a threshold of the scores lies among calibrated probabilities; one that calls none or all stays so."""
    if not 0 < threshold < 1:
        return threshold
    return float(_line(np.array([threshold]), calibrator)[0])


def _line(event: Floats, calibrator: Calibrator) -> Floats:
    return np.asarray(special.expit(calibrator.slope * log_odds(event) + calibrator.intercept))


def _platt(scored: Scored) -> tuple[float, float]:
    events, odds = scored.events, log_odds(scored.event_scores)
    n_events, n_others = int(events.sum()), int((~events).sum())
    wanted = np.where(events, (n_events + 1) / (n_events + 2), 1 / (n_others + 2))

    def loss(line: Floats) -> tuple[float, Floats]:
        logits = line[0] * odds + line[1]
        wrong = special.expit(logits) - wanted
        value = float(np.logaddexp(0, logits).sum() - (wanted * logits).sum())
        return value, np.array([float((wrong * odds).sum()), float(wrong.sum())])

    found = optimize.minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS")
    return float(found.x[0]), float(found.x[1])


def _temperature(scored: Scored) -> float:
    logs = np.log(np.clip(scored.scores, _TINY, 1.0))
    own = logs[np.arange(len(scored)), scored.targets]

    def loss(power: float) -> float:
        scale = float(np.exp(power))
        return float((special.logsumexp(logs * scale, axis=1) - own * scale).mean())

    return float(np.exp(optimize.minimize_scalar(loss, bounds=(-5.0, 5.0), method="bounded").x))
