"""Trees and lists with the rows of the tables: one height for all, cells as one plain line."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QListView, QTreeView, QWidget

from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.table import PlainDelegate


class DataTree(QTreeView):
    """A tree of any size; models give tooltips by ``text.tip_text``."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setItemDelegate(PlainDelegate(self))
        self.setUniformRowHeights(True)
        self.setIndentation(SPACE[3])
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAnimated(False)


class DataList(QListView):
    """A list of any size; models give tooltips by ``text.tip_text``."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setItemDelegate(PlainDelegate(self))
        self.setUniformItemSizes(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
