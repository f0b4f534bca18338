"""The header of what is read: its main facts, and a table of all elements that can be searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from medfm_gui.desk.asks.studies import ElementTable, ReadElements, ReadTags, SeriesKey, TagFacts
from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.study import Element
from medfm_gui.ui import theme as themes
from medfm_gui.ui.context import Context
from medfm_gui.ui.later import Later
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label, tip_text

TAGS_PX: Final = SPACE[-1] * 12
_WIDEST_PX: Final = 1 << 20
_TYPING_MS: Final = 120
_TITLES: Final = ("Tag", "Element", "Value")
_WIDTHS: Final = (SPACE[-1] * 3 + SPACE[1], SPACE[-1] * 4 + SPACE[2])
_INDENT: Final = "   "
_NO_HEADER: Final = "This file has no DICOM header."
_HIDDEN: Final = "hidden"
_WHY_HIDDEN: Final = "It may say who the patient is. The eye above the studies shows it."

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class ElementRows(QAbstractTableModel):
    """Elements, as far as the search lets them through; every cell is plain text."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._all: tuple[Element, ...] = ()
        self._words: list[str] = []
        self._wanted = ""
        self.rows: Sequence[Element] = ()

    @property
    def count(self) -> int:
        """Elements, whatever the search hides."""
        return len(self._all)

    def fill(self, elements: Sequence[Element]) -> None:
        """Show these instead."""
        self._all = tuple(elements)
        self._words = [f"{one.tag}{one.tag.replace(',', '')} {one.name} {one.value}".casefold() for one in self._all]
        self._choose()

    def search(self, text: str) -> None:
        """Show only what holds each of these words in its tag, name or value."""
        wanted = text.strip().casefold()
        if wanted != self._wanted:
            self._wanted = wanted
            self._choose()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Elements that are shown."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """Tag, name, value."""
        return 0 if parent.isValid() else len(_TITLES)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles of the columns."""
        is_title = orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return _TITLES[section] if is_title and section < len(_TITLES) else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words of a cell; what is hidden or private is muted."""
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        one = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _cell(one, index.column())
        if role == Qt.ItemDataRole.ForegroundRole and (one.is_private or (one.is_hidden and index.column() == 2)):
            return QColor(themes.current().muted)
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = (f"{one.tag} {one.representation}".strip(), _name(one), _WHY_HIDDEN if one.is_hidden else one.value)
            return tip_text("\n".join(line for line in lines if line))
        return None

    def _choose(self) -> None:
        self.beginResetModel()
        parts = self._wanted.split()
        pairs = zip(self._all, self._words, strict=True)
        self.rows = [one for one, words in pairs if all(part in words for part in parts)] if parts else self._all
        self.endResetModel()


def _cell(one: Element, column: int) -> str:
    if column == 0:
        return one.tag
    if column == 1:
        return _INDENT * one.depth + _name(one)
    return _HIDDEN if one.is_hidden else one.value


def _name(one: Element) -> str:
    return f"{one.name} (private)" if one.is_private and "private" not in one.name.lower() else one.name


class ElementView(QWidget):
    """A search line above the table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ElementRows(self)
        self._is_beside = True
        self.table = DataTable("Elements of the header")
        self.search = QLineEdit()
        self.count = Label("", "muted", wrap=False)
        self.note = Label("", "muted")
        self._typed = Later(self._search, _TYPING_MS, self)
        self.search.setPlaceholderText("Search tag, name or value")
        self.search.setAccessibleName("Search the header")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _: self._typed.again())
        self.search.returnPressed.connect(self.table.setFocus)
        self.table.setModel(self.model)
        for at, width in enumerate(_WIDTHS):
            self.table.setColumnWidth(at, width)
        self.table.setColumnWidth(len(_TITLES) - 1, SPACE[-1])  # the last takes what is left
        self.table.setTextElideMode(Qt.TextElideMode.ElideRight)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[2], SPACE[2], SPACE[2], SPACE[2])
        column.setSpacing(SPACE[1])
        line = QHBoxLayout()
        line.setSpacing(SPACE[2])
        line.addWidget(self.search, 1)
        line.addWidget(self.count)
        column.addLayout(line)
        column.addWidget(self.note)
        column.addWidget(self.table, 1)
        self.tell("")

    def fill(self, answer: ElementTable) -> None:
        """Show the elements of a header."""
        self.model.fill(answer.elements)
        self.table.setVisible(bool(answer.elements))
        self._tell_count(is_cut=answer.is_cut)

    def tell(self, text: str) -> None:
        """A line above the table; nothing is counted then."""
        self.note.setText(text)
        self.note.setVisible(bool(text))
        self.count.setText("")

    def stand(self, *, beside: bool) -> None:
        """Names of elements have more room where the table is wide."""
        self._is_beside = beside
        self._share_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A value is what one looks for: it has at least as much room as the element's name."""
        super().resizeEvent(event)
        self._share_out()

    def _share_out(self) -> None:
        room = (self.width() - _WIDTHS[0] - 3 * SPACE[3]) // 2
        most = _WIDTHS[1] if self._is_beside else TAGS_PX * 3 // 4
        self.table.setColumnWidth(1, max(SPACE[-1] * 3, min(most, room)))

    def _search(self) -> None:
        self.model.search(self.search.text())
        self._tell_count()

    def _tell_count(self, *, is_cut: bool = False) -> None:
        shown, count = len(self.model.rows), self.model.count
        self.tell("" if count else _NO_HEADER)
        if shown < count:
            self.count.setText(f"{shown:,} of {count:,}")
        elif count:
            self.count.setText(f"The first {count:,}" if is_cut else f"{count:,} elements")


class TagView(QTabWidget):
    """Main facts and all elements of the middle image; who it is only while identity is shown."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._desk = context.desk
        self._key: SeriesKey | None = None
        self._identity = False
        self._read: dict[int, tuple[SeriesKey, bool]] = {}
        self.facts = Facts()
        self._note = Label("", "muted")
        self._elements = Deferred(self._make_elements)
        self._is_beside = True
        self.setDocumentMode(True)
        self.setAccessibleName("Header")
        self.addTab(_scrolled(self._note, self.facts), "Summary")
        self.addTab(self._elements, "All elements")
        self.currentChanged.connect(lambda _: self.read())

    def _make_elements(self, place: QWidget) -> ElementView:
        view = ElementView(place)
        view.stand(beside=self._is_beside)
        return view

    @property
    def elements(self) -> ElementView:
        """All elements."""
        return self._elements.part

    def stand(self, *, beside: bool) -> None:
        """Take a part of the width, or of the height."""
        self.setMinimumWidth(TAGS_PX if beside else 0)
        self.setMaximumWidth(TAGS_PX if beside else _WIDEST_PX)
        self.setMinimumHeight(0 if beside else TAGS_PX * 3 // 4)
        self.setMaximumHeight(_WIDEST_PX if beside else TAGS_PX * 3 // 4)
        self._is_beside = beside
        if self._elements.made is not None:
            self._elements.made.stand(beside=beside)

    def showEvent(self, event: QShowEvent) -> None:
        """What is seen now is read now."""
        super().showEvent(event)
        self.read()

    def set_series(self, key: SeriesKey | None) -> None:
        """Of another series."""
        self._key = key

    def show_identity(self, shown: bool) -> None:
        """With or without who it is."""
        self._identity = shown
        if self.isVisible():
            self.read()

    def read(self) -> None:
        """Ask for what the tab in front does not show yet."""
        if self._key is None:
            return
        tab, wanted = self.currentIndex(), (self._key, self._identity)
        if wanted == self._read.get(tab):
            return
        self._read[tab] = wanted
        if tab == 0:
            self.facts.set_facts(())
            self._tell("Reading …")
            self._ask(ReadTags(*wanted), tab, self._fill_facts, self._tell)
        else:
            self.elements.tell("Reading …")
            self._ask(ReadElements(*wanted), tab, self.elements.fill, self._tell_elements)

    def _ask(self, ask: Ask[Any], tab: int, fill: Any, tell: Any) -> None:
        wanted = self._read[tab]

        def took(answer: Any) -> None:
            if self._read.get(tab) == wanted:
                fill(answer)

        def failed(error: MedfmError) -> None:
            if self._read.get(tab) == wanted:
                del self._read[tab]
                tell(f"{error.message} {error.hint}".strip())

        self._desk.ask(ask, owner=self, then=took, failed=failed)

    def _fill_facts(self, answer: TagFacts) -> None:
        self._tell("" if answer.facts else _NO_HEADER)
        self.facts.set_facts((fact.name, fact.value) for fact in answer.facts)

    def _tell(self, text: str) -> None:
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def _tell_elements(self, text: str) -> None:
        self.elements.fill(ElementTable())
        self.elements.tell(text)


def _scrolled(*parts: QWidget) -> QScrollArea:
    inside = QWidget()
    inside.setProperty("role", "page")
    column = QVBoxLayout(inside)
    column.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[3])
    column.setSpacing(SPACE[2])
    for part in parts:
        column.addWidget(part)
    column.addStretch(1)
    area = QScrollArea()
    area.setWidget(inside)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setAccessibleName("Main facts of the header")
    return area
