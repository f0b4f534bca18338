"""Evaluations and comparisons: read from what is stored; computed only where a set of runs was never compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medfm_gui.base import wire
from medfm_gui.desk.answers.runs import run_title, titles_of
from medfm_gui.desk.asks.compare import (
    LADDER,
    LADDER_OF_ALL,
    AllPairs,
    Candidate,
    CandidateList,
    CompareRuns,
    Drawing,
    DrawingList,
    ExportAllPairs,
    ExportDrawing,
    ExportNumbers,
    FileWritten,
    ListCandidates,
    ReadAllPairs,
    ReadDrawings,
    ReadLadder,
    ReadSideBySide,
    Side,
    SideBySide,
)
from medfm_gui.desk.entry import Entry, Lane
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.errors import NotFound
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.metrics.names import headline

if TYPE_CHECKING:
    from medfm_gui.workspace.sidebyside import FinishedRun, NamedChart

_MOST_POINTS = 1000
"""Points of a line that a screen can show; exports are drawn from all of them."""


def list_candidates(room: Room, ask: ListCandidates, told: Told) -> CandidateList:
    """Rows of the database."""
    from medfm_gui.workspace.sidebyside import finished_runs, reason_against

    runs, others = finished_runs(room.workspace)
    reference = next((run for run in runs if run.row.id == ask.reference), None)
    titles = _titles(runs)
    found = (
        Candidate(
            run=run.row.id,
            title=titles[run.row.id],
            family=run.row.family,
            dataset=run.dataset.name,
            is_opened=bool(run.sample_set),
            sample_set=run.sample_set,
            test=run.test,
            validation=run.row.state.metrics.get(headline(run.row.task)),
            metric=headline(run.row.task),
            obstacle=reason_against(reference, run),
        )
        for run in runs
    )
    return CandidateList(ask.reference, tuple(found), others)


def _titles(runs: Sequence[FinishedRun]) -> dict[str, str]:
    models = titles_of(run.row for run in runs)
    return {run.row.id: run_title(run.row, models) for run in runs}


def read_side_by_side(room: Room, ask: ReadSideBySide, told: Told) -> SideBySide:
    """Rows of the database, and the comparison's own file."""
    return _side_by_side(room, ask.runs)


def _side_by_side(room: Room, runs: Sequence[str]) -> SideBySide:
    from medfm_gui.workspace.one_event import event_title, events_of
    from medfm_gui.workspace.sidebyside import stored

    kept = stored(room.workspace, runs)
    flagged, without = _without_flagged(room, runs)
    titles = _titles(kept.runs)
    first = kept.runs[0]
    classes = first.dataset.classes
    return SideBySide(
        sides=tuple(Side(run.row.id, titles[run.row.id], run.row.family) for run in kept.runs),
        task=first.row.task,
        dataset=first.dataset.name,
        classes=classes,
        positive=first.dataset.positive,
        evaluations=kept.evaluations,
        openings=kept.openings,
        pairs=kept.file.pairs if kept.file else (),
        sentence=kept.file.sentence if kept.file else "",
        is_compared=kept.file is not None,
        flagged=flagged,
        without_flagged=without,
        events=tuple((name, event_title(first.row.task, name)) for name in events_of(first.row.task, classes)),
    )


def _without_flagged(room: Room, runs: Sequence[str]) -> tuple[int, tuple[Evaluation, ...]]:
    """How many test images the leak gate named, and the headlines without them, as they were kept at the opening."""
    from medfm_gui.workspace.evaluating import opened

    files = [opened(room.workspace, run) for run in runs]
    return max(len(file.flagged) for file in files), tuple(row for file in files for row in file.without_flagged)


def compare_runs(room: Room, ask: CompareRuns, told: Told) -> SideBySide:
    """Every run against the first, pair by pair."""
    from medfm_gui.workspace.comparing import compare

    compare(room.workspace, ask.runs, on_progress=told.progress)
    return _side_by_side(room, ask.runs)


def read_all_pairs(room: Room, ask: ReadAllPairs, told: Told) -> AllPairs:
    """Every run against every other; what was computed since the program started is not computed again."""
    from medfm_gui.workspace.all_pairs import every_pair
    from medfm_gui.workspace.opened_runs import opened_tests

    kept = room.scratch / f"all-pairs-{opened_tests(room.workspace, ask.runs).key}.json"
    if kept.exists():
        return wire.read(AllPairs, kept)
    found = AllPairs(ask.runs, every_pair(room.workspace, ask.runs, on_progress=told.progress))
    wire.write(kept, found)
    return found


def export_all_pairs(room: Room, ask: ExportAllPairs, told: Told) -> FileWritten:
    """A file where the person wants it."""
    from medfm_gui.workspace.sidebyside import export_pairs

    pairs = read_all_pairs(room, ReadAllPairs(ask.runs), told).pairs
    return FileWritten(str(export_pairs(room.workspace, pairs, _names(room, ask.runs), Path(ask.path))))


def read_drawings(room: Room, ask: ReadDrawings, told: Told) -> DrawingList:
    """Stored charts, and those that arrange stored numbers."""
    from medfm_gui.workspace.sidebyside import thinned

    drawings = (
        Drawing(one.key, one.name, thinned(one.chart, _MOST_POINTS), one.run) for one in _charts(room, ask.runs)
    )
    return DrawingList(ask.runs, tuple(drawings))


def _charts(room: Room, runs: Sequence[str]) -> tuple[NamedChart, ...]:
    from medfm_gui.workspace.sidebyside import charts

    return (*charts(room.workspace, runs, _names(room, runs)), *_ladders(room, runs))


def _ladders(room: Room, runs: Sequence[str]) -> tuple[NamedChart, ...]:
    """The ladder of these runs, and that of all finished runs of their split where there are others."""
    from medfm_gui.workspace.ladder import ladder, ladder_charts, relatives
    from medfm_gui.workspace.sidebyside import finished_runs

    every = finished_runs(room.workspace)[0]
    models = titles_of(run.row for run in every)
    by_id = {run.row.id: run for run in every}
    chosen = [by_id[run] for run in runs if run in by_id]
    alike = relatives(every, runs)
    names = {run.row.id: f"{run.row.id} {run_title(run.row, models)}" for run in (*chosen, *alike)}
    found = ladder_charts(ladder(chosen, names, models), LADDER)
    if {run.row.id for run in alike} <= set(runs):
        return found
    return (*found, *ladder_charts(ladder(alike, names, models), LADDER_OF_ALL))


def _names(room: Room, runs: Sequence[str]) -> dict[str, str]:
    """As ``workspace.comparing.title`` has it in the charts that are stored: id, model, adaptation."""
    from medfm_gui.workspace.sidebyside import finished_runs

    wanted = [run for run in finished_runs(room.workspace)[0] if run.row.id in runs]
    return {run: f"{run} {title}" for run, title in _titles(wanted).items()}


def read_ladder(room: Room, ask: ReadLadder, told: Told) -> DrawingList:
    """Rows of the database, arranged."""
    return DrawingList(ask.runs, tuple(Drawing(one.key, one.name, one.chart) for one in _ladders(room, ask.runs)))


def export_drawing(room: Room, ask: ExportDrawing, told: Told) -> FileWritten:
    """A file where the person wants it."""
    from medfm_gui.workspace.sidebyside import export_chart

    is_ladder = ask.key.partition(":")[0] in (LADDER, LADDER_OF_ALL)  # which needs no opened test
    charts = _ladders(room, ask.runs) if is_ladder else _charts(room, ask.runs)
    found = next((one.chart for one in charts if one.key == ask.key), None)
    if found is None:
        raise NotFound("That chart is there no more.", "Look at the comparison again.")
    return FileWritten(str(export_chart(found, ask.format, Path(ask.path), ask.payload)))


def export_numbers(room: Room, ask: ExportNumbers, told: Told) -> FileWritten:
    """A file where the person wants it."""
    from medfm_gui.workspace.sidebyside import export_numbers as export

    return FileWritten(str(export(room.workspace, ask.runs, _names(room, ask.runs), Path(ask.path))))


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ListCandidates: Entry(list_candidates),
    ReadSideBySide: Entry(read_side_by_side),
    CompareRuns: Entry(compare_runs, Lane.WORK, writes=True),
    ReadAllPairs: Entry(read_all_pairs, Lane.WORK),
    ExportAllPairs: Entry(export_all_pairs, Lane.WORK),
    ReadDrawings: Entry(read_drawings, Lane.VIEW),
    ReadLadder: Entry(read_ladder, Lane.VIEW),
    ExportDrawing: Entry(export_drawing, Lane.VIEW),
    ExportNumbers: Entry(export_numbers, Lane.VIEW),
}
