"""The rows of an interval chart and its axis; no painting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF

from medfm_gui.domain.chart import ChartSpec
from medfm_gui.ui.charts.readout import Reading, ReadoutRow
from medfm_gui.ui.charts.trace import Trace
from medfm_gui.ui.charts.wording import estimate, line

_CLOSEST = 1e-3
"""The narrowest part of the whole axis that can be zoomed to."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One row: ``low`` and ``high`` are NaN where no interval is known; ``series`` is its place in the chart."""

    name: str
    value: float
    low: float
    high: float
    family: str
    slot: int
    series: int
    hollow: bool = False

    def text(self, span: float) -> str:
        """Value and interval with the digits of an axis that wide."""
        return estimate(self.value, self.low, self.high, span)


@dataclass(frozen=True, slots=True)
class Scale:
    """The values at the left and the right end of an axis; ``low`` < ``high``."""

    low: float
    high: float

    @classmethod
    def of(cls, chart: ChartSpec, rows: Sequence[Estimate]) -> Scale:
        """The chart's range, or one that holds every interval (and zero, where the chart compares with it)."""
        given = chart.x_range
        if given and all(math.isfinite(end) for end in given) and given[0] < given[1]:
            return cls(*given)
        ends = [end for row in rows for end in (row.value, row.low, row.high) if math.isfinite(end)]
        ends += [0.0] if chart.diagonal else []
        if not ends:
            return cls(0.0, 1.0)
        low, high = min(ends), max(ends)
        room = 0.05 * (high - low) or abs(low) * 0.1 or 0.5
        return cls(low - room, high + room)

    @property
    def span(self) -> float:
        """Width in units of the data."""
        return self.high - self.low

    def place_of(self, value: float, plot: QRectF) -> float:
        """Where a value lies in the plot, in pixels."""
        return plot.left() + (value - self.low) / self.span * plot.width()

    def value_at(self, x: float, plot: QRectF) -> float:
        """The value at a pixel."""
        return self.low + (x - plot.left()) / max(1.0, plot.width()) * self.span

    def zoomed(self, factor: float, middle: float, home: Scale) -> Scale:
        """A range 1/``factor`` as wide around ``middle``, within ``home``."""
        width = min(home.span, max(home.span * _CLOSEST, self.span / factor))
        if width >= home.span:
            return home
        low = middle - (middle - self.low) / self.span * width
        return Scale(low, low + width).moved(0.0, home)

    def moved(self, by: float, home: Scale) -> Scale:
        """The range shifted, within ``home``."""
        low = min(max(self.low + by, home.low), home.high - self.span)
        return Scale(low, low + self.span)


def estimates(chart: ChartSpec, slots: Sequence[int]) -> tuple[Estimate, ...]:
    """Every point of every series is a row; ``chart.rows`` names them, or else the series do."""
    found: list[Estimate] = []
    for place, (series, slot) in enumerate(zip(chart.series, slots, strict=True)):
        trace = Trace.of(series, slot)
        for point, value in enumerate(trace.x):
            name = chart.rows[len(found)] if len(found) < len(chart.rows) else series.name
            low, high = (trace.low[point], trace.high[point]) if len(trace.low) else (math.nan, math.nan)
            found.append(
                Estimate(name, float(value), float(low), float(high), series.family, slot, place, series.hollow)
            )
    return tuple(found)


def reading_of(chart: ChartSpec, row: Estimate, span: float) -> Reading:
    """What the readout tells of a row."""
    return Reading(line(chart.x_label, 60), (ReadoutRow(line(row.name, 60), row.text(span), row.family, row.slot),))
