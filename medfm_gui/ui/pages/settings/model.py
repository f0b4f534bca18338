"""Item models of the tables in Settings: weights, found files, plugins, keys, packages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from medfm_gui.desk.asks.settings import FoundWeights, Package
from medfm_gui.domain.cards import BrokenPlugin, WeightsState
from medfm_gui.ui.actions import Action
from medfm_gui.ui.widgets.text import tip_text
from medfm_gui.workspace.models import Model

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
        """Show these rows instead."""
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


STATES = {
    WeightsState.PRESENT: ("check", "good", "Ready"),
    WeightsState.BUNDLED: ("check", "good", "Ready (bundled)"),
    WeightsState.ABSENT: ("minus", "muted", "Not here"),
    WeightsState.IMPORTING: ("clock", "muted", "Being brought in"),
}
"""Icon, colour and word of a model's weights."""


def parameters(millions: float) -> str:
    """Parameters with sensible digits: 3.4 M, 86.6 M, 1.14 G."""
    if millions >= 1000:
        return f"{millions / 1000:.2f} G"
    return f"{millions:.1f} M" if millions < 100 else f"{millions:.0f} M"


def size(octets: int) -> str:
    """A file's size: 12 kB, 88.3 MB, 4.5 GB."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if octets >= step:
            value = octets / step
            return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"
    return f"{octets} B"


def licence(one: Model) -> str:
    """The licence, marked where it forbids commercial use."""
    return f"{one.card.licence} · non-commercial" if one.card.non_commercial else one.card.licence


def can_be_fetched(one: Model) -> bool:
    """The hub has its weights."""
    return bool(one.card.weights.hub_repo)


def about(one: Model) -> tuple[tuple[str, str], ...]:
    """Everything that is known of a model's weights, as names and values."""
    card, weights = one.card, one.weights
    is_here = weights.is_here
    rows = [
        ("Name", card.name),
        ("Pretraining", f"{card.pretraining}; {card.pretraining_data}"),
        ("Licence", licence(one)),
        ("Source", weights.source if is_here else card.weights.label),
        ("File", weights.path or "none"),
        ("SHA-256", weights.sha256 or ("not announced beforehand" if not is_here else "unknown")),
    ]
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A file that was found, the model it is named for, and what came of it."""

    file: FoundWeights
    title: str
    outcome: str = ""
    is_bad: bool = False


def found_columns(root: str) -> tuple[Column[FoundRow], ...]:
    """Columns of the files found below a folder."""

    def below(row: FoundRow) -> str:
        path = Path(row.file.path)
        return str(path.relative_to(root)) if path.is_relative_to(root) else path.name

    return (
        Column("File", below),
        Column("Size", lambda row: size(row.file.size), is_number=True),
        Column("Named for", lambda row: row.title or "no model of ours"),
        Column("Outcome", lambda row: row.outcome),
    )


@dataclass(frozen=True, slots=True)
class PluginRow:
    """A plugin folder: its models, or why it cannot be used."""

    name: str
    folder: str
    models: tuple[str, ...]
    reason: str = ""


def plugins(models: Sequence[Model], broken: Sequence[BrokenPlugin]) -> tuple[PluginRow, ...]:
    """Plugins by what they brought; the broken ones first."""
    found: dict[str, PluginRow] = {}
    for one in models:
        card = one.card
        before = found.get(card.plugin_folder)
        titles = (*(before.models if before else ()), card.title)
        found[card.plugin_folder] = PluginRow(card.plugin, card.plugin_folder, titles)
    bad = [PluginRow(Path(item.folder).name, item.folder, (), item.reason) for item in broken]
    return (*bad, *sorted(found.values(), key=lambda row: row.name.lower()))


@dataclass(frozen=True, slots=True)
class KeyRow:
    """An action and its keys now; ``is_own`` when they are not the default."""

    action: Action
    keys: str
    is_own: bool


def key_columns() -> tuple[Column[KeyRow], ...]:
    """Columns of the table of keys."""
    return (
        Column("Action", lambda row: row.action.title),
        Column("Where", lambda row: "Everywhere" if row.action.group == "Window" else f"{row.action.group} page"),
        Column("Keys", lambda row: row.keys or "–"),
        Column("", lambda row: "changed" if row.is_own else ""),
    )


def package_columns() -> tuple[Column[Package], ...]:
    """Columns of the table of packages."""
    return (
        Column("Package", lambda row: row.name),
        Column("Version", lambda row: row.version),
        Column("Licence", lambda row: row.licence or "not named by the package"),
    )
