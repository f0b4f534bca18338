"""Files that were left out, by reason, as a tree of two levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QHeaderView, QTreeView, QWidget

from medfm_gui.ui.pages.datasets.wording import reason
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.table import ROW_PX, PlainDelegate
from medfm_gui.ui.widgets.text import one_line, tip_text
from medfm_gui.workspace.sources import SkippedGroup

Index = QModelIndex | QPersistentModelIndex
_TITLES = ("Left out", "What happened")
_LONGEST = 400
_LINES = 12


class SkippedModel(QAbstractItemModel):
    """Reasons, and below each the files; a reason with more files than are listed ends in a line that says so."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._groups: tuple[SkippedGroup, ...] = ()

    def fill(self, groups: Sequence[SkippedGroup]) -> None:
        """Show other groups."""
        self.beginResetModel()
        self._groups = tuple(groups)
        self.endResetModel()

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        """Reasons have the internal id 0, files the number of their reason from 1."""
        if not self.hasIndex(row, column, parent):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() + 1 if parent.isValid() else 0)

    def parent(self, index: Index = QModelIndex()) -> QModelIndex:  # type: ignore[override]  # noqa: B008
        """The reason of a file."""
        number = int(index.internalId()) if index.isValid() else 0
        return self.createIndex(number - 1, 0, 0) if number else QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Reasons, or the files of one."""
        if not parent.isValid():
            return len(self._groups)
        if parent.internalId() or parent.column() > 0:
            return 0
        group = self._groups[parent.row()]
        return len(group.items) + (1 if group.count > len(group.items) else 0)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """File, and what happened."""
        return len(_TITLES)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text and tooltip."""
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(self._text(index), _LONGEST)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(self._text(index))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _TITLES[section]
        return None

    def _text(self, index: Index) -> str:
        number = int(index.internalId())
        if not number:
            group = self._groups[index.row()]
            return f"{reason(group.reason)} ({group.count:,})" if index.column() == 0 else ""
        group = self._groups[number - 1]
        if index.row() >= len(group.items):
            return f"{group.count - len(group.items):,} more" if index.column() == 0 else ""
        item = group.items[index.row()]
        return item.path if index.column() == 0 else item.message


class SkippedTree(QTreeView):
    """The tree of left-out files."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.skipped = SkippedModel(self)
        self.setModel(self.skipped)
        self.setItemDelegate(PlainDelegate(self))
        self.setAccessibleName("Files that were left out")
        self.setUniformRowHeights(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.header().setSectionsMovable(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.expanded.connect(self._fit)
        self.collapsed.connect(self._fit)

    def fill(self, groups: Sequence[SkippedGroup]) -> None:
        """Show other groups; a single one is open."""
        self.skipped.fill(groups)
        if len(groups) == 1:
            self.expand(self.skipped.index(0, 0))
        self._fit()

    def _fit(self) -> None:
        """As high as what is open, up to a dozen lines."""
        reasons = [self.skipped.index(row, 0) for row in range(self.skipped.rowCount())]
        lines = sum(1 + (self.skipped.rowCount(index) if self.isExpanded(index) else 0) for index in reasons)
        self.setFixedHeight(self.header().sizeHint().height() + min(lines, _LINES) * ROW_PX + SPACE[0])
