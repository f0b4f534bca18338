"""Numbers of each class of a comparison, one metric at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtWidgets import QHeaderView, QVBoxLayout, QWidget

from medfm_gui.desk.asks.compare import SideBySide
from medfm_gui.desk.asks.compare_cases import ClassSets, ReadClassSets
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.charts.interval_cell import IntervalDelegate
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.pages.compare.model import ClassTable, class_metrics
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import choice, fields_in_a_row
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.class_sets import COVERAGE, SetsOnTest

_METRIC_PX = SPACE[-1] * 7
_CLASS_PX = SPACE[-1] * 6
_FIELD_LETTERS = 26


class ClassesTab(QWidget):
    """Numbers of each class, one metric at a time; the coverage of sets of classes where those are asked for."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asking = Newest(context.desk, self)
        self._found: SideBySide | None = None
        self._plain: SideBySide | None = None
        self._sets: tuple[SetsOnTest, ...] = ()
        self.model = ClassTable(self)
        self.metric_field = choice(())
        self.metric_field.setAccessibleName("Metric by class")
        self.metric_field.setMinimumContentsLength(_FIELD_LETTERS)
        self.metric_field.currentIndexChanged.connect(lambda _: self._fill())
        head = fields_in_a_row((Label("Metric", "muted", wrap=False), self.metric_field))
        self.table = DataTable("Numbers by class")
        self.table.setModel(self.model)
        self.table.setItemDelegate(IntervalDelegate(self.table))
        self.table.horizontalHeader().setStretchLastSection(False)  # all runs on bars of one length
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, SPACE[2], 0, SPACE[2])
        column.setSpacing(SPACE[2])
        self.notice = Notice()
        column.addLayout(head)
        column.addWidget(self.notice)
        column.addWidget(self.table, 1)
        self.note = Label("", "caption")
        self.note.hide()
        column.addWidget(self.note)
        self.pane = StatePane(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.pane)

    def show_runs(self, found: SideBySide) -> None:
        """Show the numbers of each class of a comparison."""
        if self._plain is None or self._plain.sides != found.sides:
            self._sets = ()
        self._plain = found
        self._show()
        if found.task in (Task.MULTICLASS, Task.ORDINAL):
            self._asking.ask(ReadClassSets(tuple(side.run for side in found.sides)), self._take_sets, self._fail)

    def _take_sets(self, answer: ClassSets) -> None:
        self._sets = answer.sets
        self._show()

    def _fail(self, error: MedfmError) -> None:
        self.notice.tell(error.message, error.hint, role="bad")

    def _show(self) -> None:
        plain = self._plain
        if plain is None:
            return
        self.notice.hide()
        more = tuple(row for one in self._sets for row in one.by_class)
        self._found = found = replace(plain, evaluations=(*plain.evaluations, *more))
        metrics = class_metrics(found)
        if not metrics:
            self.pane.show_empty(
                "No numbers by class",
                "A question with two classes is one number; its sensitivity and specificity stand in the overview.",
                icon="table",
            )
            return
        before = self.metric_field.currentData()
        self.metric_field.blockSignals(True)
        self.metric_field.clear()
        for metric in metrics:
            self.metric_field.addItem(wording.heading(metric), metric)
        self.metric_field.setCurrentIndex(max(0, self.metric_field.findData(before)))
        self.metric_field.blockSignals(False)
        self._fill()
        self.pane.show_content()

    def _fill(self) -> None:
        if self._found is None or self.metric_field.currentData() is None:
            return
        self.model.fill(self._found, self.metric_field.currentData())
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column in range(self.model.columnCount()):
            self.table.setColumnWidth(column, (_CLASS_PX, SPACE[3] * 5)[column] if column < 2 else _METRIC_PX)
        has_sets = any(one.by_class for one in self._sets)
        said = _promise(self._sets) if not has_sets or self.metric_field.currentData() == COVERAGE else ""
        self.note.setText(said)
        self.note.setVisible(bool(said))


def _promise(sets: Sequence[SetsOnTest]) -> str:
    """What sets of classes promise and how large they are; of runs that have none, why."""
    lines = []
    sizes = [f"{one.run} {one.size:.2f}" for one in sets if one.size is not None]
    if sizes:
        lines.append(f"Classes in a set on average: {', '.join(sizes)}.")
    for note in dict.fromkeys(one.note for one in sets):
        runs = [one.run for one in sets if one.note == note]
        lines.append(note if len(runs) == len(sets) else f"{wording.listed(runs)}: {note}")
    return "\n".join(lines)
