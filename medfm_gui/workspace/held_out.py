"""Runs that share everything but the part that was held out: a number a fold or a site, and the mean over them.

Each fold has a model of its own, so their scores are never pooled into one curve. The spread over folds or sites is
told as what it is, and not as a confidence interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from medfm_gui import __version__
from medfm_gui.base import wire
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.domain.run import FileRef, TrainSpec, run_name
from medfm_gui.domain.split import Partition, Split
from medfm_gui.workspace import data, training
from medfm_gui.workspace.evaluating import TEST, opened, operating_point, test_predictions
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.scores import read_scores, scored
from medfm_gui.workspace.training import RunView

if TYPE_CHECKING:
    from medfm_gui.metrics.estimate import Interval

LEAVE_OUT = "leave out"
"""The key of a split's settings that names the covariate whose values are left out in turn."""
FOLD = "fold"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Runs of one cross-validation. ``by`` is the covariate that was left out in turn, or ``fold``.

    ``rows`` is the headline of each run on what was held out of it (``label``: the site or the fold); ``mean`` their
    mean with an interval over the patients within them; ``spread`` (standard deviation), ``lowest`` and ``highest`` are
    of the values themselves.
    """

    name: str
    by: str
    family: str
    runs: tuple[str, ...]
    rows: tuple[Evaluation, ...]
    mean: Evaluation
    spread: float | None
    lowest: float | None
    highest: float | None
    note: str


def held_out(workspace: Workspace, run_ids: Sequence[str]) -> tuple[HeldOut, ...]:
    """The summaries of those of these opened runs that are folds of one cross-validation, two folds or more.

    Raises:
        SealError: the test of a fold is not open.
        InputError: a predictions file is damaged.
    """
    views = [training.view(workspace, run_id) for run_id in dict.fromkeys(run_ids)]
    groups: dict[bytes, list[tuple[RunView, Split]]] = {}
    for view in views:
        if view.spec.fold is None or not view.spec.dataset_id:
            continue
        split = data.splits_of(workspace, view.spec.split_id)[0]
        key = wire.canonical([split.family, wire.plain(_without_fold(view.spec))])
        groups.setdefault(key, []).append((view, split))
    return tuple(
        _summed(workspace, sorted(group, key=lambda one: one[0].spec.fold or 0))
        for group in groups.values()
        if len({view.spec.fold for view, _ in group}) == len(group) > 1
    )


def _without_fold(spec: TrainSpec) -> TrainSpec:
    return replace(
        spec, run="", created="", code_version="", device="", fold=None, split=FileRef("", ""), split_id="",
        split_fingerprint="", split_certificate="",
    )  # fmt: skip


def _summed(workspace: Workspace, group: Sequence[tuple[RunView, Split]]) -> HeldOut:
    from medfm_gui.metrics.folds import fold_summary

    dataset = data.read(workspace, group[0][0].spec.dataset_id)
    by = group[0][1].settings.get(LEAVE_OUT, "") or FOLD
    rows, folds = [], []
    for view, split in group:
        row = next(row for row in opened(workspace, view.id).evaluations if not row.label)
        rows.append(replace(row, label=_name(dataset, split, by)))
        units = scored(dataset, *read_scores(test_predictions(workspace, view.id))).by_unit(view.spec.recipe.unit)
        folds.append((units, operating_point(view.folder)))
    found = fold_summary(folds, metric=rows[0].metric)
    first = group[0][0].spec
    what = "sites" if by != FOLD else "folds"
    return HeldOut(
        name=run_name(first.card.title, first.adapt, from_scratch=first.from_scratch, seed=first.seed,
                      shots=first.shots, fold=None),
        by=by,
        family=group[0][1].family or "",
        runs=tuple(view.id for view, _ in group),
        rows=tuple(rows),
        mean=_mean(rows[0], found.mean, len(rows), what),
        spread=found.spread,
        lowest=found.lowest,
        highest=found.highest,
        note=_sentence(len(rows), by),
    )  # fmt: skip


def _name(dataset: Dataset, split: Split, by: str) -> str:
    """The value that was left out, as the test images have it; else the number of the fold."""
    tested = set(split.samples_in(Partition.TEST))
    values = {sample.covariates.get(by, "") for sample in dataset.samples if sample.id in tested}
    return next(iter(values)) if by != FOLD and len(values) == 1 else f"{FOLD} {split.fold}"


def _mean(first: Evaluation, one: Interval, count: int, what: str) -> Evaluation:
    return replace(
        first, run="", value=one.estimate, low=one.low, high=one.high, method=one.method, n=one.n, n_patients=None,
        n_events=one.n_events, sample_set="", subset=TEST, confidence=one.confidence,
        parameters={"mean over": f"{count} {what}", "interval over": "patients within them"}, note=one.note,
        code_version=__version__,
    )  # fmt: skip


def _sentence(count: int, by: str) -> str:
    if by == FOLD:
        return (
            f"The number within each of {count} folds, and their mean; each fold has a model of its own, so scores are "
            "not pooled. The spread over folds is no confidence interval."
        )
    return (
        f"Each “{by}” was tested by a model that had seen none of it: {count} estimates. Their mean has an interval "
        f"over the patients of these {count}; the spread over them is no confidence interval. Neither speaks of others."
    )
