"""Seeds: runs that differ in nothing else, their mean, and its two uncertainties apart."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.compare import Side, SideBySide
from medfm_gui.desk.asks.compare_cases import ReadSeeds
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.evaluation import Comparison
from medfm_gui.ui.charts.view import ChartView
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import case_layout, wording
from medfm_gui.ui.pages.compare.cells import Cell, CellTable
from medfm_gui.ui.pages.compare.look import Look
from medfm_gui.ui.pages.compare.model import RunMark
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.seeds import SeedFile, SeedGroup

_TITLES = ("Way", "Seeds", "Mean, interval over seeds", "Mean, interval over patients", "SD over seeds", "Each seed")
_WIDTHS = (case_layout.NAME_PX, case_layout.COUNT_PX, *(SPACE[-1] * 7,) * 2, SPACE[-1] * 3, case_layout.NAME_PX)
_PAIR_TITLES = ("Way", "Minus", "Difference", "p", "p, Holm", "What it rests on")
_PAIR_WIDTHS = (case_layout.NAME_PX, case_layout.NAME_PX, SPACE[-1] * 7, *(SPACE[3] * 5,) * 2, case_layout.NAME_PX)


class SeedsTab(QWidget):
    """A row a way of training, the ways compared, a chart.

    Signals:
        export_wanted(ChartView, str, str): the view of a chart, the format, a suggested name.
    """

    export_wanted = Signal(object, str, str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sides: tuple[Side, ...] = ()
        self.sentence = Label("", selectable=True)
        self.model = CellTable(_TITLES, (1, 4), self)
        self.table = case_layout.bar_table("Ways over their seeds", self.model, _WIDTHS)
        self.pair_model = CellTable(_PAIR_TITLES, (3, 4), self)
        self.pairs = case_layout.bar_table("Ways compared over seeds and patients", self.pair_model, _PAIR_WIDTHS)
        self.view = ChartView()
        self.view.setMinimumHeight(case_layout.CHART_PX)
        self.view.export_wanted.connect(lambda kind, name: self.export_wanted.emit(self.view, kind, name))
        parts = ((self.sentence, 0), (self.table, 0), (self.pairs, 0), (self.view, 1))
        self.pane = case_layout.stack(self, *parts, scrolls=True)
        self._look = Look(context.desk, self, self.pane, "Reading the predictions", self._show)

    def show_runs(self, found: SideBySide) -> None:
        """The runs of the comparison."""
        self._sides = found.sides
        self._look.want(ReadSeeds(tuple(side.run for side in found.sides)))

    def showEvent(self, event: QShowEvent) -> None:
        """Ask what was not asked while nobody looked."""
        super().showEvent(event)
        self._look.seen()

    def _show(self, file: SeedFile) -> None:
        rows = [row for group in file.groups for row in (group.over_seeds, group.over_patients)]
        ends = case_layout.ends_of(file.metric, rows)
        self.model.fill([self._row(group, ends) for group in file.groups])
        self.pair_model.fill([_pair(pair) for pair in file.pairs])
        self.pairs.setVisible(bool(file.pairs))
        case_layout.fit_height(self.table, 6)
        case_layout.fit_height(self.pairs, 4)
        chart = file.charts[0] if file.charts else None
        self.view.setVisible(chart is not None)
        self.view.set_chart(chart, self._slots(file.groups, chart) if chart else None)
        self.sentence.setText(file.sentence)

    def _slot(self, group: SeedGroup) -> int:
        return next((place for place, side in enumerate(self._sides) if side.run == group.runs[0]), 0)

    def _slots(self, groups: Sequence[SeedGroup], chart: ChartSpec) -> dict[str, int]:
        """One colour a way, that of its first run: a bar's name begins with the way's."""
        return {
            series.name: self._slot(group)
            for series in chart.series
            for group in groups
            if series.name.startswith(f"{group.name}: ")
        }

    def _row(self, group: SeedGroup, ends: tuple[float, float]) -> list[Cell]:
        slot = self._slot(group)
        family = self._sides[slot].family if self._sides else ""
        each = ", ".join("–" if value is None else f"{value:.3f}" for value in group.values)
        tip = "\n".join(f"{run}, seed {seed}" for run, seed in zip(group.runs, group.seeds, strict=True))
        return [
            Cell(group.name, f"{group.name}\n{tip}", RunMark(family, slot)),
            Cell(f"{len(group.runs)}", tip),
            case_layout.number_cell(group.over_seeds, ends, slot, family),
            case_layout.number_cell(group.over_patients, ends, slot, family),
            Cell("–" if group.spread is None else f"{group.spread:.3f}"),
            Cell(each, tip),
        ]


def _pair(pair: Comparison) -> list[Cell]:
    shift = "–" if pair.difference is None else _signed(pair.difference)
    if pair.low is not None and pair.high is not None:
        shift += f" ({_signed(pair.low)} to {_signed(pair.high)})"
    p = [Cell(wording.p_value(value)) for value in (pair.p, pair.p_adjusted)]
    about = f"{pair.parameters.get('seeds', '')} seeds; {pair.note}" if pair.note else "seeds and patients drawn"
    return [Cell(pair.a), Cell(pair.b), Cell(shift, wording.pair_tip(pair)), *p, Cell(about)]


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
