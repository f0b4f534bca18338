"""Which numbers each task has, headline first: the table “Estimates” as a list of statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.evaluation import OperatingPoint
from medfm_gui.metrics.arrays import Clusters, Codes, Flags, Floats
from medfm_gui.metrics.bootstrap import Statistic
from medfm_gui.metrics.counting import Measure, balanced_accuracy, confusion_statistic, kappa, share_statistic
from medfm_gui.metrics.estimate import Interval
from medfm_gui.metrics.intervals import auc_interval
from medfm_gui.metrics.proportions import share_among
from medfm_gui.metrics.ranking import (
    auc_statistic,
    average_precision_statistic,
    mean_statistic,
    one_vs_one,
    one_vs_rest,
)
from medfm_gui.metrics.scored import Scored
from medfm_gui.metrics.threshold import decisions

PREVALENCE = "at the share of events in these data"
ARGMAX: Mapping[str, str] = {"decision": "class of highest score"}


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """One number of a task: a statistic, and the interval that replaces the bootstrap's where a better one exists.

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
        _auc(scored, events, every, scores, seed=seed),
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
    events, who, called = scored.events, scored.clusters, decisions(scored, point)
    every = _every(scored)
    settings = {"threshold": repr(point.threshold), "rule": point.rule, "fitted_on": point.fitted_on}
    confusion = confusion_statistic(
        events.astype(np.intp), called.astype(np.intp), 2, who, balanced_accuracy(_present(events.astype(np.intp), 2))
    )
    return [
        _share(
            "sensitivity", called, events, who, seed, int(events.sum()), settings, point.note, "no unit has the event"
        ),
        _share("specificity", ~called, ~events, who, seed, 0, settings, point.note, "every unit has the event"),
        Quantity("balanced_accuracy", confusion, every, int(events.sum()), parameters=settings, note=point.note),
        _share("accuracy", called == events, every, who, seed, int(events.sum()), settings, point.note),
    ]


def _multiclass(scored: Scored, point: OperatingPoint | None, seed: int) -> tuple[Quantity, ...]:
    del point  # a threshold belongs to two classes
    targets, scores, who, classes = scored.targets, scored.scores, scored.clusters, scored.classes
    every = _every(scored)
    rest = one_vs_rest(targets, scores, who.codes)
    present = _present(targets, len(classes))
    settings = {"scores": "probabilities", "averaging": f"macro over {len(rest)} of {len(classes)} classes"}
    absent = _absent(present, classes)
    chosen = np.argmax(scores, axis=1)
    return (
        Quantity("auc_macro_ovr", mean_statistic(list(rest.values())), every, parameters=settings, note=absent),
        _confused("balanced_accuracy", scored, balanced_accuracy(present), note=absent),
        _confused("kappa", scored, kappa(len(classes), 0)),
        *(
            _auc(scored, targets == item, every, scores[:, item], label=name, seed=seed)
            for item, name in enumerate(classes)
        ),
        *(
            _share(
                "sensitivity",
                chosen == item,
                targets == item,
                who,
                seed,
                int((targets == item).sum()),
                ARGMAX,
                label=name,
            )
            for item, name in enumerate(classes)
        ),
        Quantity(
            "auc_macro_ovo",
            mean_statistic(one_vs_one(targets, scores, who.codes)),
            every,
            parameters=settings,
            note=absent,
        ),
        _share("accuracy", chosen == targets, every, who, seed, None, ARGMAX),
    )


def _ordinal(scored: Scored, point: OperatingPoint | None, seed: int) -> tuple[Quantity, ...]:
    del point
    targets, scores, who, classes = scored.targets, scored.scores, scored.clusters, scored.classes
    every = _every(scored)
    present = _present(targets, len(classes))
    chosen = np.argmax(scores, axis=1)
    above = np.cumsum(scores[:, ::-1], axis=1)[:, ::-1]  # probability of this grade or a higher one
    return (
        _confused("kappa_quadratic", scored, kappa(len(classes), 2)),
        _confused("kappa_linear", scored, kappa(len(classes), 1)),
        Quantity("grade_error", share_statistic(np.abs(chosen - targets), who), every, parameters=ARGMAX),
        *(
            _auc(scored, targets >= cut, every, above[:, cut], metric="auc_cut", label=f"{name} or higher", seed=seed)
            for cut, name in enumerate(classes)
            if cut
        ),
        _confused("balanced_accuracy", scored, balanced_accuracy(present), note=_absent(present, classes)),
        _share("accuracy", chosen == targets, every, who, seed, None, ARGMAX),
    )


def _multilabel(scored: Scored, point: OperatingPoint | None, seed: int) -> tuple[Quantity, ...]:
    del point
    labels, areas, precisions = [], [], []
    assessed = np.asarray((scored.targets != UNKNOWN).any(axis=1))
    codes = scored.clusters.codes
    missing = []
    for item, name in enumerate(scored.classes):
        known, scores = scored.targets[:, item] != UNKNOWN, scored.scores[:, item]
        events = scored.targets[:, item] == 1
        labels.append(_auc(scored, events, known, scores, label=name, seed=seed))
        if 0 < int(events.sum()) < int(known.sum()):
            areas.append(auc_statistic(events[known], scores[known], codes[known]))
            precisions.append(average_precision_statistic(events[known], scores[known], codes[known]))
        else:
            missing.append(name)
    settings = {"averaging": f"mean over {len(areas)} of {len(scored.classes)} labels"}
    note = f"not estimable, left out of the mean: {', '.join(missing)}" if missing else ""
    return (
        Quantity("auc_mean_labels", mean_statistic(areas), assessed, parameters=settings, note=note),
        *labels,
        Quantity("average_precision_mean_labels", mean_statistic(precisions), assessed, parameters=settings, note=note),
    )


def _auc(
    scored: Scored, events: Flags, known: Flags, scores: Floats, *, metric: str = "auc", label: str = "", seed: int
) -> Quantity:
    """The AUC of an event among the units where it is known; all arrays are (n,)."""
    groups = (
        None if scored.patients is None else [name for name, kept in zip(scored.patients, known, strict=True) if kept]
    )

    def closed() -> Interval:
        return auc_interval(events[known], scores[known], groups=groups, seed=seed)

    statistic = auc_statistic(events[known], scores[known], scored.clusters.codes[known])
    return Quantity(metric, statistic, known, int((events & known).sum()), closed, label)


def _share(
    metric: str,
    counted: Flags,
    among: Flags,
    who: Clusters,
    seed: int,
    n_events: int | None,
    parameters: Mapping[str, str],
    note: str = "",
    absent: str = "no unit is of this class",
    label: str = "",
) -> Quantity:
    def closed() -> Interval:
        return share_among(counted, among, who, seed=seed, absent=absent)

    statistic = share_statistic(counted, who, among)
    return Quantity(metric, statistic, among, n_events, closed, label, parameters, note)


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
