"""What the tabs behind a comparison are laid out from: a head of fields, tables with bars, a chart, words below."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QLayout, QVBoxLayout, QWidget

from medfm_gui.desk.asks.compare import Side
from medfm_gui.domain.evaluation import Evaluation
from medfm_gui.ui.charts.interval_cell import IntervalCell, IntervalDelegate
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.pages.compare.cells import Cell, CellTable
from medfm_gui.ui.pages.compare.model import RunMark, name_of, scale
from medfm_gui.ui.pages.compare.run_cell import RunDelegate
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.scrolling import scrolled
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import ROW_PX, DataTable

CHART_PX = SPACE[-1] * 10
NAME_PX, VALUE_PX, BAR_PX, COUNT_PX = SPACE[-1] * 7, SPACE[-1] * 5, SPACE[-1] * 7, SPACE[3] * 5


def bar_table(name: str, model: CellTable, widths: Sequence[int], runs_in: int | None = 0) -> DataTable:
    """A table whose cells may be intervals; ``runs_in`` is the column that names runs."""
    table = DataTable(name)
    table.setModel(model)
    table.setItemDelegate(IntervalDelegate(table))
    if runs_in is not None:
        table.setItemDelegateForColumn(runs_in, RunDelegate(table))
    for column, width in enumerate(widths):
        table.setColumnWidth(column, width)
    return table


def stack(
    tab: QWidget, *parts: tuple[QWidget | QLayout, int], inside: bool = False, scrolls: bool = False
) -> StatePane:
    """Lay parts below one another with their shares of the height, in a pane that can say that there is nothing.

    ``inside``: it lies in such a stack, which has the margins. ``scrolls``: what does not fit is scrolled to.
    """
    body = QWidget()
    area = scrolled(body) if scrolls else body  # before it is filled: it is measured and styled at once
    pane = StatePane(area)
    whole = QVBoxLayout(tab)  # outermost first: each new parent costs a styling of all that lies in it
    whole.setContentsMargins(0, 0, 0, 0)
    whole.setSpacing(0)
    whole.addWidget(pane)
    column = QVBoxLayout(body)
    margin = 0 if inside else SPACE[2]
    column.setContentsMargins(0, margin, 0, margin)
    column.setSpacing(SPACE[2])
    for part, share in parts:
        if isinstance(part, QWidget):
            column.addWidget(part, share)
        else:
            column.addLayout(part, share)
    column.addStretch(0)  # takes the room that a hidden chart leaves
    return pane


def fit_height(table: DataTable, most: int, *, least: bool = False) -> None:
    """Make a table as high as its rows, at most so many of them; ``least``: it may become higher."""
    rows = min(most, max(1, table.model().rowCount()))
    bar = table.horizontalScrollBar().sizeHint().height()
    height = table.horizontalHeader().sizeHint().height() + rows * ROW_PX + bar + 2
    if least:
        table.setMinimumHeight(height)
    else:
        table.setFixedHeight(height)


def run_cell(sides: Sequence[Side], run: str) -> Cell:
    """The name of a run with its marker."""
    for slot, side in enumerate(sides):
        if side.run == run:
            return Cell(name_of(side), f"{side.run} {side.title}", RunMark(side.family, slot))
    return Cell(run)


def number_cell(row: Evaluation | None, ends: tuple[float, float], side: int = 0, family: str = "") -> Cell:
    """A number as a bar on a scale; one that cannot be told is a dash that says why."""
    if row is None:
        return Cell(wording.NONE)
    if row.value is None:
        return Cell(wording.NONE, wording.number_tip(row))
    if row.low is None:
        return Cell(f"{row.value:.3f}", wording.number_tip(row))
    interval = IntervalCell(row.value, row.low, row.high, *ends, colour=side, family=family)
    return Cell(interval.text, wording.number_tip(row), interval=interval)


def ends_of(metric: str, rows: Sequence[Evaluation]) -> tuple[float, float]:
    """The ends of the common scale of a column."""
    return scale(metric, [row for row in rows if row.metric == metric])
