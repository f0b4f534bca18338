"""Paired tests of a comparison as an item model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QObject, Qt

from medfm_gui.desk.asks.compare import Side, SideBySide
from medfm_gui.domain.evaluation import Comparison
from medfm_gui.metrics.names import method_title
from medfm_gui.ui.charts.interval_cell import INTERVAL_ROLE, IntervalCell
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.pages.compare.model import RUN_ROLE, RunMark, as_errors, name_of
from medfm_gui.ui.pages.compare.roles import ALIGN, DISPLAY, HORIZONTAL, LEFT, LONGEST, NOWHERE, RIGHT, TIP, Index
from medfm_gui.ui.widgets.text import one_line, tip_text
from medfm_gui.workspace.shortcuts import Baseline

PAIR_COLUMNS = (
    "Run", "Minus", "Metric", "Difference", "p", "p, Holm", "Simultaneous 95 %", "Test", "n", "Note",
)  # fmt: skip
TOGETHER = PAIR_COLUMNS.index("Simultaneous 95 %")
"""The column of intervals that hold together: of no use where none of them is known."""
_NUMBERS = (4, 5, 8)


class PairTable(QAbstractTableModel):
    """A row a paired test: a run against the reference by one metric."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pairs: tuple[Comparison, ...] = ()
        self._sides: Mapping[str, tuple[int, Side]] = {}
        self._cheap: Mapping[str, str] = {}
        self._scales: Mapping[tuple[str, bool], float] = {}

    def fill(self, found: SideBySide, baselines: Sequence[Baseline] = ()) -> None:
        """Show the tests of a comparison, metric by metric; those that count failures as wrong come last of each.

        Below them stands each run against the cheap models, by the headline.
        """
        self.beginResetModel()
        cheap = [pair for one in baselines for pair in one.pairs]
        self._cheap = {one.name: one.title for one in baselines}
        metrics = list(dict.fromkeys(pair.metric for pair in (*found.pairs, *cheap)))
        own = sorted(found.pairs, key=lambda pair: (metrics.index(pair.metric), as_errors(pair)))
        self._put(found.sides, own, cheap)
        self.endResetModel()

    def fill_all(self, sides: Sequence[Side], pairs: Sequence[Comparison]) -> None:
        """Show every pair of runs, in the order given."""
        self.beginResetModel()
        self._cheap = {}
        self._put(sides, pairs, ())
        self.endResetModel()

    def _put(self, sides: Sequence[Side], own: Sequence[Comparison], cheap: Sequence[Comparison]) -> None:
        self._pairs = (*own, *cheap)
        self._sides = {side.run: (slot, side) for slot, side in enumerate(sides)}
        self._scales = {
            (name, is_cheap): _reach([pair for pair in part if pair.metric == name])
            for name in {pair.metric for pair in self._pairs}
            for is_cheap, part in ((False, own), (True, cheap))
        }

    @property
    def knows_together(self) -> bool:
        """Whether some of the tests have an interval that holds together with the others."""
        return any(pair.simultaneous_method for pair in self._pairs)

    def pair(self, row: int) -> Comparison | None:
        """The test of a row."""
        return self._pairs[row] if 0 <= row < len(self._pairs) else None

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """One a test."""
        return 0 if parent.isValid() else len(self._pairs)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        """Fixed."""
        return 0 if parent.isValid() else len(PAIR_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = DISPLAY) -> Any:
        """Names of the columns."""
        if orientation != HORIZONTAL or not 0 <= section < len(PAIR_COLUMNS):
            return None
        if role == ALIGN and section in _NUMBERS:
            return RIGHT
        return PAIR_COLUMNS[section] if role == DISPLAY else None

    def data(self, index: Index, role: int = DISPLAY) -> Any:
        """Text, interval, marker or tip of a cell."""
        pair = self.pair(index.row())
        if pair is None:
            return None
        if role == TIP:
            return tip_text(wording.pair_tip(pair))
        if role == ALIGN:
            return RIGHT if index.column() in _NUMBERS else LEFT
        found = self._sides.get(pair.a)
        if role == RUN_ROLE and index.column() == 0 and found is not None:
            return RunMark(found[1].family, found[0])
        if role == INTERVAL_ROLE and index.column() == 3:
            return self._difference(pair)
        return self._text(pair, index.column()) if role == DISPLAY else None

    def _difference(self, pair: Comparison) -> IntervalCell:
        reach = self._scales[pair.metric, pair.b in self._cheap]
        slot, side = self._sides.get(pair.a, (0, Side(pair.a, "", "")))
        return IntervalCell(pair.difference, pair.low, pair.high, -reach, reach, slot, side.family, signed=True)

    def _text(self, pair: Comparison, column: int) -> str:
        found = self._sides.get(pair.a)
        return (
            name_of(found[1]) if found else pair.a,
            one_line(self._cheap.get(pair.b, pair.b), LONGEST),
            wording.heading(pair.metric) + (", failures as errors" if as_errors(pair) else ""),
            self._difference(pair).text,
            wording.p_value(pair.p),
            wording.p_value(pair.p_adjusted),
            wording.together(pair),
            method_title(pair.test),
            f"{pair.n:,}",
            one_line(pair.note, LONGEST),
        )[column]


def _reach(pairs: Sequence[Comparison]) -> float:
    """How far a scale around zero goes to both sides."""
    ends = [abs(end) for pair in pairs for end in (pair.difference, pair.low, pair.high) if end is not None]
    finite = [end for end in ends if math.isfinite(end)]
    return max(0.02, math.ceil(max(finite) * 50 + 0.2) / 50) if finite else 1.0
