"""Ways of training over the folds of one cross-validation, or of its repeats: summed up each, and compared in pairs.

Two ways over the same folds: the mean paired difference with a bootstrap of patients within folds. Over several
divisions of the same patients these are not independent: there Nadeau and Bengio's corrected test takes its place.
Several pairs have intervals that hold together: by max-t on the same draws of patients where all are over one division,
else by Bonferroni.
Folds are told with their own models; nothing is pooled as it is, and DeLong is not asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from medfm_gui.base import wire
from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.chart import ChartSpec, Series
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.run import Phase
from medfm_gui.metrics.names import metric_title
from medfm_gui.workspace import training
from medfm_gui.workspace.comparing import OnProgress
from medfm_gui.workspace.evaluating import evaluation_path
from medfm_gui.workspace.fold_pairs import FoldPair, both, compared, pairs_sentence
from medfm_gui.workspace.held_out import (
    FOLD,
    FoldRun,
    HeldOut,
    fold_run,
    fold_split,
    summed,
    way_key,
    way_name,
)
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.training import RunView

NO_FOLDS = "No two of these runs are folds of one cross-validation."


@dataclass(frozen=True, slots=True)
class Repeated:
    """A way over several divisions: ``mean`` of all folds of all of them (it has no interval), and their spread."""

    name: str
    families: tuple[str, ...]
    mean: Evaluation
    spread: float | None
    lowest: float | None
    highest: float | None


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """``evaluations/folds-<hash>.json``: ways over folds; ``pairs`` compare each with that of the first run.

    ``left_out`` are runs whose way has no second fold here; ``charts`` has one of the folds and their means.
    """

    runs: tuple[str, ...]
    metric: str
    ways: tuple[HeldOut, ...]
    repeats: tuple[Repeated, ...]
    pairs: tuple[FoldPair, ...]
    sentence: str
    charts: tuple[ChartSpec, ...]
    left_out: tuple[str, ...] = ()

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """The pairs without their folds."""
        return tuple(pair.comparison for pair in self.pairs)

    def runs_of(self, name: str) -> tuple[str, ...]:
        """The runs of a way as pairs name it, of all its divisions."""
        found = (way for way in self.ways if way.name == name or way.name.startswith(f"{name}, division seed "))
        return tuple(run for way in found for run in way.runs)


def are_folds(views: Sequence[RunView]) -> bool:
    """Whether runs are of several folds of one dataset, so that they have no common test."""
    specs = [view.spec for view in views]
    questions = {(spec.dataset_fingerprint, spec.task, spec.classes) for spec in specs}
    return len({spec.split_id for spec in specs}) > 1 == len(questions) and all(spec.fold is not None for spec in specs)


def cross_validation(
    workspace: Workspace,
    run_ids: Sequence[str],
    *,
    on_progress: OnProgress | None = None,
    keep: bool = True,
    is_told: bool = True,
) -> CrossValidation:
    """Sum up and compare runs over the folds of a cross-validation; kept unless ``keep`` is off.

    ``is_told``: the journal notes it; a look in passing is not told.

    Raises:
        SealError: the test of a run was not opened.
        InputError: no two runs are folds of one cross-validation, or a predictions file is damaged.
    """
    found = crossed(read_folds(workspace, run_ids, on_progress))
    if keep:
        keep_folds(workspace, found, is_told=is_told)
    return found


def keep_folds(workspace: Workspace, found: CrossValidation, *, is_told: bool = True) -> None:
    """Write a cross-validation into the workspace and its numbers into the database; the journal notes a new one."""
    from medfm_gui.workspace.fold_store import index_folds

    name = hashlib.sha256("\n".join(found.runs).encode()).hexdigest()[:16]
    path = workspace.root / "evaluations" / f"folds-{name}.json"
    before = sha256_file(path) if path.exists() else ""
    if wire.write(path, found) != before and is_told:
        note(workspace, "runs compared", " ".join(found.runs))
    index_folds(workspace, found)


def read_folds(
    workspace: Workspace, run_ids: Sequence[str], on_progress: OnProgress | None = None
) -> tuple[FoldRun, ...]:
    """These runs with where they stand and what they scored.

    Raises:
        SealError: the test of a run was not opened.
        UsageError: a run is of no fold.
    """
    found = []
    run_ids = tuple(dict.fromkeys(run_ids))
    for number, run_id in enumerate(run_ids):
        if on_progress is not None:
            on_progress(f"Reading the predictions of {run_id}", number, len(run_ids))
        view = training.view(workspace, run_id)
        split = fold_split(workspace, view)
        if split is None:
            raise UsageError(f"{run_id} is no fold of a cross-validation.", "Compare runs of one test, or of folds.")
        found.append(fold_run(workspace, view, split))
    return tuple(found)


def siblings(workspace: Workspace, run_ids: Sequence[str]) -> tuple[str, ...]:
    """These runs and every other opened run that differs from one of them in nothing but what was held out."""
    wanted = [training.view(workspace, run_id) for run_id in dict.fromkeys(run_ids)]
    keys = {way_key(view.spec) for view in wanted if fold_split(workspace, view) is not None}
    if not keys:
        return ()
    from medfm_gui.store import queries

    with workspace.store.reading() as reader:
        rows = [row for row in queries.runs(reader) if row.state.phase is Phase.FINISHED]
    fingerprints = {view.spec.dataset_fingerprint for view in wanted}
    named = {view.id for view in wanted}
    others = []
    for row in rows:
        if row.fold is None or row.dataset_fingerprint not in fingerprints or row.id in named:
            continue
        view = training.view(workspace, row.id)
        if way_key(view.spec) in keys and evaluation_path(workspace, row.id).exists():
            others.append(row.id)
    return (*(view.id for view in wanted if way_key(view.spec) in keys), *others)


def can_be_summed(workspace: Workspace, run_ids: Sequence[str]) -> bool:
    """Whether two of these runs are folds of one cross-validation."""
    seen: dict[tuple[bytes, str], set[int]] = {}
    for run_id in run_ids:
        view = training.view(workspace, run_id)
        split = fold_split(workspace, view)
        if split is not None:
            seen.setdefault((way_key(view.spec), split.family or ""), set()).add(view.spec.fold or 0)
    return any(len(folds) > 1 for folds in seen.values())


def crossed(runs: Sequence[FoldRun], *, together: bool = True) -> CrossValidation:
    """Ways over folds, of what was read: the same from a workspace as from the files of a report.

    Args:
        together: whether several pairs get intervals that hold together, which those of earlier versions have not.

    Raises:
        InputError: no two runs are folds of one cross-validation.
    """
    ways: dict[bytes, dict[str, list[FoldRun]]] = {}
    for run in runs:
        ways.setdefault(way_key(run.spec), {}).setdefault(run.facts.family, []).append(run)
    whole = {key: {name: _once(group) for name, group in of.items() if len(_once(group)) > 1}
             for key, of in ways.items()}  # fmt: skip
    whole = {key: of for key, of in whole.items() if of}
    if not whole:
        raise InputError(NO_FOLDS, "Name the runs of two folds or more of the same model, adaptation and settings.")
    names = _names(whole)
    summaries = tuple(
        summed(group, names[key] + (f", division seed {group[0].facts.seed}" if len(of) > 1 else ""))
        for key, of in whole.items()
        for group in of.values()
    )
    first, *others = whole
    shared = [both((names[key], names[first]), whole[key], whole[first]) for key in others]
    pairs = compared([pair for pair in shared if pair is not None], together)
    used = {run.facts.run for of in whole.values() for group in of.values() for run in group}
    repeats = tuple(_repeated(names[key], of) for key, of in whole.items() if len(of) > 1)
    metric = summaries[0].mean.metric
    return CrossValidation(
        tuple(run.facts.run for run in runs), metric, summaries, repeats, tuple(pairs),
        pairs_sentence(pairs, len(whole)), (folds_chart(summaries, metric),),
        tuple(run.facts.run for run in runs if run.facts.run not in used),
    )  # fmt: skip


def _once(group: Sequence[FoldRun]) -> list[FoldRun]:
    """One run a fold: of equal orders that were run again the first."""
    found: dict[int, FoldRun] = {}
    for run in group:
        found.setdefault(run.facts.fold, run)
    return [found[fold] for fold in sorted(found)]


_Ways = dict[bytes, dict[str, list[FoldRun]]]


def _names(ways: _Ways) -> dict[bytes, str]:
    """What people read for each way, with a run where several are called so."""
    first = {key: next(iter(of.values()))[0] for key, of in ways.items()}
    plain = {key: way_name(run.spec) for key, run in first.items()}
    told = list(plain.values())
    return {key: f"{name}, as {first[key].facts.run}" if told.count(name) > 1 else name for key, name in plain.items()}


def _repeated(name: str, of: dict[str, list[FoldRun]]) -> Repeated:
    import numpy as np

    rows = [run.row for group in of.values() for run in group]
    values = [row.value for row in rows if row.value is not None]
    is_whole = len(values) == len(rows)
    mean = replace(
        rows[0], run="", value=float(np.mean(values)) if is_whole else None, low=None, high=None, method="mean",
        n=max(sum(run.row.n for run in group) for group in of.values()), n_patients=None, n_events=None, sample_set="",
        parameters={"mean over": f"{len(rows)} folds of {len(of)} divisions"},
        note="the divisions test the same patients, so this mean has no interval" if is_whole else "a fold has none",
    )  # fmt: skip
    spread = float(np.std(values, ddof=1)) if is_whole else None
    lowest, highest = (min(values), max(values)) if is_whole else (None, None)
    return Repeated(name, tuple(of), mean, spread, lowest, highest)


def folds_chart(ways: Sequence[HeldOut], metric: str) -> ChartSpec:
    """For each way the mean with its interval, below it the folds as marks."""
    series: list[Series] = []
    names: list[str] = []
    for way in ways:
        mean = way.mean
        if mean.value is not None and mean.low is not None and mean.high is not None:
            at = (float(len(names)),)
            names.append(f"{way.name}: mean")
            series.append(Series(names[-1], (mean.value,), at, (mean.low,), (mean.high,), markers=True))
        known = [(row, row.value) for row in way.rows if row.value is not None]
        if known:
            places = tuple(float(len(names) + place) for place in range(len(known)))
            names += [f"{row.label}, {row.run}" for row, _ in known]
            series.append(Series(f"{way.name}: folds", tuple(value for _, value in known), places, markers=True))
    title = metric_title(metric)
    by = "folds" if all(way.by == FOLD for way in ways) else "what was held out"
    return ChartSpec(
        "folds", "intervals", f"{title[:1].upper()}{title[1:]} over {by}", title, series=tuple(series),
        rows=tuple(names),
        note="Mean over folds with its 95 % interval over the patients within them; marks are single folds.",
    )  # fmt: skip
