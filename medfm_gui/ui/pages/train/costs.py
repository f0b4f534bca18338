"""What a plan costs, a row for each pair of model and way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from medfm_gui.domain.units import counted
from medfm_gui.ui.advice import window_words
from medfm_gui.ui.pages.train.axes import shot_name
from medfm_gui.ui.pages.train.ways import Way
from medfm_gui.ui.pages.train.words import brief, listed, millions, size
from medfm_gui.ui.widgets.text import tip_text
from medfm_gui.workspace.planning import PlanCost, RunCost

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class Column(IntEnum):
    """The columns, in their order."""

    MODEL = 0
    ADAPTATION = 1
    RUNS = 2
    TRAINED = 3
    TIME = 4
    MEMORY = 5
    DISK = 6
    NOTE = 7


COLUMNS: Final = ("Model", "Adaptation", "Runs", "Trained", "Time, about", "Memory", "Disk", "Note")
WIDTHS: Final = (112, 122, 44, 64, 84, 66, 74, 44)
_AT_RIGHT = range(2, 7)


@dataclass(frozen=True, slots=True)
class PairCost:
    """Runs of one model and way: their seeds, shots and folds together."""

    runs: tuple[RunCost, ...]

    @property
    def seconds(self) -> float | None:
        """One after the other; None until each is known."""
        known = [run.seconds for run in self.runs if run.seconds is not None]
        return sum(known) if len(known) == len(self.runs) else None

    @property
    def memory_bytes(self) -> int | None:
        """Of the one that needs most."""
        return max((run.memory_bytes for run in self.runs if run.memory_bytes is not None), default=None)

    @property
    def disk_bytes(self) -> int:
        """What stays, and the most that one needs besides."""
        return sum(run.disk_bytes for run in self.runs) + max(run.disk_more_bytes for run in self.runs)

    @property
    def problem(self) -> str:
        """Why it could not be measured."""
        first = next((run for run in self.runs if run.problem), None)
        return f"{first.problem} {window_words(first.hint)}".strip() if first is not None else ""

    @property
    def note(self) -> str:
        """What is to be known of it besides the numbers."""
        notes = []
        known = sum(bool(run.images) and run.images_known >= run.images for run in self.runs)
        some = sum(0 < run.images_known < run.images for run in self.runs)
        if known:
            of = "" if len(self.runs) == 1 else f" for {known} of {len(self.runs)} runs"
            notes.append(f"features already there{of}")
        if some:
            notes.append(f"features partly there for {counted(some, 'run')}")
        parts = max(run.parts for run in self.runs)
        if parts > 1:
            notes.append(f"memory is short: each batch in {parts} parts")
        if not all(run.is_fit_known for run in self.runs):
            notes.append("without the training of the heads")
        return "; ".join(notes)

    @property
    def axes(self) -> str:
        """“shots 1, 4, all; seeds 0, 1 and 2”."""
        shots = list(dict.fromkeys(shot_name(run.shots) for run in self.runs))
        seeds = [str(seed) for seed in dict.fromkeys(run.seed for run in self.runs)]
        folds = [str(fold) for fold in dict.fromkeys(run.fold for run in self.runs) if fold is not None]
        said = [f"shots {', '.join(shots)}"] if shots != ["all"] else []
        said.append(f"seeds {listed(seeds, 8)}")
        if folds:
            said.append(f"folds {listed(folds, 8)}")
        return "; ".join(said)


def pairs_of(runs: Sequence[RunCost]) -> tuple[PairCost, ...]:
    """Runs by model and way, in the order of their first."""
    found: dict[tuple[str, str, bool], list[RunCost]] = {}
    for run in runs:
        found.setdefault((run.model, run.adapt, run.from_scratch), []).append(run)
    return tuple(PairCost(tuple(some)) for some in found.values())


class CostTable(QAbstractTableModel):
    """One row a pair of model and way, in the order in which they will be trained."""

    def __init__(self) -> None:
        super().__init__()
        self._pairs: tuple[PairCost, ...] = ()
        self._is_measured = False

    def fill(self, cost: PlanCost | None) -> None:
        """Show these costs."""
        pairs = pairs_of(cost.runs) if cost else ()
        self._is_measured = cost is not None and cost.is_measured
        if len(pairs) == len(self._pairs):
            self._pairs = pairs
            if pairs:
                self.dataChanged.emit(self.index(0, 0), self.index(len(pairs) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self._pairs = pairs
        self.endResetModel()

    def tells(self, column: Column) -> bool:
        """Whether a column tells anything: the number of runs does where it is not one each."""
        return column is not Column.RUNS or any(len(pair.runs) > 1 for pair in self._pairs)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """How many pairs."""
        return 0 if parent.isValid() else len(self._pairs)

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
        pair, column = self._pairs[index.row()], index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(pair.problem or "; ".join(filter(None, (pair.axes, pair.note))))
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        unknown, first = "–" if self._is_measured else "…", pair.runs[0]
        return (
            first.title,
            Way(first.adapt, first.from_scratch).title,
            f"{len(pair.runs):,}",
            millions(max(run.trained_parameters for run in pair.runs)),
            unknown if pair.seconds is None else brief(pair.seconds),
            unknown if pair.memory_bytes is None else size(pair.memory_bytes),
            size(pair.disk_bytes),
            pair.problem or pair.note,
        )[column]


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _AT_RIGHT else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
