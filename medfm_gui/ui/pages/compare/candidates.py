"""The runs to choose from, as an item model with ticks; and what is chosen where nobody has chosen yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from medfm_gui.desk.asks.compare import Candidate
from medfm_gui.metrics.names import metric_title
from medfm_gui.ui.charts.interval_cell import IntervalCell
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.widgets.text import one_line, tip_text

COLUMNS = ("Run", "Dataset", "Test", "Validation", "State")

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_LONGEST = 160
_AT_FIRST = 8
_DISPLAY = Qt.ItemDataRole.DisplayRole
_CHECK = Qt.ItemDataRole.CheckStateRole


def usual_choice(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """The newest runs that were tested on the same images as the newest opened one, oldest first."""
    opened = [one for one in candidates if one.is_opened]
    if not opened:
        return ()
    return tuple(one.run for one in opened if one.sample_set == opened[-1].sample_set)[-_AT_FIRST:]


class CandidateTable(QAbstractTableModel):
    """Finished runs; those that can be compared with the first that was ticked can be ticked.

    Signals:
        reference_changed(str): another run was ticked first, or none is ticked (empty).
        ticked(): others are ticked.
    """

    reference_changed = Signal(str)
    ticked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Candidate, ...] = ()
        self._chosen: list[str] = []

    @property
    def chosen(self) -> tuple[str, ...]:
        """Ids of the ticked runs in the order of ticking; the first is the reference."""
        return tuple(self._chosen)

    def start(self, chosen: Sequence[str]) -> None:
        """Tick these."""
        self._chosen = list(chosen)

    def fill(self, rows: Sequence[Candidate]) -> None:
        """Show these runs, newest first. What can be compared no more is ticked no more."""
        self.beginResetModel()
        self._rows = tuple(reversed(rows))
        fine = {one.run for one in rows if one.is_opened and not one.obstacle}
        self._chosen = [run for run in self._chosen if run in fine]
        self.endResetModel()
        self.ticked.emit()

    def candidate(self, row: int) -> Candidate | None:
        """The run of a row."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def tick(self, run: str, on: bool) -> None:
        """Choose a run, or choose it no more."""
        before = self._chosen[:1]
        if on and run not in self._chosen:
            self._chosen.append(run)
        elif not on and run in self._chosen:
            self._chosen.remove(run)
        self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))
        self.ticked.emit()
        if self._chosen[:1] != before:
            self.reference_changed.emit(self._chosen[0] if self._chosen else "")

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """One a run."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Fixed."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Names of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == _DISPLAY and 0 <= section < len(COLUMNS):
            return COLUMNS[section]
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """A run that cannot be compared is grey; a sealed one can be chosen for its test to be opened."""
        one = self.candidate(index.row())
        if one is None or one.obstacle:
            return Qt.ItemFlag.NoItemFlags
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return plain | Qt.ItemFlag.ItemIsUserCheckable if one.is_opened and index.column() == 0 else plain

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, tick or tip of a cell."""
        one = self.candidate(index.row())
        if one is None:
            return None
        if role == _CHECK and index.column() == 0 and one.is_opened and not one.obstacle:
            return Qt.CheckState.Checked if one.run in self._chosen else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(f"{one.run} {one.title}\n{one.dataset}\n{wording.standing(one)}")
        return self._text(one, index.column()) if role == _DISPLAY else None

    def setData(self, index: _Index, value: Any, role: int = _CHECK) -> bool:
        """Tick or untick."""
        one = self.candidate(index.row())
        if one is None or role != _CHECK:
            return False
        self.tick(one.run, Qt.CheckState(value) == Qt.CheckState.Checked)
        return True

    def _text(self, one: Candidate, column: int) -> str:
        state = wording.standing(one)
        if self._chosen[:1] == [one.run]:
            state = "Reference"
        return (
            one_line(f"{one.run} {one.title}", _LONGEST),
            one_line(one.dataset, _LONGEST),
            _test(one),
            f"{metric_title(one.metric)} {one.validation:.3f}" if one.validation is not None else wording.NONE,
            one_line(state, _LONGEST),
        )[column]


def _test(one: Candidate) -> str:
    if one.test is None:
        return "sealed"
    cell = IntervalCell(one.test.value, one.test.low, one.test.high)
    return f"{metric_title(one.metric)} {cell.text}"
