"""What a matrix holds and where its cells lie; no painting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QPointF, QRectF

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.ui import theme
from medfm_gui.ui.charts.wording import line

_LARGEST_CELL_PX = 104.0
_STRETCH = 1.6
"""A cell is at most so many times as wide as high."""
_ANGLE = 40.0
_NAMES_SHARE = 0.28
"""Names at the side take at most this share of the width, slanted ones below this share of the height."""


class Metrics(Protocol):
    """What is asked of a font."""

    def height(self) -> int:
        """Pixels a line."""

    def horizontalAdvance(self, text: str, /) -> int:
        """Pixels a text is wide."""


@dataclass(frozen=True, slots=True)
class Table:
    """Counts as a full rectangle (NaN where a row is short), each count's share of its row, and the names."""

    counts: tuple[tuple[float, ...], ...]
    shares: tuple[tuple[float, ...], ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_label: str = ""
    column_label: str = ""

    @classmethod
    def of(cls, chart: ChartSpec) -> Table:
        """The table of a chart."""
        width = max((len(row) for row in chart.matrix), default=0)
        counts = tuple((*row, *[math.nan] * (width - len(row))) for row in chart.matrix)
        shares = tuple(_shares(row) for row in counts)
        return cls(counts, shares, chart.rows, chart.columns, line(chart.y_label, 60), line(chart.x_label, 60))

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.counts)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.counts[0]) if self.counts else 0

    def row(self, place: int) -> str:
        """Name of a row; its number where it has none."""
        return self.rows[place] if place < len(self.rows) else str(place + 1)

    def column(self, place: int) -> str:
        """Name of a column; its number where it has none."""
        return self.columns[place] if place < len(self.columns) else str(place + 1)


@dataclass(frozen=True, slots=True)
class Grid:
    """Upper left corner of the first cell and the size of all, in pixels; room for ``name_px`` of column names."""

    left: float
    top: float
    cell_width: float
    cell_height: float
    rows: int
    columns: int
    slanted: bool
    name_px: int
    angle: float = _ANGLE

    def cell(self, row: int, column: int) -> QRectF:
        """Area of one cell."""
        left, top = self.left + column * self.cell_width, self.top + row * self.cell_height
        return QRectF(left, top, self.cell_width, self.cell_height)

    def at(self, place: QPointF) -> tuple[int, int] | None:
        """Row and column under a place, None beside the cells."""
        row = math.floor((place.y() - self.top) / self.cell_height)
        column = math.floor((place.x() - self.left) / self.cell_width)
        return (row, column) if 0 <= row < self.rows and 0 <= column < self.columns else None


def grid_for(table: Table, width: float, height: float, metrics: Metrics) -> Grid:
    """Place the cells in the middle of an area of that size, as large as names and proportions allow."""
    gap = theme.SPACE[1]
    rows, columns = max(table.height, 1), max(table.width, 1)
    beside = _widest(metrics, [table.row(place) for place in range(table.height)], _NAMES_SHARE * width) + 2 * gap
    needed = _widest(metrics, [table.column(place) for place in range(table.width)], math.inf)
    cell_width = min((width - beside - gap) / columns, _LARGEST_CELL_PX * _STRETCH)
    slanted = needed > cell_width - gap
    name_px = int(min(needed, _NAMES_SHARE * height / math.sin(math.radians(_ANGLE)))) if slanted else 0
    below = name_px * math.sin(math.radians(_ANGLE)) + metrics.height() if slanted else metrics.height() + gap
    if slanted:  # the first column's name leans out to the left
        beside = max(beside, name_px * math.cos(math.radians(_ANGLE)) - cell_width / 2)
        cell_width = min((width - beside - gap) / columns, _LARGEST_CELL_PX * _STRETCH)
    cell_height = max(1.0, min((height - below - gap) / rows, _LARGEST_CELL_PX, cell_width * _STRETCH))
    cell_width = max(1.0, min(cell_width, cell_height * _STRETCH))
    left = beside + max(0.0, (width - beside - gap - columns * cell_width) / 2)
    top = max(0.0, (height - below - rows * cell_height) / 2)
    return Grid(left, top, cell_width, cell_height, rows, columns, slanted, name_px)


def _widest(metrics: Metrics, names: list[str], most: float) -> float:
    return min(max((metrics.horizontalAdvance(line(name)) for name in names), default=0), most)


def _shares(row: tuple[float, ...]) -> tuple[float, ...]:
    total = sum(value for value in row if math.isfinite(value))
    return tuple(value / total if total > 0 and math.isfinite(value) else math.nan for value in row)
