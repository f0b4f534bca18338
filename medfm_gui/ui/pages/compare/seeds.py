"""Seeds: runs that differ in nothing else, their mean, and its two uncertainties apart."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.compare import SideBySide
from medfm_gui.desk.asks.compare_cases import ReadSeeds
from medfm_gui.domain.evaluation import Comparison
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import case_layout
from medfm_gui.ui.pages.compare.cells import Cell
from medfm_gui.ui.pages.compare.chart_tab import ChartTab
from medfm_gui.ui.pages.compare.ways import Columns, WayTables, p_cells, pair_cells, plain, slots_of_ways, way_cell
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.seeds import SeedFile, SeedGroup

_WAYS = Columns(
    "Ways over their seeds",
    ("Way", "Seeds", "Mean, interval over seeds", "Mean, interval over patients", "SD over seeds", "Each seed"),
    (case_layout.NAME_PX, case_layout.COUNT_PX, *(SPACE[-1] * 7,) * 2, SPACE[-1] * 4, case_layout.NAME_PX),
    (1, 4),
)
_PAIRS = Columns(
    "Ways compared over seeds and patients",
    ("Way", "Minus", "Difference", "p", "p, Holm", "What it rests on"),
    (case_layout.NAME_PX, case_layout.NAME_PX, SPACE[-1] * 7, *(SPACE[3] * 5,) * 2, case_layout.NAME_PX),
    (3, 4),
)


class SeedsTab(ChartTab):
    """A row a way of training, the ways compared, a chart."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.sentence = Label("", selectable=True)
        self._tables = WayTables(_WAYS, _PAIRS, self)
        self.model, self.table = self._tables.model, self._tables.table
        self.pair_model, self.pairs = self._tables.pair_model, self._tables.pairs
        parts = ((self.sentence, 0), (self.table, 0), (self.pairs, 0), (self.view, 1))
        self.pane = case_layout.stack(self, *parts, scrolls=True)
        self._look = self.looks(self.pane, "Reading the predictions", self._show)

    def show_runs(self, found: SideBySide) -> None:
        """The runs of the comparison."""
        super().show_runs(found)
        self._look.want(ReadSeeds(self.runs))

    def _show(self, file: SeedFile) -> None:
        rows = [row for group in file.groups for row in (group.over_seeds, group.over_patients)]
        ends = case_layout.ends_of(file.metric, rows)
        self._tables.fill([self._row(group, ends) for group in file.groups], [_pair(pair) for pair in file.pairs])
        chart = file.charts[0] if file.charts else None
        self.draw(chart, slots_of_ways(chart, {group.name: self._slot(group) for group in file.groups}))
        self.sentence.setText(file.sentence)

    def _slot(self, group: SeedGroup) -> int:
        """The place of its first run in the comparison."""
        return next((place for place, side in enumerate(self.sides) if side.run == group.runs[0]), 0)

    def _row(self, group: SeedGroup, ends: tuple[float, float]) -> list[Cell]:
        slot = self._slot(group)
        family = self.sides[slot].family if self.sides else ""
        tip = "\n".join(f"{run}, seed {seed}" for run, seed in zip(group.runs, group.seeds, strict=True))
        return [
            way_cell(group.name, tip, slot, self.sides),
            Cell(f"{len(group.runs)}", tip),
            case_layout.number_cell(group.over_seeds, ends, slot, family),
            case_layout.number_cell(group.over_patients, ends, slot, family),
            Cell(plain(group.spread)),
            Cell(", ".join(map(plain, group.values)), tip),
        ]


def _pair(pair: Comparison) -> list[Cell]:
    about = f"{pair.parameters.get('seeds', '')} seeds; {pair.note}" if pair.note else "seeds and patients drawn"
    return [*pair_cells(pair), *p_cells(pair), Cell(about)]
