"""Reports: the list, one as a PDF, one that is composed, and writing it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from medfm_gui.desk.asks.reports import (
    CopyReport,
    ListReports,
    PreviewReport,
    ReadReport,
    ReportDocument,
    ReportItem,
    ReportList,
    ReportPreview,
    ReportWritten,
    WriteReport,
)
from medfm_gui.desk.entry import Entry, Lane, Topic
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import InputError, NotFound, UsageError
from medfm_gui.domain.report import Outline, Part, Report
from medfm_gui.store.rows import ReportRow

_LONGEST_TITLE: Final = 240
_LONGEST_PURPOSE: Final = 10_000
_MOST_SUBGROUPS: Final = 12
_LARGEST_BYTES: Final = 256 << 20
"""A PDF of more bytes is not sent to the window."""


def list_reports(room: Room, ask: ListReports, told: Told) -> ReportList:
    """Rows of the database, and whether the files are there."""
    from medfm_gui.store import queries

    with room.workspace.store.reading() as reader:
        rows = queries.reports(reader)
    return ReportList(tuple(ReportItem(row, not Path(row.path).is_file()) for row in rows))


def read_report(room: Room, ask: ReadReport, told: Told) -> ReportDocument:
    """The file as it is now, held against the hash of the one that was written."""
    row = _row(room, ask.report)
    data = _bytes_of(row)
    return ReportDocument(row, hashlib.sha256(data).hexdigest() != row.sha256, data)


def preview_report(room: Room, ask: PreviewReport, told: Told) -> ReportPreview:
    """Set from stored facts. Where heat maps have to be drawn first, the report without them is a first part."""
    from medfm_gui.workspace.report_facts import Draft, Watch
    from medfm_gui.workspace.reporting import build_report, must_draw

    draft = Draft(room.scratch / "reports", room.is_read_only)
    outline = _bounded(ask.outline)
    watch = Watch(_Drawing(told), told.progress, told.stopped)
    if Part.EXAMPLES in outline.parts and must_draw(room.workspace, ask.runs, draft, outline):
        without = replace(outline, parts=tuple(part for part in outline.parts if part is not Part.EXAMPLES))
        report = build_report(room.workspace, ask.runs, outline=without, draft=draft, watch=watch)
        told.part(_in_pages(room, ask, report, told, is_whole=False))
    report = build_report(room.workspace, ask.runs, outline=outline, draft=draft, watch=watch)
    return _in_pages(room, ask, report, told)


def _in_pages(room: Room, ask: PreviewReport, report: Report, told: Told, *, is_whole: bool = True) -> ReportPreview:
    from medfm_gui.reports.pdf import typeset
    from medfm_gui.workspace.report_permission import permission_of_runs
    from medfm_gui.workspace.report_subgroups import named_covariates

    told.progress("Setting the pages")
    data, pages = typeset(report)
    allowed, covariates = permission_of_runs(room.workspace, ask.runs), named_covariates(room.workspace, ask.runs)
    return ReportPreview(report.title, pages, is_whole, data, allowed.reason, covariates, allowed.forbids)


class _Drawing:
    """Tells the window how far the worker is that draws heat maps. It never raises: ``Watch.stop`` ends the worker."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def __call__(self, event: ev.Event) -> None:
        if self._told.stopped.is_set():
            return
        if isinstance(event, ev.Progressed):
            self._told.progress("Drawing heat maps", event.done, event.total, event.seconds_left)
        elif isinstance(event, ev.RunStarted):
            self._told.progress("Drawing heat maps: the worker is starting")


def write_report(room: Room, ask: WriteReport, told: Told) -> ReportWritten:
    """Into the workspace, and the same bytes to where the person wants them; nothing is filed where that fails."""
    from medfm_gui.workspace.report_facts import Watch
    from medfm_gui.workspace.reporting import Beside, file_report

    path = _target(ask.path)
    table = _free(path, f"-table.{ask.table}") if ask.table else None
    card = _free(path, "-model-card.json") if ask.card else None
    filed = file_report(
        room.workspace,
        ask.runs,
        outline=_bounded(ask.outline),
        copy_to=path,
        beside=Beside(table, card),
        watch=Watch(_Drawing(told), told.progress, told.stopped),
    )
    beside = tuple(str(one) for one in (table, card) if one is not None)
    return ReportWritten(filed.id, str(path), filed.file.pages, filed.file.sha256, path.stat().st_size, beside)


def _free(path: Path, ending: str) -> Path:
    """A file beside a report, under a name that nothing has: nobody was asked whether it may be replaced."""
    stem, suffix = (f"{path.stem}{ending}").rsplit(".", 1)
    names = (f"{stem}{f'-{number}' if number > 1 else ''}.{suffix}" for number in itertools.count(1))
    return next(found for name in names if not (found := path.with_name(name)).exists())


def copy_report(room: Room, ask: CopyReport, told: Told) -> ReportWritten:
    """The same bytes at another place."""
    from medfm_gui.base.atomic import atomic_write

    row = _row(room, ask.report)
    path = _target(ask.path)
    data = _bytes_of(row)
    return ReportWritten(row.id, str(path), row.pages, atomic_write(path, data), len(data))


def _row(room: Room, report: str) -> ReportRow:
    from medfm_gui.store import queries

    with room.workspace.store.reading() as reader:
        row = next((row for row in queries.reports(reader) if row.id == report), None)
    if row is None:
        raise NotFound(f"There is no report “{report}” in this workspace.", "Look at the list again.")
    return row


def _bytes_of(row: ReportRow) -> bytes:
    path = Path(row.path)
    if not path.is_file():
        raise NotFound(
            f"The file of “{row.title}” is not at “{row.path}” any more.",
            "Bring it back there, or write the report of these runs again.",
        )
    if path.stat().st_size > _LARGEST_BYTES:
        raise InputError(f"“{path.name}” is too large to be shown here.", "Open it with a PDF viewer.")
    data = path.read_bytes()
    if not data.startswith(b"%PDF"):
        raise InputError(f"“{path.name}” is not a PDF any more.", "Write the report of these runs again.")
    return data


def _target(path: str) -> Path:
    target = Path(path).expanduser()
    if not target.is_absolute() or not target.name:
        raise UsageError(f"“{path}” does not say where to write.", "Choose a file in a folder.")
    return target


def _bounded(outline: Outline) -> Outline:
    title, purpose = outline.title[:_LONGEST_TITLE], outline.purpose[:_LONGEST_PURPOSE]
    return replace(outline, title=title, purpose=purpose, subgroups=outline.subgroups[:_MOST_SUBGROUPS])


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ListReports: Entry(list_reports),
    ReadReport: Entry(read_report, Lane.VIEW),
    PreviewReport: Entry(preview_report, Lane.WORK),
    WriteReport: Entry(write_report, Lane.WORK, changes=(Topic.REPORTS,), writes=True),
    CopyReport: Entry(copy_report, Lane.VIEW),
}
