"""The sections of a report made anew from its attached files, held against those that were printed.

Counts come from the rows of the split, results from the predictions. What no computation repeats (the time and memory
of a training, its losses, hashes of files that do not travel) comes from the attached account of the runs, and is held
against that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.ladder import Ladder
from medfm_gui.domain.report import Paragraph, Part, Section, Table
from medfm_gui.domain.split import Split
from medfm_gui.metrics.names import headline
from medfm_gui.store.rows import DatasetRow, RunRow
from medfm_gui.workspace import report_parts, statements
from medfm_gui.workspace import report_sections as write
from medfm_gui.workspace.evaluating import EvaluationFile
from medfm_gui.workspace.evidence import Evidence
from medfm_gui.workspace.evidence_numbers import Contents
from medfm_gui.workspace.evidence_study import Study, dataset_of, ended, flow_again, folds_of, openings_of, split_of
from medfm_gui.workspace.ladder import ladder
from medfm_gui.workspace.opened_runs import OpenedRun
from medfm_gui.workspace.report_card import Card, card_section, model_card
from medfm_gui.workspace.report_failures import failure_tables
from medfm_gui.workspace.report_folds import folds_limits, folds_section, with_folds
from medfm_gui.workspace.report_ladder import ladder_section
from medfm_gui.workspace.report_limits import SCANNERS, SITES, limitations, limitations_section
from medfm_gui.workspace.report_names import ReportNames
from medfm_gui.workspace.report_outside import outside_section
from medfm_gui.workspace.report_preparation import with_preparation
from medfm_gui.workspace.report_provenance import looks, provenance_section
from medfm_gui.workspace.report_shortcuts import with_shortcuts
from medfm_gui.workspace.report_subgroups import interactions_table
from medfm_gui.workspace.report_usefulness import usefulness_section
from medfm_gui.workspace.roles import Standing, protocol_section
from medfm_gui.workspace.shortcuts import ShortcutFile
from medfm_gui.workspace.sidebyside import FinishedRun, is_whole
from medfm_gui.workspace.training import RunView
from medfm_gui.workspace.usefulness import UsefulnessFile, sampling_in

if TYPE_CHECKING:
    from medfm_gui.metrics.scored import Scored


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """A report's facts as its files give them back; samples of ``dataset`` bear the names of the report."""

    held: Evidence
    study: Study
    dataset: Dataset
    split: Split
    runs: tuple[OpenedRun, ...]
    promised: Standing
    openings: tuple[EvaluationFile, ...]
    shortcuts: ShortcutFile | None = None
    folds: tuple[Split, ...] = ()
    """Of a report over folds the split of each; ``split`` is the first of them."""

    @property
    def views(self) -> tuple[RunView, ...]:
        """The runs as they ended."""
        return tuple(run.view for run in self.runs)

    @property
    def tests(self) -> tuple[EvaluationFile, ...]:
        """Their tests with the attached rows."""
        return tuple(run.test for run in self.runs)

    @property
    def titles(self) -> dict[str, str]:
        """What people read for a run's id."""
        return {run.view.id: run.name for run in self.runs}


def facts_again(
    held: Evidence, study: Study, runs: Sequence[OpenedRun], folder: Path, cheap: ShortcutFile | None
) -> Again:
    """The facts of the attached files; targets of tested images are those of the predictions.

    Raises:
        InputError, SplitError: a file tells what cannot be.
    """
    dataset = dataset_of(study, held.split)
    tested_in = runs if study.folds else runs[:1]
    targets = {name: target for run in tested_in for name, target in _targets(run.images).items()}
    tested = (replace(one, target=targets.get(one.id, one.target)) for one in dataset.samples)
    openings = openings_of(study, runs[0].test.sample_set)
    return Again(
        held, study, replace(dataset, samples=tuple(tested)), split_of(study, held.split), ended(study, runs, folder),
        study.standing(held.protocol), openings, cheap,
        folds_of(study, {study.split.id: held.split, **held.fold_splits}),
    )  # fmt: skip


def _targets(images: Scored) -> dict[str, tuple[int, ...]]:
    several = images.targets.ndim > 1
    return {
        name: tuple(map(int, row)) if several else (int(row),)
        for name, row in zip(images.samples, images.targets, strict=True)
    }


@dataclass(frozen=True, slots=True)
class Made:
    """A section made anew. ``tables``: whether its tables are compared here, or elsewhere already.

    ``hidden``: sentences that depend on what is not told, and facts that no file gives back, are not looked at.
    """

    section: Section
    tables: bool = True
    hidden: frozenset[str] = field(default_factory=frozenset)


def sections_again(again: Again, contents: Contents) -> Iterator[Made]:
    """Every section that the attached files give back and that was printed."""
    shown = {one.title for one in contents.sections}
    makers: dict[str, Callable[[], Made]] = {
        "Purpose": lambda: Made(write.purpose_section(again.study.purpose)),
        "Protocol": lambda: Made(protocol_section(again.promised)),
        Part.DATA.heading: lambda: _data(again),
        Part.SPLIT.heading: lambda: Made(_split(again)),
        Part.MODELS.heading: lambda: Made(_models(again)),
        Part.RESULTS.heading: lambda: Made(_results(again), tables=False),
        Part.CALIBRATION.heading: lambda: Made(_usefulness(again), tables=False),
        Part.COMPARISON.heading: lambda: _comparison(again),
        Part.FOLDS.heading: lambda: Made(_folds(again), tables=False),
        Part.EXTERNAL.heading: lambda: Made(_outside(again)),
        Part.SUBGROUPS.heading: lambda: Made(_interactions(again)),
        Part.LADDER.heading: lambda: Made(ladder_section(ladder_again(again), again.titles)),
        Part.CURVES.heading: lambda: Made(write.curves_section(again.views)),
        Part.FAILURES.heading: lambda: Made(_failures(again), tables=False),
        Part.LIMITATIONS.heading: lambda: Made(limitations_section(_limits(again)), hidden=untold_sources(again)),
        Part.CARD.heading: lambda: Made(card_section(card_again(again))),
        Part.PROVENANCE.heading: lambda: Made(_provenance(again), hidden=frozenset({"Written with"})),
        "Left out": lambda: Made(Section("Left out", (Paragraph(looks(again.openings, len(again.folds))),))),
    }
    for title, make in makers.items():
        if title in shown:
            yield make()


def untold_sources(again: Again) -> frozenset[str]:
    """Limitations of sites and scanners, where the account does not tell how many there are (earlier versions)."""
    return frozenset({SITES, SCANNERS}) if again.study.sources is None else frozenset()


def _data(again: Again) -> Made:
    bare = replace(again.dataset, samples=tuple(replace(one, covariates={}) for one in again.dataset.samples))
    if again.folds:
        told = again.study.dataset
        boxes = report_parts.flow_table(told.flow)
        return Made(report_parts.data_of_folds(bare, again.folds, statements.rows(told.statement), boxes))
    flow = report_parts.flow_table(flow_again(again.study, bare, again.split))
    return Made(write.data_section(bare, again.split, statements.rows(again.study.dataset.statement), flow))


def _split(again: Again) -> Section:
    section = write.split_section(again.dataset, again.split)
    return with_folds(section, again.folds) if again.folds else section


def _folds(again: Again) -> Section:
    """Its numbers are computed again elsewhere; what is said of them, and what is marked, is looked at here."""
    told = again.held.folds
    if told is None:
        return Section(Part.FOLDS.heading, ())
    return folds_section(told.found, again.promised, again.views)


def _models(again: Again) -> Section:
    return with_preparation(write.models_section(again.views, again.dataset), again.views, again.split)


def _results(again: Again) -> Section:
    nothing = write.ResultCharts(None, None, None, ())
    return write.results_section(again.views, again.tests, nothing, list(again.titles.values()), again.promised)


def _usefulness(again: Again) -> Section:
    told, task = again.held.usefulness, again.dataset.task
    if told is None:
        return usefulness_section(task, (), None, again.held.class_sets)
    if told.low is None or told.high is None:
        return usefulness_section(task, told.rows, None)
    runs = tuple(run.view.id for run in again.runs)
    sampling = sampling_in(again.study.dataset.statement)
    file = UsefulnessFile(
        runs, told.low, told.high, told.prevalence, sampling, again.runs[0].units.unit, told.rows, told.charts,
        told.withheld, told.distorted,
    )  # fmt: skip
    return usefulness_section(task, told.rows, file)


def _comparison(again: Again) -> Made:
    if again.held.comparison is None:
        return Made(Section(Part.COMPARISON.heading, ()))
    section = write.comparison_section(again.held.comparison, again.titles, again.promised, again.views)
    section = replace(section, blocks=tuple(one for one in section.blocks if not isinstance(one, Table)))
    return Made(with_shortcuts(section, again.shortcuts) if again.shortcuts is not None else section)


def _outside(again: Again) -> Section:
    found = outside_section(again.held.outside, {view.id: view for view in again.views})
    return found or Section(Part.EXTERNAL.heading, ())


def _interactions(again: Again) -> Section:
    blocks = [table for told in again.held.subgroups for table in interactions_table(told.covariate, told.interactions)]
    return Section(Part.SUBGROUPS.heading, tuple(blocks))


def _failures(again: Again) -> Section:
    tables = failure_tables(again.runs, ReportNames(lambda name: name), again.held.values, hide=False)
    return Section(Part.FAILURES.heading, tuple(block for block in tables if isinstance(block, Paragraph)))


def _limits(again: Again) -> tuple[tuple[str, str], ...]:
    stated = sampling_in(again.study.dataset.statement)
    found = limitations(
        again.views, again.tests, again.dataset, again.split, again.openings, again.promised, stated,
        again.study.outside, tuple(dict.fromkeys(one.name for one in again.held.outside)),
        folds=folds_limits(again.held.folds.found, len(again.openings)) if again.held.folds is not None else (),
        sources=again.study.sources,
    )  # fmt: skip
    hidden = untold_sources(again)
    return tuple(one for one in found if one[0] not in hidden)


def card_again(again: Again) -> Card:
    """The model card of the attached facts; without limitations of which nothing is told."""
    made = model_card(
        again.views,
        again.tests,
        again.dataset,
        again.split,
        openings=len(again.openings),
        limitations=_limits(again),
        purpose=again.study.purpose,
    )
    return replace(made, images={"in all folds": len(again.dataset.samples)}) if again.folds else made


def _provenance(again: Again) -> Section:
    return provenance_section(again.views, again.tests, again.openings, again.split, folds=again.folds)


def ladder_again(again: Again) -> Ladder:
    """The ladder of the attached runs: costs as the runs told them, numbers of the attached rows."""
    models = {view.spec.card.name: view.spec.card.title for view in again.views}
    return ladder([_finished(run, again.dataset) for run in again.runs], again.titles, models)


def _finished(run: OpenedRun, dataset: Dataset) -> FinishedRun:
    spec, view = run.view.spec, run.view
    row = RunRow(
        view.id, "", spec.dataset_id, spec.dataset_fingerprint, spec.split_id, spec.split_fingerprint, spec.fold,
        spec.task, spec.card.name, spec.card.family.value, spec.adapt, spec.shots, spec.seed, spec.preset,
        wire.plain(spec.recipe), spec.weights.sha256 if spec.weights else None, spec.from_scratch, spec.created,
        spec.code_version, view.state,
    )  # fmt: skip
    of = DatasetRow(
        dataset.id, dataset.name, dataset.layout, dataset.task, spec.classes, dataset.positive, "", "",
        dataset.fingerprint, "", {}, (), len(dataset.samples), None, 0,
    )  # fmt: skip
    main = next((one for one in run.test.evaluations if one.metric == headline(spec.task) and is_whole(one)), None)
    return FinishedRun(row, of, run.test.sample_set if main is not None else "", main)
