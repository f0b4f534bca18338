"""A table model of frozen rows: columns are declared, the rows are set as a whole and can be narrowed by a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from medfm_gui.ui.widgets.text import tip_text

Row = TypeVar("Row")
_Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A column: its title, the text of a cell, and where numbers stand at the right."""

    title: str
    text: Callable[[Row], str]
    is_number: bool = False
    picture: Callable[[Row], Any] | None = None
    tip: Callable[[Row], str] | None = None


class Rows(QAbstractTableModel, Generic[Row]):
    """A table of frozen rows; ``narrow`` shows those whose cells hold a text."""

    def __init__(self, columns: Sequence[Column[Row]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns = tuple(columns)
        self._rows: tuple[Row, ...] = ()
        self._shown: tuple[Row, ...] = ()
        self._wanted = ""

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows instead; the same ones again change nothing, so that a choice stays."""
        if tuple(rows) == self._rows:
            return
        self.beginResetModel()
        self._rows = tuple(rows)
        self._shown = self._narrowed()
        self.endResetModel()

    def replace(self, rows: Sequence[Row]) -> None:
        """The same rows in the same order with other contents; what is selected stays."""
        self._rows = tuple(rows)
        self._shown = self._narrowed()
        if self._shown:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._shown) - 1, len(self._columns) - 1))

    def narrow(self, text: str) -> None:
        """Show only rows that hold this text somewhere."""
        self.beginResetModel()
        self._wanted = text.strip().lower()
        self._shown = self._narrowed()
        self.endResetModel()

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that are shown."""
        return self._shown

    def row(self, index: _Index) -> Row | None:
        """The row at an index."""
        return self._shown[index.row()] if index.isValid() and index.row() < len(self._shown) else None

    def place(self, fits: Callable[[Row], bool]) -> int:
        """The first row shown that fits; -1 if none does."""
        return next((at for at, row in enumerate(self._shown) if fits(row)), -1)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Rows that are shown."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Columns."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles of columns."""
        if orientation is Qt.Orientation.Horizontal and 0 <= section < len(self._columns):
            column = self._columns[section]
            if role == Qt.ItemDataRole.DisplayRole:
                return column.title
            if role == Qt.ItemDataRole.TextAlignmentRole and column.is_number:
                return _RIGHT
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell."""
        row = self.row(index)
        if row is None:
            return None
        column = self._columns[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return column.text(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(column.tip(row) if column.tip is not None else column.text(row))
        if role == Qt.ItemDataRole.DecorationRole and column.picture is not None:
            return column.picture(row)
        if role == Qt.ItemDataRole.TextAlignmentRole and column.is_number:
            return _RIGHT
        return None

    def _narrowed(self) -> tuple[Row, ...]:
        if not self._wanted:
            return self._rows
        return tuple(
            row for row in self._rows if any(self._wanted in column.text(row).lower() for column in self._columns)
        )
