"""Every number of one run on one subset, each with interval, method and counts; and the cheap ones of an epoch.

``evaluate`` reads as the order of things: pool to the unit, leave failed units out (and say so), ask
``quantities`` what this task has, draw patients once for all that need a bootstrap, write one row a number.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.evaluation import Evaluation, OperatingPoint
from medfm_gui.metrics import bootstrap, names
from medfm_gui.metrics.arrays import Clusters, Floats
from medfm_gui.metrics.bootstrap import percentile_interval, replicates_of, vary
from medfm_gui.metrics.estimate import Interval, joined
from medfm_gui.metrics.names import headline
from medfm_gui.metrics.quantities import Quantity, quantities
from medfm_gui.metrics.scored import Scored

__all__ = ["evaluate", "headline", "selection_score", "validation_metrics"]

AS_ERRORS: Mapping[str, str] = {"failures": "as errors"}


def evaluate(
    scored: Scored,
    *,
    run: str,
    subset: str,
    unit: str,
    point: OperatingPoint | None,
    sample_set: str,
    code_version: str,
    seed: int = 0,
) -> tuple[Evaluation, ...]:
    """All numbers of a run on one subset, the task's headline first.

    Where the run could not score some units, the rows on the scored units come first and the same rows with
    every failure as an error follow (``parameters["failures"] = "as errors"``).

    Args:
        unit: ``image`` or ``patient``; see ``Scored.by_unit``.
        point: the locked threshold; None leaves out what needs one.
        sample_set: SHA-256 over the pixel hashes of the samples.

    Raises:
        InputError, UsageError: the scores cannot be pooled to this unit, or no unit has a score.
    """
    pooled = scored.by_unit(unit)
    failed = len(pooled.failed)
    if failed == len(pooled):
        raise InputError(f"The run {run} has no score for any unit of {subset}.", "Let it predict again.")
    rows: list[Evaluation] = []
    for data, extra, note in _versions(pooled, failed):
        for quantity, interval in _measured(data, point, seed):
            rows.append(
                Evaluation(
                    run=run,
                    subset=subset,
                    metric=quantity.metric,
                    value=interval.estimate,
                    low=interval.low,
                    high=interval.high,
                    method=interval.method,
                    unit=unit,
                    n=quantity.n,
                    n_patients=None if data.patients is None else data.clusters.taken(quantity.among).count,
                    n_events=quantity.n_events,
                    sample_set=sample_set,
                    confidence=interval.confidence,
                    label=quantity.label,
                    parameters={**quantity.parameters, **extra},
                    note=joined(interval.note, quantity.note, data.note, note),
                    code_version=code_version,
                )
            )
    return tuple(rows)


def validation_metrics(
    task: Task,
    targets: npt.ArrayLike,
    scores: npt.ArrayLike,
    positive_index: int | None,
    *,
    point: OperatingPoint | None = None,
) -> dict[str, float]:
    """Point estimates under stored ids, for the curve of a training; what is not estimable is left out.

    Accuracies of a binary task stand at ``point``, without one at the class of highest score.

    Args:
        targets: (n,) class indices, or (n, c) of 0, 1, -1 for several labels.
        scores: (n, c) probabilities; a unit whose scores are not finite is left out.
        positive_index: of a binary task.
    """
    values = np.asarray(scores, dtype=np.float64)
    classes = tuple(str(item) for item in range(values.shape[1]))
    positive = classes[positive_index] if task is Task.BINARY and positive_index is not None else None
    units = tuple(str(place) for place in range(len(values)))
    scored = Scored(units, np.asarray(targets, dtype=np.intp), values, None, task, classes, positive).without_failed()
    if not len(scored):
        return {}
    if task is Task.BINARY and point is None:
        middle = OperatingPoint(0.5, "highest score", "none", "image", classes[scored.positive_index])
        left_out: tuple[str, ...] = ("sensitivity", "specificity")
        chosen = quantities(scored, middle)
    else:
        left_out, chosen = (), quantities(scored, point)
    found = {
        item.metric: bootstrap.point(item.statistic, len(scored))
        for item in chosen
        if not item.label and item.metric not in left_out
    }
    return {metric: value for metric, value in found.items() if value is not None}


def selection_score(metrics: Mapping[str, float | None], task: Task) -> float:
    """What the best epoch has most of: the task's headline; without it less than any headline, by proper score."""
    value = metrics.get(names.headline(task))
    if value is not None and np.isfinite(value):
        return float(value)
    for metric in ("log_loss", "brier", "val_loss"):
        loss = metrics.get(metric)
        if loss is not None and np.isfinite(loss):
            return -1.0 - float(loss)
    return float("-inf")


def _versions(pooled: Scored, failed: int) -> list[tuple[Scored, Mapping[str, str], str]]:
    """The scored units; and, where some failed, all units with failures as errors."""
    if not failed:
        return [(pooled, {}, "")]
    said = f"{failed} of {len(pooled)} units could not be scored and "
    return [
        (pooled.without_failed(), {}, said + "are left out"),
        (pooled.failures_as_errors(), AS_ERRORS, said + "count as wrong"),
    ]


def _measured(scored: Scored, point: OperatingPoint | None, seed: int) -> list[tuple[Quantity, Interval]]:
    """Each number of the task with its interval; one set of drawn patients serves all bootstrap intervals."""
    found = quantities(scored, point, seed)
    who = scored.clusters
    drawn = [item for item in found if who.repeated or item.closed is None]
    values = replicates_of([item.statistic for item in drawn], who, seed=seed)
    replicates = {id(item): row for item, row in zip(drawn, values, strict=True)}
    return [(item, _interval(item, replicates.get(id(item)), who)) for item in found]


def _interval(item: Quantity, values: Floats | None, who: Clusters) -> Interval:
    if item.closed and (values is None or not vary(values)):
        return item.closed()
    estimate = bootstrap.point(item.statistic, who.count)
    return percentile_interval(
        estimate, np.empty(0) if values is None else values, who, n=item.n, n_events=item.n_events
    )
