"""What is taken for what: layout, table, columns, task, positive class. Everything may be left to be recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QListView, QVBoxLayout, QWidget

from medfm_gui.domain.dataset import Task
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.datasets.combo import fill
from medfm_gui.ui.pages.datasets.importing.policies import PolicyChoices
from medfm_gui.ui.pages.datasets.wording import TASK_HINTS, TASKS, layout
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import Form, FormRow, PathPicker, choice
from medfm_gui.ui.widgets.text import one_line, tip_text
from medfm_gui.workspace.sources import ColumnFacts, ImportReport, SourceFacts, SourceWish

_WAIT_MS = 350
_LINES = 5
_LINE_PX = SPACE[4] + SPACE[0]
_LONGEST = 120
_AUTOMATIC = "Automatic"
_WITH_TABLE = ("csv", "dicom")
_ROLES: Mapping[str, tuple[str, str]] = {
    "path": ("Image file", "The column that leads to the image."),
    "join": ("DICOM object", "The column with the SOP instance, series, study or patient."),
    "patient": ("Patient", "Keeps the images of one patient on one side of every split."),
    "group": ("Group", "What else belongs together: a lesion, an eye, a site."),
    "fold": ("Official fold", "The partition or fold that the dataset was published with."),
}


class LabelColumns(QListView):
    """Columns that can be ticked: one of classes, or several of findings.

    Signals:
        ticked(): another choice.
    """

    ticked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items = QStandardItemModel(self)
        self.setModel(self._items)
        self.setAccessibleName("Label columns")
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setUniformItemSizes(True)
        self.setFixedHeight(_LINES * _LINE_PX + SPACE[0])
        self._items.itemChanged.connect(lambda _: self.ticked.emit())

    def fill(self, columns: Sequence[ColumnFacts]) -> None:
        """Offer other columns, none ticked."""
        self._items.blockSignals(True)
        self._items.clear()
        for column in columns:
            item = QStandardItem(one_line(f"{column.name}   {_values(column)}", _LONGEST))
            item.setData(column.name, Qt.ItemDataRole.UserRole)
            item.setToolTip(tip_text(f"{column.name}: {', '.join(column.examples)}"))
            item.setCheckable(True)
            item.setEditable(False)
            item.setSizeHint(QSize(0, _LINE_PX))
            self._items.appendRow(item)
        self._items.blockSignals(False)
        self._items.layoutChanged.emit()

    def chosen(self) -> tuple[str, ...]:
        """The names of the ticked columns, in the table's order."""
        items = [self._items.item(row) for row in range(self._items.rowCount())]
        ticked = [item for item in items if item.checkState() == Qt.CheckState.Checked]
        return tuple(str(item.data(Qt.ItemDataRole.UserRole)) for item in ticked)

    def tick(self, name: str) -> None:
        """Tick a column as a person would."""
        for row in range(self._items.rowCount()):
            if self._items.item(row).data(Qt.ItemDataRole.UserRole) == name:
                self._items.item(row).setCheckState(Qt.CheckState.Checked)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on the words ticks as well; one on the box is Qt's own."""
        super().mouseReleaseEvent(event)
        place = event.position().toPoint()
        index = self.indexAt(place)
        if index.isValid() and place.x() > self.visualRect(index).left() + SPACE[4]:
            item = self._items.itemFromIndex(index)
            on = item.checkState() == Qt.CheckState.Checked
            item.setCheckState(Qt.CheckState.Unchecked if on else Qt.CheckState.Checked)


class MappingForm(QWidget):
    """The fields of an import.

    Signals:
        changed(): the wish is another one; told a moment after the last change.
        table_chosen(str): another table is to be read.
    """

    changed = Signal()
    table_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._later = Later(self.changed.emit, _WAIT_MS, self)
        self._tables = Later(lambda: self.table_chosen.emit(self.table.path()), _WAIT_MS, self)
        self._facts: SourceFacts | None = None
        self.layouts = choice([(_AUTOMATIC, "auto")])
        self.table = PathPicker("file", "Choose the table of labels", "Tables (*.csv *.tsv *.tab *.xlsx *.parquet)")
        self.images = PathPicker("folder", "Choose the folder of the images")
        self.labels = LabelColumns()
        self.roles: dict[str, QComboBox] = {name: choice([(_AUTOMATIC, "")]) for name in _ROLES}
        self.task = choice([(_AUTOMATIC, ""), *((TASKS[task], task.value) for task in Task)])
        self.positive = choice([(_AUTOMATIC, "")])
        self.policies = PolicyChoices()
        self._rows: dict[str, FormRow] = {}
        self._lay_out()
        self._connect()
        self._show_rows()

    def _lay_out(self) -> None:
        form = Form(self)
        self._rows["layout"] = form.add("Layout", self.layouts)
        form.add_widget(self.policies)
        self._rows["table"] = form.add("Table of labels", self.table, "Left empty, the one beside the images.")
        self._rows["labels"] = form.add("Label", self.labels, "One column of classes, or several findings.")
        for name, (title, hint) in _ROLES.items():
            self._rows[name] = form.add(title, self.roles[name], hint)
        self._rows["images"] = form.add("Folder of the images", self.images, "Left empty, the table's own folder.")
        self._rows["task"] = form.add("Task", self.task)
        self._rows["positive"] = form.add("Positive class", self.positive, "The event of a binary task.")
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.addWidget(form)
        down.addStretch(1)

    def _connect(self) -> None:
        self.layouts.currentIndexChanged.connect(self._layout_chosen)
        self.task.currentIndexChanged.connect(self._task_chosen)
        for box in (*self.roles.values(), self.positive):
            box.currentIndexChanged.connect(lambda _: self._later.again())
        self.labels.ticked.connect(self._later.again)
        self.images.changed.connect(lambda _: self._later.again())
        self.policies.changed.connect(self._later.again)
        self.table.changed.connect(lambda _: self._tables.again())

    def show_source(self, facts: SourceFacts) -> None:
        """Offer what lies at a place; what was chosen for another source is forgotten."""
        same = self._facts is not None and self._facts.path == facts.path
        self._facts = facts
        recognised = f"{_AUTOMATIC}: {layout(facts.layout)}" if facts.layout else _AUTOMATIC
        kept = self.layouts.currentData() if same else "auto"
        fill(self.layouts, [(recognised, "auto"), *((layout(item.name), item.name) for item in facts.layouts)], kept)
        if not same:
            for picker in (self.table, self.images):
                picker.blockSignals(True)
                picker.set_path("")
                picker.blockSignals(False)
            fill(self.task, [(_AUTOMATIC, ""), *((TASKS[task], task.value) for task in Task)], "")
            fill(self.positive, [(_AUTOMATIC, "")], "")
        self.labels.fill(facts.columns)
        for box in self.roles.values():
            fill(box, [(_AUTOMATIC, ""), *((_column(column), column.name) for column in facts.columns)], "")
        self._offer_policies()
        self._rows["table"].set_hint(
            f"Left empty: {facts.table}" if facts.table else "Left empty, the one beside them."
        )
        self._show_rows()

    def show_report(self, report: ImportReport) -> None:
        """Say what was recognised, beside what is left to be recognised."""
        for name, box in self.roles.items():
            box.setItemText(0, _recognised(report.taken.get(name, "")))
        self._rows["labels"].set_hint(
            "One column of classes, or several findings."
            if self.labels.chosen()
            else f"None ticked: {report.taken.get('label', 'recognised')}"
        )
        self.task.setItemText(0, f"{_AUTOMATIC}: {TASKS[report.task]}" if not self.task.currentData() else _AUTOMATIC)
        self._rows["task"].set_hint(TASK_HINTS[report.task])
        if report.task is Task.BINARY:
            kept = self.positive.currentData()
            first = f"{_AUTOMATIC}: {report.positive}" if not kept else _AUTOMATIC
            fill(self.positive, [(first, ""), *((name, name) for name in report.classes)], kept)
        self._rows["positive"].setVisible(report.task is Task.BINARY)

    def wish(self) -> SourceWish:
        """What was said about the source."""
        shown = {name: str(box.currentData() or "") for name, box in self.roles.items() if self._uses(name)}
        with_table = self.layout_name in _WITH_TABLE
        return SourceWish(
            layout=str(self.layouts.currentData() or "auto"),
            labels=self.labels.chosen() if with_table else (),
            path=shown.get("path", ""),
            patient=shown.get("patient", ""),
            group=shown.get("group", ""),
            fold=shown.get("fold", ""),
            images=self.images.path() if self._uses("images") else "",
            table=self.table.path() if with_table else "",
            join=shown.get("join", ""),
            task=str(self.task.currentData() or ""),
            positive=str(self.positive.currentData() or ""),
            policies=self.policies.chosen(),
            preset=self.policies.preset,
        )

    @property
    def layout_name(self) -> str:
        """The layout in force: the chosen one, else the recognised one."""
        chosen = str(self.layouts.currentData() or "auto")
        return self._facts.layout if chosen == "auto" and self._facts is not None else chosen

    def choose_layout(self, name: str) -> None:
        """Choose a layout as a person would."""
        self.layouts.setCurrentIndex(max(0, self.layouts.findData(name)))

    def _uses(self, name: str) -> bool:
        """Whether a field has a meaning for this layout."""
        chosen = self.layout_name
        if name in ("path", "images"):
            return chosen == "csv"
        if name == "join":
            return chosen == "dicom"
        return chosen in _WITH_TABLE

    def _show_rows(self) -> None:
        has_columns = self._facts is not None and bool(self._facts.columns)
        for name in ("labels", *_ROLES):
            self._rows[name].setVisible(self._uses(name) and has_columns)
        for name in ("table", "images"):
            self._rows[name].setVisible(self._uses(name))
        self._rows["positive"].hide()

    def _offer_policies(self) -> None:
        """The decisions that the layout in force leaves to a person."""
        layouts = self._facts.layouts if self._facts is not None else ()
        self.policies.offer(next((item for item in layouts if item.name == self.layout_name), None))

    def _layout_chosen(self) -> None:
        self._show_rows()
        self._offer_policies()
        self._later.again()

    def _task_chosen(self) -> None:
        if self.task.currentData() not in ("", Task.BINARY.value):
            self.positive.setCurrentIndex(0)
        self._later.again()


def _column(column: ColumnFacts) -> str:
    return f"{column.name}   {_values(column)}"


def _values(column: ColumnFacts) -> str:
    """A few values of a column: ``(benign, malignant)``."""
    more = ", …" if column.n_values > len(column.examples) else ""
    return f"({', '.join(column.examples)}{more})" if column.examples else "(empty)"


def _recognised(taken: str) -> str:
    """``Automatic: patient_id`` of “patient_id (by its name)”."""
    name = taken.rsplit(" (", 1)[0].split(", kept as", 1)[0].split(" as ", 1)[0]
    return one_line(f"{_AUTOMATIC}: {name}", _LONGEST) if name else f"{_AUTOMATIC}: none"
