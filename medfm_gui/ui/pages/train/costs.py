"""The runs of a plan with their costs, as rows of a table."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from medfm_gui.ui.advice import window_words
from medfm_gui.ui.pages.train.ways import Way
from medfm_gui.ui.pages.train.words import brief, millions, size
from medfm_gui.ui.widgets.text import tip_text
from medfm_gui.workspace.planning import PlanCost, RunCost

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class Column(IntEnum):
    """The columns, in their order."""

    MODEL = 0
    ADAPTATION = 1
    SEED = 2
    FOLD = 3
    TRAINED = 4
    TIME = 5
    MEMORY = 6
    DISK = 7
    NOTE = 8


COLUMNS: Final = ("Model", "Adaptation", "Seed", "Fold", "Trained", "Time, about", "Memory", "Disk", "Note")
WIDTHS: Final = (128, 112, 46, 44, 66, 84, 68, 62, 48)
_AT_RIGHT = range(2, 8)


class CostTable(QAbstractTableModel):
    """One row a run, in the order in which they will be trained."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: tuple[RunCost, ...] = ()
        self._is_measured = False

    def fill(self, cost: PlanCost | None) -> None:
        """Show these costs."""
        runs = cost.runs if cost else ()
        self._is_measured = cost is not None and cost.is_measured
        if len(runs) == len(self._runs):
            self._runs = runs
            if runs:
                self.dataChanged.emit(self.index(0, 0), self.index(len(runs) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self._runs = runs
        self.endResetModel()

    def tells(self, column: Column) -> bool:
        """Whether a column tells runs apart: seeds and folds do where there are several."""
        if column is Column.SEED:
            return len({run.seed for run in self._runs}) > 1
        if column is Column.FOLD:
            return any(run.fold is not None for run in self._runs)
        return True

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """How many runs."""
        return 0 if parent.isValid() else len(self._runs)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """How many columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The columns' names."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return COLUMNS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Texts of the cells."""
        run, column = self._runs[index.row()], index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(f"{run.problem} {window_words(run.hint)}".strip() or _note(run))
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        unknown = "–" if self._is_measured else "…"
        return (
            run.title,
            Way(run.adapt, run.from_scratch).title,
            str(run.seed),
            "–" if run.fold is None else str(run.fold),
            millions(run.trained_parameters),
            unknown if run.seconds is None else brief(run.seconds),
            unknown if run.memory_bytes is None else size(run.memory_bytes),
            size(run.disk_bytes + run.disk_more_bytes),
            run.problem or _note(run),
        )[column]


def _note(run: RunCost) -> str:
    if run.images and run.images_known >= run.images:
        return "features already there"
    if run.images_known:
        return f"features of {run.images_known:,} of {run.images:,} images already there"
    return ""


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _AT_RIGHT else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
