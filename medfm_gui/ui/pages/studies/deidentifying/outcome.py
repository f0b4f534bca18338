"""What de-identification did: where the copies are, what was held back, and each attribute that was touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medfm_gui.domain.deidentification import Deidentified, Removal
from medfm_gui.domain.units import counted
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label, one_line, tip_text

Index = QModelIndex | QPersistentModelIndex
_TITLES = ("Attribute", "Tag", "In", "What was done", "Times")
_WIDTHS = (SPACE[-1] * 8, SPACE[-1] * 4, SPACE[-1] * 7, SPACE[-1] * 4)
_ORDER = ("removed", "emptied", "replaced", "shifted", "cleaned", "kept")
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class RemovalModel(QAbstractTableModel):
    """Attributes, what was done and how often; what was removed stands first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[tuple[str, ...], ...] = ()

    def fill(self, removals: Sequence[Removal]) -> None:
        """Show other attributes."""
        self.beginResetModel()
        known = sorted(removals, key=lambda one: (_place(one.action), one.within, one.tag))
        self._rows = tuple((one.keyword, one.tag, one.within, one.action, f"{one.count:,}") for one in known)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """One an attribute and action."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Keyword, tag, sequence, action, count."""
        return 0 if parent.isValid() else len(_TITLES)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Texts."""
        text = self._rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(text)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(text)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == len(_TITLES) - 1:
            return _RIGHT
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole and section == len(_TITLES) - 1:
            return _RIGHT
        return _TITLES[section] if role == Qt.ItemDataRole.DisplayRole else None


def _place(action: str) -> int:
    return _ORDER.index(action) if action in _ORDER else len(_ORDER)


class OutcomeView(QWidget):
    """A heading, facts, and the table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = Label("", "heading3")
        self.facts = Facts()
        self.model = RemovalModel(self)
        self.table = DataTable("Attributes and what was done to them")
        self.table.setModel(self.model)
        for at, width in enumerate(_WIDTHS):
            self.table.setColumnWidth(at, width)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        column.addWidget(self.heading)
        column.addWidget(self.facts)
        column.addWidget(self.table, 1)

    def show_outcome(self, done: Deidentified) -> None:
        """Show what was done."""
        self.heading.setText(f"{counted(done.written, 'copy is', 'copies are')} written")
        self.facts.set_facts(_facts(done))
        self.model.fill(done.removals)


def _facts(done: Deidentified) -> list[tuple[str, str]]:
    waiting = sum(one.reason == "burned_in" for one in done.held)
    held = [counted(waiting, "image that may show a name", "images that may show a name")] if waiting else []
    unfit = len(done.held) - waiting
    held += [counted(unfit, "file that cannot be written", "files that cannot be written")] if unfit else []
    found = [
        ("Folder", done.out),
        (
            "Patients",
            ", ".join(done.patients[:6]) + (f" and {len(done.patients) - 6:,} more" if done.patients[6:] else ""),
        ),
        ("Held back", ", ".join(held) or "nothing"),
        ("Report", done.report),
        ("Method codes", ", ".join(done.codes) + " (DCM)"),
    ]
    if done.faces:
        found.append(
            ("Faces", f"might be rebuilt from {counted(len(done.faces), 'series', 'series')}; none was removed")
        )
    found += [("Note", words) for words in done.notes]
    return found
