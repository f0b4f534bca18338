"""Deleting a dataset or a split: a menu, a question that says what happens, and what the desk answers."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QMenu, QWidget

from medfm_gui.desk.asks.data import DeleteDataset, DeleteSplit
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import DatasetRow, SplitRow
from medfm_gui.ui import icons
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.datasets.wording import split_title
from medfm_gui.ui.widgets import question
from medfm_gui.ui.widgets.text import one_line
from medfm_gui.workspace.deletion import Deleted

_LONGEST = 80
_KEPT = (
    "It is moved to “deleted” in the folder of the workspace, from where it can be brought back by hand. Files that it "
    "was imported from are not touched, and tests that were opened stay opened."
)


class Deleting(QObject):
    """Asks the person, then the desk.

    Signals:
        gone(Deleted): it was moved out.
    """

    gone = Signal(object)

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._parent = parent

    def dataset(self, row: DatasetRow, splits: int) -> None:
        """Delete a dataset with its splits, if the person wants that."""
        name = one_line(row.name, _LONGEST)
        with_splits = f" and {counted(splits, 'split')}" if splits else ""
        text = f"It will be gone from every list, with {counted(row.n_samples, 'image')}{with_splits}. {_KEPT}"
        if self._is_wanted(f"Delete the dataset “{name}”?", text):
            self._context.desk.ask(DeleteDataset(row.id), owner=self, then=self._done, failed=self._refused)

    def split(self, row: SplitRow) -> None:
        """Delete a split, or the whole cross-validation that it is a fold of."""
        name = one_line(split_title(row), _LONGEST)
        text = f"{'All of its folds' if row.family else 'The division'} will be gone from every list. {_KEPT}"
        if self._is_wanted(f"Delete the split “{name}”?", text):
            ask = DeleteSplit(row.family or row.id)
            self._context.desk.ask(ask, owner=self, then=self._done, failed=self._refused)

    def _is_wanted(self, title: str, text: str) -> bool:
        if self._context.is_read_only:
            return False
        return question.ask(self._parent, title, text, "Delete", danger=True)

    def _done(self, found: Deleted) -> None:
        what = "The dataset" if found.dataset else "The split"
        self._context.say(f"{what} was moved to “{found.place}”.", "good")
        self.gone.emit(found)

    def _refused(self, error: MedfmError) -> None:
        self._context.say(f"{error.message} {error.hint}".strip(), "bad")


class RowMenu(QObject):
    """Gives the rows of a view a menu with one entry.

    Args:
        words: of the entry.
        choose: what to do for a row; None offers nothing.
    """

    def __init__(self, view: QAbstractItemView, words: str, choose: Callable[[int], Callable[[], None] | None]) -> None:
        super().__init__(view)
        self._view, self._words, self._choose = view, words, choose
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._show)

    def menu_at(self, place: QPoint) -> QMenu | None:
        """The menu of the row at a place of the view, which is chosen; None where there is none."""
        index = self._view.indexAt(place)
        if not index.isValid():
            return None
        self._view.setCurrentIndex(index)
        act = self._choose(index.row())
        if act is None:
            return None
        menu = QMenu(self._view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icons.icon("trash"), self._words).triggered.connect(lambda _: act())
        return menu

    def _show(self, place: QPoint) -> None:
        menu = self.menu_at(place)
        if menu is not None:
            menu.popup(self._view.viewport().mapToGlobal(place))
