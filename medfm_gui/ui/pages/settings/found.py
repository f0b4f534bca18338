"""Weights that were found below a folder: which model each file is named for, and their import one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.settings import FoundWeightsList, ImportWeights, LookForWeights
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.cards import WeightsState
from medfm_gui.domain.errors import Interrupted, MedfmError
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


class FoundPanel(Panel):
    """What a folder or a stick holds. Files are imported in turn; one that is refused does not stop the others.

    Signals:
        opened(bool): it is shown now, or not any more.
    """

    opened = Signal(bool)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__("Weights on a disk", "No file was opened yet; names are compared.", parent)
        self.context = context
        self._root = ""
        self._titles: dict[str, str] = {}
        self._ready: frozenset[str] = frozenset()
        self._files: list[model.FoundRow] = []
        self._waiting: list[int] = []
        self._ticket: Ticket | None = None
        self.rows = Rows(model.found_columns(""), self)
        self.table = DataTable("Weights files that were found")
        self.table.setMinimumHeight(SPACE[-1] * 5)
        self._why = Label("", selectable=True)
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
        for widget in (self._why, self.job, buttons):
            self.add(widget)

    def set_models(self, models: Sequence[Model]) -> None:
        """The models there are, by title, and which of them have their weights."""
        self._titles = {one.card.name: one.card.title for one in models}
        self._ready = frozenset(one.card.name for one in models if one.weights.state is WeightsState.PRESENT)

    def look(self, folder: str) -> None:
        """Ask what is below a folder."""
        self._root = folder
        self.set_title(f"Weights in “{Path(folder).name or folder}”", "Names are compared; no file is opened yet.")
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
        """Import every file that is named for a model and was not imported yet."""
        if self.job.is_busy:
            return
        self._waiting = [at for at, row in enumerate(self._files) if self._is_wanted(row)]
        self._next()

    def close_panel(self) -> None:
        """Look no further."""
        self._waiting.clear()
        self._cancel()
        self.hide()
        self.opened.emit(False)

    def _is_wanted(self, row: model.FoundRow) -> bool:
        return bool(row.file.model) and not row.outcome

    def _take(self, found: FoundWeightsList) -> None:
        self.job.clear()
        self._files = [self._row_of(found, at) for at in range(len(found.files))]
        self.rows = Rows(model.found_columns(self._root), self)
        self.rows.set_rows(self._files)
        self.table.setModel(self.rows)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._say_why())
        for at, wide in enumerate((9, 3, 5)):
            self.table.setColumnWidth(at, SPACE[5] * wide)
        self.table.show()
        cut = " Only the first 500 are listed." if found.is_cut else ""
        caption = "Names are compared; no file was opened yet." if found.files else "There is no weights file."
        self.set_title(f"Weights in “{Path(self._root).name or self._root}”", f"{caption}{cut}")
        self._count()

    def _row_of(self, found: FoundWeightsList, at: int) -> model.FoundRow:
        file = found.files[at]
        first = next(k for k, other in enumerate(found.files) if other.model == file.model)
        outcome = ""
        if file.model in self._ready:
            outcome = "Already here"
        elif file.model and first != at:
            outcome = "Another file of this model comes first"
        return model.FoundRow(file, self._titles.get(file.model, ""), outcome)

    def _count(self) -> None:
        count = sum(self._is_wanted(row) for row in self._files)
        self.import_button.setText(f"Import {count} {'file' if count == 1 else 'files'}")
        disable(self.import_button, "" if count else "No file is named for a model that lacks its weights.")

    def _next(self) -> None:
        if not self._waiting:
            self._done()
            return
        at = self._waiting[0]
        row = self._files[at]
        left = len(self._waiting)
        disable(self.import_button, "The files are being imported.")
        self.job.begin(f"{row.title}: waiting", self._stop)
        self._ticket = self.context.desk.ask(
            ImportWeights(row.file.model, row.file.path),
            owner=self,
            then=lambda _: self._came(at, "Imported"),
            failed=lambda error: self._refused(at, error),
            progress=lambda told: self._tell(told, row.title, left),
        )

    def _tell(self, told: Progress, title: str, left: int) -> None:
        more = f"{left - 1} more to come · " if left > 1 else ""
        self.job.tell(told, f"{more}{title}: ")

    def _came(self, at: int, outcome: str, *, is_bad: bool = False) -> None:
        self._files[at] = replace(self._files[at], outcome=outcome, is_bad=is_bad)
        self.rows.replace(self._files)
        if is_bad:
            self.table.selectRow(at)
        self._say_why()
        if self._waiting:
            self._waiting.pop(0)
        self._next()

    def _refused(self, at: int, error: MedfmError) -> None:
        if isinstance(error, Interrupted):
            self._waiting.clear()
            self.job.end_badly(error)
            self._count()
            return
        self._came(at, f"Refused: {error.message}", is_bad=True)

    def _say_why(self) -> None:
        """The whole outcome of the chosen file: a cell is too short for why it was refused."""
        row = self.rows.row(self.table.currentIndex())
        self._why.setText(row.outcome if row is not None else "")
        self._why.set_role("bad" if row is not None and row.is_bad else "muted")
        self._why.setVisible(bool(row is not None and row.outcome))

    def _done(self) -> None:
        came = sum(row.outcome == "Imported" for row in self._files)
        refused = sum(row.is_bad for row in self._files)
        words = f"{came} imported" + (f", {refused} refused" if refused else "")
        self.job.end_well(f"{words}.")
        self._count()

    def _stop(self) -> None:
        del self._waiting[1:]
        self._cancel()

    def _cancel(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()

    def _fail(self, error: MedfmError) -> None:
        disable(self.import_button, "The folder was not looked through.")
        self.job.end_badly(error, "Look again", lambda: self.look(self._root))
