"""The tables of a comparison as item models: numbers by run, paired tests, numbers by class, runs to choose from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from medfm_gui.desk.asks.compare import Side, SideBySide
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.metrics.names import METRICS, headline, method_title
from medfm_gui.ui.charts.interval_cell import INTERVAL_ROLE, IntervalCell
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.widgets.text import one_line, tip_text

RUN_ROLE = int(Qt.ItemDataRole.UserRole) + 41
"""Role under which a model gives the ``RunMark`` of a cell."""

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_LONGEST = 160
_DISPLAY = Qt.ItemDataRole.DisplayRole
_TIP = Qt.ItemDataRole.ToolTipRole
_ALIGN = Qt.ItemDataRole.TextAlignmentRole
_HORIZONTAL = Qt.Orientation.Horizontal
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class RunMark:
    """A run's marker: its family's shape in the colour of its place."""

    family: str
    slot: int


def name_of(side: Side) -> str:
    """What people read for a run: id, model, adaptation."""
    return one_line(f"{side.run} {side.title}", _LONGEST)


def as_errors(row: Evaluation | Comparison) -> bool:
    """Whether a number counts what could not be scored as wrong."""
    return "failures" in row.parameters


def metrics_of(found: SideBySide) -> tuple[str, ...]:
    """Metrics of the whole test, the task's headline first, improper ones last."""
    names = dict.fromkeys(row.metric for row in found.evaluations if not row.label)
    first = headline(found.task)

    def order(name: str) -> tuple[bool, bool]:
        return name != first, name in METRICS and METRICS[name].improper

    return tuple(sorted(names, key=order))


def scale(metric: str, rows: Sequence[Evaluation]) -> tuple[float, float]:
    """Ends of a column's common scale: round numbers around all intervals, within what the metric can be."""
    ends = [end for row in rows for end in (row.value, row.low, row.high) if end is not None and math.isfinite(end)]
    if not ends:
        return 0.0, 1.0
    low, high = math.floor(min(ends) * 20 - 0.2) / 20, math.ceil(max(ends) * 20 + 0.2) / 20
    known = METRICS.get(metric)
    if known is not None and known.low is not None:
        low = max(known.low, low)
    if known is not None and known.high is not None:
        high = min(known.high, high)
    return (low, high) if low < high else (low, low + 0.05)


class MetricTable(QAbstractTableModel):
    """A row a run, a column a metric; the first column names the run."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sides: tuple[Side, ...] = ()
        self._metrics: tuple[str, ...] = ()
        self._rows: Mapping[tuple[str, str], Evaluation] = {}
        self._scales: Mapping[str, tuple[float, float]] = {}

    def fill(self, found: SideBySide, *, errors: bool = False) -> None:
        """Show these numbers; ``errors`` counts units that could not be scored as wrong."""
        self.beginResetModel()
        rows = [row for row in found.evaluations if not row.label]
        wanted = [row for row in rows if not as_errors(row)]
        if errors:
            wanted += [row for row in rows if as_errors(row)]  # of runs that scored all there is nothing else
        self._sides, self._metrics = found.sides, metrics_of(found)
        self._rows = {(row.run, row.metric): row for row in wanted}
        kept = tuple(self._rows.values())
        self._scales = {name: scale(name, [row for row in kept if row.metric == name]) for name in self._metrics}
        self.endResetModel()

    def side(self, row: int) -> Side | None:
        """The run of a row."""
        return self._sides[row] if 0 <= row < len(self._sides) else None

    def shown(self) -> tuple[Evaluation, ...]:
        """The numbers in the table."""
        return tuple(self._rows.values())

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """One a run."""
        return 0 if parent.isValid() else len(self._sides)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """The name, and one a metric."""
        return 0 if parent.isValid() else 1 + len(self._metrics)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """The metric's name."""
        if orientation != _HORIZONTAL or not 0 <= section < self.columnCount():
            return None
        if role == _DISPLAY:
            return "Run" if section == 0 else wording.heading(self._metrics[section - 1])
        if role == _TIP and section and wording.lower_is_better(self._metrics[section - 1]):
            return tip_text("Less is better.")
        return None

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, interval, marker or tip of a cell."""
        side = self.side(index.row())
        if side is None:
            return None
        if index.column() == 0:
            return _name_data(side, index.row(), role)
        metric = self._metrics[index.column() - 1]
        row = self._rows.get((side.run, metric))
        if row is None:
            return wording.NONE if role == _DISPLAY else None
        if role == _TIP:
            return tip_text(wording.number_tip(row))
        if role in (_DISPLAY, INTERVAL_ROLE):
            cell = _cell(row, self._scales[metric], index.row(), side.family)
            return cell.text if role == _DISPLAY else cell
        return None


def _name_data(side: Side, slot: int, role: int) -> Any:
    if role == _DISPLAY:
        return name_of(side)
    if role == RUN_ROLE:
        return RunMark(side.family, slot)
    if role == _TIP:
        return tip_text(f"{side.run} {side.title}" + ("\nReference of the comparison" if slot == 0 else ""))
    return None


def _cell(row: Evaluation, ends: tuple[float, float], slot: int, family: str) -> IntervalCell:
    return IntervalCell(row.value, row.low, row.high, *ends, colour=slot, family=family)


PAIR_COLUMNS = ("Run", "Metric", "Difference", "p", "p, Holm", "Test", "n", "Note")


class PairTable(QAbstractTableModel):
    """A row a paired test: a run against the reference by one metric."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pairs: tuple[Comparison, ...] = ()
        self._sides: Mapping[str, tuple[int, Side]] = {}
        self._scales: Mapping[str, float] = {}

    def fill(self, found: SideBySide) -> None:
        """Show the tests of a comparison, metric by metric; those that count failures as wrong come last of each."""
        self.beginResetModel()
        metrics = list(dict.fromkeys(pair.metric for pair in found.pairs))
        self._pairs = tuple(sorted(found.pairs, key=lambda pair: (metrics.index(pair.metric), as_errors(pair))))
        self._sides = {side.run: (slot, side) for slot, side in enumerate(found.sides)}
        self._scales = {name: _reach([pair for pair in found.pairs if pair.metric == name]) for name in metrics}
        self.endResetModel()

    def pair(self, row: int) -> Comparison | None:
        """The test of a row."""
        return self._pairs[row] if 0 <= row < len(self._pairs) else None

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """One a test."""
        return 0 if parent.isValid() else len(self._pairs)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Fixed."""
        return 0 if parent.isValid() else len(PAIR_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """Names of the columns."""
        if orientation != _HORIZONTAL or not 0 <= section < len(PAIR_COLUMNS):
            return None
        if role == _ALIGN and section in (3, 4, 6):
            return _RIGHT
        return PAIR_COLUMNS[section] if role == _DISPLAY else None

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, interval, marker or tip of a cell."""
        pair = self.pair(index.row())
        if pair is None:
            return None
        if role == _TIP:
            return tip_text(wording.pair_tip(pair))
        if role == _ALIGN:
            return _RIGHT if index.column() in (3, 4, 6) else _LEFT
        found = self._sides.get(pair.a)
        if role == RUN_ROLE and index.column() == 0 and found is not None:
            return RunMark(found[1].family, found[0])
        if role == INTERVAL_ROLE and index.column() == 2:
            return self._difference(pair)
        return self._text(pair, index.column()) if role == _DISPLAY else None

    def _difference(self, pair: Comparison) -> IntervalCell:
        reach = self._scales[pair.metric]
        slot, side = self._sides.get(pair.a, (0, Side(pair.a, "", "")))
        return IntervalCell(pair.difference, pair.low, pair.high, -reach, reach, slot, side.family)

    def _text(self, pair: Comparison, column: int) -> str:
        found = self._sides.get(pair.a)
        return (
            name_of(found[1]) if found else pair.a,
            wording.heading(pair.metric) + (", failures as errors" if as_errors(pair) else ""),
            self._difference(pair).text,
            wording.p_value(pair.p),
            wording.p_value(pair.p_adjusted),
            method_title(pair.test),
            f"{pair.n:,}",
            one_line(pair.note, _LONGEST),
        )[column]


def _reach(pairs: Sequence[Comparison]) -> float:
    """How far a scale around zero goes to both sides."""
    ends = [abs(end) for pair in pairs for end in (pair.difference, pair.low, pair.high) if end is not None]
    finite = [end for end in ends if math.isfinite(end)]
    return max(0.02, math.ceil(max(finite) * 50 + 0.2) / 50) if finite else 1.0


def class_metrics(found: SideBySide) -> tuple[str, ...]:
    """Metrics of which there is a number a class."""
    return tuple(dict.fromkeys(row.metric for row in found.evaluations if row.label))


class ClassTable(QAbstractTableModel):
    """A row a class, a column a run, of one metric."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sides: tuple[Side, ...] = ()
        self._labels: tuple[str, ...] = ()
        self._rows: Mapping[tuple[str, str], Evaluation] = {}
        self._ends = (0.0, 1.0)

    def fill(self, found: SideBySide, metric: str) -> None:
        """Show the numbers of each class."""
        self.beginResetModel()
        rows = [row for row in found.evaluations if row.label and row.metric == metric and not as_errors(row)]
        self._sides = found.sides
        self._labels = tuple(dict.fromkeys(row.label for row in rows))
        self._rows = {(row.label, row.run): row for row in rows}
        self._ends = scale(metric, rows)
        self.endResetModel()

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """One a class."""
        return 0 if parent.isValid() else len(self._labels)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Class, events, and one a run."""
        return 0 if parent.isValid() else 2 + len(self._sides)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        """The run's id."""
        if orientation != _HORIZONTAL or not 0 <= section < self.columnCount():
            return None
        if section < 2:
            if role == _ALIGN and section == 1:
                return _RIGHT
            return ("Class", "Events")[section] if role == _DISPLAY else None
        side = self._sides[section - 2]
        if role == _DISPLAY:
            return name_of(side)
        return tip_text(f"{side.run} {side.title}") if role == _TIP else None

    def data(self, index: _Index, role: int = _DISPLAY) -> Any:
        """Text, interval or tip of a cell."""
        if not 0 <= index.row() < len(self._labels):
            return None
        label = self._labels[index.row()]
        if index.column() == 0:
            shown = {_DISPLAY: one_line(label, _LONGEST), _TIP: tip_text(label)}
            return shown.get(Qt.ItemDataRole(role)) if role in (_DISPLAY, _TIP) else None
        if index.column() == 1:
            return self._events(label, role)
        slot = index.column() - 2
        side = self._sides[slot]
        row = self._rows.get((label, side.run))
        if row is None:
            return wording.NONE if role == _DISPLAY else None
        if role == _TIP:
            return tip_text(wording.number_tip(row))
        cell = _cell(row, self._ends, slot, side.family)
        return cell.text if role == _DISPLAY else cell if role == INTERVAL_ROLE else None

    def _events(self, label: str, role: int) -> Any:
        if role == _ALIGN:
            return _RIGHT
        row = next((row for (name, _), row in self._rows.items() if name == label), None)
        if role != _DISPLAY:
            return None
        return wording.NONE if row is None or row.n_events is None else f"{row.n_events:,}"
