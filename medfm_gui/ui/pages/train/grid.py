"""The grid of models by ways as a table of check marks; a pair that is impossible says why."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from medfm_gui.ui.pages.train.model import Cell, PlanState, obstacle
from medfm_gui.ui.pages.train.ways import WAYS, Way
from medfm_gui.ui.pages.train.words import listed
from medfm_gui.ui.widgets.text import tip_text
from medfm_gui.workspace.models import Model

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE: Final = QModelIndex()
_NO: Final = "–"


class CellTable(QAbstractTableModel):
    """One row a chosen model, one column a way after the model's name."""

    def __init__(self, state: PlanState, parent: QObject) -> None:
        super().__init__(parent)
        self._state = state
        self._models: tuple[Model, ...] = ()
        self._cells: frozenset[Cell] = frozenset()

    def show_plan(self) -> None:
        """Show the chosen models and what is ticked."""
        models, self._cells = self._state.chosen_models, frozenset(self._state.cells())
        if models != self._models:
            self.beginResetModel()
            self._models = models
            self.endResetModel()
        elif models:
            roles = [Qt.ItemDataRole.CheckStateRole, Qt.ItemDataRole.ToolTipRole]
            self.dataChanged.emit(self.index(0, 1), self.index(len(models) - 1, len(WAYS)), roles)

    def reasons(self) -> str:
        """Why pairs are impossible, each reason once with its models."""
        found: dict[str, list[str]] = {}
        for model in self._models:
            for why in dict.fromkeys(filter(None, (obstacle(model, way) for way in WAYS))):
                found.setdefault(why, []).append(model.card.title)
        return "; ".join(f"{why}: {listed(titles)}" for why, titles in found.items())

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """How many models."""
        return 0 if parent.isValid() else len(self._models)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """The name, and the ways."""
        return 0 if parent.isValid() else len(WAYS) + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Short names of the ways."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return WAYS[section - 1].short if section else "Model"
        if role == Qt.ItemDataRole.ToolTipRole and section:
            return tip_text(f"{WAYS[section - 1].title}: {WAYS[section - 1].summary}")
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Pairs that are possible can be ticked."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        if index.column() and not self._why_not(index):
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Names, marks and reasons."""
        model = self._models[index.row()]
        if not index.column():
            return model.card.title if role == Qt.ItemDataRole.DisplayRole else None
        why, way = self._why_not(index), WAYS[index.column() - 1]
        is_on = (model.card.name, way) in self._cells
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return _NO if why else None
            case Qt.ItemDataRole.CheckStateRole:
                return None if why else (Qt.CheckState.Checked if is_on else Qt.CheckState.Unchecked)
            case Qt.ItemDataRole.ToolTipRole:
                return tip_text(f"{model.card.title}, {way.title}: {why or way.summary}")
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{model.card.title}, {way.title}{f': {why}' if why else ''}"
            case _:
                return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tick or untick a pair."""
        if role != Qt.ItemDataRole.CheckStateRole or not index.column() or self._why_not(index):
            return False
        cell = (self._models[index.row()].card.name, WAYS[index.column() - 1])
        self._state.toggle_cell(cell, Qt.CheckState(value) is Qt.CheckState.Checked)
        return True

    def _why_not(self, index: _Index) -> str:
        way: Way = WAYS[index.column() - 1]
        return obstacle(self._models[index.row()], way)
