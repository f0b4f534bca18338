"""Cheap models, tables of other systems and readers, and other datasets, beside a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from medfm_gui.desk.answers.scoring import scoring
from medfm_gui.desk.asks.compare import Drawing
from medfm_gui.desk.asks.compare_outside import (
    Baselines,
    ImportPredictions,
    ImportReaders,
    ImportTarget,
    ImportTargets,
    ListExternalTests,
    ListImportTargets,
    ListReads,
    LookAtSite,
    ReadBaselines,
    ReadReaders,
    ReadRocBeside,
    ReadsList,
    ReadsRow,
    SiteTested,
    TableImported,
    TestOnSite,
)
from medfm_gui.desk.entry import Entry, Lane, Topic
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.workspace.beside import ReaderBoard
from medfm_gui.workspace.sites import KeptTests, SiteFacts

_MOST_POINTS = 1000
_TEST = "test"


def read_baselines(room: Room, ask: ReadBaselines, told: Told) -> Baselines:
    """Two cheap models, learned where they are not kept."""
    from medfm_gui.workspace.shortcuts import beats, shortcuts

    file = shortcuts(room.workspace, ask.runs, on_progress=told.progress, keep=not room.is_read_only)
    unbeaten = tuple(
        (pair.a, one.name)
        for one in file.baselines
        for pair in one.pairs
        if "failures" not in pair.parameters and not beats(pair)
    )
    return Baselines(file, unbeaten)


def read_roc_beside(room: Room, ask: ReadRocBeside, told: Told) -> Drawing:
    """One chart of runs, cheap models and readers."""
    from medfm_gui.workspace.beside import roc_beside
    from medfm_gui.workspace.sidebyside import thinned

    chart = roc_beside(
        room.workspace, ask.runs,
        baselines=ask.baselines, reads=ask.reads, reference=ask.reference, on_progress=told.progress,
        keep=not room.is_read_only,
    )  # fmt: skip
    return Drawing(chart.id, chart.title, thinned(chart, _MOST_POINTS))


# -- human readers


def list_reads(room: Room, ask: ListReads, told: Told) -> ReadsList:
    """Files of the workspace."""
    from medfm_gui.workspace.beside import reads_beside

    rows = (
        ReadsRow(file.id, file.readers, file.unit, len({read.sample for read in file.reads}), file.imported)
        for file in reads_beside(room.workspace, ask.runs)
    )
    return ReadsList(ask.runs, tuple(rows))


def read_readers(room: Room, ask: ReadReaders, told: Told) -> ReaderBoard:
    """Shares with intervals, agreement, and paired tests."""
    from medfm_gui.workspace.beside import reader_board
    from medfm_gui.workspace.readers import reads_of
    from medfm_gui.workspace.sidebyside import thinned

    told.progress("Reading the predictions")
    file, keep = reads_of(room.workspace, ask.reads), not room.is_read_only
    board = reader_board(room.workspace, file, ask.runs, reference=ask.reference, keep=keep)
    table = replace(board.table, disagreements=(), chart=thinned(board.table.chart, _MOST_POINTS))
    return replace(board, table=table)  # the cases say what the disagreements say


# -- tables that are brought in


def list_import_targets(room: Room, ask: ListImportTargets, told: Told) -> ImportTargets:
    """Rows of the database."""
    from medfm_gui.store import queries
    from medfm_gui.workspace.training import spec_of

    with room.workspace.store.reading() as reader:
        datasets = queries.datasets(reader)
        splits = queries.splits(reader, None)
        runs = {row.id: row.split for row in queries.runs(reader)}
        opened = [look.run for look in queries.openings(reader) if look.subset == _TEST]
    looks: dict[str, int] = {}
    for run in opened:
        if run in runs:
            looks[runs[run]] = looks.get(runs[run], 0) + 1
    whole = [row for row in splits if row.fold is None]
    targets = tuple(
        ImportTarget(one.id, one.name, one.task, tuple(row.id for row in reversed(whole) if row.dataset == one.id))
        for one in datasets
    )
    kept = tuple(one for one in targets if one.splits)
    if not ask.run:
        return ImportTargets(kept, looks=looks)
    spec = spec_of(room.workspace.run(ask.run))
    return ImportTargets(kept, spec.dataset_id, spec.split_id, spec.recipe.counted, looks)


def import_predictions(room: Room, ask: ImportPredictions, told: Told) -> TableImported:
    """A run of another system."""
    from medfm_gui.workspace.external import import_predictions as bring_in

    told.progress("Reading the table")
    made = bring_in(
        room.workspace, Path(ask.path), name=ask.name, dataset_id=ask.dataset, split_id=ask.split or None,
        unit=ask.unit, threshold=ask.threshold, reason=ask.reason,
    )  # fmt: skip
    return TableImported(made.view.id, made.remarks)


def import_readers(room: Room, ask: ImportReaders, told: Told) -> TableImported:
    """Reads of a split's test images."""
    from medfm_gui.workspace.readers import import_reads

    told.progress("Reading the table")
    made = import_reads(room.workspace, Path(ask.path), dataset_id=ask.dataset, split_id=ask.split or None)
    images = len({read.sample for read in made.reads})
    return TableImported(made.id, (f"{counted(len(made.readers), 'reader')}, {counted(images, 'image')}",))


# -- other datasets


def list_external_tests(room: Room, ask: ListExternalTests, told: Told) -> KeptTests:
    """Files of the workspace."""
    from medfm_gui.workspace.sites import kept_tests

    return kept_tests(room.workspace, ask.runs)


def look_at_site(room: Room, ask: LookAtSite, told: Told) -> SiteFacts:
    """The dataset's manifest."""
    from medfm_gui.workspace.sites import look_at_site as look

    return look(room.workspace, ask.runs, ask.dataset)


def test_on_site(room: Room, ask: TestOnSite, told: Told) -> SiteTested:
    """One run after another; a run that fails is named and the others are tested."""
    from medfm_gui.workspace.elsewhere import evaluate_on
    from medfm_gui.workspace.sites import check_map, keep_charts

    check_map(room.workspace, ask.runs[0], ask.dataset, dict(ask.labels))  # nothing is opened by a map that is wrong
    tested: list[str] = []
    refused: list[tuple[str, str]] = []
    openings = 0
    for number, run in enumerate(ask.runs, start=1):
        name = f"{run} ({number} of {len(ask.runs)})"
        told.progress(f"{name}: the worker is starting")
        try:
            found = evaluate_on(
                room.workspace, [run], ask.dataset, reason=ask.reason, labels=dict(ask.labels), by=ask.by,
                on_event=scoring(told, f"{name}: scoring images"), stop=told.stopped,
            )  # fmt: skip
        except Interrupted:
            raise
        except MedfmError as error:
            told.check()
            refused.append((run, f"{error.message} {error.hint}"))
            continue
        tested.append(run)
        openings = max(openings, found.openings)
    keep_charts(room.workspace, tested)
    return SiteTested(tuple(tested), tuple(refused), openings)


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ReadBaselines: Entry(read_baselines, Lane.WORK),
    ReadRocBeside: Entry(read_roc_beside, Lane.WORK),
    ListReads: Entry(list_reads, Lane.VIEW),
    ReadReaders: Entry(read_readers, Lane.WORK),
    ListImportTargets: Entry(list_import_targets),
    ImportPredictions: Entry(import_predictions, Lane.WORK, changes=(Topic.RUNS, Topic.RESULTS), writes=True),
    ImportReaders: Entry(import_readers, Lane.WORK, changes=(Topic.RESULTS,), writes=True),
    ListExternalTests: Entry(list_external_tests, Lane.VIEW),
    LookAtSite: Entry(look_at_site, Lane.VIEW),
    TestOnSite: Entry(test_on_site, Lane.WORK, changes=(Topic.RESULTS,), writes=True),
}
