"""Which numbers each task has, headline first: the table “Estimates” as a list of statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.evaluation import OperatingPoint
from medfm_gui.metrics.arrays import Codes, Flags, Floats
from medfm_gui.metrics.bootstrap import Mean, Statistic
from medfm_gui.metrics.counting import Measure, balanced_accuracy, confusion_statistic, kappa, share_statistic
from medfm_gui.metrics.estimate import Interval, joined
from medfm_gui.metrics.intervals import auc_interval
from medfm_gui.metrics.proportions import share_among
from medfm_gui.metrics.ranking import (
    auc_statistic,
    average_precision_statistic,
    one_vs_one,
)
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.threshold import decisions

PREVALENCE = "at the share of events in these data"
ARGMAX: Mapping[str, str] = {"decision": "class of highest score"}


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """One number of a task: a statistic, and the interval that replaces the bootstrap's where there is a better one.

    ``closed`` is that interval: of independent units, and of repeated patients whose replicates do not vary.

    ``among`` (n,) flags the units that the number is made of, ``n_events`` counts those of them with the event;
    ``label`` names its class.
    """

    metric: str
    statistic: Statistic
    among: Flags
    n_events: int | None = None
    closed: Callable[[], Interval] | None = None
    label: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def n(self) -> int:
        """How many units the number is made of."""
        return int(self.among.sum())


def quantities(scored: Scored, point: OperatingPoint | None, seed: int = 0) -> tuple[Quantity, ...]:
    """The numbers of a task on units that all have a score; statistics take multiplicities of ``scored.clusters``."""
    return _TASKS[scored.task](scored, point, seed)


def _binary(scored: Scored, point: OperatingPoint | None, seed: int) -> tuple[Quantity, ...]:
    events, scores, who = scored.events, scored.event_scores, scored.clusters
    n_events, every = int(events.sum()), _every(scored)
    found = [
        _auc(scored, events, every, scores, seed),
        Quantity(
            "average_precision",
            average_precision_statistic(events, scores, who.codes),
            every,
            n_events,
            note=PREVALENCE,
        ),
        Quantity("brier", share_statistic((scores - events) ** 2, who), every, n_events, note=PREVALENCE),
        Quantity(
            "log_loss",
            share_statistic(_surprise(np.where(events, scores, 1 - scores)), who),
            every,
            n_events,
            note=PREVALENCE,
        ),
    ]
    if point is not None:
        found += _at_threshold(scored, point, seed)
    return tuple(found)


def _at_threshold(scored: Scored, point: OperatingPoint, seed: int) -> list[Quantity]:
    events, called, every = scored.events, decisions(scored, point), _every(scored)
    n_events = int(events.sum())
    settings = {"threshold": repr(point.threshold), "rule": point.rule, "fitted_on": point.fitted_on}
    recall = balanced_accuracy(np.ones(2, np.bool_))  # of two classes both are needed
    both = confusion_statistic(events.astype(np.intp), called.astype(np.intp), 2, scored.clusters, recall)
    found = [
        _share("sensitivity", scored, called, events, n_events, seed),
        _share("specificity", scored, ~called, ~events, 0, seed),
        Quantity("balanced_accuracy", both, every, n_events),
        _share("accuracy", scored, called == events, every, n_events, seed),
    ]
    return [replace(item, parameters=settings, note=point.note) for item in found]


def _multiclass(scored: Scored, point: OperatingPoint | None, seed: int) -> tuple[Quantity, ...]:
    del point  # a threshold belongs to two classes
    targets, scores, classes = scored.targets, scored.scores, scored.classes
    every, present, chosen = _every(scored), _present(targets, len(classes)), np.argmax(scores, axis=1)
    areas = [
        _auc(scored, targets == item, every, scores[:, item], seed, label=name) for item, name in enumerate(classes)
    ]
    recalls = [
        _share("sensitivity", scored, chosen == item, targets == item, area.n_events, seed, label=name)
        for item, (name, area) in enumerate(zip(classes, areas, strict=True))
    ]
    pairs = Mean(tuple(one_vs_one(targets, scores, scored.clusters.codes)))
    averaged = {"scores": "probabilities", "averaging": f"macro over {int(present.sum())} of {len(classes)} classes"}
    absent = _absent(present, classes)
    return (
        Quantity("auc_macro_ovr", _mean_of(areas), every, parameters=averaged, note=absent),
        _confused("balanced_accuracy", scored, balanced_accuracy(present), note=absent),
        _confused("kappa", scored, kappa(len(classes), 0)),
        *areas,
        *recalls,
        Quantity("auc_macro_ovo", pairs, every, parameters=averaged, note=absent),
        _share("accuracy", scored, chosen == targets, every, None, seed),
    )


def _ordinal(scored: Scored, point: OperatingPoint | None, seed: int) -> tuple[Quantity, ...]:
    del point
    targets, scores, who, classes = scored.targets, scored.scores, scored.clusters, scored.classes
    every, present, chosen = _every(scored), _present(targets, len(classes)), np.argmax(scores, axis=1)
    above = np.cumsum(scores[:, ::-1], axis=1)[:, ::-1]  # probability of this grade or a higher one
    cuts = [
        _auc(scored, targets >= cut, every, above[:, cut], seed, metric="auc_cut", label=f"{name} or higher")
        for cut, name in enumerate(classes)
        if cut
    ]
    return (
        _confused("kappa_quadratic", scored, kappa(len(classes), 2)),
        _confused("kappa_linear", scored, kappa(len(classes), 1)),
        Quantity("grade_error", share_statistic(np.abs(chosen - targets), who), every, parameters=ARGMAX),
        *cuts,
        _confused("balanced_accuracy", scored, balanced_accuracy(present), note=_absent(present, classes)),
        _share("accuracy", scored, chosen == targets, every, None, seed),
    )


def _multilabel(scored: Scored, point: OperatingPoint | None, seed: int) -> tuple[Quantity, ...]:
    del point
    areas, precisions = [], []
    for item, name in enumerate(scored.classes):
        known, scores = np.asarray(scored.targets[:, item] != UNKNOWN), scored.scores[:, item]
        area = _auc(scored, np.asarray(scored.targets[:, item] == 1), known, scores, seed, label=name)
        areas.append(area)
        if _both_outcomes(area):
            codes = scored.clusters.codes[known]
            precisions.append(average_precision_statistic(scored.targets[known, item] == 1, scores[known], codes))
    missing = [area.label for area in areas if not _both_outcomes(area)]
    averaged = {"averaging": f"mean over {len(precisions)} of {len(scored.classes)} labels"}
    note = f"not estimable, left out of the mean: {', '.join(missing)}" if missing else ""
    assessed = np.asarray((scored.targets != UNKNOWN).any(axis=1))
    return (
        Quantity("auc_mean_labels", _mean_of(areas), assessed, parameters=averaged, note=note),
        *areas,
        Quantity(
            "average_precision_mean_labels",
            Mean(tuple(precisions)),
            assessed,
            parameters=averaged,
            note=joined(note, PREVALENCE),
        ),
    )


def _both_outcomes(area: Quantity) -> bool:
    return area.n_events is not None and 0 < area.n_events < area.n


def _mean_of(areas: Sequence[Quantity]) -> Mean:
    """The mean over the areas that exist, of the very statistics that have rows of their own."""
    return Mean(tuple(area.statistic for area in areas if _both_outcomes(area)))


def _auc(
    scored: Scored, events: Flags, known: Flags, scores: Floats, seed: int, *, metric: str = "auc", label: str = ""
) -> Quantity:
    """The AUC of an event among the units where it is known; all arrays are (n,)."""
    names = scored.patients
    groups = None if names is None else [name for name, kept in zip(names, known, strict=True) if kept]

    def closed() -> Interval:
        return auc_interval(events[known], scores[known], groups=groups, seed=seed)

    statistic = auc_statistic(events[known], scores[known], scored.clusters.codes[known])
    return Quantity(metric, statistic, known, int((events & known).sum()), closed, label)


def _share(
    metric: str, scored: Scored, counted: Flags, among: Flags, n_events: int | None, seed: int, *, label: str = ""
) -> Quantity:
    """The share of counted units among some; decisions are by the highest score unless the caller says otherwise."""
    who = scored.clusters

    def closed() -> Interval:
        return share_among(counted, among, who, seed=seed)

    return Quantity(metric, share_statistic(counted, who, among), among, n_events, closed, label, ARGMAX)


def _confused(metric: str, scored: Scored, measure: Measure, note: str = "") -> Quantity:
    chosen = np.argmax(scored.scores, axis=1)
    statistic = confusion_statistic(scored.targets, chosen, len(scored.classes), scored.clusters, measure)
    return Quantity(metric, statistic, _every(scored), parameters=ARGMAX, note=note)


def _every(scored: Scored) -> Flags:
    return np.ones(len(scored), np.bool_)


def _present(targets: Codes, classes: int) -> Flags:
    return np.asarray(np.bincount(targets, minlength=classes) > 0)


def _absent(present: Flags, classes: tuple[str, ...]) -> str:
    names = [name for name, there in zip(classes, present, strict=True) if not there]
    return f"no unit of {', '.join(names)}: left out of the mean" if names else ""


def _surprise(probability: Floats) -> Floats:
    """-log p, with p kept off zero by the spacing of float64 numbers at 1 so that one unit cannot make it infinite."""
    return np.asarray(-np.log(np.clip(probability, np.finfo(np.float64).eps, 1.0)))


_TASKS: Mapping[Task, Callable[[Scored, OperatingPoint | None, int], tuple[Quantity, ...]]] = {
    Task.BINARY: _binary,
    Task.MULTICLASS: _multiclass,
    Task.ORDINAL: _ordinal,
    Task.MULTILABEL: _multilabel,
}
