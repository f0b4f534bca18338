"""The folds of a cross-validation, or sites left out in turn: the number within each, their mean, and how far they lie.

The number is computed within each fold and averaged; scores of several folds come of several models and are never
pooled. The interval of the mean draws patients within folds and holds the models; the spread over folds is no interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import OperatingPoint
from medfm_gui.metrics import bootstrap
from medfm_gui.metrics.bootstrap import REPLICATES, percentile_interval, replicates_of
from medfm_gui.metrics.estimate import Interval, joined, not_estimable
from medfm_gui.metrics.names import headline
from medfm_gui.metrics.quantities import quantities
from medfm_gui.metrics.scored import Scored

METHOD = "bootstrap-within-folds"


@dataclass(frozen=True, slots=True)
class FoldSummary:
    """A metric within folds: ``values`` in their order, their mean with an interval over patients, and the spread.

    ``spread`` is the standard deviation of the values over folds, ``lowest`` and ``highest`` their range; None where a
    fold has no value.
    """

    metric: str
    values: tuple[float | None, ...]
    mean: Interval
    spread: float | None
    lowest: float | None
    highest: float | None


def fold_summary(
    folds: Sequence[tuple[Scored, OperatingPoint | None]],
    *,
    metric: str = "",
    confidence: float = 0.95,
    seed: int = 0,
) -> FoldSummary:
    """The mean over folds of a metric, the task's headline where none is named; failed units are left out.

    Raises:
        InputError: no fold, or the task has no such metric.
    """
    if not folds:
        raise InputError("There is no fold to sum up.", "Choose the runs of a cross-validation.")
    metric = metric or headline(folds[0][0].task)
    values: list[float | None] = []
    drawn = []
    n = events = lost = 0
    for place, (scored, point) in enumerate(folds):
        good = scored.without_failed()
        lost += len(scored) - len(good)
        n += len(good)
        events += int(good.events.sum()) if good.positive is not None else 0
        found = [item for item in quantities(good, point) if item.metric == metric and not item.label]
        if not found:
            raise InputError(f"This task has no {metric}.", "Choose the headline number.")
        values.append(bootstrap.point(found[0].statistic, good.clusters.count))
        drawn.append(replicates_of([found[0].statistic], good.clusters, replicates=REPLICATES, seed=seed + place)[0])
    n_events = events if folds[0][0].positive is not None else None
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        why = f"{len(values) - len(known)} of {len(values)} folds lack a class that this number needs"
        lacking = not_estimable(why, n=n, n_events=n_events, confidence=confidence)
        return FoldSummary(metric, tuple(values), lacking, None, None, None)
    whole = percentile_interval(
        float(np.mean(known)), np.mean(drawn, axis=0), folds[0][0].clusters, n=n, n_events=n_events,
        confidence=confidence,
    )  # fmt: skip
    note = joined(whole.note, f"{lost} units that were not scored are left out" if lost else "")
    mean = Interval(whole.estimate, whole.low, whole.high, METHOD, n, n_events, confidence, note)
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return FoldSummary(metric, tuple(values), mean, spread, min(known), max(known))
