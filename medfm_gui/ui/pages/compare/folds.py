"""Folds: the cross-validations that the runs are folds of, each fold, their mean, and how far they lie."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.compare import SideBySide
from medfm_gui.desk.asks.compare_cases import FoldTable, ReadFolds
from medfm_gui.metrics.names import method_title, multiplicity
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import case_layout, wording
from medfm_gui.ui.pages.compare.cells import Cell
from medfm_gui.ui.pages.compare.chart_tab import ChartTab
from medfm_gui.ui.pages.compare.ways import Columns, WayTables, p_cells, pair_cells, plain, slots_of_ways, way_cell
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.crossvalidation import CrossValidation, Repeated
from medfm_gui.workspace.fold_pairs import FoldPair
from medfm_gui.workspace.held_out import HeldOut

_WAYS = Columns(
    "Means over folds",
    ("Way", "Mean over", "Mean, interval over patients", "SD over folds, no interval", "n", "Each fold"),
    (
        case_layout.NAME_PX, SPACE[-1] * 3 + SPACE[3], SPACE[-1] * 7, SPACE[-1] * 6, case_layout.COUNT_PX,
        case_layout.NAME_PX,
    ),
    (3, 4),
)  # fmt: skip
_PAIRS = Columns(
    "Ways compared over the same folds",
    ("Way", "Minus", "Mean difference", "Test", "p", "p, Holm", "Simultaneous 95 %", "Each fold"),
    (
        SPACE[-1] * 6, SPACE[-1] * 6, SPACE[-1] * 6 + SPACE[3], SPACE[-1] * 7, *(SPACE[3] * 5,) * 2,
        SPACE[-1] * 5, case_layout.NAME_PX,
    ),
    (4, 5),
)  # fmt: skip
_TOGETHER = _PAIRS.titles.index("Simultaneous 95 %")
"""The column of intervals that hold together: of no use where none of them is known."""
_FOR = (
    "A cross-validation tests every image once, each by a model that did not see it. Divide the dataset into folds, "
    "train a run a fold and open their tests: here stand the number within each fold, their mean and their spread."
)


class FoldsTab(ChartTab):
    """A row a cross-validation of a way, the ways compared over their folds, a chart."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.sentence = Label("", selectable=True)
        self._tables = WayTables(_WAYS, _PAIRS, self)
        self.model, self.table = self._tables.model, self._tables.table
        self.pair_model, self.pairs = self._tables.pair_model, self._tables.pairs
        self.note = Label("", "caption")
        parts = ((self.sentence, 0), (self.table, 0), (self.pairs, 0), (self.view, 1), (self.note, 0))
        self.pane = case_layout.stack(self, *parts, scrolls=True)
        self._look = self.looks(self.pane, "Reading the folds", self._show)

    def show_runs(self, found: SideBySide) -> None:
        """The runs of the comparison; the other folds of theirs are looked for."""
        super().show_runs(found)
        self._look.want(ReadFolds(self.runs))

    def _show(self, answer: FoldTable) -> None:
        found = answer.found
        if found is None:
            self.pane.show_empty("No folds of a cross-validation", _FOR, icon="table")
            return
        ends = case_layout.ends_of(found.metric, [way.mean for way in found.ways])
        rows = [self._row(way, ends) for way in found.ways]
        self._tables.fill([*rows, *(_repeated(one) for one in found.repeats)], [_pair(pair) for pair in found.pairs])
        self.pairs.setColumnHidden(_TOGETHER, not any(row.simultaneous_method for row in found.comparisons))
        chart = found.charts[0] if found.charts else None
        self.draw(chart, slots_of_ways(chart, {way.name: self._slot(way) for way in found.ways}))
        self.sentence.setText("\n".join([found.sentence, *answer.promised]))
        self.note.setText(_note(found))

    def _slot(self, way: HeldOut) -> int:
        """The place of the run of the comparison that is one of these folds."""
        return next((place for place, side in enumerate(self.sides) if side.run in way.runs), len(self.sides))

    def _row(self, way: HeldOut, ends: tuple[float, float]) -> list[Cell]:
        slot = self._slot(way)
        family = self.sides[slot].family if slot < len(self.sides) else ""
        tip = "\n".join(f"{row.label}: {row.run}" for row in way.rows)
        over = f"{len(way.rows)} folds" if way.by == "fold" else f"{len(way.rows)} × {way.by}"
        pooled = way.pooled
        more = "" if pooled is None or pooled.value is None else f"\nPooled, each fold calibrated: {pooled.value:.3f}"
        return [
            way_cell(way.name, f"{tip}{more}", slot, self.sides),
            Cell(over, tip),
            case_layout.number_cell(way.mean, ends, slot, family),
            Cell(plain(way.spread), _range(way.lowest, way.highest)),
            Cell(f"{way.mean.n:,}"),
            Cell(", ".join(plain(row.value) for row in way.rows), tip),
        ]


def _repeated(one: Repeated) -> list[Cell]:
    """The mean over all divisions, which has no interval."""
    over = one.mean.parameters.get("mean over", "")
    return [
        Cell(one.name), Cell(over, over), Cell(plain(one.mean.value), one.mean.note),
        Cell(plain(one.spread), _range(one.lowest, one.highest)), Cell(f"{one.mean.n:,}"), Cell(wording.NONE),
    ]  # fmt: skip


def _range(lowest: float | None, highest: float | None) -> str:
    return "" if lowest is None or highest is None else f"From {lowest:.3f} to {highest:.3f}"


def _pair(pair: FoldPair) -> list[Cell]:
    row = pair.comparison
    each = [wording.NONE if value is None else wording.signed(value) for value in pair.values]
    tip = "\n".join(f"{label}: {value}" for label, value in zip(pair.labels, each, strict=True))
    return [
        *pair_cells(row),
        Cell(method_title(row.test), row.note),
        *p_cells(row),
        Cell(wording.together(row), row.note),
        Cell(", ".join(each), tip),
    ]


def _note(found: CrossValidation) -> str:
    notes = dict.fromkeys(way.note for way in found.ways)
    left_out = f"No second fold of theirs has an open test: {', '.join(found.left_out)}." if found.left_out else ""
    return " ".join(text for text in (multiplicity(found.comparisons), *notes, left_out) if text)
