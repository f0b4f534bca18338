"""A model pack: weights below a folder or on a stick, brought in at one go, and what became of each file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.settings import (
    AcceptLicence,
    FoundWeights,
    FoundWeightsList,
    ImportPack,
    LookForWeights,
    PackReport,
)
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.cards import WeightsState
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.job import JobRow
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.rows import Rows
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.models import Model
from medfm_gui.workspace.packs import PackFile

_NAMES = "Names are compared; a file without a known name is held against every model."


class FoundPanel(Panel):
    """What a folder or a stick holds. One file that is refused does not stop the others.

    Signals:
        opened(bool): it is shown now, or not any more.
    """

    opened = Signal(bool)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__("Weights on a disk", _NAMES, parent)
        self.context = context
        self._root = ""
        self._titles: dict[str, str] = {}
        self._models: dict[str, Model] = {}
        self._licences: frozenset[str] = frozenset()
        self._ready: frozenset[str] = frozenset()
        self._files: list[model.FoundRow] = []
        self._ticket: Ticket | None = None
        self.rows = Rows(model.found_columns(""), self)
        self.table = DataTable("Weights files that were found")
        self.table.setMinimumHeight(SPACE[-1] * 5)
        self._why = Label("", selectable=True)
        self.terms = Label("", "warning", selectable=True)
        self.terms.hide()
        self.job = JobRow()
        self.import_button = action("Import", "import", "primary")
        self.import_button.clicked.connect(self.import_all)
        self.close_button = action("Close")
        self.close_button.clicked.connect(self.close_panel)
        buttons = QWidget()
        flow = FlowLayout(buttons)
        flow.addWidget(self.import_button)
        flow.addWidget(self.close_button)
        self.add(self.table, 1)
        for widget in (self._why, self.terms, self.job, buttons):
            self.add(widget)

    def set_models(self, models: Sequence[Model]) -> None:
        """The models there are, by title, and which of them have their weights."""
        self._titles = {one.card.name: one.card.title for one in models}
        self._models = {one.card.name: one for one in models}
        self._ready = frozenset(one.card.name for one in models if one.weights.state is WeightsState.PRESENT)

    def set_licences(self, accepted: Collection[str]) -> None:
        """The licences that were accepted before."""
        self._licences = frozenset(accepted)
        if not self.job.is_busy:
            self._count()

    def look(self, folder: str) -> None:
        """Ask what is below a folder."""
        self._root = folder
        self.set_title(self._name, _NAMES)
        self.table.hide()
        self._why.hide()
        self.opened.emit(True)  # what makes room for it goes first: the window must not grow
        self.show()
        disable(self.import_button, "The folder is being looked through.")
        self.job.begin("Looking through the folder", self._cancel)
        self._ticket = self.context.desk.ask(
            LookForWeights(folder), owner=self, then=self._take, failed=self._fail, progress=self.job.tell
        )

    def import_all(self) -> None:
        """Bring in whatever of it is a model's; the button says whose licences that accepts."""
        if self.job.is_busy or not self._files:
            return
        for one in self._unaccepted():
            self.context.desk.ask(
                AcceptLicence(one.card.name), owner=self, then=lambda _: None, failed=self.job.end_badly
            )
        disable(self.import_button, "The files are being imported.")
        self.job.begin("Waiting to go through the files", self._cancel)
        self._ticket = self.context.desk.ask(
            ImportPack(self._root),
            owner=self,
            then=self._done,
            failed=self._stopped,
            progress=self._tell,
            part=lambda part: self._came(part.files),
        )

    def close_panel(self) -> None:
        """Look no further."""
        self._cancel()
        self.hide()
        self.opened.emit(False)

    @property
    def _name(self) -> str:
        return f"Weights in “{Path(self._root).name or self._root}”"

    def _take(self, found: FoundWeightsList) -> None:
        self.job.clear()
        self._files = [
            model.FoundRow(file, self._titles.get(file.model, ""), "Here already" * (file.model in self._ready))
            for file in found.files
        ]
        self.rows = Rows(model.found_columns(self._root), self)
        self.rows.set_rows(self._files)
        self.table.setModel(self.rows)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._say_why())
        for at, wide in enumerate((9, 3, 5)):
            self.table.setColumnWidth(at, SPACE[5] * wide)
        self.table.show()
        cut = f" Only the first {len(found.files)} are listed." if found.is_cut else ""
        self.set_title(self._name, f"{_NAMES if found.files else 'There is no weights file.'}{cut}")
        self._count()

    def _unaccepted(self) -> list[Model]:
        """One model of each licence that somebody has to accept before its files are used."""
        named = [self._models[row.file.model] for row in self._files if row.file.model in self._models]
        first = {one.card.licence_key: one for one in named if not model.is_accepted(one, self._licences)}
        return list(first.values())

    def _count(self) -> None:
        count, asking = len(self._files), self._unaccepted()
        self.terms.setText("\n".join(map(model.terms, asking)))
        self.terms.setVisible(bool(asking))
        files = f"{counted(count, 'file')}"
        licences = "the licence" if len(asking) == 1 else f"{len(asking)} licences"
        self.import_button.setText(f"Accept {licences} and import {files}" if asking else f"Import {files}")
        disable(self.import_button, "" if count else "There is no weights file.")

    def _tell(self, told: Progress) -> None:
        self.job.tell(told)

    def _came(self, files: Sequence[PackFile]) -> None:
        """What became of some files."""
        places = {row.file.path: at for at, row in enumerate(self._files)}
        for file in files:
            at = places.get(file.path)
            if at is None:  # put there since the folder was looked through
                self._files.append(model.FoundRow(FoundWeights(file.path, 0, file.model), ""))
                at = len(self._files) - 1
            self._files[at] = model.after(self._files[at], file, self._titles.get(file.model, ""))
        if len(self._files) == len(self.rows.rows):
            self.rows.replace(self._files)
        else:
            self.rows.set_rows(self._files)
        self._say_why()

    def _say_why(self) -> None:
        """The whole outcome of the chosen file: a cell is too short for why it was refused."""
        row = self.rows.row(self.table.currentIndex())
        self._why.setText(" ".join(part for part in (row.outcome, row.hint) if part) if row is not None else "")
        self._why.set_role("bad" if row is not None and row.is_bad else "muted")
        self._why.setVisible(bool(self._why.text()))

    def _done(self, report: PackReport) -> None:
        self._came(report.files)
        first_bad = next((at for at, row in enumerate(self._files) if row.is_bad), -1)
        if first_bad >= 0:
            self.table.selectRow(first_bad)
        counts = {state: sum(file.state == state for file in report.files) for state in model.OUTCOMES}
        said = [f"{count} {model.OUTCOMES[state].lower()}" for state, count in counts.items() if count]
        self.job.end_well(f"{', '.join(said)}." if said else "No file was of any model.")
        self._count()

    def _stopped(self, error: MedfmError) -> None:
        """What was brought in before stays, and is said in its row."""
        self.job.end_badly(error, "Go on", self.import_all)
        self._count()

    def _cancel(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()

    def _fail(self, error: MedfmError) -> None:
        disable(self.import_button, "The folder was not looked through.")
        self.job.end_badly(error, "Look again", lambda: self.look(self._root))
