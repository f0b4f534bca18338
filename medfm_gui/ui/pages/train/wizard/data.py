"""Step 1: which dataset."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import DatasetList, ListDatasets
from medfm_gui.domain.errors import MedfmError
from medfm_gui.store.rows import DatasetRow
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.train.model import PlanState
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.wizard.step import Step
from medfm_gui.ui.pages.train.words import listed
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.rows import Column, Rows
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import DataTable

_NOWHERE = QModelIndex()
_MOST_CLASSES = 40
_WIDTHS = (190, 90, 80, 80)


def _columns() -> tuple[Column[DatasetRow], ...]:
    def source(row: DatasetRow) -> str:
        return row.source

    def patients(row: DatasetRow) -> str:
        return "–" if row.n_patients is None else f"{row.n_patients:,}"

    return (
        Column("Dataset", lambda row: row.name, tip=source),
        Column("Task", lambda row: row.task.value, tip=source),
        Column("Images", lambda row: f"{row.n_samples:,}", is_number=True, tip=source),
        Column("Patients", patients, is_number=True, tip=source),
        Column("Classes", lambda row: ", ".join(row.classes[:_MOST_CLASSES])),
    )


class DataStep(Step):
    """Choose a dataset, or go and import one."""

    def __init__(self, context: Context, state: PlanState) -> None:
        super().__init__(
            context,
            state,
            At.DATA,
            "Data",
            "The images to learn from. Their patients decide how they are divided next.",
        )
        self.wanted = ""
        self._model = Rows(_columns(), self)
        self._table = DataTable("Datasets")
        self._table.setModel(self._model)
        self._table.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        for column, width in enumerate(_WIDTHS):
            self._table.setColumnWidth(column, width)
        self._table.selectionModel().selectionChanged.connect(self._choose)
        self._table.activated.connect(lambda _: self.onward.emit())
        self._facts = Facts()
        self._about = Panel("About this dataset")
        self._about.add(self._facts)
        importing = action("Import data …", "import")
        importing.clicked.connect(lambda: context.go("datasets"))
        below = QHBoxLayout()
        below.addWidget(importing)
        below.addStretch(1)
        content = QWidget()
        down = QVBoxLayout(content)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(SPACE[2])
        down.addWidget(self._table, 1)
        down.addLayout(below)
        down.addWidget(self._about)
        self.pane = StatePane(content)
        self.body.addWidget(self.pane, 1)

    @property
    def first(self) -> QWidget:
        """See ``Step``."""
        return self._table

    def entered(self) -> None:
        """Ask which datasets there are."""
        if not self._model.rowCount():
            self.pane.show_busy("Looking for datasets")
        self.context.desk.ask(ListDatasets(), owner=self, then=self._show, failed=self._fail)

    def show_plan(self) -> None:
        """Mark the chosen dataset."""
        dataset = self.state.plan.dataset
        row = self._model.place(lambda one: dataset is not None and one.id == dataset.id)
        if row >= 0 and not self._table.selectionModel().isRowSelected(row, _NOWHERE):
            flags = QItemSelectionModel.SelectionFlag
            index = self._model.index(row, 0)
            self._table.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self._about.setVisible(dataset is not None)
        if dataset is not None:
            self._facts.set_facts(_facts(dataset))

    def _show(self, answer: DatasetList) -> None:
        if not answer.datasets:
            self.pane.show_empty(
                "No dataset yet",
                "Import a folder of classes, a table, a MedMNIST file or a DICOM tree first.",
                "Import data …",
                lambda: self.context.go("datasets"),
                icon="datasets",
            )
            return
        self._model.set_rows(tuple(reversed(answer.datasets)))  # newest first
        self.pane.show_content()
        chosen = self.wanted or (self.state.plan.dataset.id if self.state.plan.dataset else "")
        self.wanted = ""
        found = next((row for row in answer.datasets if row.id == chosen), None)
        if found is None and len(answer.datasets) == 1:
            found = answer.datasets[0]
        if found is not None:
            self.state.put(dataset=found)
        self.show_plan()

    def _fail(self, error: MedfmError) -> None:
        self.pane.show_error(error, "Try again", self.entered)

    def _choose(self) -> None:
        rows = self._table.selectionModel().selectedRows()
        if rows:
            self.state.put(dataset=self._model.row(rows[0]))


def _facts(row: DatasetRow) -> list[tuple[str, str]]:
    facts = [
        ("Task", row.task.value),
        ("Classes", listed(row.classes, 12)),
    ]
    if row.positive:
        facts.append(("Positive class", row.positive))
    facts += [("Layout", row.layout), ("Imported", row.created[:10]), ("Fingerprint", row.fingerprint[:16])]
    if row.n_patients is None:
        facts.append(("Patients", "not known: images of one patient may end on two sides of a split"))
    if row.warnings:
        facts.append(("Warnings", listed(row.warnings, 3)))
    return facts
