"""Folds: the cross-validations that the runs are folds of, each fold, their mean, and how far they lie."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.compare import Side, SideBySide
from medfm_gui.desk.asks.compare_cases import FoldTable, ReadFolds
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.metrics.names import method_title
from medfm_gui.ui.charts.view import ChartView
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import case_layout, wording
from medfm_gui.ui.pages.compare.cells import Cell, CellTable
from medfm_gui.ui.pages.compare.look import Look
from medfm_gui.ui.pages.compare.model import RunMark
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.crossvalidation import CrossValidation, FoldPair, Repeated
from medfm_gui.workspace.held_out import HeldOut

_TITLES = ("Way", "Mean over", "Mean, interval over patients", "SD over folds, no interval", "n", "Each fold")
_WIDTHS = (
    case_layout.NAME_PX, SPACE[-1] * 3 + SPACE[3], SPACE[-1] * 7, SPACE[-1] * 5, case_layout.COUNT_PX,
    case_layout.NAME_PX,
)  # fmt: skip
_PAIR_TITLES = ("Way", "Minus", "Mean difference", "Test", "p", "p, Holm", "Each fold")
_PAIR_WIDTHS = (
    SPACE[-1] * 6, SPACE[-1] * 6, SPACE[-1] * 6 + SPACE[3], SPACE[-1] * 8, *(SPACE[3] * 5,) * 2, case_layout.NAME_PX,
)  # fmt: skip
_FOR = (
    "A cross-validation tests every image once, each by a model that did not see it. Divide the dataset into folds, "
    "train a run a fold and open their tests: here stand the number within each fold, their mean and their spread."
)


class FoldsTab(QWidget):
    """A row a cross-validation of a way, the ways compared over their folds, a chart.

    Signals:
        export_wanted(ChartView, str, str): the view of a chart, the format, a suggested name.
    """

    export_wanted = Signal(object, str, str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sides: tuple[Side, ...] = ()
        self.sentence = Label("", selectable=True)
        self.model = CellTable(_TITLES, (3, 4), self)
        self.table = case_layout.bar_table("Means over folds", self.model, _WIDTHS)
        self.pair_model = CellTable(_PAIR_TITLES, (4, 5), self)
        self.pairs = case_layout.bar_table("Ways compared over the same folds", self.pair_model, _PAIR_WIDTHS)
        self.view = ChartView()
        self.view.setMinimumHeight(case_layout.CHART_PX)
        self.view.export_wanted.connect(lambda kind, name: self.export_wanted.emit(self.view, kind, name))
        self.note = Label("", "caption")
        parts = ((self.sentence, 0), (self.table, 0), (self.pairs, 0), (self.view, 1), (self.note, 0))
        self.pane = case_layout.stack(self, *parts, scrolls=True)
        self._look = Look(context.desk, self, self.pane, "Reading the folds", self._show)

    def show_runs(self, found: SideBySide) -> None:
        """The runs of the comparison; the other folds of theirs are looked for."""
        self._sides = found.sides
        self._look.want(ReadFolds(tuple(side.run for side in found.sides)))

    def showEvent(self, event: QShowEvent) -> None:
        """Ask what was not asked while nobody looked."""
        super().showEvent(event)
        self._look.seen()

    def _show(self, answer: FoldTable) -> None:
        found = answer.found
        if found is None:
            self.pane.show_empty("No folds of a cross-validation", _FOR, icon="table")
            return
        ends = case_layout.ends_of(found.metric, [way.mean for way in found.ways])
        rows = [self._row(way, ends) for way in found.ways]
        self.model.fill([*rows, *(_repeated(one) for one in found.repeats)])
        self.pair_model.fill([_pair(pair) for pair in found.pairs])
        self.pairs.setVisible(bool(found.pairs))
        case_layout.fit_height(self.table, 6)
        case_layout.fit_height(self.pairs, 4)
        chart = found.charts[0] if found.charts else None
        self.view.setVisible(chart is not None)
        self.view.set_chart(chart, self._slots(found.ways, chart) if chart else None)
        self.sentence.setText(found.sentence)
        self.note.setText(_note(found))

    def _slot(self, way: HeldOut) -> int:
        """The place of the run of the comparison that is one of these folds."""
        return next((place for place, side in enumerate(self._sides) if side.run in way.runs), len(self._sides))

    def _slots(self, ways: Sequence[HeldOut], chart: ChartSpec) -> dict[str, int]:
        """One colour a way, that of its run in the comparison: a bar's name begins with the way's."""
        return {
            series.name: self._slot(way)
            for series in chart.series
            for way in ways
            if series.name.startswith(f"{way.name}: ")
        }

    def _row(self, way: HeldOut, ends: tuple[float, float]) -> list[Cell]:
        slot = self._slot(way)
        family = self._sides[slot].family if slot < len(self._sides) else ""
        each = ", ".join(wording.NONE if row.value is None else f"{row.value:.3f}" for row in way.rows)
        tip = "\n".join(f"{row.label}: {row.run}" for row in way.rows)
        over = f"{len(way.rows)} folds" if way.by == "fold" else f"{len(way.rows)} × {way.by}"
        pooled = way.pooled
        more = "" if pooled is None or pooled.value is None else f"\nPooled, each fold calibrated: {pooled.value:.3f}"
        return [
            Cell(way.name, f"{way.name}\n{tip}{more}", RunMark(family, slot)),
            Cell(over, tip),
            case_layout.number_cell(way.mean, ends, slot, family),
            Cell(wording.NONE if way.spread is None else f"{way.spread:.3f}", _range(way.lowest, way.highest)),
            Cell(f"{way.mean.n:,}"),
            Cell(each, tip),
        ]


def _repeated(one: Repeated) -> list[Cell]:
    """The mean over all divisions, which has no interval."""
    value = wording.NONE if one.mean.value is None else f"{one.mean.value:.3f}"
    spread = wording.NONE if one.spread is None else f"{one.spread:.3f}"
    over = one.mean.parameters.get("mean over", "")
    return [
        Cell(one.name), Cell(over, over), Cell(value, one.mean.note), Cell(spread, _range(one.lowest, one.highest)),
        Cell(f"{one.mean.n:,}"), Cell(wording.NONE),
    ]  # fmt: skip


def _range(lowest: float | None, highest: float | None) -> str:
    return "" if lowest is None or highest is None else f"From {lowest:.3f} to {highest:.3f}"


def _pair(pair: FoldPair) -> list[Cell]:
    row = pair.comparison
    shift = wording.NONE if row.difference is None else _signed(row.difference)
    if row.low is not None and row.high is not None:
        shift += f" ({_signed(row.low)} to {_signed(row.high)})"
    each = ", ".join(wording.NONE if value is None else _signed(value) for value in pair.values)
    tip = "\n".join(
        f"{label}: {wording.NONE if value is None else _signed(value)}"
        for label, value in zip(pair.labels, pair.values, strict=True)
    )
    p = [Cell(wording.p_value(value)) for value in (row.p, row.p_adjusted)]
    test = Cell(method_title(row.test), row.note)
    return [Cell(row.a), Cell(row.b), Cell(shift, wording.pair_tip(row)), test, *p, Cell(each, tip)]


def _note(found: CrossValidation) -> str:
    notes = dict.fromkeys(way.note for way in found.ways)
    left_out = f"No second fold of theirs has an open test: {', '.join(found.left_out)}." if found.left_out else ""
    return " ".join([*notes, *([left_out] if left_out else [])])


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
