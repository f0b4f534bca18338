"""Where the values of a logarithmic axis stand, the same on screen and on paper.

Zero has no logarithm and is still a value (k nearest neighbours train nothing): it stands at a place of its own, left
of a break in the axis.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from medfm_gui.domain.chart import ChartSpec, Series

_MILLION = 1_000_000
_GAP = 0.35
"""Decades between zero and the lowest value, at least; beyond, a share of the whole axis."""
_GAP_SHARE = 0.12
_ALIKE = 0.006
"""Places closer than that share of the axis count as one."""
_STEP, _WIDEST = 0.009, 0.12
"""How far points of one place are moved apart, and all of them together at most, as shares of the axis."""
_MOST_NAMED = 40
_MANTISSAS = (range(1, 10), (1, 2, 5), (1, 3), (1,))


@dataclass(frozen=True, slots=True)
class LogAxis:
    """An axis in decades from ``low`` to ``high``; ``zero`` is the place of the value 0, None where no value is 0.

    ``marks`` are values that have a text of their own; without them round values are marked.
    """

    low: float
    high: float
    zero: float | None = None
    marks: tuple[tuple[float, str], ...] = ()

    @classmethod
    def of(cls, chart: ChartSpec) -> LogAxis:
        """The axis on which all points of a chart have a place."""
        values = [x for series in (*chart.series, *chart.links) for x in series.x if math.isfinite(x) and x >= 0]
        places = [math.log10(x) for x in values if x > 0]
        low, high = (min(places), max(places)) if places else (0.0, 0.0)
        if 0.0 not in values:
            return cls(low, high, None, chart.x_ticks)
        gap = max(_GAP, _GAP_SHARE * (high - low)) if places else 0.0
        return cls(low, high, low - gap, chart.x_ticks)

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest place that a value has, apart in any case."""
        low = self.low if self.zero is None else self.zero
        return (low, self.high) if self.high > low else (low - 0.5, low + 0.5)

    @property
    def break_at(self) -> float | None:
        """The place of the break between zero and the other values."""
        return None if self.zero is None or self.zero == self.low else (self.zero + self.low) / 2

    def place(self, value: float) -> float:
        """Where a value stands; NaN where it has no place."""
        if value == 0 and self.zero is not None:
            return self.zero
        return math.log10(value) if math.isfinite(value) and value > 0 else math.nan

    def places(self, values: Iterable[float]) -> tuple[float, ...]:
        """Where each of these values stands."""
        return tuple(self.place(value) for value in values)

    def value(self, place: float) -> float:
        """What stands at a place; infinite beyond all numbers."""
        if self.zero is not None and (self.break_at is None or place < self.break_at):
            return 0.0
        return 10.0**place if place < 300 else math.inf

    def ticks(self, low: float, high: float, most: int) -> tuple[tuple[float, str], ...]:
        """At most about ``most`` marked places between two, each with its text."""
        if self.zero is not None and self.break_at is None:
            return ((self.zero, "0"),)
        if self.marks:
            found = [(self.place(value), text) for value, text in self.marks if value > 0]
        else:
            found = self._round(max(low, self.break_at) if self.break_at is not None else low, high, most)
        if self.zero is not None:
            found.insert(0, (self.zero, "0"))
        room = (high - low) / max(1, most)
        kept: list[tuple[float, str]] = []
        for place, text in sorted(found):
            if low <= place <= high and (not kept or place - kept[-1][0] >= room * 0.8):
                kept.append((place, text))
        return tuple(kept)

    def _round(self, low: float, high: float, most: int) -> list[tuple[float, str]]:
        """The densest of a few kinds of round values that has no more than ``most``."""
        first, last = max(math.floor(low), -300), min(math.ceil(high), 300)
        found: list[tuple[float, str]] = []
        for mantissas in _MANTISSAS:
            found = [
                (place, tick_text(factor * 10.0**power))
                for power in range(first, last + 1)
                for factor in mantissas
                if low <= (place := power + math.log10(factor)) <= high
            ]
            if len(found) <= most:
                break
        return found


def is_cloud(chart: ChartSpec) -> bool:
    """Whether every series is one point: runs in a plane, each read on its own."""
    return chart.x_log and all(len(series.x) <= 1 for series in chart.series)


def has_legend(chart: ChartSpec) -> bool:
    """Whether names beside the chart help: no more of them than colours and markers can tell apart with patience."""
    return not is_cloud(chart) or len(chart.series) <= _MOST_NAMED


@dataclass(frozen=True, slots=True)
class Arranged:
    """Places of the points of every series and of every link, as they are drawn."""

    series: tuple[tuple[float, ...], ...]
    links: tuple[tuple[float, ...], ...]


def arranged(chart: ChartSpec, axis: LogAxis) -> Arranged:
    """Where each point of a chart is drawn: points of different series at one place stand side by side.

    Else the bars of runs that cost the same would hide one another. A link goes where its points went.
    """
    low, high = axis.ends
    span = high - low
    moved = [list(axis.places(series.x)) for series in chart.series]
    points = [
        (place, number, at) for number, places in enumerate(moved) for at, place in enumerate(places) if place == place
    ]
    for group in _alike(sorted(points), span * _ALIKE):
        order = {number: rank for rank, number in enumerate(sorted({number for _, number, _ in group}))}
        step = span * min(_STEP, _WIDEST / len(order))
        for _, number, at in group:
            moved[number][at] += (order[number] - (len(order) - 1) / 2) * step
    went = {
        (x, y): place
        for series, places in zip(chart.series, moved, strict=True)
        for x, y, place in zip(series.x, series.y, places, strict=False)
    }
    links = tuple(_followed(link, axis, went) for link in chart.links)
    return Arranged(tuple(map(tuple, moved)), links)


def _alike(points: list[tuple[float, int, int]], reach: float) -> list[list[tuple[float, int, int]]]:
    """Neighbours within reach of the first of them, in groups."""
    groups: list[list[tuple[float, int, int]]] = []
    for point in points:
        if groups and point[0] - groups[-1][0][0] <= reach:
            groups[-1].append(point)
        else:
            groups.append([point])
    return groups


def _followed(link: Series, axis: LogAxis, went: dict[tuple[float, float], float]) -> tuple[float, ...]:
    return tuple(went.get((x, y), axis.place(x)) for x, y in zip(link.x, link.y, strict=False))


def tick_text(value: float) -> str:
    """A round value as an axis says it: ``0.01``, ``1,000``, ``20 M``."""
    return f"{value / _MILLION:,g} M" if value >= _MILLION else f"{value:,g}"


def value_text(value: float) -> str:
    """A value as it is read off: whole numbers whole, others with three digits."""
    if not math.isfinite(value):
        return "–"
    if value == round(value) or value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
