"""Splits and leaks as rows of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QHeaderView, QWidget

from medfm_gui.domain.split import LeakKind, Partition
from medfm_gui.store.rows import SplitRow
from medfm_gui.ui import icons
from medfm_gui.ui.pages.datasets.wording import PARTITIONS, day, gate, split_title
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.table import ROW_PX, DataTable
from medfm_gui.ui.widgets.text import one_line, tip_text
from medfm_gui.workspace.cohort import LeakLine

Index = QModelIndex | QPersistentModelIndex
_SIDES = tuple(Partition)
_LONGEST = 300
_LINES = 8
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class SplitsModel(QAbstractTableModel):
    """The splits of a dataset, newest first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[SplitRow, ...] = ()

    def fill(self, rows: Sequence[SplitRow]) -> None:
        """Show other splits; ``rows`` come oldest first."""
        self.beginResetModel()
        self._rows = tuple(reversed(rows))
        self.endResetModel()

    def row_of(self, split: str) -> int:
        """Where a split stands; -1 if it does not."""
        return next((place for place, row in enumerate(self._rows) if row.id == split), -1)

    def split(self, row: int) -> SplitRow | None:
        """The split of a row."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Rule, four sizes, gate, time."""
        return 0 if parent.isValid() else len(_SIDES) + 3

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tooltip, and a mark for the gate."""
        row, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(self._text(row, column), _LONGEST)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text({0: f"{split_title(row)}\n{row.id}", len(_SIDES) + 2: day(row.created)}.get(column, ""))
        if role == Qt.ItemDataRole.TextAlignmentRole and 0 < column <= len(_SIDES):
            return _RIGHT
        if role == Qt.ItemDataRole.DecorationRole and column == len(_SIDES) + 1:
            return icons.icon("warning", "warn") if row.n_leaks else icons.icon("shield", "good")
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles of the columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        titles = ("Split", *(PARTITIONS[side.value] for side in _SIDES), "Leak gate", "Made")
        if role == Qt.ItemDataRole.DisplayRole:
            return titles[section]
        return _RIGHT if role == Qt.ItemDataRole.TextAlignmentRole and 0 < section <= len(_SIDES) else None

    def _text(self, row: SplitRow, column: int) -> str:
        if column == 0:
            return split_title(row)
        if column <= len(_SIDES):
            number = row.sizes.get(_SIDES[column - 1].value, 0)
            return f"{number:,}" if number else "–"
        return gate(row) if column == len(_SIDES) + 1 else row.created[:10]


class LeaksModel(QAbstractTableModel):
    """What two sides share, pair by pair."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._leaks: tuple[LeakLine, ...] = ()

    def fill(self, leaks: Sequence[LeakLine]) -> None:
        """Show other leaks."""
        self.beginResetModel()
        self._leaks = tuple(leaks)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many are listed."""
        return 0 if parent.isValid() else len(self._leaks)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """What is shared, and two images with their sides."""
        return 0 if parent.isValid() else len(_LEAK_TITLES)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text and tooltip."""
        line = self._leaks[index.row()]
        a, b = (PARTITIONS.get(side, side) for side in line.leak.partitions)
        kind = _KINDS[line.leak.kind]
        text = (kind, f"{a}: {line.path_a}", f"{b}: {line.path_b}")[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(text, _LONGEST)
        return tip_text(text) if role == Qt.ItemDataRole.ToolTipRole else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _LEAK_TITLES[section]
        return None


_KINDS: Mapping[LeakKind, str] = {
    LeakKind.PATIENT: "Patient",
    LeakKind.PIXELS: "Pixels",
    LeakKind.GROUP: "Group",
    LeakKind.NEAR: "Near-duplicate",
}
_LEAK_TITLES = ("Shared", "Image", "With")


class LeaksTable(DataTable):
    """Leaks, pair by pair; as high as they need, up to eight lines."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Leaks", parent)
        self.leaks = LeaksModel(self)
        self.setModel(self.leaks)
        header = self.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(0, SPACE[-1] * 2 + SPACE[2])

    def fill(self, leaks: Sequence[LeakLine]) -> None:
        """Show other leaks."""
        self.leaks.fill(leaks)
        lines = min(max(1, len(leaks)), _LINES)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + lines * ROW_PX + SPACE[0])
        self.setVisible(bool(leaks))
