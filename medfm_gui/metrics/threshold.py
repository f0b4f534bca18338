"""The operating point: a threshold chosen by a named rule before the test is opened, then locked."""

from __future__ import annotations

import numpy as np

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import OperatingPoint
from medfm_gui.domain.recipe import parsed_rule
from medfm_gui.metrics.arrays import Codes, Flags, Floats
from medfm_gui.metrics.estimate import joined
from medfm_gui.metrics.scored import Scored


def fit_operating_point(scored: Scored, rule: str, *, fitted_on: str, unit: str) -> OperatingPoint | None:
    """The threshold that ``rule`` gives on calibration (or validation) scores.

    ``youden`` takes the largest sensitivity + specificity, on ties the higher sensitivity.
    ``sensitivity:0.9`` takes the highest threshold that still reaches it, ``specificity:0.9`` the lowest. ``cost:5``
    takes the least cost where a miss costs five false alarms, on ties the higher sensitivity; the units are counted as
    they are here, so at their share of events (Zweig & Campbell, Clin Chem 1993; 39: 561–577). The threshold
    lies halfway between two neighbouring scores, so that rounding on another machine decides nothing.

    Args:
        fitted_on: ``cal`` or ``val``.
        unit: what the threshold is applied to, ``image`` or ``patient``.

    Returns:
        None unless the task is binary and both classes have a scored unit.

    Raises:
        UsageError: an unknown rule.
    """
    name, target = parsed_rule(rule)
    if scored.task is not Task.BINARY:
        return None
    pooled = scored.by_unit(unit).without_failed()
    events = pooled.events
    if events.all() or not events.any():
        return None
    values, hits, alarms = _ladder(events, pooled.event_scores)
    n_events, n_others = int(events.sum()), int((~events).sum())
    chosen = _choose(name, target, hits, alarms, n_events, n_others)
    notes = (
        "counts a miss and a false alarm alike" if name == "youden" else "",
        f"counts a miss as {target:g} false alarms, at the share of events in these units" if name == "cost" else "",
        "also used for model selection" if fitted_on == "val" else "",
        "reached only by calling no unit positive" if chosen == 0 else "",
        "reached only by calling every unit positive" if hits[chosen] + alarms[chosen] == len(events) else "",
    )
    assert scored.positive is not None  # noqa: S101 -- a binary Scored has one
    return OperatingPoint(_between(values, chosen), rule, fitted_on, unit, scored.positive, joined(*notes))


def decisions(scored: Scored, point: OperatingPoint) -> Flags:
    """(n,) units called positive: a score at or above the threshold. A failed unit is not."""
    return np.asarray(np.nan_to_num(scored.event_scores, nan=-np.inf) >= point.threshold)


def _ladder(events: Flags, scores: Floats) -> tuple[Floats, Codes, Codes]:
    """Distinct scores from high to low, and the events and others at or above each; rung 0 calls nothing positive."""
    values, place = np.unique(-scores, return_inverse=True)
    hits = np.cumsum(np.bincount(place[events], minlength=len(values)))
    alarms = np.cumsum(np.bincount(place[~events], minlength=len(values)))
    return -values, np.concatenate([[0], hits]).astype(np.intp), np.concatenate([[0], alarms]).astype(np.intp)


def _choose(name: str, target: float, hits: Codes, alarms: Codes, n_events: int, n_others: int) -> int:
    slack = 1e-12  # 9 of 10 reaches 0.9, whatever the last digit of the quotient
    if name == "sensitivity":
        return int(np.argmax(hits / n_events >= target - slack))
    if name == "specificity":
        return int(np.flatnonzero(1 - alarms / n_others >= target - slack)[-1])
    if name == "cost":
        cost = target * (n_events - hits) + alarms
        return int(np.flatnonzero(cost <= cost.min() + slack * max(1.0, float(cost.min())))[-1])
    gain = hits * n_others - alarms * n_events  # whole numbers: ties are ties
    return int(np.flatnonzero(gain == gain.max())[-1])


def _between(values: Floats, rung: int) -> float:
    """A threshold that calls positive the ``rung`` highest of the distinct scores."""
    if rung == 0:
        return float(np.nextafter(values[0], np.inf))
    above, below = float(values[rung - 1]), float(values[rung]) if rung < len(values) else 0.0
    middle = (above + below) / 2
    return middle if middle > below else above
