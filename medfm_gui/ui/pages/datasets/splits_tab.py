"""The tab with the splits: the list, the certificate of the chosen one, and the way to make another."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.desk.asks.data import ShowSplit, SplitMade
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.split import Partition
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import DatasetRow, SplitRow
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.certificate import Certificate
from medfm_gui.ui.pages.datasets.deleting import Deleting, RowMenu
from medfm_gui.ui.pages.datasets.split_editor import READ_ONLY, SplitEditor
from medfm_gui.ui.pages.datasets.split_rows import SplitsModel
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import ROW_PX, DataTable
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.cohort import SplitFacts

_MEMORY = "datasets.split_columns"
_LINES = 6
_WIDTHS = (6, 7, 7, 8, 14, 9)


class SplitsTab(QWidget):
    """Lists the splits of one dataset and makes new ones.

    Signals:
        frozen(str): a split was made; its id.
    """

    frozen = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._dataset: DatasetRow | None = None
        self._splits: tuple[SplitRow, ...] = ()
        self._wanted = ""
        self._newest = Newest(context.desk, self)
        self.model = SplitsModel(self)
        self._editor = Deferred(self._make_editor)
        self._build()

    @property
    def editor(self) -> SplitEditor:
        """Where a new split is planned."""
        return self._editor.part

    def _make_editor(self, place: QWidget) -> SplitEditor:
        editor = SplitEditor(self._context, place)
        editor.closed.connect(self.show_list)
        editor.made.connect(self._made)
        return editor

    def _build(self) -> None:
        self._title = Label("", "muted", wrap=False)
        self.new = action("New split", "plus")
        self.new.clicked.connect(self.begin)
        disable(self.new, READ_ONLY if self._context.is_read_only else "")
        self.table = DataTable("Splits of this dataset")
        self.table.setModel(self.model)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.table.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setTextElideMode(Qt.TextElideMode.ElideRight)
        for column, spaces in enumerate(_WIDTHS, 1):
            header.resizeSection(column, SPACE[2] * spaces)
        kept = self._context.memory.get(_MEMORY)
        if isinstance(kept, dict):
            self.table.set_widths({str(name): int(width) for name, width in kept.items() if isinstance(width, int)})
        header.sectionResized.connect(lambda *_: self._context.memory.put(_MEMORY, self.table.widths()))
        self.table.selectionModel().currentRowChanged.connect(lambda now, _: self._choose(now.row()))
        self.deleting = Deleting(self._context, self)
        self.menu = RowMenu(self.table, "Delete …", lambda _: None if self._context.is_read_only else self.delete)
        self.certificate = Certificate(self._context, self._train)
        self.certificate.delete.clicked.connect(self.delete)
        self.certificate_pane = StatePane(self.certificate)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        content = QWidget()
        self.pane = StatePane(content)
        for place in (QWidget(), self.pane, self._editor):  # a stack measures and styles what is first in it
            self._stack.addWidget(place)
        column_ = QVBoxLayout(content)
        column_.setContentsMargins(0, SPACE[3], 0, 0)
        column_.setSpacing(SPACE[2])
        scroll = QScrollArea()
        scroll.setWidget(self.certificate_pane)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("The chosen split")
        bar = QHBoxLayout()
        bar.addWidget(self._title)
        bar.addStretch(1)
        bar.addWidget(self.new)
        column_.addLayout(bar)
        column_.addWidget(self.table)
        column_.addWidget(scroll, 1)

    def show_dataset(self, dataset: DatasetRow, splits: Sequence[SplitRow]) -> None:
        """Show the splits of a dataset; the same one again keeps the choice."""
        if self._dataset is None or self._dataset.id != dataset.id:
            self.show_list()
        chosen = self._wanted or self._chosen_id()
        self._dataset, self._splits = dataset, tuple(splits)
        self.model.fill(splits)
        self._title.setText(counted(len(splits), "split"))
        self._fit()
        if not splits:
            self._newest.cancel()
            self.pane.show_empty(
                "Not divided yet",
                "A split says who is trained on, who is used to choose, and who is kept for the internal test. "
                "The leak gate checks that no patient and no identical image stands on two sides.",
                "" if self._context.is_read_only else "New split",
                self.begin,
                "split",
            )
            return
        self.pane.show_content()
        row = max(0, self.model.row_of(chosen))
        self._wanted = "" if self.model.row_of(self._wanted) >= 0 else self._wanted
        self.table.selectRow(row)
        self._choose(row)

    def choose(self, split: str) -> None:
        """Show a split, also one that only comes with the next answer."""
        self._wanted = split
        self.show_list()
        row = self.model.row_of(split)
        if row >= 0:
            self._wanted = ""
            self.table.selectRow(row)

    def begin(self) -> None:
        """Plan another split."""
        if self._dataset is not None and not self._context.is_read_only:
            self._stack.setCurrentWidget(self._editor)
            self.editor.begin(self._dataset)

    def delete(self) -> None:
        """Delete the chosen split, after a question; the page asks for the others then."""
        split = self.model.split(self.table.currentIndex().row())
        if split is not None:
            self.deleting.split(split)

    def show_list(self) -> None:
        """Back to the list."""
        self._stack.setCurrentWidget(self.pane)

    @property
    def is_editing(self) -> bool:
        """Whether a split is being planned."""
        return self._stack.currentWidget() is self._editor

    def _made(self, made: SplitMade) -> None:
        self.choose(made.splits[0].id if made.splits else made.id)
        self.frozen.emit(made.id)

    def _chosen_id(self) -> str:
        row = self.model.split(self.table.currentIndex().row())
        return row.id if row is not None else ""

    def _fit(self) -> None:
        lines = min(max(1, len(self._splits)), _LINES)
        for column, side in enumerate(Partition, 1):
            self.table.setColumnHidden(column, not any(row.sizes.get(side.value) for row in self._splits))
        self.table.setFixedHeight(self.table.horizontalHeader().sizeHint().height() + lines * ROW_PX + SPACE[0])

    def _choose(self, row: int) -> None:
        split = self.model.split(row)
        if split is None or self._dataset is None:
            return
        if self.certificate.split_id == split.id and self.certificate_pane.state == "content":
            return
        self.certificate_pane.show_busy("Reading the split")
        self._newest.ask(ShowSplit(self._dataset.id, split.id), lambda facts: self._take(split, facts), self._refused)

    def _take(self, split: SplitRow, facts: SplitFacts) -> None:
        self.certificate.show_split(split, facts, bool(self._dataset and self._dataset.n_patients))
        self.certificate_pane.show_content()

    def _refused(self, error: MedfmError) -> None:
        self.certificate_pane.show_error(error, "Try again", lambda: self._choose(self.table.currentIndex().row()))

    def _train(self, split: str) -> None:
        if self._dataset is not None:
            self._context.go("train", dataset=self._dataset.id, split=split)
