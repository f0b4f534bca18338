"""The rows of the runs table, kept up to date by answers of the desk and by news of runs; and the filter over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from medfm_gui.desk.asks.runs import RunItem
from medfm_gui.domain.cards import adaptation
from medfm_gui.domain.run import Phase
from medfm_gui.ui.advice import window_words
from medfm_gui.ui.bridge import Batch
from medfm_gui.ui.pages.runs import wording
from medfm_gui.ui.widgets.text import one_line, tip_text

ITEM = Qt.ItemDataRole.UserRole
"""The ``RunItem`` of a row."""
SORT = Qt.ItemDataRole.UserRole + 1
"""What a column is sorted by."""

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_LONGEST = 200


class Column(IntEnum):
    """The columns, in their order."""

    STATE = 0
    RUN = 1
    MODEL = 2
    ADAPTATION = 3
    DATASET = 4
    SEED = 5
    PROGRESS = 6
    VALIDATION = 7
    TIME = 8
    MEMORY = 9
    LABELS = 10
    TEST = 11
    CREATED = 12


HEADINGS = (
    "State",
    "Run",
    "Model",
    "Adaptation",
    "Dataset",
    "Seed",
    "Progress",
    "Validation",
    "Time",
    "Memory",
    "Labels",
    "Test",
    "Created",
)

_AT_RIGHT = (Column.SEED, Column.VALIDATION, Column.TIME, Column.MEMORY, Column.LABELS)


class RunTable(QAbstractTableModel):
    """One row a run, oldest first. Kept by ``fill`` (the desk's list), ``renew`` (some of it) and ``take`` (news)."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: list[RunItem] = []
        self._rows: dict[str, int] = {}
        self._notes: dict[str, str] = {}

    def fill(self, items: Sequence[RunItem]) -> None:
        """Show this list. Rows that stay keep their place, so that the view keeps its choice."""
        if [item.row.id for item in items[: len(self._items)]] == [item.row.id for item in self._items]:
            self._grow(items)
            return
        self.beginResetModel()
        self._items = list(items)
        self._rows = {item.row.id: number for number, item in enumerate(self._items)}
        self.endResetModel()

    def _grow(self, items: Sequence[RunItem]) -> None:
        self.renew(items[: len(self._items)])
        first = len(self._items)
        if len(items) > first:
            self.beginInsertRows(_NOWHERE, first, len(items) - 1)
            self._items += items[first:]
            self._rows = {item.row.id: number for number, item in enumerate(self._items)}
            self.endInsertRows()

    def renew(self, items: Sequence[RunItem]) -> None:
        """Take newer facts about runs that are listed."""
        for item in items:
            number = self._rows.get(item.row.id)
            if number is None:
                continue
            old = self._items[number]
            state = item.row.state
            if not state.curve and old.row.state.curve:  # a list carries no curves, and ours knows them
                item = replace(item, row=replace(item.row, state=replace(state, curve=old.row.state.curve)))
            if item != old:
                self._put(number, item)

    def take(self, batch: Batch) -> bool:
        """Take news of a run; False where the run is not listed yet."""
        number = self._rows.get(batch.run)
        if number is None:
            return False
        old = self._items[number]
        supervised = batch.state.phase in (Phase.QUEUED, Phase.RUNNING) or old.is_supervised
        self._put(number, replace(old, row=replace(old.row, state=batch.state), is_supervised=supervised))
        return True

    def note(self, runs: Sequence[str], words: str) -> None:
        """Say of runs (of all: none named) what was asked of them, until their state changes; no words take it back."""
        for run in runs or tuple(self._notes):
            if words:
                self._notes[run] = words
            else:
                self._notes.pop(run, None)
            number = self._rows.get(run)
            if number is not None:
                self._put(number, self._items[number])

    def _put(self, number: int, item: RunItem) -> None:
        if item.row.state.phase is not self._items[number].row.state.phase:
            self._notes.pop(item.row.id, None)
        self._items[number] = item
        self.dataChanged.emit(self.index(number, 0), self.index(number, len(Column) - 1))

    @property
    def items(self) -> tuple[RunItem, ...]:
        """All runs, oldest first."""
        return tuple(self._items)

    def item(self, run: str) -> RunItem | None:
        """The run of that id."""
        number = self._rows.get(run)
        return None if number is None else self._items[number]

    def row_of(self, run: str) -> int:
        """Its row; -1 where it is not listed."""
        return self._rows.get(run, -1)

    def place_in_line(self, run: str) -> int:
        """How many supervised runs wait before it, oldest first, counting from 1; 0 where it does not wait."""
        waiting = [item.row.id for item in self._items if item.is_supervised and item.row.state.phase is Phase.QUEUED]
        return waiting.index(run) + 1 if run in waiting else 0

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """How many runs."""
        return 0 if parent.isValid() else len(self._items)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """How many columns."""
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The columns' names."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[section]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell."""
        if not index.isValid():
            return None
        item, column = self._items[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(item, column)
        if role == ITEM:
            return item
        if role == SORT:
            return _sorted_by(item, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(self._whole(item, column))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{HEADINGS[column]}: {self._text(item, column)}"
        return None

    def _text(self, item: RunItem, column: Column) -> str:
        row = item.row
        match column:
            case Column.STATE:
                return wording.PHASES[row.state.phase]
            case Column.RUN:
                return row.id
            case Column.MODEL:
                return one_line(item.model or row.model, _LONGEST)
            case Column.ADAPTATION:
                few = "" if row.shots is None else f", N = {row.shots}"
                return row.adapt + few + (" (scratch)" if row.from_scratch else "")
            case Column.DATASET:
                return one_line(item.dataset or row.dataset, _LONGEST)
            case Column.SEED:
                return wording.seed(item)
            case Column.PROGRESS:
                return one_line(self._progress(item), _LONGEST)
            case Column.VALIDATION:
                found = wording.metric(item) or wording.best_so_far(item)
                return f"{wording.short(found[0])} {found[1]:.3f}" if found else wording.NONE
            case Column.TIME:
                return wording.time(item)
            case Column.MEMORY:
                return wording.size(row.state.peak_memory_bytes or None)
            case Column.LABELS:
                return wording.labels(row.state)
            case Column.TEST:
                return _test(item)
            case _:
                return wording.day(row.created)

    def _progress(self, item: RunItem) -> str:
        note = self._notes.get(item.row.id)
        if note:
            return note
        place = self.place_in_line(item.row.id)
        said = wording.progress(item)
        return f"{place} in line · {said}" if place else said

    def _whole(self, item: RunItem, column: Column) -> str:
        row = item.row
        if column is Column.PROGRESS:
            return f"{self._progress(item)} {window_words(row.state.hint)}".strip()
        if column is Column.VALIDATION:
            done, best = wording.metric(item), wording.best_so_far(item)
            if done or not best:
                return f"Validation, {done[0]}: {done[1]:.3f}" if done else ""
            return f"Validation, {best[0]}: {best[1]:.3f} at the best epoch so far"
        if column is Column.TEST:
            return "The sealed test was opened." if item.is_opened else "The test set is sealed."
        if column is Column.ADAPTATION:
            card = adaptation(row.adapt)
            said = f"{card.title}: {card.summary}" if card else row.adapt
            return said if row.shots is None else f"{said}\n{wording.shots(row.shots)}"
        if column is Column.MEMORY and row.state.peak_memory_bytes:
            return f"Peak memory of {'the GPU' if row.state.device.startswith('cuda') else 'the process'}"
        if column is Column.LABELS and row.state.labels_used:
            return "Labelled images that decided the model or its threshold"
        if column is Column.CREATED:
            return f"Created {wording.when(row.created)}"
        if column in (Column.MODEL, Column.DATASET):
            return self._text(item, column)
        return ""


def _test(item: RunItem) -> str:
    if item.row.state.phase is not Phase.FINISHED:
        return wording.NONE
    return "Opened" if item.is_opened else "Sealed"


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _AT_RIGHT else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


_ORDER = (Phase.RUNNING, Phase.QUEUED, Phase.PAUSED, Phase.FAILED, Phase.FINISHED, Phase.CANCELLED)


def _sorted_by(item: RunItem, column: Column) -> str | float:
    row = item.row
    match column:
        case Column.STATE:
            return _ORDER.index(row.state.phase)
        case Column.RUN | Column.CREATED:
            return f"{row.created} {row.id}"
        case Column.MODEL:
            return (item.model or row.model).lower()
        case Column.ADAPTATION:
            return f"{row.adapt} {row.shots or 0:09d}"
        case Column.MEMORY:
            return float(row.state.peak_memory_bytes)
        case Column.LABELS:
            return float(row.state.labels_used)
        case Column.DATASET:
            return (item.dataset or row.dataset).lower()
        case Column.SEED:
            return row.seed * 1000.0 + (row.fold or 0)
        case Column.PROGRESS:
            return wording.share(item) or 0.0
        case Column.VALIDATION:
            found = wording.metric(item) or wording.best_so_far(item)
            return found[1] if found else -1.0
        case Column.TIME:
            left = wording.seconds_left(item)
            return -left if left is not None else row.state.seconds
        case _:
            return _test(item)


class RunFilter(QSortFilterProxyModel):
    """Which rows are shown, and in what order: by words of a row and by state."""

    def __init__(self, source: RunTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()
        self._phases: frozenset[Phase] = frozenset(Phase)
        self.setSortRole(SORT)
        self.setSourceModel(source)
        self.sort(Column.CREATED, Qt.SortOrder.DescendingOrder)

    def look_for(self, text: str) -> None:
        """Show rows that hold each of these words."""
        self._words = tuple(text.lower().split())
        self.invalidate()

    def only(self, phases: frozenset[Phase]) -> None:
        """Show runs in these states."""
        self._phases = phases
        self.invalidate()

    def filterAcceptsRow(self, source_row: int, source_parent: _Index) -> bool:
        """Whether a run is shown."""
        source = self.sourceModel()
        item: RunItem = source.data(source.index(source_row, 0), ITEM)
        if item.row.state.phase not in self._phases:
            return False
        if not self._words:
            return True
        row = item.row
        said = (row.id, item.title, item.dataset, row.dataset, row.family, row.split, row.state.phase.value)
        whole = " ".join(said).lower()
        return all(word in whole for word in self._words)

    def run_at(self, index: _Index) -> RunItem | None:
        """The run of a row of the view."""
        found = self.data(index, ITEM)
        return found if isinstance(found, RunItem) else None
