"""Step 2: who is learned from, who is selected on, who is tested; an existing split or a new one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import ListSplits, SplitList, SplitMade
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.datasets.split_editor import READ_ONLY, SplitEditor
from medfm_gui.ui.pages.train.model import PlanState, SplitChoice
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.wizard.step import Step
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.rows import Column, Rows
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label

_NOWHERE = QModelIndex()
_PARTS = (("Training", "train"), ("Validation", "val"), ("Calibration", "cal"), ("Test, sealed", "test"))
_WIDTHS = (110, 76, 88, 92, 100, 96)


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
    """Choose a split of the dataset, or make one past the leak gate, by the rules of the Datasets page.

    Signals:
        planning(bool): a new split is being planned before everybody's eyes, and wants the room.
    """

    planning = Signal(bool)

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
        self._made_words = Label("", "good")
        self.new = action("New split", "plus")
        self.new.clicked.connect(self.begin)
        disable(self.new, READ_ONLY if context.is_read_only else "")
        self._editor = Deferred(self._make_editor)
        content = QWidget()
        down = QVBoxLayout(content)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(SPACE[2])
        bar = QHBoxLayout()
        bar.setSpacing(SPACE[2])
        bar.addWidget(self._made_words, 1)
        bar.addStretch(0)
        bar.addWidget(self.new)
        down.addLayout(bar)
        down.addWidget(self._table, 1)
        down.addWidget(self._notes)
        self.pane = StatePane(content)
        self._stack = QStackedWidget()
        for place in (self.pane, self._editor):
            self._stack.addWidget(place)
        self._stack.currentChanged.connect(lambda place: self.planning.emit(place == 1 and self.isVisible()))
        self.body.addWidget(self._stack, 1)

    @property
    def first(self) -> QWidget:
        """See ``Step``."""
        return self._table

    @property
    def editor(self) -> SplitEditor:
        """Where a new split is planned, with what the leak gate says of it."""
        return self._editor.part

    def _make_editor(self, place: QWidget) -> SplitEditor:
        editor = SplitEditor(self.context, place)
        editor.closed.connect(self.show_list)
        editor.made.connect(self._made)
        return editor

    def begin(self) -> None:
        """Plan another split of the chosen dataset."""
        dataset = self.state.plan.dataset
        if dataset is not None and not self.context.is_read_only:
            self._stack.setCurrentWidget(self._editor)
            self.editor.begin(dataset)

    def show_list(self) -> None:
        """Back to the splits that there are."""
        self._stack.setCurrentWidget(self.pane)

    def showEvent(self, event: QShowEvent) -> None:
        """A plan that was left open wants its room again."""
        super().showEvent(event)
        self.planning.emit(self._stack.currentIndex() == 1)

    def hideEvent(self, event: QHideEvent) -> None:
        """Other steps have the room as it was."""
        super().hideEvent(event)
        self.planning.emit(False)

    def entered(self) -> None:
        """Ask for the splits of the chosen dataset."""
        dataset = self.state.plan.dataset
        if dataset is None:
            return
        if self._asked_for != dataset.id:
            self._asked_for = dataset.id
            self._made_words.setText("")
            self.show_list()
            self.pane.show_busy("Looking for splits")
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
        for column, (_, part) in enumerate(_PARTS, 1):  # what no split has takes no room from how they were made
            self._table.setColumnHidden(column, not any(one.rows[0].sizes.get(part) for one in self.state.splits))
        if self.wanted:
            found = next((one for one in self.state.splits if one.id == self.wanted), None)
            self.wanted = ""
            self.state.put(split=found or self.state.plan.split)
        if self.state.splits:
            self.pane.show_content()
        else:
            text = "" if self.context.is_read_only else "New split"
            self.pane.show_empty(
                "No split of this dataset yet",
                "70/15/15 by patient is a good beginning. It is checked by the leak gate before it is frozen.",
                text,
                self.begin,
                "split",
            )
        self.show_plan()

    def _fail(self, error: MedfmError) -> None:
        self.pane.show_error(error, "Try again", self.entered)

    def _choose(self) -> None:
        rows = self._table.selectionModel().selectedRows()
        if rows:
            self.state.put(split=self._model.row(rows[0]))

    def _made(self, answer: SplitMade) -> None:
        self._made_words.setText(f"“{answer.id}” is made and frozen.")
        self.show_list()
        self.wanted = answer.id
        self.entered()


def _notes(split: SplitChoice) -> list[str]:
    notes = list(split.warnings[:3])
    accepted = next((row.acceptance for row in split.rows if row.acceptance), "")
    if accepted:
        notes.append(f"Leaks ({split.n_leaks}) were accepted because: {accepted}")
    return notes
