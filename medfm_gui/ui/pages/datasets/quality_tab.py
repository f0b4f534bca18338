"""The tab with what is to be known before a dataset is used: warnings, left-out files, identical images, its record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import CheckQuality
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import DatasetRow, SplitRow
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.draft import Draft
from medfm_gui.ui.pages.datasets.notes import Notes
from medfm_gui.ui.pages.datasets.oddities import Oddities
from medfm_gui.ui.pages.datasets.skipped import SkippedTree
from medfm_gui.ui.pages.datasets.wording import TASKS, brief, day
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import ROW_PX, DataTable
from medfm_gui.ui.widgets.text import Label, one_line, tip_text
from medfm_gui.workspace.cohort import Quality, Twins

Index = QModelIndex | QPersistentModelIndex
_TITLES = ("Identical images", "Labels", "")
_LONGEST = 400
_TABLE_PX = SPACE[-1] * 8


class TwinsModel(QAbstractTableModel):
    """Sets of images with the same pixels."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._twins: tuple[Twins, ...] = ()

    def fill(self, twins: Sequence[Twins]) -> None:
        """Show other sets."""
        self.beginResetModel()
        self._twins = tuple(twins)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many sets there are."""
        return 0 if parent.isValid() else len(self._twins)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Files, labels, and what follows."""
        return 0 if parent.isValid() else len(_TITLES)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text and tooltip."""
        twins = self._twins[index.row()]
        texts = (
            "  =  ".join(twins.paths),
            ", ".join(dict.fromkeys(twins.labels)),
            _relation(twins),
        )
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(texts[index.column()], _LONGEST)
        return tip_text(texts[index.column()]) if role == Qt.ItemDataRole.ToolTipRole else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _TITLES[section]
        return None


def _relation(twins: Twins) -> str:
    """How their labels agree, as far as they are shown."""
    if twins.is_torn:
        return "one of the labels is wrong"
    return "not compared until the test is opened" if twins.has_hidden else "same label"


class QualityTab(QWidget):
    """What the import noted, what it left out, which pictures are odd, and which images are there twice."""

    def __init__(self, context: Context, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.oddities = Oddities(context, draft)
        self._newest = Newest(context.desk, self)
        self._dataset: DatasetRow | None = None
        self._shown = ""
        self._build()
        inside = QWidget()
        inside.setProperty("role", "page")
        scroll = QScrollArea()
        scroll.setWidget(inside)  # before it is filled: it is measured and styled at once
        scroll.setWidgetResizable(True)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, SPACE[1], SPACE[3])
        column.setSpacing(SPACE[3])
        for panel in (self._warned, self.oddities, self._left, self._same, self._record):
            column.addWidget(panel)
        column.addStretch(1)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("Data quality")
        self.pane = StatePane(scroll)
        down = QVBoxLayout(self)
        down.setContentsMargins(0, SPACE[3], 0, 0)
        down.addWidget(self.pane)

    def _build(self) -> None:
        self.warnings = Notes()
        self._calm = Label("Nothing to remark.", "muted")
        self._warned = Panel("Warnings", "What the import noticed.")
        self._warned.add(self.warnings)
        self._warned.add(self._calm)
        self.skipped = SkippedTree()
        self._complete = Label("Every file of the source became an image of the dataset.", "muted")
        self._left = Panel("Left out")
        self._left.add(self.skipped)
        self._left.add(self._complete)
        self.twins = TwinsModel(self)
        self.twins_table = DataTable("Sets of identical images")
        self.twins_table.setModel(self.twins)
        header = self.twins_table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setStretchLastSection(False)
        header.resizeSection(1, SPACE[-1] * 6)
        header.resizeSection(2, SPACE[-1] * 6)
        self._unique = Label("No two images have the same pixels.", "muted")
        self._same = Panel("Identical images")
        self._same.add(self.twins_table)
        self._same.add(self._unique)
        self.facts, self.taken = Facts(), Facts()
        self._record = Panel("Import record")
        row = QHBoxLayout()
        row.setSpacing(SPACE[5])
        row.addWidget(self.facts, 1, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.taken, 1, Qt.AlignmentFlag.AlignTop)
        self._record.body.addLayout(row)

    def show_dataset(self, dataset: DatasetRow, splits: Sequence[SplitRow]) -> None:
        """Show a dataset."""
        self._dataset = dataset
        self.oddities.show_dataset(dataset)
        if self._shown != dataset.fingerprint + dataset.id or self.pane.state != "content":
            self._ask()

    def _ask(self) -> None:
        if self._dataset is not None:
            self._shown = self._dataset.fingerprint + self._dataset.id
            self.pane.show_busy("Looking through the dataset")
            self._newest.ask(CheckQuality(self._dataset.id), self._take, self._refused)

    def _take(self, found: Quality) -> None:
        row = self._dataset
        if row is None:
            return
        self.warnings.set_notes(found.warnings)
        self._calm.setVisible(not found.warnings)
        self._left.set_title(
            "Left out", counted(found.n_skipped, "file or row", "files and rows") if found.n_skipped else ""
        )
        self.skipped.fill(found.skipped)
        self.skipped.setVisible(bool(found.skipped))
        self._complete.setVisible(not found.skipped)
        self._show_twins(found)
        self.facts.set_facts(facts_of(row))
        self.taken.set_facts((name.capitalize(), brief(value)) for name, value in row.taken.items())
        self.pane.show_content()

    def _show_twins(self, found: Quality) -> None:
        torn = sum(twins.is_torn for twins in found.twins)
        caption = (
            f"{counted(found.n_twins, 'set')} of images with the very same pixels; a split keeps each set together."
        )
        if torn:
            caption += f" In {counted(torn, 'set')} the labels differ."
        self._same.set_title("Identical images", caption if found.n_twins else "")
        self.twins.fill(found.twins)
        lines = min(len(found.twins), 8)
        height = self.twins_table.horizontalHeader().sizeHint().height() + lines * ROW_PX + SPACE[0]
        self.twins_table.setFixedHeight(min(height, _TABLE_PX))
        self.twins_table.setVisible(bool(found.twins))
        self._unique.setVisible(not found.twins)

    def _refused(self, error: MedfmError) -> None:
        self._shown = ""
        self.pane.show_error(error, "Try again", self._ask)


def facts_of(row: DatasetRow) -> list[tuple[str, str]]:
    """Where a dataset came from and what it is."""
    facts = [
        ("Source", brief(row.source)),
        ("Imported", day(row.created)),
        ("Images", f"{row.n_samples:,}"),
        ("Patients", f"{row.n_patients:,}" if row.n_patients else "not known"),
        ("Task", TASKS[row.task]),
    ]
    facts += [("Positive class", brief(row.positive))] if row.positive else []
    return [*facts, ("Id", row.id), ("Fingerprint", row.fingerprint)]
