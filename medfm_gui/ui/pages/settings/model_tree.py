"""Models under the headings by which people find them; rows are made when they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from medfm_gui.ui import icons
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.marker import marker
from medfm_gui.ui.widgets.rows import Column
from medfm_gui.ui.widgets.text import tip_text
from medfm_gui.workspace.models import Model

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_GROUP = 0
"""The id of a heading; that of a model is its heading's place, counted from 1."""

COLUMNS: tuple[Column[Model], ...] = (
    Column("Model", lambda one: one.card.title),
    Column(
        "Weights",
        lambda one: model.STATES[one.weights.state][2],
        picture=lambda one: icons.icon(*model.STATES[one.weights.state][:2]),
    ),
    Column("Size", model.size_of, is_number=True),
    Column("Parameters", lambda one: model.parameters(one.card.parameters_m), is_number=True),
    Column("Licence", model.licence),
)
_STATE = 1


class ModelTree(QAbstractItemModel):
    """Headings, and below each its models."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._models: tuple[Model, ...] = ()
        self._groups: tuple[model.ModelGroup, ...] = ()
        self._text, self._state = "", "all"

    def fill(self, models: Sequence[Model]) -> None:
        """Show these models; where only their weights changed, what is chosen and unfolded stays."""
        self._models = tuple(models)
        found = model.grouped(self._models, self._text, self._state)
        if _names(found) != _names(self._groups):
            self.beginResetModel()
            self._groups = found
            self.endResetModel()
            return
        self._groups = found
        for at, group in enumerate(found):
            above = self.index(at, 0)
            self.dataChanged.emit(above, self.index(at, len(COLUMNS) - 1))
            self.dataChanged.emit(self.index(0, 0, above), self.index(len(group.models) - 1, len(COLUMNS) - 1, above))

    def narrow(self, text: str, state: str = "all") -> None:
        """Show only models with all these words, in a state of ``model.SHOWN``."""
        self._text, self._state = text, state
        self.fill(self._models)

    @property
    def is_searched(self) -> bool:
        """Whether somebody looks for certain words."""
        return bool(self._text.strip())

    @property
    def rows(self) -> tuple[Model, ...]:
        """The models that are shown, whether their heading is unfolded or not."""
        return tuple(one for group in self._groups for one in group.models)

    @property
    def groups(self) -> tuple[model.ModelGroup, ...]:
        """The headings that are shown."""
        return self._groups

    def row(self, index: Index) -> Model | None:
        """The model of an index; None for a heading."""
        if not index.isValid() or index.internalId() == _GROUP:
            return None
        return self._groups[int(index.internalId()) - 1].models[index.row()]

    def place(self, name: str) -> QModelIndex:
        """Where a model stands; invalid where it is not shown."""
        for at, group in enumerate(self._groups):
            for row, one in enumerate(group.models):
                if one.card.name == name:
                    return self.createIndex(row, 0, at + 1)
        return QModelIndex()

    def index(self, row: int, column: int, parent: Index = _ROOT) -> QModelIndex:
        """A cell below a heading, or a heading's own."""
        if not (0 <= column < len(COLUMNS) and 0 <= row < self.rowCount(parent)):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() + 1 if parent.isValid() else _GROUP)

    def parent(self, index: Index = _ROOT) -> Any:
        """The heading of a model."""
        if not index.isValid() or index.internalId() == _GROUP:
            return QModelIndex()
        return self.createIndex(int(index.internalId()) - 1, 0, _GROUP)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Headings; models of a heading."""
        if not parent.isValid():
            return len(self._groups)
        is_heading = parent.internalId() == _GROUP and parent.column() == 0
        return len(self._groups[parent.row()].models) if is_heading else 0

    def columnCount(self, parent: Index = _ROOT) -> int:
        """The same for all."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles of columns."""
        if orientation is Qt.Orientation.Horizontal and 0 <= section < len(COLUMNS):
            if role == Qt.ItemDataRole.DisplayRole:
                return COLUMNS[section].title
            if role == Qt.ItemDataRole.TextAlignmentRole and COLUMNS[section].is_number:
                return _RIGHT
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell."""
        if not index.isValid():
            return None
        one = self.row(index)
        return _of_group(self._groups[index.row()], index.column(), role) if one is None else _of(one, index, role)


def _names(groups: Sequence[model.ModelGroup]) -> list[tuple[str, tuple[str, ...]]]:
    return [(group.title, tuple(one.card.name for one in group.models)) for group in groups]


def _of_group(group: model.ModelGroup, column: int, role: int) -> Any:
    text = {0: group.title, _STATE: f"{group.ready} of {len(group.models)} ready"}.get(column, "")
    if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
        return text
    if role == Qt.ItemDataRole.DecorationRole and column == 0:
        return marker(group.models[0].card.family)
    if role == Qt.ItemDataRole.ToolTipRole:
        return tip_text(text)
    return None


def _of(one: Model, index: Index, role: int) -> Any:
    column = COLUMNS[index.column()]
    if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
        return column.text(one)
    if role == Qt.ItemDataRole.ToolTipRole:
        return tip_text(column.text(one))
    if role == Qt.ItemDataRole.DecorationRole and column.picture is not None:
        return column.picture(one)
    if role == Qt.ItemDataRole.TextAlignmentRole and column.is_number:
        return _RIGHT
    return None
