"""The Datasets page: a list at the left; images, characteristics, splits and quality of the chosen one at the right."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import DatasetList as Datasets
from medfm_gui.desk.asks.data import Imported, ListDatasets, ListSplits, SplitList
from medfm_gui.desk.entry import Topic
from medfm_gui.domain.errors import MedfmError
from medfm_gui.store.rows import DatasetRow
from medfm_gui.ui.actions import Action
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages.datasets.dataset_list import DatasetList
from medfm_gui.ui.pages.datasets.deleting import Deleting, RowMenu
from medfm_gui.ui.pages.datasets.details import Details
from medfm_gui.ui.pages.datasets.importing.dialog import ImportDialog
from medfm_gui.ui.pages.datasets.importing.dropping import dropped_path
from medfm_gui.ui.pages.datasets.model import DatasetsModel
from medfm_gui.ui.pages.datasets.split_editor import READ_ONLY
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label

_LAST = "datasets.last"
_SPLITTER = "datasets.splitter"
_EMPTY = (
    "A dataset is a set of images with labels: a folder with one folder a class, a table with one row an image, a "
    "MedMNIST archive, or a DICOM tree with a table. Drop a folder here, or import one; it is checked before anything "
    "is kept."
)


class DatasetsPage(Page):
    """Import datasets, look at them, divide them."""

    key: ClassVar[str] = "datasets"
    title: ClassVar[str] = "Datasets"
    icon: ClassVar[str] = "datasets"
    topics: ClassVar[tuple[Topic, ...]] = (Topic.DATASETS, Topic.SPLITS)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.setAcceptDrops(True)
        self._listing = Newest(context.desk, self)
        self._dividing = Newest(context.desk, self)
        self._dataset: DatasetRow | None = None
        self._n_splits = 0
        self._wanted = str(context.memory.get(_LAST) or "")
        self.dialog: ImportDialog | None = None
        self.model = DatasetsModel(self)
        self._build_list()
        self._lay_out()
        self._add_actions()
        self.details.version_made.connect(self._version_made)
        self.deleting = Deleting(context, self)
        self.deleting.gone.connect(lambda _: self.refresh())
        self.details.delete.clicked.connect(self.delete)
        self.menu = RowMenu(self.list, "Delete …", lambda _: None if context.is_read_only else self.delete)
        self.setTabOrder(self.list, self.add)

    def _build_list(self) -> None:
        self.list = DatasetList(self.model)
        self.list.selectionModel().currentRowChanged.connect(lambda now, _: self._choose(now.row()))
        self.add = action("Import", "import", "primary")
        self.add.setAccessibleName("Import a dataset")
        self.add.clicked.connect(self.open_import)
        disable(self.add, READ_ONLY if self.context.is_read_only else "")

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(Label("Datasets", "heading1", wrap=False))
        head.addStretch(1)
        head.addWidget(self.add)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[3], SPACE[4])
        column.setSpacing(SPACE[3])
        column.addLayout(head)
        column.addWidget(self.list, 1)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self.pane = StatePane(self._splitter)
        whole = QVBoxLayout(self)  # outermost first: each new parent costs a styling of all that lies in it
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.pane)
        self.details = Details(self.context)
        self.details_pane = StatePane(self.details)
        self._splitter.addWidget(left)
        self._splitter.addWidget(self.details_pane)
        self._splitter.setStretchFactor(0, 0)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setChildrenCollapsible(False)
        left.setMinimumWidth(SPACE[-1] * 9)
        self._splitter.setSizes([SPACE[-1] * 9, SPACE[-1] * 24])
        kept = self.context.memory.get(_SPLITTER)
        if isinstance(kept, str):
            self._splitter.restoreState(QByteArray.fromHex(kept.encode("ascii", "ignore")))
        self._splitter.splitterMoved.connect(self._keep_splitter)
        self.pane.show_busy("Reading the datasets")

    def _add_actions(self) -> None:
        writable = not self.context.is_read_only
        self.context.actions.add(
            self,
            Action("datasets.import", "Import a dataset", self.open_import, "Ctrl+I", self.title, lambda: writable),
            Action(
                "datasets.split",
                "New split of this dataset",
                self.details.new_split,
                "Ctrl+Shift+S",
                self.title,
                lambda: writable and self._dataset is not None,
            ),
            Action(
                "datasets.undo",
                "Undo the last correction",
                self.details.draft.undo,
                "Ctrl+Z",
                self.title,
                lambda: writable and self.details.draft.can_undo,
            ),
            Action(
                "datasets.redo",
                "Redo the correction",
                self.details.draft.redo,
                "Ctrl+Shift+Z",
                self.title,
                lambda: writable and self.details.draft.can_redo,
            ),
            Action(
                "datasets.delete",
                "Delete this dataset …",
                self.delete,
                "",
                self.title,
                lambda: writable and self._dataset is not None,
            ),
            Action("datasets.find", "Search the images", self.details.search, "Ctrl+F", self.title),
        )

    # -- what is shown

    def refresh(self) -> None:
        """Ask for the datasets, then for the splits of the chosen one."""
        self._listing.ask(ListDatasets(), self._take, self._refused)

    def visit(self, **wish: Any) -> None:
        """``dataset=ID`` chooses a dataset, ``split=ID`` one of its splits, ``source=PATH`` opens the import."""
        dataset, split, source = (str(wish.get(name) or "") for name in ("dataset", "split", "source"))
        if dataset:
            self._wanted = dataset
            row = self.model.row_of(dataset)
            if row >= 0:
                self._select(row)
            else:
                self.refresh()
        if split:
            self.details.choose_split(split)
        if source:
            self.open_import()
            if self.dialog is not None:
                self.dialog.choose(source)

    def _take(self, answer: Datasets) -> None:
        if not answer.datasets:
            self._dataset = None
            self.model.fill(())
            text = "" if self.context.is_read_only else "Import a dataset"
            self.pane.show_empty("No dataset yet", _EMPTY, text, self.open_import, "datasets")
            return
        chosen = self._wanted or (self._dataset.id if self._dataset is not None else "")
        self.model.fill(answer.datasets)
        self.pane.show_content()
        self._select(max(0, self.model.row_of(chosen)))

    def _refused(self, error: MedfmError) -> None:
        self.pane.show_error(error, "Try again", self.refresh)

    def _select(self, row: int) -> None:
        index = self.model.index(row)
        if self.list.currentIndex() == index:
            self._choose(row)
        else:
            self.list.setCurrentIndex(index)

    def _choose(self, row: int) -> None:
        found = self.model.dataset(row)
        if found is None:
            return
        self._wanted = ""
        if self._dataset is None or self._dataset.id != found.id:
            self.details_pane.show_busy("Reading the dataset")
        self._dataset = found
        self.context.memory.put(_LAST, found.id)
        self._dividing.ask(ListSplits(found.id), self._take_splits, self._no_splits)

    def _take_splits(self, answer: SplitList) -> None:
        found = self._dataset
        if found is None:
            return
        self._n_splits = len(answer.splits)
        self.details_pane.show_content()
        self.details.show_dataset(found, answer.splits)

    def _no_splits(self, error: MedfmError) -> None:
        self.details_pane.show_error(error, "Try again", self.refresh)

    # -- what can be done

    def open_import(self) -> None:
        """Open the import dialog."""
        if self.context.is_read_only or self.dialog is not None:
            return
        self.dialog = ImportDialog(self.context, self)
        self.dialog.imported.connect(self._imported)
        self.dialog.finished.connect(self._import_closed)
        self.dialog.open()

    def delete(self) -> None:
        """Delete the chosen dataset, after a question."""
        if self._dataset is not None and not self.context.is_read_only:
            self.deleting.dataset(self._dataset, self._n_splits)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A folder or a file can be dropped anywhere on the page."""
        if dropped_path(event.mimeData()) and not self.context.is_read_only:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the import with what was dropped."""
        path = dropped_path(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.visit(source=path)

    def _imported(self, made: Imported) -> None:
        self._wanted = made.dataset.id
        self.refresh()

    def _version_made(self, dataset: str) -> None:
        self._wanted = dataset
        self.refresh()

    def _import_closed(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def _keep_splitter(self) -> None:
        self.context.memory.put(_SPLITTER, bytes(self._splitter.saveState().toHex().data()).decode("ascii"))
