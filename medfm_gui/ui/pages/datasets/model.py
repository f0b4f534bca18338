"""The datasets of the workspace as rows of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from medfm_gui.domain.units import counted
from medfm_gui.store.rows import DatasetRow
from medfm_gui.ui.pages.datasets.wording import dataset_line
from medfm_gui.ui.widgets.text import one_line, shown, tip_text

Index = QModelIndex | QPersistentModelIndex
LINE: Final = int(Qt.ItemDataRole.UserRole)
CLASSES: Final = LINE + 1
_LONGEST = 200
_NAMED = 4


class DatasetsModel(QAbstractListModel):
    """Datasets, newest first: name, and two lines of what they are."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[DatasetRow, ...] = ()

    def fill(self, rows: Sequence[DatasetRow]) -> None:
        """Show other datasets; ``rows`` come oldest first."""
        self.beginResetModel()
        self._rows = tuple(reversed(rows))
        self.endResetModel()

    def dataset(self, row: int) -> DatasetRow | None:
        """The dataset of a row."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, dataset: str) -> int:
        """Where a dataset stands; -1 if it does not."""
        return next((place for place, row in enumerate(self._rows) if row.id == dataset), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """How many there are."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name, lines, tooltip, and all of it in words for a screen reader."""
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(row.name, _LONGEST)
        if role == LINE:
            return dataset_line(row)
        if role == CLASSES:
            return one_line(classes_line(row), _LONGEST)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(f"{row.name}\n{row.id}")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return shown(f"{row.name}, {dataset_line(row)}", _LONGEST)
        return None


def classes_line(row: DatasetRow) -> str:
    """The first classes by name, and how many more there are."""
    more = len(row.classes) - _NAMED
    named = ", ".join(row.classes[:_NAMED])
    return f"{named} and {counted(more, 'more', 'more')}" if more > 0 else named
