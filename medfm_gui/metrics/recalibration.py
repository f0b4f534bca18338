"""Probabilities put right before the test opens: Platt's line for two classes, one temperature for more.

Fitted on the calibration partition (or on validation, and then said so), kept with the run, applied to whatever the
run scores afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import optimize, special

from medfm_gui.domain.dataset import Task
from medfm_gui.metrics.arrays import Floats
from medfm_gui.metrics.calibration import log_odds
from medfm_gui.metrics.scored import Scored

_FEWEST_A_CLASS = 10
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Calibrator:
    """How scores become probabilities.

    ``platt``: expit(slope · logit(p) + intercept). ``temperature``: softmax(log p · slope), ``intercept`` 0.
    ``fitted_on`` is ``cal`` or ``val``; ``n`` counts units, ``note`` says what a reader must know.
    """

    kind: Literal["platt", "temperature"]
    slope: float
    intercept: float
    fitted_on: str
    unit: str
    n: int
    note: str = ""


def fit_calibrator(scored: Scored, *, fitted_on: str, unit: str) -> Calibrator | None:
    """The line, or the temperature, of least log loss on these scores.

    Platt's targets are smoothed, (events + 1) / (events + 2) and 1 / (others + 2), so that classes that are parted
    without error still have a line. Source: Platt 1999; Guo et al., ICML 2017.

    Returns:
        None for findings that may occur together, and with fewer than ten units of a class.
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
        return Calibrator("platt", slope, intercept, fitted_on, unit, len(pooled), note)
    return Calibrator("temperature", _temperature(pooled), 0.0, fitted_on, unit, len(pooled), note)


def calibrated(scored: Scored, calibrator: Calibrator) -> Scored:
    """The same units with calibrated probabilities; a failed unit stays failed."""
    if calibrator.kind == "temperature":
        logs = np.log(np.clip(scored.scores, _TINY, 1.0)) * calibrator.slope
        return replace(scored, scores=special.softmax(logs, axis=1))
    event = special.expit(calibrator.slope * log_odds(scored.event_scores) + calibrator.intercept)
    scores = np.empty_like(scored.scores)
    scores[:, scored.positive_index] = event
    scores[:, 1 - scored.positive_index] = 1 - event
    return replace(scored, scores=scores)


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
