"""The left column: open, search, the tree of what is indexed, and the index at work."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePath

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.desk.asks.studies import SeriesKey, SourceIndexed
from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import StudyRow
from medfm_gui.ui import icons
from medfm_gui.ui.context import Context
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.studies.indexing import Indexing
from medfm_gui.ui.pages.studies.model import StudyTree
from medfm_gui.ui.pages.studies.nodes import Node
from medfm_gui.ui.pages.studies.rows import ROW_PX, TreeRow, want_of
from medfm_gui.ui.pages.studies.thumbs import Thumbs, Want
from medfm_gui.ui.pages.studies.wording import line
from medfm_gui.ui.pages.studies.work import Work
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label, tip
from medfm_gui.ui.widgets.tree import DataTree

_SETTLE_MS = 60
_TYPING_MS = 180
_PREPARE_S = 0.004
_FEW = 6
_MOST_LINES = 3
_LONGEST = 84
_OF_AN_INDEX = ("missing", "not_listed")
"""Said of a DICOMDIR, not of a file that is there."""


Branch = tuple[str, str]
"""Kind and name of a row with rows below it."""


class SeriesTree(DataTree):
    """The tree's view; it asks for the pictures of the rows that are seen."""

    def __init__(self, tree: StudyTree, thumbs: Thumbs) -> None:
        super().__init__("Patients, studies and series")
        self._tree = tree
        self._thumbs = thumbs
        self._settled = Later(self._ask, _SETTLE_MS, self)
        self.setModel(tree)
        self.setItemDelegate(TreeRow(tree, thumbs))
        self.setHeaderHidden(True)
        self.setIndentation(SPACE[2] + SPACE[0])
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setExpandsOnDoubleClick(True)
        self.verticalScrollBar().valueChanged.connect(lambda _: self._settled.again())
        self.unfolded: dict[Branch, None] = {}
        """Branches that a person unfolded, or that a short list had unfolded; hidden ones are remembered."""
        self.expanded.connect(lambda index: self._fold(index, is_open=True))
        self.collapsed.connect(lambda index: self._fold(index, is_open=False))
        for signal in (self.expanded, self.collapsed, tree.modelReset, tree.rowsInserted):
            signal.connect(lambda *_: self._settled.again())
        thumbs.arrived.connect(self.viewport().update)

    def showEvent(self, event: QShowEvent) -> None:
        """Pictures of what is seen now."""
        super().showEvent(event)
        self._thumbs.side = round(ROW_PX * self.devicePixelRatioF())
        self._settled.again()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More rows may be seen."""
        super().resizeEvent(event)
        self._settled.again()

    def visible_pictures(self) -> list[Want]:
        """Pictures of the rows in sight."""
        found = []
        index = self.indexAt(QPoint(1, 1))
        bottom = self.viewport().height()
        while index.isValid() and self.visualRect(index).top() < bottom:
            node = self._tree.node(index)
            want = want_of(node) if node is not None else None
            if want is not None:
                found.append(want)
            index = self.indexBelow(index)
        return found

    def _fold(self, index: QModelIndex, *, is_open: bool) -> None:
        node = self._tree.node(index)
        if node is not None:
            self.unfolded.pop(branch_of(node), None)
            if is_open:
                self.unfolded[branch_of(node)] = None

    def _ask(self) -> None:
        if self.isVisible():
            self._thumbs.want(self.visible_pictures())


class Browser(QWidget):
    """Everything there is to read.

    Signals:
        chosen(SeriesKey): a series or a picture should be shown.
        identity_wanted(bool): the eye was pressed.
        indexed(SourceIndexed): a folder was read.
    """

    chosen = Signal(object)
    identity_wanted = Signal(bool)
    indexed = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.tree = StudyTree(self)
        self.thumbs = Thumbs(context.desk, self)
        self.view = SeriesTree(self.tree, self.thumbs)
        self.indexing = Indexing(context.desk, self)
        self.search = QLineEdit()
        self.work = Work(self.indexing.cancel)
        self.notice = Notice()
        self.eye = QToolButton()
        self.shield = QToolButton()
        self.open_button = QPushButton("Open …")
        self.phantom = ""
        self.is_as_listed = False
        """Nothing was read since the studies were listed."""
        self.state = StatePane(self.view)
        self._preparing = Later(self._prepare, 1, self)
        self._filtering = Later(lambda: self._filter(self.search.text()), _TYPING_MS, self)
        self._build()
        self._connect()

    def _build(self) -> None:
        self.search.setPlaceholderText("Search studies")
        tip(
            self.search,
            "Descriptions, modalities, dates (2024-03 or 202403) and patients as they are called here; several words "
            "must all be found. “warning” finds what was noticed. IDs are found while identity is shown.",
        )
        self.search.setAccessibleName("Search studies")
        self.search.setClearButtonEnabled(True)
        self.eye.setCheckable(True)
        self.eye.setProperty("role", "quiet")
        icons.put(self.open_button, "folder")
        menu = QMenu(self.open_button)
        menu.addAction("Folder …", self.ask_folder)
        menu.addAction("File …", self.ask_file)
        self.open_button.setMenu(menu)
        self.open_button.setAccessibleName("Open a folder or a file")
        if self._context.is_read_only:
            self.open_button.setEnabled(False)
            tip(self.open_button, "This workspace is open read-only: studies cannot be added to it.")
        head = QHBoxLayout()
        head.setSpacing(SPACE[1])
        head.addWidget(Label("Studies", "heading1", elide=Qt.TextElideMode.ElideRight), 1)
        head.addWidget(self.eye)
        head.addWidget(self.open_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[3], SPACE[4])
        column.setSpacing(SPACE[2])
        column.addLayout(head)
        looking = QHBoxLayout()
        looking.setSpacing(SPACE[0])
        looking.addWidget(self.search, 1)
        looking.addWidget(self.shield)
        column.addLayout(looking)
        column.addWidget(self.work)
        column.addWidget(self.notice)
        column.addWidget(self.state, 1)
        self.show_identity(False)

    def _connect(self) -> None:
        self.eye.toggled.connect(self.identity_wanted)
        self.search.textChanged.connect(lambda _: self._filtering.again())
        self.search.returnPressed.connect(self.view.setFocus)
        self.view.clicked.connect(self._clicked)
        self.view.activated.connect(self._clicked)
        self.indexing.found.connect(self._found)
        self.indexing.told.connect(self.work.tell)
        self.indexing.ended.connect(self._ended)
        self.indexing.failed.connect(self._failed)

    def show_identity(self, shown: bool) -> None:
        """Name patients, or not."""
        self.tree.set_identity_shown(shown)
        self.eye.blockSignals(True)
        self.eye.setChecked(shown)
        self.eye.blockSignals(False)
        self.eye.setIcon(icons.icon("eye" if shown else "eye-off", "text" if shown else "muted"))
        words = "Hide who the patients are" if shown else "Show who the patients are"
        tip(self.eye, words)
        self.eye.setAccessibleName(words)

    def fill(self, studies: Sequence[StudyRow], phantom: str) -> None:
        """Show what is indexed."""
        self.phantom = phantom
        self.is_as_listed = True
        with kept_open(self.view, self.tree):
            self.tree.fill(studies)
        self._preparing.again()
        self._tell_state()

    def offer(self, path: str) -> None:
        """Offer to go on with what was being read when the program ended."""
        if path and not self.indexing.is_busy and not self._context.is_read_only and self.notice.isHidden():
            self.notice.tell(
                f"Reading “{line(PurePath(path).name, _LONGEST // 2)}” was interrupted",
                "What was read is kept; the rest is read where it stopped.",
                deeds=[("Go on", lambda: self.open_source(path))],
            )

    def ask_folder(self) -> None:
        """Ask for a folder and read it."""
        path = QFileDialog.getExistingDirectory(self, "Open a folder of studies or pictures")
        if path:
            self.open_source(path)

    def ask_file(self) -> None:
        """Ask for a file and read it."""
        path, _ = QFileDialog.getOpenFileName(self, "Open a DICOM file, a DICOMDIR, a ZIP archive or a picture")
        if path:
            self.open_source(path)

    def open_source(self, path: str) -> None:
        """Read a folder or a file; one after another."""
        self.notice.hide()
        self.indexing.start(path)
        self._tell_state()

    def choose(self, key: SeriesKey) -> bool:
        """Stand on a row and show what it holds; False where there is none."""
        index = self.tree.index_of(key)
        if not index.isValid() and self.search.text():
            self.search.clear()  # what was asked for must not be hidden
            self._filter("")
            index = self.tree.index_of(key)
        node = self.tree.node(index)
        if node is None:
            return False
        if node.kind == "study" and self.tree.rowCount(index):
            self.view.expand(index)
            index = self.tree.index(0, 0, index)
            node = self.tree.node(index) or node
        self.view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.view.scrollTo(index)
        if node.kind in ("series", "picture"):
            self.chosen.emit(node.key)
        return True

    def _clicked(self, index: QModelIndex) -> None:
        node = self.tree.node(index)
        if node is not None and node.kind in ("series", "picture"):
            self.chosen.emit(node.key)

    def _filter(self, text: str) -> None:
        with kept_open(self.view, self.tree):
            self.tree.set_filter(text)
        self._tell_state()

    def _prepare(self) -> None:
        """The search is made ready while nothing else is to be done."""
        if self.tree.forest.prepare(_PREPARE_S):
            self._preparing.again()

    def _found(self, part: SourceIndexed) -> None:
        self.is_as_listed = False
        for study in part.studies:
            self.tree.put(study)
            self.thumbs.forget(study.uid)
        self._tell_state()

    def _ended(self, answer: SourceIndexed) -> None:
        self._found(answer)
        if answer.pictures:
            with kept_open(self.view, self.tree):
                self.tree.set_pictures((*answer.pictures, *self.tree.forest.pictures))
            self._tell_state()
        said = left_out(answer)
        if said and any(item.reason != "not_an_image" for item in answer.skipped):
            self.notice.tell(*said)
        self.indexed.emit(answer)

    def _failed(self, error: MedfmError) -> None:
        self._tell_state()
        if not isinstance(error, Interrupted):
            self.notice.tell(error.message, error.hint, role="bad", deeds=[("Open another …", self.ask_folder)])

    def _tell_state(self) -> None:
        """The tree, or why there is none."""
        if self.tree.rowCount():
            self.state.show_content()
        elif self.tree.forest.filter:
            self.state.show_empty(
                "Nothing found", "No study holds all of these words.", "Clear the search", self.search.clear
            )
        elif self.indexing.is_busy:
            self.state.show_busy("Studies appear as they are found")
        else:
            demo = self.phantom if not self._context.is_read_only else ""
            self.state.show_empty(
                "No studies yet",
                "Open a folder or a file, or drop it here. The originals stay where they are."
                + (" The demo’s CT phantom is here, too." if demo else ""),
                "Open the phantom" if demo else "",
                (lambda: self.open_source(demo)) if demo else None,
                icon="studies",
            )


@contextlib.contextmanager
def kept_open(view: SeriesTree, tree: StudyTree) -> Iterator[None]:
    """What was unfolded is unfolded again after the rows were made anew; a short list is shown whole."""
    current = tree.node(view.currentIndex())
    yield
    for node in branches(tree, view.unfolded):
        view.expand(tree.index_of_node(node))
    if current is not None and current.key != SeriesKey():
        index = tree.index_of(current.key)
        if index.isValid():
            view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)


def branches(tree: StudyTree, unfolded: Collection[Branch]) -> list[Node]:
    """The rows that are to be unfolded, outer ones first: those that were, and all of a short list."""
    forest = tree.forest
    if tree.rowCount() <= _FEW:
        below = [child for node in forest.top for child in forest.children(node) if child.kind == "study"]
        return [*forest.top, *below]
    patients = [forest.patient_node(name) for kind, name in unfolded if kind == "patient"]
    pictures = [node for node in forest.top[:1] if ("pictures", "") in unfolded and node.kind == "pictures"]
    studies = [forest.study_node(name) for kind, name in unfolded if kind == "study"]
    return [*pictures, *(node for node in (*patients, *studies) if node is not None)]


def branch_of(node: Node) -> Branch:
    """What a branch is known by when its row is another."""
    return node.kind, node.patient or node.key.study


def left_out(answer: SourceIndexed) -> tuple[str, str] | None:
    """What was not read, if any, in words: how many, and why."""
    if not answer.n_skipped and not answer.is_cut:
        return None
    telling = sorted(answer.skipped, key=_telling)
    lines = [line(f"{PurePath(item.path).name}: {item.message}", _LONGEST) for item in telling[:_MOST_LINES]]
    if answer.n_skipped > len(lines):
        lines.append(f"and {answer.n_skipped - len(lines):,} more")
    if answer.is_cut:
        lines.append("There are more pictures than are listed.")
    files = answer.n_skipped - sum(item.reason in _OF_AN_INDEX for item in answer.skipped)
    title = f"{counted(files, 'file was', 'files were')} left out" if files else "The DICOMDIR is not complete"
    return title, "\n".join(lines)


def _telling(item: Skipped) -> int:
    """What says most comes first; texts lie everywhere."""
    return 0 if item.reason in _OF_AN_INDEX else 2 if item.reason == "not_an_image" else 1
