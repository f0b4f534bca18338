"""Counts by class and partition with bars: “table 1” of a paper, a class balance, sizes of a planned split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import QHeaderView, QStyleOptionViewItem, QTableView, QWidget

from medfm_gui.ui import theme as themes
from medfm_gui.ui.pages.datasets.wording import share
from medfm_gui.ui.theme import RADIUS, SPACE
from medfm_gui.ui.widgets.table import DataTable, PlainDelegate
from medfm_gui.ui.widgets.text import one_line, tip_text

Index = QModelIndex | QPersistentModelIndex
ROW: Final = int(Qt.ItemDataRole.UserRole)
SHARE: Final = ROW + 1
_BAR_PX = 3
_ROW_PX = SPACE[5]
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class CountRow:
    """A line of the table: counts by column. A heading has none; ``of`` are the wholes its shares are of."""

    name: str
    counts: tuple[int | None, ...] = ()
    of: tuple[int, ...] = ()
    is_heading: bool = False
    nothing: str = "–"
    """What stands where a count is None."""


class CountsModel(QAbstractTableModel):
    """Rows of counts; the first column is the name."""

    def __init__(self, parent: QWidget | None = None, *, has_shares: bool = True) -> None:
        super().__init__(parent)
        self.has_shares = has_shares
        self._first = ""
        self._columns: tuple[str, ...] = ()
        self._rows: tuple[CountRow, ...] = ()

    def fill(self, first: str, columns: Sequence[str], rows: Sequence[CountRow]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self._first, self._columns, self._rows = first, tuple(columns), tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many lines there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """The name and the columns of counts."""
        return 0 if parent.isValid() else 1 + len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, tooltip, and for the delegate the row and its share."""
        row = self._rows[index.row()]
        column = index.column() - 1
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(row.name, _LONGEST) if column < 0 else self._cell(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(row.name if column < 0 else self._share_words(row, column))
        if role == Qt.ItemDataRole.TextAlignmentRole and column >= 0:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == ROW:
            return row
        if role == SHARE:
            return self._share(row, column)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Names of the columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._first if section == 0 else self._columns[section - 1]
        if role == Qt.ItemDataRole.TextAlignmentRole and section > 0:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Headings cannot be chosen."""
        if self._rows[index.row()].is_heading:
            return Qt.ItemFlag.ItemIsEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def as_text(self) -> str:
        """The table as text with tabs, for a spreadsheet."""
        lines = ["\t".join((self._first, *self._columns))]
        for row in self._rows:
            cells = [self._cell(row, column) for column in range(len(self._columns))]
            lines.append("\t".join((one_line(row.name), *cells)))
        return "\n".join(lines)

    def _cell(self, row: CountRow, column: int) -> str:
        if column >= len(row.counts):
            return ""
        number = row.counts[column]
        if number is None:
            return row.nothing
        whole = row.of[column] if row.of else 0
        return f"{number:,}  ({share(number, whole)})" if row.of and self.has_shares else f"{number:,}"

    def _share_words(self, row: CountRow, column: int) -> str:
        part = self._share(row, column)
        return f"{100 * part:.1f} % of the images there" if part is not None else ""

    def _share(self, row: CountRow, column: int) -> float | None:
        if column < 0 or not row.of or column >= len(row.counts) or not row.of[column]:
            return None
        number = row.counts[column]
        return number / row.of[column] if number is not None else None


class BarDelegate(PlainDelegate):
    """Draws the share of a count as a thin bar below its figures, and headings in bold."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """The cell as usual, then the bar."""
        super().paint(painter, option, index)
        part = index.data(SHARE)
        if not isinstance(part, float):
            return
        theme = themes.current()
        box = QRectF(option.rect).adjusted(SPACE[1], 0, -SPACE[1], 0)
        track = QRectF(box.left(), box.bottom() - _BAR_PX - 1, box.width(), _BAR_PX)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(themes.mix(theme.panel, theme.text, 0.08)))
        painter.drawRoundedRect(track, _BAR_PX / 2, _BAR_PX / 2)
        painter.setBrush(QColor(theme.accent))
        width = max(part * track.width(), _BAR_PX if part else 0.0)
        painter.drawRoundedRect(QRectF(track.left(), track.top(), width, _BAR_PX), _BAR_PX / 2, _BAR_PX / 2)
        painter.restore()

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """Headings stand out by weight and colour."""
        super().initStyleOption(option, index)
        row = index.data(ROW)
        if isinstance(row, CountRow) and row.is_heading:
            option.font.setWeight(QFont.Weight.DemiBold)
        elif index.column() > 0:
            option.font = themes.figures_font(option.font)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Room for the bar."""
        hint = super().sizeHint(option, index)
        return QSize(hint.width(), _ROW_PX)


class CountsTable(DataTable):
    """A table of counts with bars; Ctrl+C copies all of it as text. ``has_shares`` writes percentages beside them."""

    def __init__(self, name: str, parent: QWidget | None = None, *, has_shares: bool = True) -> None:
        super().__init__(name, parent)
        self.counts = CountsModel(self, has_shares=has_shares)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setModel(self.counts)
        self.setItemDelegate(BarDelegate(self))
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        self.horizontalHeader().setStretchLastSection(False)

    def fill(self, first: str, columns: Sequence[str], rows: Sequence[CountRow]) -> None:
        """Show other rows; the name takes the room that the counts leave."""
        self.counts.fill(first, columns, rows)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        widest = "00,000  (00.0 %)" if self.counts.has_shares else "Internal test"
        figures = self.fontMetrics().horizontalAdvance(widest) + SPACE[3 if self.counts.has_shares else 4]
        for column in range(1, 1 + len(columns)):
            self.setColumnWidth(column, figures)
        self.setAccessibleDescription(f"{len(rows)} lines")

    def copied(self) -> str:
        """The whole table: a part of a “table 1” is of no use."""
        return self.counts.as_text()

    def natural_height(self, most: int) -> int:
        """The height that shows up to ``most`` lines without scrolling."""
        lines = min(self.counts.rowCount(), most)
        return self.horizontalHeader().sizeHint().height() + lines * _ROW_PX + RADIUS
