"""Step 2: who is learned from, who is selected on, who is tested; an existing split or a new one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QModelIndex
from PySide6.QtWidgets import QAbstractItemView, QSizePolicy, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import ListSplits, MakeSplit, SplitList, SplitMade
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.train.model import PlanState, SplitChoice
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.wizard.divide import DividePanel
from medfm_gui.ui.pages.train.wizard.step import Step
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.rows import Column, Rows
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.cohort import SplitWish

_NOWHERE = QModelIndex()
_PARTS = (("Training", "train"), ("Validation", "val"), ("Calibration", "cal"), ("Test, sealed", "test"))
_WIDTHS = (150, 68, 76, 82, 90, 96)


def _columns() -> tuple[Column[SplitChoice], ...]:
    def about(row: SplitChoice) -> str:
        return "\n".join((row.rule, f"Certificate {row.rows[0].fingerprint}", *row.warnings))

    def size(part: str) -> Callable[[SplitChoice], str]:
        """Of a cross-validation, of its first fold."""

        def text(row: SplitChoice) -> str:
            number = row.rows[0].sizes.get(part, 0)
            return f"{number:,}" if number else "–"

        return text

    return (
        Column("Split", lambda row: row.id, tip=about),
        *(Column(title, size(part), is_number=True, tip=about) for title, part in _PARTS),
        Column("How", lambda row: row.rule, tip=about),
    )


class SplitStep(Step):
    """Choose a split of the dataset, or make one past the leak gate."""

    def __init__(self, context: Context, state: PlanState) -> None:
        super().__init__(
            context,
            state,
            At.SPLIT,
            "Split",
            "Patients are kept whole. The test side is sealed: no training looks at it, and each look is written down.",
        )
        self.wanted = ""
        self._asked_for = ""
        self._model = Rows(_columns(), self)
        self._table = DataTable("Splits")
        self._table.setModel(self._model)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        for column, width in enumerate(_WIDTHS):
            self._table.setColumnWidth(column, width)
        self._table.selectionModel().selectionChanged.connect(self._choose)
        self._table.activated.connect(lambda _: self.onward.emit())
        self._notes = Label("", "warning")
        self.divide = DividePanel(self._divide, context.is_read_only)
        content = QWidget()
        down = QVBoxLayout(content)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(SPACE[2])
        down.addWidget(self._table, 1)
        down.addWidget(self._notes)
        self.pane = StatePane(content)
        self.body.addWidget(self.pane, 1)
        self.body.addWidget(self.divide)

    @property
    def first(self) -> QWidget:
        """See ``Step``."""
        return self._table

    def entered(self) -> None:
        """Ask for the splits of the chosen dataset."""
        dataset = self.state.plan.dataset
        if dataset is None:
            return
        if self._asked_for != dataset.id:
            self._asked_for = dataset.id
            self.divide.clear()
            self.pane.show_busy("Looking for splits")
        self.divide.set_by_patient(dataset.n_patients is not None)
        self.context.desk.ask(ListSplits(dataset.id), owner=self, then=self._show, failed=self._fail)

    def show_plan(self) -> None:
        """Mark the chosen split and say what is to be known of it."""
        split = self.state.plan.split
        row = self._model.place(lambda one: split is not None and one.id == split.id)
        if row >= 0 and not self._table.selectionModel().isRowSelected(row, _NOWHERE):
            flags = QItemSelectionModel.SelectionFlag
            self._table.selectionModel().setCurrentIndex(self._model.index(row, 0), flags.ClearAndSelect | flags.Rows)
        self._notes.setText("\n".join(_notes(split)) if split else "")
        self._notes.setVisible(bool(self._notes.text()))

    def _show(self, answer: SplitList) -> None:
        dataset = self.state.plan.dataset
        if dataset is None or any(row.dataset != dataset.id for row in answer.splits):
            return  # the answer is about the dataset that was chosen before
        self.state.offer_splits(answer.splits)
        self._model.set_rows(self.state.splits)
        if self.wanted:
            found = next((one for one in self.state.splits if one.id == self.wanted), None)
            self.wanted = ""
            self.state.put(split=found or self.state.plan.split)
        if self.state.splits:
            self.pane.show_content()
        else:
            self.pane.show_empty(
                "No split of this dataset yet", "Make one below: 70/15/15 by patient is a good beginning.", icon="split"
            )
        self.show_plan()

    def _fail(self, error: MedfmError) -> None:
        self.pane.show_error(error, "Try again", self.entered)

    def _choose(self) -> None:
        rows = self._table.selectionModel().selectedRows()
        if rows:
            self.state.put(split=self._model.row(rows[0]))

    def _divide(self, wish: SplitWish) -> None:
        dataset = self.state.plan.dataset
        if dataset is None:
            return
        self.divide.show_busy("Dividing and looking for leaks")
        ask = MakeSplit(dataset.id, wish)
        desk = self.context.desk
        desk.ask(ask, owner=self, then=self._made, failed=self.divide.show_error, progress=self._told)

    def _told(self, news: Progress) -> None:
        """The look for near-duplicates takes its time."""
        share = f" ({100 * news.done // news.total} %)" if news.total else ""
        self.divide.show_busy(f"{news.text}{share}")

    def _made(self, answer: SplitMade) -> None:
        self.divide.show_done(answer.id)
        self.wanted = answer.id
        self.entered()


def _notes(split: SplitChoice) -> list[str]:
    notes = list(split.warnings[:3])
    accepted = next((row.acceptance for row in split.rows if row.acceptance), "")
    if accepted:
        notes.append(f"Leaks ({split.n_leaks}) were accepted because: {accepted}")
    return notes
