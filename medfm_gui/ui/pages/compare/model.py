"""The tables of a comparison as item models: numbers by run, and numbers by class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QObject, Qt

from medfm_gui.desk.asks.compare import Side, SideBySide
from medfm_gui.domain.cards import Family
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.metrics.names import METRICS, headline
from medfm_gui.ui.charts.interval_cell import INTERVAL_ROLE, IntervalCell
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.pages.compare.roles import ALIGN, DISPLAY, HORIZONTAL, LONGEST, NOWHERE, RIGHT, TIP, Index
from medfm_gui.ui.widgets.text import one_line, tip_text
from medfm_gui.workspace.shortcuts import Baseline

NO_RUN = -1
"""Place of what is no run of the comparison: grey."""
RUN_ROLE = int(Qt.ItemDataRole.UserRole) + 41
"""Role under which a model gives the ``RunMark`` of a cell."""


@dataclass(frozen=True, slots=True)
class RunMark:
    """A run's marker: its family's shape in the colour of its place."""

    family: str
    slot: int
    hollow: bool = False
    """An outline: no run of the comparison."""


def name_of(side: Side) -> str:
    """What people read for a run: id, model, adaptation."""
    return one_line(f"{side.run} {side.title}", LONGEST)


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


@dataclass(frozen=True, slots=True)
class _Column:
    """A metric, of the whole test or without the units that the leak gate flagged."""

    metric: str
    is_without: bool = False

    @property
    def title(self) -> str:
        return wording.heading(self.metric) + (" without flagged" if self.is_without else "")


class MetricTable(QAbstractTableModel):
    """A row a run, then a row a cheap model; a column a metric, the headline also without flagged images.

    The first column names the run.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sides: tuple[Side, ...] = ()
        self._baselines: tuple[Baseline, ...] = ()
        self._columns: tuple[_Column, ...] = ()
        self._rows: Mapping[tuple[str, _Column], Evaluation] = {}
        self._scales: Mapping[str, tuple[float, float]] = {}

    def fill(self, found: SideBySide, *, errors: bool = False, baselines: Sequence[Baseline] = ()) -> None:
        """Show these numbers; ``errors`` counts units that could not be scored as wrong."""
        self.beginResetModel()
        self._baselines = tuple(one for one in baselines if one.evaluations)
        rows = [row for row in found.evaluations if not row.label]
        wanted = [row for row in rows if not as_errors(row)]
        if errors:
            wanted += [row for row in rows if as_errors(row)]  # of runs that scored all there is nothing else
        wanted += [row for one in self._baselines for row in one.evaluations if not row.label and not as_errors(row)]
        metrics = metrics_of(found)
        self._sides, self._columns = found.sides, tuple(map(_Column, metrics))
        self._rows = {(row.run, _Column(row.metric)): row for row in wanted}
        without = [row for row in found.without_flagged if row.metric == metrics[0] and not as_errors(row)]
        if without:
            self._columns = (self._columns[0], _Column(metrics[0], True), *self._columns[1:])
            self._rows |= {(row.run, _Column(row.metric, True)): row for row in without}
        kept = tuple(self._rows.values())
        self._scales = {name: scale(name, [row for row in kept if row.metric == name]) for name in metrics}
        self.endResetModel()

    def side(self, row: int) -> Side | None:
        """The run of a row."""
        return self._sides[row] if 0 <= row < len(self._sides) else None

    def baseline(self, row: int) -> Baseline | None:
        """The cheap model of a row."""
        at = row - len(self._sides)
        return self._baselines[at] if 0 <= at < len(self._baselines) else None

    @property
    def n_runs(self) -> int:
        """Rows that are runs; they come first."""
        return len(self._sides)

    def shown(self) -> tuple[Evaluation, ...]:
        """The numbers in the table."""
        return tuple(self._rows.values())

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """One a run and one a cheap model."""
        return 0 if parent.isValid() else len(self._sides) + len(self._baselines)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        """The name, and one a metric."""
        return 0 if parent.isValid() else 1 + len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        """The metric's name."""
        if orientation != HORIZONTAL or not 0 <= section < self.columnCount():
            return None
        if role == DISPLAY:
            return "Run" if section == 0 else self._columns[section - 1].title
        if role != TIP or not section:
            return None
        column = self._columns[section - 1]
        said = ["Less is better."] if wording.lower_is_better(column.metric) else []
        said += ["Without the units of test images that the leak gate named."] if column.is_without else []
        return tip_text(" ".join(said)) if said else None

    def data(self, index: Index, role: int = DISPLAY) -> Any:
        """Text, interval, marker or tip of a cell."""
        side, cheap = self.side(index.row()), self.baseline(index.row())
        if side is not None:
            run, slot, family = side.run, index.row(), side.family
        elif cheap is not None:
            run, slot, family = cheap.name, NO_RUN, Family.BASELINE.value
        else:
            return None
        if index.column() == 0:
            return _name_data(side, index.row(), role) if side is not None else _cheap_data(cheap, role)
        column = self._columns[index.column() - 1]
        row = self._rows.get((run, column))
        if row is None:
            return wording.NONE if role == DISPLAY else None
        if role == TIP:
            return tip_text(wording.number_tip(row))
        if role in (DISPLAY, INTERVAL_ROLE):
            cell = replace(_cell(row, self._scales[column.metric], slot, family), hollow=side is None)
            return cell.text if role == DISPLAY else cell
        return None


def _cheap_data(cheap: Baseline | None, role: int) -> Any:
    """What stands at the head of a cheap model's row."""
    if cheap is None:
        return None
    name = f"Cheap model: {cheap.title}"
    if role == DISPLAY:
        return one_line(name, LONGEST)
    if role == RUN_ROLE:
        return RunMark(Family.BASELINE.value, NO_RUN, hollow=True)
    return tip_text(f"{name}\n{cheap.note}") if role == TIP else None


def _name_data(side: Side, slot: int, role: int) -> Any:
    if role == DISPLAY:
        return name_of(side)
    if role == RUN_ROLE:
        return RunMark(side.family, slot)
    if role == TIP:
        return tip_text(f"{side.run} {side.title}" + ("\nReference of the comparison" if slot == 0 else ""))
    return None


def _cell(row: Evaluation, ends: tuple[float, float], slot: int, family: str) -> IntervalCell:
    return IntervalCell(row.value, row.low, row.high, *ends, colour=slot, family=family)


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

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """One a class."""
        return 0 if parent.isValid() else len(self._labels)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        """Class, events, and one a run."""
        return 0 if parent.isValid() else 2 + len(self._sides)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        """The run's id."""
        if orientation != HORIZONTAL or not 0 <= section < self.columnCount():
            return None
        if section < 2:
            if role == ALIGN and section == 1:
                return RIGHT
            return ("Class", "Events")[section] if role == DISPLAY else None
        side = self._sides[section - 2]
        if role == DISPLAY:
            return name_of(side)
        return tip_text(f"{side.run} {side.title}") if role == TIP else None

    def data(self, index: Index, role: int = DISPLAY) -> Any:
        """Text, interval or tip of a cell."""
        if not 0 <= index.row() < len(self._labels):
            return None
        label = self._labels[index.row()]
        if index.column() == 0:
            shown = {DISPLAY: one_line(label, LONGEST), TIP: tip_text(label)}
            return shown.get(Qt.ItemDataRole(role)) if role in (DISPLAY, TIP) else None
        if index.column() == 1:
            return self._events(label, role)
        slot = index.column() - 2
        side = self._sides[slot]
        row = self._rows.get((label, side.run))
        if row is None:
            return wording.NONE if role == DISPLAY else None
        if role == TIP:
            return tip_text(wording.number_tip(row))
        cell = _cell(row, self._ends, slot, side.family)
        return cell.text if role == DISPLAY else cell if role == INTERVAL_ROLE else None

    def _events(self, label: str, role: int) -> Any:
        if role == ALIGN:
            return RIGHT
        row = next((row for (name, _), row in self._rows.items() if name == label), None)
        if role != DISPLAY:
            return None
        return wording.NONE if row is None or row.n_events is None else f"{row.n_events:,}"
