"""Writes the report that is composed, or a copy of a written one, and says what came of it over the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.reports import CopyReport, ReportItem, ReportWritten, WriteReport
from medfm_gui.desk.protocol import Ask, Progress
from medfm_gui.domain.errors import DiskFull, Interrupted, MedfmError, SealError
from medfm_gui.domain.units import counted
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.reports import where
from medfm_gui.ui.pages.reports.composer import Composer
from medfm_gui.ui.pages.reports.model import RunsModel, size
from medfm_gui.ui.pages.reports.sheets import Sheets

_READ_ONLY: Final = "This workspace is open read-only, because another window has it."


class Exporting(QObject):
    """One report at a time.

    Signals:
        show_wanted(str): the report of that id shall be shown.
        sealed(): the test of a chosen run has to be opened first.
    """

    show_wanted = Signal(str)
    sealed = Signal()

    def __init__(self, context: Context, runs: RunsModel, composer: Composer, sheets: Sheets, page: QWidget) -> None:
        super().__init__(page)
        self._context = context
        self._runs = runs
        self._composer = composer
        self._sheets = sheets
        self._page = page
        self._ticket: Ticket | None = None
        runs.chosen_changed.connect(self.allow)
        sheets.writing_stopped.connect(self._cancel)
        self.allow()

    def allow(self) -> None:
        """Say in the composer why nothing can be written now."""
        reason = "" if self._runs.chosen else "Choose the runs first."
        reason = "A report is being written." if self._ticket is not None else reason
        self._composer.allow_export(_READ_ONLY if self._context.is_read_only else reason)

    def write(self, title: str) -> None:
        """Ask where to, then write a report of the chosen runs; ``title`` is the one it will bear."""
        path = where.ask_where(self._page, "Export report", where.file_name(title)) if self._ticket is None else ""
        if path:
            table, card = self._composer.beside.wanted
            ask = WriteReport(self._runs.chosen, path, self._composer.outline, table, card)
            self._ask(ask, "The report", lambda: self.write(title))

    def copy(self, item: ReportItem) -> None:
        """Ask where to, then write the same PDF there."""
        name = where.file_name(item.row.title)
        path = where.ask_where(self._page, "Save a copy of the report", name) if self._ticket is None else ""
        if path:
            self._ask(CopyReport(item.row.id, path), "The copy", lambda: self.copy(item))

    def _ask(self, ask: Ask[ReportWritten], what: str, again: Callable[[], object]) -> None:
        def done(made: ReportWritten) -> None:
            self._end()
            self._written(made, what)

        def refused(error: MedfmError) -> None:
            self._end()
            self._not_written(error, what, again)

        self._ticket = self._context.desk.ask(
            ask, owner=self, then=done, failed=refused, progress=self._sheets.tell_writing
        )
        self._sheets.notice.hide()
        self._sheets.tell_writing(Progress(f"{what} is being written"))
        self.allow()

    def _end(self) -> None:
        self._ticket = None
        self._sheets.end_writing()
        self.allow()

    def _cancel(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()

    def _written(self, made: ReportWritten, what: str) -> None:
        facts = f"{counted(made.pages, 'page')} · {size(made.size_bytes)} · SHA-256 {made.sha256}"
        beside = ", ".join(one.replace("\\", "/").rpartition("/")[2] for one in made.beside)
        facts += f"\nBeside it: {beside}" if beside else ""
        deeds = [
            ("Show", lambda: self.show_wanted.emit(made.id)),
            ("Open folder", lambda: where.show_folder(made.path)),
        ]
        self._sheets.notice.tell(f"{what} was written to {made.path}", facts, role="good", deeds=deeds)
        if not self._page.isVisible():
            self._context.say(
                f"{what} was written.", "good", "Show", lambda: self._context.go("reports", report=made.id)
            )

    def _not_written(self, error: MedfmError, what: str, again: Callable[[], object]) -> None:
        notice = self._sheets.notice
        if isinstance(error, Interrupted):
            notice.tell(f"{what} was not written: it was cancelled.")
        elif isinstance(error, SealError):
            notice.tell(error.message, error.hint, role="bad", deeds=[("Open the test in Runs", self.sealed.emit)])
        else:
            # both ask where to again: on a full disk the same place is right once there is space
            words = "Export again …" if isinstance(error, DiskFull) else "Choose another place …"
            notice.tell(error.message, error.hint, role="bad", deeds=[(words, again)])
            if not self._page.isVisible():
                self._context.say(error.message, "bad")
