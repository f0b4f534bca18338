"""Diagnostics: what would be in the file, read beforehand, and the file."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from medfm_gui.desk.asks.settings import (
    DiagnosticFile,
    DiagnosticFiles,
    PreviewDiagnostics,
    SavedDiagnostics,
    SaveDiagnostics,
)
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.job import JobRow
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.theme import SPACE, code_font
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.rows import Column, Rows
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label, shown

_ABOUT = (
    "A zip file for whoever helps you. You see all of it below. Lines of logs are kept only in forms that can hold no "
    "name, no value and no path; the others are counted."
)
_LONGEST_TEXT = 200_000

COLUMNS: tuple[Column[DiagnosticFile], ...] = (
    Column("File", lambda file: file.name),
    Column("Size", lambda file: model.size(len(file.text.encode())), is_number=True),
    Column("What it is", lambda file: file.about),
)


class DiagnosticsSection(Section):
    """The files, the chosen one's text, and a button that saves them."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "Diagnostics", _ABOUT)
        self.rows = Rows(COLUMNS, self)
        self.table = DataTable("Files of the diagnostics")
        self.table.setModel(self.rows)
        for at, wide in enumerate((6, 3)):
            self.table.setColumnWidth(at, SPACE[5] * wide)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_text())
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(code_font())
        self.text.setAccessibleName("Text of the chosen file")
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        column.addWidget(self.table, 2)
        column.addWidget(self.text, 3)
        self.states = StatePane(inside)
        self.states.show_busy("Collecting")
        self.job = JobRow()
        self.save_button = action("Save …", "export", "primary")
        self.save_button.setAccessibleName("Save the diagnostics")
        self.save_button.clicked.connect(self.pick)
        bar = QHBoxLayout()
        bar.setSpacing(SPACE[2])
        bar.addWidget(Label("Nothing is sent anywhere: you save a file and pass it on yourself.", "muted"), 1)
        bar.addWidget(self.save_button)
        self.body.addWidget(self.job)
        self.body.addWidget(self.states, 1)
        self.body.addLayout(bar)

    def refresh(self) -> None:
        """Collect them anew."""
        self.context.desk.ask(PreviewDiagnostics(), owner=self, then=self._take, failed=self._fail)

    def pick(self) -> None:
        """Ask where to save."""
        found, _ = QFileDialog.getSaveFileName(self, "Save diagnostics", "medfm-diagnostics.zip", "Zip file (*.zip)")
        if found:
            self.save(found if found.endswith(".zip") else f"{found}.zip")

    def save(self, path: str) -> None:
        """Have them written."""
        ticket = self.context.desk.ask(
            SaveDiagnostics(path), owner=self, then=self._saved, failed=lambda error: self._not_saved(error)
        )
        self.job.begin("Saving", ticket.cancel)

    def _take(self, found: DiagnosticFiles) -> None:
        self.rows.set_rows(found.files)
        self.states.show_content()
        self.table.selectRow(0)
        self._show_text()

    def _fail(self, error: MedfmError) -> None:
        self.states.show_error(error, "Try again", self.refresh)

    def _saved(self, saved: SavedDiagnostics) -> None:
        self.job.end_well(f"{saved.files} files, {model.size(saved.size)}, saved as {saved.path}")

    def _not_saved(self, error: MedfmError) -> None:
        self.job.end_badly(error, "Save elsewhere …", self.pick)

    def _show_text(self) -> None:
        file = self.rows.row(self.table.currentIndex())
        self.text.setPlainText(shown(file.text, _LONGEST_TEXT) if file else "")
