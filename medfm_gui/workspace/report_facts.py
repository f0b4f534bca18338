"""What the sections of a report are made of, read once: runs, opened tests, scores, dataset, split, what was promised.

A draft keeps what is costly in a scratch folder from one look to the next, and writes nothing into the workspace but
heat maps.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from medfm_gui.base import wire
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Dataset, Statement
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.split import Split
from medfm_gui.workspace import data, evaluating, statements, training
from medfm_gui.workspace.comparing import ComparisonFile, ComparisonOutcome, compare, side_by_side, title
from medfm_gui.workspace.crossvalidation import CrossValidation, are_folds, crossed, keep_folds
from medfm_gui.workspace.errands import OnEvent
from medfm_gui.workspace.evaluating import EvaluationFile
from medfm_gui.workspace.fold_roles import standing_of_folds
from medfm_gui.workspace.held_out import FoldRun, fold_facts
from medfm_gui.workspace.opened_runs import OpenedRun, OpenedRuns, opened_tests, read_opened
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.report_names import ReportNames
from medfm_gui.workspace.report_outside import OutsideTest, outside_tests
from medfm_gui.workspace.report_permission import Permission, permission_of
from medfm_gui.workspace.roles import Standing, standing
from medfm_gui.workspace.scores import read_scores, scored
from medfm_gui.workspace.shortcuts import ShortcutFile, shortcuts
from medfm_gui.workspace.training import RunView

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Draft:
    """A report that is looked at before it is written: nothing of it goes into the workspace but heat maps.

    Args:
        scratch: a folder where what is costly is kept from one draft to the next.
        is_read_only: heat maps stay in the scratch folder too.
    """

    scratch: Path
    is_read_only: bool = False

    @property
    def pictures(self) -> Path | None:
        """Where new heat maps are kept; None for the run's folder."""
        return self.scratch / "examples" if self.is_read_only else None

    def kept(self, kind: type[T], name: str, key: object, make: Callable[[], T]) -> T:
        """What was made before of the same key, else made and kept."""
        path = self.scratch / f"{name}-{hashlib.sha256(wire.canonical(key)).hexdigest()[:16]}.json"
        if path.exists():
            return wire.read(kind, path)
        made = make()
        self.scratch.mkdir(parents=True, exist_ok=True)
        wire.write(path, made)
        return made


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on while a report is made, and may end it.

    Args:
        on_event: what the worker says that draws heat maps.
        on_step: what is done next, in words; may raise to give up.
        stop: set from another thread to end the worker.
    """

    on_event: OnEvent | None = None
    on_step: Callable[[str], None] = lambda _: None
    stop: threading.Event | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison as a draft keeps it."""

    file: ComparisonFile
    charts: tuple[ChartSpec, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """What a report of the folds of a cross-validation has besides: where each run stands, and all divisions."""

    found: CrossValidation
    runs: tuple[FoldRun, ...]
    splits: tuple[Split, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ReportFacts:
    """What the sections are made of; ``found`` are all scores in one order, ``openings`` of these test images.

    With ``folds`` the runs have no common test: each has images of its own, and ``split`` is that of the first.
    """

    workspace: Workspace
    found: OpenedRuns
    outcome: Compared | None
    split: Split
    promised: Standing
    statement: Statement
    openings: tuple[EvaluationFile, ...] = ()
    draft: Draft | None = None
    names: ReportNames = field(default_factory=ReportNames)
    folds: Folded | None = None
    elsewhere: tuple[OutsideTest, ...] = ()
    """Tests of these runs on other datasets."""

    @property
    def dataset(self) -> Dataset:
        """The dataset of all these runs."""
        return self.found.dataset

    @property
    def views(self) -> tuple[RunView, ...]:
        """The runs, the reference first."""
        return tuple(run.view for run in self.found.runs)

    @property
    def tests(self) -> tuple[EvaluationFile, ...]:
        """Their opened tests."""
        return tuple(run.test for run in self.found.runs)

    @property
    def titles(self) -> dict[str, str]:
        """What people read for a run's id."""
        return {run.view.id: run.name for run in self.found.runs}

    @property
    def permission(self) -> Permission:
        """What the dataset's statement allows to be passed on."""
        return permission_of(self.statement)

    @property
    def key(self) -> list[tuple[str, str]]:
        """Changes where a score does."""
        return [(test.run, test.predictions.sha256) for test in self.tests]


def gather(workspace: Workspace, run_ids: Sequence[str], draft: Draft | None, watch: Watch) -> ReportFacts:
    """Read what a report of these runs is made of.

    Raises:
        UsageError, SealError, InputError: no run is named, a test is sealed, or they do not belong into one report.
    """
    if not run_ids:
        raise UsageError("No run is named.", "Name one or more runs; “medfm runs” lists them.")
    watch.on_step("Reading the runs")
    views = [training.view(workspace, run_id) for run_id in dict.fromkeys(run_ids)]
    if are_folds(views):
        return _of_folds(workspace, views, draft, watch)
    tests = opened_tests(workspace, run_ids)
    watch.on_step("Comparing the runs" if len(tests.views) > 1 else "Reading the data")
    found = read_opened(workspace, tests)
    spec = tests.views[0].spec
    (split,) = data.splits_of(workspace, spec.split_id)
    stated = statements.statement_of(workspace, spec.dataset_id)
    promised = standing(workspace, tests.views)
    outcome = _compared(workspace, found, tests.tests, draft) if len(tests.views) > 1 else None
    every = evaluating.every_opening(workspace)
    openings = tuple(file for file in every if file.sample_set == tests.tests[0].sample_set)
    elsewhere = outside_tests(workspace, tests.views)
    return ReportFacts(
        workspace, found, outcome, split, promised, stated, openings, draft, elsewhere=elsewhere
    )  # fmt: skip


def _of_folds(workspace: Workspace, views: Sequence[RunView], draft: Draft | None, watch: Watch) -> ReportFacts:
    """The facts of runs over several folds, each with the images of its own test."""
    dataset = data.read(workspace, views[0].spec.dataset_id)
    runs: list[OpenedRun] = []
    folds: list[FoldRun] = []
    splits: dict[str, Split] = {}
    for view in views:
        watch.on_step(f"Reading the predictions of {view.id}")
        test = evaluating.opened(workspace, view.id)
        split = splits.setdefault(view.spec.split_id, data.splits_of(workspace, view.spec.split_id)[0])
        images = scored(dataset, *read_scores(evaluating.test_predictions(workspace, view.id)))
        units = images.by_unit(view.spec.recipe.counted)
        point, line = evaluating.operating_point(view.folder), evaluating.calibrator(view.folder)
        run = OpenedRun(view, test, title(view), images, units, point, line)
        headline = next(row for row in test.evaluations if not row.label)
        runs.append(run)
        folds.append(FoldRun(fold_facts(view, split, dataset), view.spec, headline, units, run.point))
    watch.on_step("Comparing over the folds")
    folded = Folded(crossed(folds), tuple(folds), tuple(splits.values()))
    if draft is None:
        keep_folds(workspace, folded.found)
    tested = {run.test.sample_set for run in runs}
    openings = tuple(file for file in evaluating.every_opening(workspace) if file.sample_set in tested)
    return ReportFacts(
        workspace, OpenedRuns(dataset, tuple(runs)), None, folded.splits[0], standing_of_folds(workspace, views),
        statements.statement_of(workspace, dataset.id), openings, draft, folds=folded,
        elsewhere=outside_tests(workspace, views),
    )  # fmt: skip


def _compared(
    workspace: Workspace, found: OpenedRuns, tests: Sequence[EvaluationFile], draft: Draft | None
) -> Compared:
    if draft is None:
        return _without_views(compare(workspace, found.ids))
    scores = [(test.run, test.predictions.sha256) for test in tests]
    return draft.kept(Compared, "compared", scores, lambda: _without_views(side_by_side(workspace, found.ids)))


def _without_views(outcome: ComparisonOutcome) -> Compared:
    return Compared(outcome.file, outcome.charts)


def shortcuts_of(facts: ReportFacts) -> ShortcutFile:
    """The cheap models of the comparison."""
    if facts.draft is None:
        return shortcuts(facts.workspace, facts.found.ids)
    return facts.draft.kept(
        ShortcutFile, "shortcuts", facts.key, lambda: shortcuts(facts.workspace, facts.found.ids, keep=False)
    )
