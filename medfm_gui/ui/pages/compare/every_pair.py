"""Every run against every other: computed when it is asked for, shown as exploratory, kept nowhere."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.desk.asks.compare import AllPairs, ExportAllPairs, FileWritten, ReadAllPairs, Side, SideBySide
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.metrics.names import metric_title, multiplicity
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare.difference_cell import DifferenceDelegate
from medfm_gui.ui.pages.compare.exporting import ask_path
from medfm_gui.ui.pages.compare.look import Look
from medfm_gui.ui.pages.compare.pairs import TOGETHER, PairTable
from medfm_gui.ui.pages.compare.run_cell import RunDelegate
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label

_COLUMNS_PX = tuple(SPACE[1] * steps for steps in (29, 17, 16, 34, 9, 9, 18, 24, 8))
"""Up to the simultaneous interval all are seen in the narrowest window."""


_NOTE_PX = SPACE[-1] * 9
_RUN, _MINUS, _DIFFERENCE = 0, 1, 3
_GROWING = (_RUN, _MINUS, _DIFFERENCE)
_MOST_MORE_PX = SPACE[-1] * 6


class PairView(DataTable):
    """Gives names and bars what a wide window has to spare, until a person sets a width of a column."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._is_fitting, self._is_kept = False, False
        self.setTextElideMode(Qt.TextElideMode.ElideRight)  # what tells metrics and models apart stands first
        self.horizontalHeader().sectionResized.connect(self._resized)

    def _resized(self, column: int) -> None:
        self._is_kept |= not self._is_fitting and column in _GROWING

    def fit(self) -> None:
        """Share what is to spare between names and bars."""
        if self._is_kept:
            return
        spare = (self.viewport().width() - sum(_COLUMNS_PX) - _NOTE_PX) // len(_GROWING)
        more = max(0, min(_MOST_MORE_PX, spare))
        self._is_fitting = True
        for column in _GROWING:
            self.setColumnWidth(column, _COLUMNS_PX[column] + more)
        self._is_fitting = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit again."""
        super().resizeEvent(event)
        self.fit()


def pair_view(name: str, model: PairTable) -> PairView:
    """A table of paired differences with their intervals as bars."""
    table = PairView(name)
    table.setModel(model)
    table.setItemDelegateForColumn(_RUN, RunDelegate(table))
    table.setItemDelegateForColumn(_DIFFERENCE, DifferenceDelegate(table))
    for at, width in enumerate(_COLUMNS_PX):
        if at not in _GROWING:
            table.setColumnWidth(at, width)
    table.fit()
    return table


class EveryPair(QWidget):
    """A row a pair of runs, its label, and a button that writes them to a file."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._sides: tuple[Side, ...] = ()
        self._numbers: tuple[Evaluation, ...] = ()
        self.model = PairTable(self)
        self.table = pair_view("Every pair of runs, exploratory", self.model)
        self.head = Label("", "muted")
        self.export = action("Export all pairs", "export")
        self.export.clicked.connect(self.write)
        self.notice = Notice()
        body = QWidget()
        top = QHBoxLayout()
        top.setSpacing(SPACE[2])
        top.addWidget(self.head, 1)
        top.addWidget(self.export)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        column.addLayout(top)
        column.addWidget(self.notice)
        column.addWidget(self.table, 1)
        self.pane = StatePane(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.pane)
        self._look = Look(context.desk, self, self.pane, "Comparing every pair of runs", self._show)

    def show_runs(self, found: SideBySide) -> None:
        """The runs of the comparison; what was computed of the very same numbers stays."""
        changed = bool(self._numbers) and found.evaluations != self._numbers
        self._sides, self._numbers = found.sides, found.evaluations
        self._look.want(ReadAllPairs(tuple(side.run for side in found.sides)))
        if changed:
            self._look.again()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask what was not asked while nobody looked."""
        super().showEvent(event)
        self._look.seen()

    def _show(self, answer: AllPairs) -> None:
        self.notice.hide()
        self.model.fill_all(self._sides, answer.pairs)
        self.table.setColumnHidden(TOGETHER, not self.model.knows_together)
        metric = metric_title(answer.pairs[0].metric) if answer.pairs else "headline"
        self.head.setText(
            f"Exploratory: no question named these {len(answer.pairs):,} pairs beforehand. Each run minus each run "
            f"before it by the {metric}; p by Holm counts all of them. {multiplicity(answer.pairs)}".strip()
        )

    def write(self) -> None:
        """Ask where to, then write all pairs, marked as exploratory."""
        runs = tuple(side.run for side in self._sides)
        path = ask_path(self, "Export all pairs", "all-pairs-exploratory.csv", "CSV, numbers", "csv")
        if path:
            self._context.desk.ask(ExportAllPairs(runs, path), owner=self, then=self._written, failed=self._refused)

    def _written(self, answer: FileWritten) -> None:
        self._context.say(f"“{answer.path}” was written.", "good")

    def _refused(self, error: MedfmError) -> None:
        self.notice.tell(error.message, error.hint, role="bad")
