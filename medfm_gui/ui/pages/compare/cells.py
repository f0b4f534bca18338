"""A table of ready cells: text, a tip, a run's marker or an interval; what most tabs of a comparison show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from medfm_gui.ui.charts.interval_cell import INTERVAL_ROLE, IntervalCell
from medfm_gui.ui.pages.compare.model import RUN_ROLE, RunMark
from medfm_gui.ui.widgets.text import one_line, tip_text

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_LONGEST = 160
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; ``interval`` is drawn as a bar beside its own text, ``mark`` before it."""

    text: str = ""
    tip: str = ""
    mark: RunMark | None = None
    interval: IntervalCell | None = None


class CellTable(QAbstractTableModel):
    """Rows of cells; ``numbers`` are the columns that are aligned at the right."""

    def __init__(self, titles: Sequence[str], numbers: Sequence[int] = (), parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._titles = tuple(titles)
        self._numbers = frozenset(numbers)
        self._rows: tuple[tuple[Cell, ...], ...] = ()

    def fill(self, rows: Sequence[Sequence[Cell]], titles: Sequence[str] = ()) -> None:
        """Show these rows, under other titles where some are given."""
        self.beginResetModel()
        self._titles = tuple(titles) or self._titles
        self._rows = tuple(tuple(row) for row in rows)
        self.endResetModel()

    def cell(self, row: int, column: int) -> Cell | None:
        """What stands there."""
        return self._rows[row][column] if 0 <= row < len(self._rows) and column < len(self._rows[row]) else None

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """One a title."""
        return 0 if parent.isValid() else len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The titles."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._titles):
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section in self._numbers else _LEFT
        return one_line(self._titles[section], _LONGEST) if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, interval, marker or tip of a cell."""
        cell = self.cell(index.row(), index.column())
        if cell is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(cell.interval.text if cell.interval is not None else cell.text, _LONGEST)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if index.column() in self._numbers else _LEFT
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(cell.tip or cell.text) if cell.tip or cell.text else None
        return {RUN_ROLE: cell.mark, INTERVAL_ROLE: cell.interval}.get(role)
