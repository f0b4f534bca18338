"""Tables that stay fast with 250,000 rows: one height for all, nothing measured, headers plain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.text import one_line

ROW_PX: Final = SPACE[4] + SPACE[1]
_NARROWEST_PX: Final = SPACE[4] * 2
_USUAL_PX: Final = SPACE[-1] * 4
_LONGEST_CELL: Final = 300


class DataTable(QTableView):
    """A virtual table. Rows are chosen whole; Ctrl+C copies them as tab-separated text; widths can be kept.

    A model aligns a header as its column by ``TextAlignmentRole``, and gives tooltips by ``text.tip_text``: what Qt
    finds in ``ToolTipRole`` may become markup.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setItemDelegate(PlainDelegate(self))
        self.setFont(figures_font())
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_PX)
        columns.setFont(figures_font())
        columns.setHighlightSections(False)
        columns.setTextElideMode(Qt.TextElideMode.ElideRight)
        columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        columns.setMinimumSectionSize(_NARROWEST_PX)
        columns.setDefaultSectionSize(_USUAL_PX)
        columns.setStretchLastSection(True)
        columns.setSectionsMovable(False)

    def widths(self) -> dict[str, int]:
        """Width of each column by its header text, to be kept with the window's state."""
        return {title: self.columnWidth(at) for at, title in enumerate(self._titles())}

    def set_widths(self, widths: Mapping[str, int]) -> None:
        """Give columns the width that was kept for their header text; others stay as they are."""
        for at, title in enumerate(self._titles()):
            if title in widths:
                self.setColumnWidth(at, max(_NARROWEST_PX, int(widths[title])))

    def copied(self) -> str:
        """The chosen rows as tab-separated text with a line of headers."""
        model = self._rows_behind()
        if model is None:
            return ""
        columns = [at for at in range(model.columnCount()) if not self.isColumnHidden(at)]
        titles = self._titles()
        lines = ["\t".join(titles[at] for at in columns)]
        for row in sorted(index.row() for index in self.selectionModel().selectedRows()):
            cells = (model.index(row, at).data(Qt.ItemDataRole.DisplayRole) for at in columns)
            lines.append("\t".join("" if cell is None else one_line(str(cell)) for cell in cells))
        return "\n".join(lines) if len(lines) > 1 else ""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy the chosen rows; Enter opens the current one."""
        if event.matches(QKeySequence.StandardKey.Copy):
            text = self.copied()
            if text:
                QApplication.clipboard().setText(text)
            event.accept()
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.activated.emit(self.currentIndex())
            event.accept()
            return
        super().keyPressEvent(event)

    def _rows_behind(self) -> QAbstractItemModel | None:
        return self.model()  # None before a model is set, though its stub does not say so

    def _titles(self) -> list[str]:
        model = self._rows_behind()
        if model is None:
            return []
        role = Qt.ItemDataRole.DisplayRole
        return [str(model.headerData(at, Qt.Orientation.Horizontal, role)) for at in range(model.columnCount())]


class PlainDelegate(QStyledItemDelegate):
    """Draws cells as one plain line of bounded length."""

    def displayText(self, value: object, locale: object) -> str:
        """The cell as one line."""
        text = super().displayText(value, locale)  # type: ignore[arg-type]
        return one_line(text, _LONGEST_CELL)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """One height for every row."""
        return QSize(super().sizeHint(option, index).width(), ROW_PX)
