"""One recipe for a chart, drawn on screen by pyqtgraph and on paper by matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one run: ``x`` and ``y`` of equal length; ``low``/``high`` a band or error bars, or empty.

    ``family`` decides the marker, ``style`` (adaptation) the line; ``step`` draws a staircase.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    family: str = ""
    style: str = ""
    markers: bool = False
    step: bool = False
    spread_low: tuple[float, ...] = ()
    """With ``spread_high``: how far repeated draws lie apart, which is another thing than the interval; or empty."""
    spread_high: tuple[float, ...] = ()
    joined: bool = True
    """Whether a line joins the points."""
    hollow: bool = False
    """Whether the marks are outlines: published elsewhere, not measured here."""


@dataclass(frozen=True, slots=True)
class ChartSpec:
    """A chart: ``lines``, ``matrix`` (counts with row and column names) or ``intervals`` (one bar a row).

    ``x_range`` and ``y_range`` are (low, high) or None for automatic; ``diagonal`` draws the chance line.
    """

    id: str
    kind: Literal["lines", "matrix", "intervals"]
    title: str
    x_label: str = ""
    y_label: str = ""
    series: tuple[Series, ...] = ()
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    matrix: tuple[tuple[float, ...], ...] = ()
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    diagonal: bool = False
    note: str = ""
    x_log: bool = False
    """Whether ``x`` is drawn by its logarithm (``log_axis.LogAxis``); 0 has a place of its own there."""
    x_ticks: tuple[tuple[float, str], ...] = ()
    """Values of a logarithmic ``x`` with the text that marks them; empty for round values."""
    links: tuple[Series, ...] = ()
    """Thin lines behind the series, which join points that belong together; they have no entry in the legend."""
