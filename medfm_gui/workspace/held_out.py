"""Runs that share everything but the part that was held out: a number a fold or a site, and the mean over them.

Each fold has a model of its own, so their scores are not pooled into one curve; one area of all out-of-fold scores is
told besides, where every fold fixed a calibration. The spread over folds or sites is told as what it is, and not as a
confidence interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.evaluation import Calibrator, Evaluation, OperatingPoint
from medfm_gui.domain.run import FileRef, TrainSpec, run_name
from medfm_gui.domain.split import Partition, Split
from medfm_gui.domain.threshold import RuleOrigin
from medfm_gui.metrics.rules import CODE_VERSION
from medfm_gui.workspace import data, training
from medfm_gui.workspace.evaluating import TEST, calibrator, opened, operating_point, test_predictions
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.scores import read_scores, scored
from medfm_gui.workspace.training import RunView

if TYPE_CHECKING:
    from medfm_gui.metrics.estimate import Interval
    from medfm_gui.metrics.scored import Scored

LEAVE_OUT = "leave out"
"""The key of a split's settings that names the covariate whose values are left out in turn."""
FOLD = "fold"
_ONE_DIVISION = ("seed", "file", "file_sha256")
"""Settings in which two divisions by one rule may differ."""


@dataclass(frozen=True, slots=True)
class FoldFacts:
    """Where a run stands in a cross-validation.

    ``by`` is the covariate that was left out in turn, or ``fold``; ``label`` the site or the fold that was held out.
    ``rule`` is the same of divisions that differ in nothing but their seed. ``n_train`` and ``n_test`` count patients
    where all are known, else images. ``line`` is the calibration that the training fixed.
    """

    run: str
    family: str
    fold: int
    by: str
    label: str
    rule: str
    seed: int
    n_train: int
    n_test: int
    sizes_of: str
    line: Calibrator | None = None
    planned: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class FoldRun:
    """A run, where it stands, its opened headline, its scores by unit, and its threshold."""

    facts: FoldFacts
    spec: TrainSpec
    row: Evaluation
    units: Scored
    point: OperatingPoint | None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Runs of one cross-validation. ``by`` is the covariate that was left out in turn, or ``fold``.

    ``rows`` is the headline of each run on what was held out of it (``label``: the site or the fold); ``mean`` their
    mean with an interval over the patients within them; ``spread`` (standard deviation), ``lowest`` and ``highest`` are
    of the values themselves. ``pooled`` is the area of all out-of-fold scores after the calibration of each fold.
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
    pooled: Evaluation | None = None
    folds: tuple[int, ...] = field(default=())


def held_out(workspace: Workspace, run_ids: Sequence[str]) -> tuple[HeldOut, ...]:
    """The summaries of those of these opened runs that are folds of one cross-validation, two folds or more.

    Raises:
        SealError: the test of a fold is not open.
        InputError: a predictions file is damaged.
    """
    views = [training.view(workspace, run_id) for run_id in dict.fromkeys(run_ids)]
    groups: dict[bytes, list[tuple[RunView, Split]]] = {}
    for view in views:
        if (split := fold_split(workspace, view)) is not None:
            groups.setdefault(_key(view.spec, split.family or ""), []).append((view, split))
    return tuple(
        summed([fold_run(workspace, view, split) for view, split in group])
        for group in groups.values()
        if len({view.spec.fold for view, _ in group}) == len(group) > 1
    )


def fold_split(workspace: Workspace, view: RunView) -> Split | None:
    """The fold that a run was trained on; None where its split is no fold, or it segments."""
    if view.spec.fold is None or not view.spec.dataset_id or view.spec.task is Task.SEGMENTATION:
        return None
    return data.splits_of(workspace, view.spec.split_id)[0]


def fold_run(workspace: Workspace, view: RunView, split: Split) -> FoldRun:
    """A run of a fold with what was kept of its test.

    Raises:
        SealError: its test is not open.
        InputError: its predictions file is damaged.
    """
    row = next(row for row in opened(workspace, view.id).evaluations if not row.label)
    dataset = data.read(workspace, view.spec.dataset_id)
    units = scored(dataset, *read_scores(test_predictions(workspace, view.id))).by_unit(view.spec.recipe.counted)
    facts = fold_facts(view, split, dataset)
    return FoldRun(facts, view.spec, row, units, operating_point(view.folder))


def fold_facts(view: RunView, split: Split, dataset: Dataset) -> FoldFacts:
    """Where a run of a fold stands."""
    by = split.settings.get(LEAVE_OUT, "") or FOLD
    patients = {sample.id: sample.patient for sample in dataset.samples}
    sides = [{patients.get(name) for name in split.samples_in(side)} for side in (Partition.TRAIN, Partition.TEST)]
    knows = all(None not in side for side in sides)
    sizes = [len(side) for side in sides] if knows else [split.sizes["train"], split.sizes["test"]]
    planned = split.settings.get("folds", "")
    rule = {key: value for key, value in split.settings.items() if key not in _ONE_DIVISION}
    return FoldFacts(
        view.id, split.family or "", split.fold or 0, by, _name(dataset, split, by),
        wire.canonical(rule).decode(), split.seed, sizes[0], sizes[1], "patients" if knows else "images",
        calibrator(view.folder) if dataset.task is Task.BINARY else None, int(planned) if planned.isdigit() else 0,
    )  # fmt: skip


def way_key(spec: TrainSpec) -> bytes:
    """The same of runs that differ in nothing but what was held out of them."""
    return wire.canonical(wire.plain(_without_fold(spec)))


def _key(spec: TrainSpec, family: str) -> bytes:
    return wire.canonical([family, wire.plain(_without_fold(spec))])


def _without_fold(spec: TrainSpec) -> TrainSpec:
    return replace(
        spec, run="", created="", code_version="", device="", fold=None, split=FileRef("", ""), split_id="",
        split_fingerprint="", split_certificate="", threshold_from=RuleOrigin.UNKNOWN,
    )  # fmt: skip


def way_name(spec: TrainSpec) -> str:
    """What people read for a way of training, whatever the fold."""
    return run_name(
        spec.card.title, spec.adapt, from_scratch=spec.from_scratch, seed=spec.seed, shots=spec.shots, fold=None
    )


def summed(group: Sequence[FoldRun], name: str = "") -> HeldOut:
    """One cross-validation of a way: each number, their mean, and how far they lie."""
    from medfm_gui.metrics.folds import fold_summary

    group = sorted(group, key=lambda one: one.facts.fold)
    first = group[0]
    by = first.facts.by
    rows = tuple(replace(one.row, label=one.facts.label) for one in group)
    found = fold_summary([(one.units, one.point) for one in group], metric=rows[0].metric)
    what = "sites" if by != FOLD else "folds"
    return HeldOut(
        name=name or way_name(first.spec),
        by=by,
        family=first.facts.family,
        runs=tuple(one.facts.run for one in group),
        rows=rows,
        mean=_mean(rows[0], found.mean, len(rows), what),
        spread=found.spread,
        lowest=found.lowest,
        highest=found.highest,
        note=_sentence(len(rows), by, first.facts.planned),
        pooled=_pooled(group, rows[0], what),
        folds=tuple(one.facts.fold for one in group),
    )


def _pooled(group: Sequence[FoldRun], first: Evaluation, what: str) -> Evaluation | None:
    """One area of all out-of-fold scores, where each fold's own training fixed a calibration."""
    from medfm_gui.metrics.folds import pooled_auc

    lines = [one.facts.line for one in group]
    if first.metric != "auc" or None in lines:
        return None
    found = pooled_auc([one.units for one in group], lines)
    made = _mean(first, found, len(group), what)
    more = {"pooled over": f"{len(group)} {what}, each calibrated by its own", "interval over": "patients within them"}
    return replace(made, parameters=more)


def _name(dataset: Dataset, split: Split, by: str) -> str:
    """The value that was left out, as the test images have it; else the number of the fold."""
    tested = set(split.samples_in(Partition.TEST))
    values = {sample.covariates.get(by, "") for sample in dataset.samples if sample.id in tested}
    return next(iter(values)) if by != FOLD and len(values) == 1 else f"{FOLD} {split.fold}"


def _mean(first: Evaluation, one: Interval, count: int, what: str) -> Evaluation:
    return replace(
        first, run="", value=one.estimate, low=one.low, high=one.high, method=one.method, n=one.n, n_patients=None,
        n_events=one.n_events, sample_set="", subset=TEST, confidence=one.confidence, label="",
        parameters={"mean over": f"{count} {what}", "interval over": "patients within them"}, note=one.note,
        code_version=CODE_VERSION,
    )  # fmt: skip


def _sentence(count: int, by: str, planned: int) -> str:
    if by == FOLD:
        lacking = f" Only {count} of the {planned} folds are here." if planned > count else ""
        return (
            f"The number within each of {count} folds, and their mean; each fold has a model of its own, so scores are "
            f"not pooled as they are. The spread over folds is no confidence interval.{lacking}"
        )
    return (
        f"Each “{by}” was tested by a model that had seen none of it: {count} estimates. Their mean has an interval "
        f"over the patients of these {count}; the spread over them is no confidence interval. Neither speaks of others."
    )
