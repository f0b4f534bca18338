"""Numbers of a run in parts of its test units, by a covariate: with an interval from enough of both classes on.

No p value stands beside a subgroup: with many of them one would always be small. ``interaction`` has the one test of a
covariate that a protocol declared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.evaluation import OperatingPoint
from medfm_gui.metrics.estimate import Interval, not_estimable
from medfm_gui.metrics.intervals import auc_interval
from medfm_gui.metrics.proportions import share_among
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.threshold import decisions

FEWEST = 20
"""Events and others that a subgroup needs before anything but its size is told."""
MISSING = "not recorded"
_TOO_FEW = f"fewer than {FEWEST} units of a class: no estimate"


@dataclass(frozen=True, slots=True)
class Subgroup:
    """Units with one value of a covariate. The three numbers are not estimable below ``FEWEST`` of a class.

    ``sensitivity`` and ``specificity`` are at the threshold of all, None where the run has none.
    """

    value: str
    n: int
    n_events: int
    n_patients: int | None
    auc: Interval
    sensitivity: Interval | None = None
    specificity: Interval | None = None


def subgroups(
    scored: Scored, values: Sequence[str], point: OperatingPoint | None = None, seed: int = 0
) -> tuple[Subgroup, ...]:
    """One row a value, the most frequent first, units without a value last under ``MISSING``.

    Args:
        values: (n,) of the covariate in the order of the units; empty where it was not recorded.

    Raises:
        UsageError: the task is not binary.
        InputError: not one value a unit.
    """
    if scored.task is not Task.BINARY:
        raise UsageError("Subgroups are told of a task with two classes.", "Look at the numbers per class instead.")
    if len(values) != len(scored):
        raise InputError(f"There are {len(values)} values for {len(scored)} units.", "Give one value a unit.")
    names = np.array([value or MISSING for value in values], dtype=object)
    counted = Counter(names.tolist())
    order = sorted(counted, key=lambda name: (name == MISSING, -counted[name], name))
    return tuple(_subgroup(scored.taken(np.asarray(names == name)), str(name), point, seed) for name in order)


def _subgroup(part: Scored, value: str, point: OperatingPoint | None, seed: int) -> Subgroup:
    good = part.without_failed()
    events = good.events
    n_events = int(events.sum())
    if min(n_events, len(good) - n_events) < FEWEST:
        few = not_estimable(_TOO_FEW, n=len(good), n_events=n_events)
        none = few if point is not None else None
        return Subgroup(value, len(part), n_events, part.n_patients, few, none, none)
    area = auc_interval(events, good.event_scores, groups=good.patients, seed=seed)
    if point is None:
        return Subgroup(value, len(part), n_events, part.n_patients, area)
    called, who = decisions(good, point), good.clusters
    return Subgroup(
        value,
        len(part),
        n_events,
        part.n_patients,
        area,
        share_among(called, events, who, seed=seed),
        share_among(~called, ~events, who, seed=seed),
    )
