"""What lies behind a comparison. Numbers that were computed once are read; others are computed and kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medfm_gui.desk.answers.runs import run_title, titles_of
from medfm_gui.desk.asks.compare import FileWritten
from medfm_gui.desk.asks.compare_cases import (
    ClassSets,
    CovariateList,
    FoldTable,
    ListTestCovariates,
    ReadClassSets,
    ReadDisagreements,
    ReadFolds,
    ReadReferences,
    ReadSampling,
    ReadSeeds,
    ReadSubgroups,
    ReadUsefulness,
    WriteChart,
)
from medfm_gui.desk.entry import Entry, Lane
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.workspace.disagreements import Disagreements
from medfm_gui.workspace.references import References
from medfm_gui.workspace.seeds import SeedFile
from medfm_gui.workspace.subgrouping import SubgroupFile
from medfm_gui.workspace.usefulness import Sampling, UsefulnessFile


def list_covariates(room: Room, ask: ListTestCovariates, told: Told) -> CovariateList:
    """Counts over the test images."""
    from medfm_gui.workspace.subgrouping import covariates

    return CovariateList(ask.runs, covariates(room.workspace, ask.runs))


def read_subgroups(room: Room, ask: ReadSubgroups, told: Told) -> SubgroupFile:
    """Intervals of every run in every part."""
    from medfm_gui.workspace.subgrouping import subgroup_table

    keep = not room.is_read_only
    return subgroup_table(
        room.workspace, ask.runs, ask.covariate, event=ask.event, on_progress=told.progress, keep=keep
    )


def read_sampling(room: Room, ask: ReadSampling, told: Told) -> Sampling:
    """The dataset's statement."""
    from medfm_gui.workspace.usefulness import stated_sampling

    return stated_sampling(room.workspace, ask.runs, ask.event)


def read_usefulness(room: Room, ask: ReadUsefulness, told: Told) -> UsefulnessFile:
    """Calibration, and net benefit with its bands."""
    from medfm_gui.workspace.usefulness import usefulness_table

    return usefulness_table(
        room.workspace, ask.runs, ask.low, ask.high,
        prevalence=ask.prevalence, event=ask.event, on_progress=told.progress, keep=not room.is_read_only,
    )  # fmt: skip


def read_class_sets(room: Room, ask: ReadClassSets, told: Told) -> ClassSets:
    """Coverage by class, where the settings ask for sets."""
    from medfm_gui.workspace.class_sets import sets_on_test

    if not room.workspace.settings.class_sets:
        return ClassSets(is_on=False)
    return ClassSets(is_on=True, sets=sets_on_test(room.workspace, ask.runs))


def read_folds(room: Room, ask: ReadFolds, told: Told) -> FoldTable:
    """Means over folds with their intervals and spread, and ways in pairs."""
    from medfm_gui.workspace.crossvalidation import can_be_summed, cross_validation, siblings
    from medfm_gui.workspace.fold_roles import promised_of_folds, standing_of_folds
    from medfm_gui.workspace.training import view

    runs = siblings(room.workspace, ask.runs)
    if not can_be_summed(room.workspace, runs):
        return FoldTable(ask.runs)
    keep = not room.is_read_only
    found = cross_validation(room.workspace, runs, on_progress=told.progress, keep=keep, is_told=False)
    views = [view(room.workspace, run) for run in found.runs]
    said = promised_of_folds(standing_of_folds(room.workspace, views), found, views)
    return FoldTable(ask.runs, found, tuple(said))


def read_seeds(room: Room, ask: ReadSeeds, told: Told) -> SeedFile:
    """Means over seeds with both intervals."""
    from medfm_gui.workspace.seeds import seed_table

    return seed_table(room.workspace, ask.runs, on_progress=told.progress, keep=not room.is_read_only)


def read_disagreements(room: Room, ask: ReadDisagreements, told: Told) -> Disagreements:
    """Cases of opened tests."""
    from medfm_gui.workspace.disagreements import disagreements

    return disagreements(room.workspace, ask.runs, ask.kind, finding=ask.finding, on_progress=told.progress)


def read_references(room: Room, ask: ReadReferences, told: Told) -> References:
    """Published numbers beside stored ones."""
    from medfm_gui.workspace.references import references
    from medfm_gui.workspace.sidebyside import finished_runs

    wanted = [run.row for run in finished_runs(room.workspace)[0] if run.row.id in ask.runs]
    models = titles_of(wanted)
    return references(room.workspace, ask.runs, {row.id: f"{row.id} {run_title(row, models)}" for row in wanted})


def write_chart(room: Room, ask: WriteChart, told: Told) -> FileWritten:
    """A file where the person wants it."""
    from medfm_gui.workspace.sidebyside import export_chart

    return FileWritten(str(export_chart(ask.chart, ask.format, Path(ask.path), ask.payload)))


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ListTestCovariates: Entry(list_covariates, Lane.VIEW),
    ReadSubgroups: Entry(read_subgroups, Lane.WORK),
    ReadSampling: Entry(read_sampling, Lane.VIEW),
    ReadUsefulness: Entry(read_usefulness, Lane.WORK),
    ReadClassSets: Entry(read_class_sets, Lane.VIEW),
    ReadFolds: Entry(read_folds, Lane.WORK),
    ReadSeeds: Entry(read_seeds, Lane.WORK),
    ReadDisagreements: Entry(read_disagreements, Lane.WORK),
    ReadReferences: Entry(read_references, Lane.WORK),
    WriteChart: Entry(write_chart, Lane.VIEW),
}
