"""The dialog in which runs are chosen, and sealed tests are opened."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from medfm_gui.desk.asks.compare import CandidateList, ListCandidates
from medfm_gui.desk.asks.runs import LookAtSeal, OpenTest, TestOpened
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.pages.compare.candidates import CandidateTable
from medfm_gui.ui.pages.runs.seal import SealDialog
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label

_WIDTH_PX = SPACE[-1] * 33
_HEIGHT_PX = SPACE[-1] * 16
_COLUMNS_PX = (SPACE[-1] * 8, SPACE[-1] * 7, SPACE[-1] * 7, SPACE[-1] * 5)
_READ_ONLY = "The workspace is open for reading only."


class RunChooser(QDialog):
    """Ticks runs; the first that is ticked is the reference, and what cannot stand beside it says why.

    Signals:
        chosen(tuple[str, ...]): the runs to compare.
    """

    chosen = Signal(object)

    def __init__(self, context: Context, runs: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._opening: Ticket | None = None
        self.setModal(True)
        self.setWindowTitle("Choose runs to compare")
        self.setAccessibleName("Choose runs to compare")
        self.resize(_WIDTH_PX, _HEIGHT_PX)
        self.model = CandidateTable(self)
        self.model.start(runs)
        self._rows = QSortFilterProxyModel(self)
        self._rows.setSourceModel(self.model)
        self._rows.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._rows.setFilterKeyColumn(-1)
        self._build()
        self._connect()
        self._judge()
        self.ask(runs[0] if runs else "")

    def _build(self) -> None:
        self.search = QLineEdit()
        self.search.setPlaceholderText("Filter by run, model or dataset")
        self.search.setAccessibleName("Filter runs")
        self.search.setClearButtonEnabled(True)
        self.table = DataTable("Finished runs")
        self.table.setModel(self._rows)
        for at, width in enumerate(_COLUMNS_PX):
            self.table.setColumnWidth(at, width)
        self.notice = Notice()
        self.work = ProgressRow()
        self.work.hide()
        self.count = Label("", "muted", elide=Qt.TextElideMode.ElideRight)
        self.seal = action("Open the sealed test …", "seal")
        self.cancel = action("Cancel")
        self.compare = action("Compare", "compare", "primary")
        self.compare.setDefault(True)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE[1])
        buttons.addWidget(self.seal)
        buttons.addWidget(self.count, 1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.compare)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[3])
        column.setSpacing(SPACE[2])
        column.addWidget(Label("Choose runs to compare", "heading2"))
        column.addWidget(
            Label("Tick runs whose test is open. The first one is the reference of every paired test.", "muted")
        )
        for widget in (self.search, self.notice, self.work):
            column.addWidget(widget)
        column.addWidget(self.table, 1)
        column.addLayout(buttons)

    def _connect(self) -> None:
        self.search.textChanged.connect(self._rows.setFilterFixedString)
        self.model.ticked.connect(self._judge)
        self.model.reference_changed.connect(self.ask)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._judge())
        self.table.activated.connect(self._toggle)
        self.seal.clicked.connect(self.ask_for_reason)
        self.cancel.clicked.connect(self.reject)
        self.compare.clicked.connect(self._confirm)

    def ask(self, reference: str) -> None:
        """Ask for the runs, judged against this one."""
        self._context.desk.ask(ListCandidates(reference), owner=self, then=self._fill, failed=self._failed)

    def sealed(self) -> tuple[str, ...]:
        """The selected runs whose test is sealed."""
        rows = (self._rows.mapToSource(index).row() for index in self.table.selectionModel().selectedRows())
        found = (self.model.candidate(row) for row in rows)
        return tuple(one.run for one in found if one is not None and not one.is_opened)

    def ask_for_reason(self) -> None:
        """Show what an opening means and ask why; nothing is opened yet."""
        runs = self.sealed()
        if not runs:
            return
        dialog = SealDialog(runs, self)
        dialog.confirmed.connect(lambda reason: self.open_test(runs, reason))
        dialog.finished.connect(dialog.deleteLater)
        self._context.desk.ask(LookAtSeal(runs), owner=dialog, then=dialog.tell, failed=dialog.fail)
        dialog.open()

    def open_test(self, runs: tuple[str, ...], reason: str) -> None:
        """Open the test of these runs."""
        self.notice.hide()
        self.work.show()
        self.work.tell(f"Opening the test of {wording.listed(runs)}")
        self._opening = self._context.desk.ask(
            OpenTest(runs, reason), owner=self, then=self._opened, failed=self._not_opened, progress=self._tell
        )
        self.work.on_cancel(self._opening.cancel)
        self._judge()

    def _fill(self, answer: CandidateList) -> None:
        self.model.fill(answer.runs)
        reference = self.model.chosen[0] if self.model.chosen else ""
        if reference != answer.reference and answer.reference:
            self.ask(reference)  # the one that was asked for is no choice any more

    def _failed(self, error: MedfmError) -> None:
        self.notice.tell(error.message, error.hint, role="bad")

    def _tell(self, news: Progress) -> None:
        self.work.tell(news.text, news.total, news.done, news.seconds_left)

    def _opened(self, answer: TestOpened) -> None:
        self._end_opening()
        if answer.refused:
            first = answer.refused[0]
            self.notice.tell(first.message, first.hint)
        self.model.start((*self.model.chosen, *answer.runs))
        self.ask(self.model.chosen[0] if self.model.chosen else "")

    def _not_opened(self, error: MedfmError) -> None:
        self._end_opening()
        if isinstance(error, Interrupted):
            self.notice.tell("The opening of the test was stopped.", "The look stays written down in the journal.")
        else:
            self._failed(error)

    def _end_opening(self) -> None:
        self._opening = None
        self.work.hide()
        self._judge()

    def _toggle(self, index: QModelIndex) -> None:
        one = self.model.candidate(self._rows.mapToSource(index).row())
        if one is None:
            return
        if one.is_opened and not one.obstacle:
            self.model.tick(one.run, one.run not in self.model.chosen)
        elif not one.is_opened and self.seal.isEnabled():
            self.ask_for_reason()

    def _judge(self) -> None:
        """What can be done now."""
        count = len(self.model.chosen)
        said = f"{counted(count, 'run')} chosen"
        self.count.setText(f"{said}; the reference is {self.model.chosen[0]}" if count > 1 else said)
        disable(self.compare, "" if count else "Tick a run first.")
        self.compare.setText("Compare" if count != 1 else "Show")
        reason = "" if self.sealed() else "Select a run whose test is sealed."
        if self._opening is not None:
            reason = "A test is being opened."
        disable(self.seal, _READ_ONLY if self._context.is_read_only else reason)

    def _confirm(self) -> None:
        runs = self.model.chosen
        if runs:
            self.accept()
            self.chosen.emit(runs)
