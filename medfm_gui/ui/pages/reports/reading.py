"""Reads the chosen report and shows its pages, or says why it cannot."""

from __future__ import annotations

from PySide6.QtCore import QObject

from medfm_gui.desk.asks.reports import ReadReport, ReportDocument
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.bridge import Asks
from medfm_gui.ui.pages.reports.archive import Archive
from medfm_gui.ui.pages.reports.sheets import Sheets


class Reading(QObject):
    """The report that was chosen last; an answer about another one is not shown."""

    def __init__(self, desk: Asks, archive: Archive, sheets: Sheets, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._archive = archive
        self._sheets = sheets
        self._report = ""

    def read(self, report: str) -> None:
        """Show a written report."""
        self._report = report
        if self._sheets.has(report):
            return
        self._sheets.notice.hide()
        if self._sheets.states.state != "content":
            self._sheets.states.show_busy("Reading the report")
        self._desk.ask(ReadReport(report), owner=self, then=self._take, failed=lambda error: self._fail(report, error))

    def stop(self) -> None:
        """Something else is in front."""
        self._report = ""

    def _take(self, document: ReportDocument) -> None:
        if document.row.id != self._report:
            return
        self._sheets.show_pdf(document.row.id, document.row.title, document.payload)
        if document.is_changed:
            self._sheets.notice.tell(
                "This file is not the one that was written: its SHA-256 is another.",
                "Somebody changed it. Write the report of these runs again if you need the original.",
            )

    def _fail(self, report: str, error: MedfmError) -> None:
        if report != self._report:
            return
        able = self._archive.compose.isEnabled()
        compose = self._archive.compose.click if able else None
        self._sheets.states.show_error(error, "New from these runs" if able else "", compose)
