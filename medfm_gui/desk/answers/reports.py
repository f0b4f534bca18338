"""Reports: the list, one as a PDF, one that is composed, and writing it."""

from __future__ import annotations

import hashlib
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
    from medfm_gui.workspace.reporting import Draft, Watch, build_report, must_draw

    draft = Draft(room.scratch / "reports", room.is_read_only)
    outline = _bounded(ask.outline)
    watch = Watch(_Drawing(told), told.progress, told.stopped)
    if Part.EXAMPLES in outline.parts and must_draw(room.workspace, ask.runs, draft):
        without = replace(outline, parts=tuple(part for part in outline.parts if part is not Part.EXAMPLES))
        report = build_report(room.workspace, ask.runs, outline=without, draft=draft, watch=watch)
        told.part(_in_pages(report, told, is_whole=False))
    return _in_pages(build_report(room.workspace, ask.runs, outline=outline, draft=draft, watch=watch), told)


def _in_pages(report: Report, told: Told, *, is_whole: bool = True) -> ReportPreview:
    from medfm_gui.reports.pdf import typeset

    told.progress("Setting the pages")
    data, pages = typeset(report)
    return ReportPreview(report.title, pages, is_whole, data)


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
    from medfm_gui.workspace.reporting import Watch, file_report

    path = _target(ask.path)
    filed = file_report(
        room.workspace,
        ask.runs,
        outline=_bounded(ask.outline),
        copy_to=path,
        watch=Watch(_Drawing(told), told.progress, told.stopped),
    )
    return ReportWritten(filed.id, str(path), filed.file.pages, filed.file.sha256, path.stat().st_size)


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
    return replace(outline, title=outline.title[:_LONGEST_TITLE], purpose=outline.purpose[:_LONGEST_PURPOSE])


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ListReports: Entry(list_reports),
    ReadReport: Entry(read_report, Lane.VIEW),
    PreviewReport: Entry(preview_report, Lane.WORK),
    WriteReport: Entry(write_report, Lane.WORK, changes=(Topic.REPORTS,), writes=True),
    CopyReport: Entry(copy_report, Lane.VIEW),
}
