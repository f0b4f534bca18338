"""Ways of training over several runs of each: their means as rows with bars, and the ways in pairs below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from PySide6.QtCore import QObject

from medfm_gui.desk.asks.compare import Side
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.evaluation import Comparison
from medfm_gui.ui.pages.compare import case_layout, wording
from medfm_gui.ui.pages.compare.cells import Cell, CellTable
from medfm_gui.ui.pages.compare.model import RunMark

_MOST_WAYS, _MOST_PAIRS = 6, 4


class Columns(NamedTuple):
    """A table's name, the titles and widths of its columns, and which of them are numbers."""

    name: str
    titles: tuple[str, ...]
    widths: tuple[int, ...]
    numbers: tuple[int, ...]


class WayTables(QObject):
    """Two tables below one another; the one of pairs is not there while there are none."""

    def __init__(self, ways: Columns, pairs: Columns, parent: QObject) -> None:
        super().__init__(parent)
        self.model = CellTable(ways.titles, ways.numbers, self)
        self.table = case_layout.bar_table(ways.name, self.model, ways.widths)
        self.pair_model = CellTable(pairs.titles, pairs.numbers, self)
        self.pairs = case_layout.bar_table(pairs.name, self.pair_model, pairs.widths)

    def fill(self, ways: Sequence[Sequence[Cell]], pairs: Sequence[Sequence[Cell]]) -> None:
        """Show these rows."""
        self.model.fill(ways)
        self.pair_model.fill(pairs)
        self.pairs.setVisible(bool(pairs))
        case_layout.fit_height(self.table, _MOST_WAYS)
        case_layout.fit_height(self.pairs, _MOST_PAIRS)


def slots_of_ways(chart: ChartSpec | None, slots: Mapping[str, int]) -> dict[str, int]:
    """One colour a way, by its name: a bar's name begins with the way's."""
    if chart is None:
        return {}
    return {
        series.name: slot
        for series in chart.series
        for name, slot in slots.items()
        if series.name.startswith(f"{name}: ")
    }


def way_cell(name: str, runs: str, slot: int, sides: Sequence[Side]) -> Cell:
    """The name of a way with the marker of its run in the comparison; ``runs`` are named in its tip."""
    family = sides[slot].family if slot < len(sides) else ""
    return Cell(name, f"{name}\n{runs}", RunMark(family, slot))


def pair_cells(pair: Comparison) -> tuple[Cell, Cell, Cell]:
    """Two ways, and by how much they differ with its interval."""
    shift = wording.NONE if pair.difference is None else wording.signed(pair.difference)
    if pair.low is not None and pair.high is not None:
        shift += f" ({wording.signed(pair.low)} to {wording.signed(pair.high)})"
    return Cell(pair.a), Cell(pair.b), Cell(shift, wording.pair_tip(pair))


def p_cells(pair: Comparison) -> tuple[Cell, Cell]:
    """p as it is, and by Holm."""
    return Cell(wording.p_value(pair.p)), Cell(wording.p_value(pair.p_adjusted))


def plain(value: float | None) -> str:
    """``0.873``, or a dash."""
    return wording.NONE if value is None else f"{value:.3f}"
