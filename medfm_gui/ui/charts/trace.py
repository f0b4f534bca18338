"""A series made ready to draw: arrays without what cannot be drawn, and where its points lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.chart import Series

Floats = npt.NDArray[np.float64]

_FEW = 40
"""Up to so many points each gets its marker; beyond, a few along the curve tell the family."""
_HUGE = 1e15
"""Beyond this a screen's coordinates overflow; such a value is a gap."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One series as arrays of equal length; ``low`` and ``high`` are empty where there is no band.

    ``x`` is where a point is drawn, ``values`` what it is of: another thing on a logarithmic axis.
    """

    name: str
    x: Floats
    y: Floats
    low: Floats
    high: Floats
    family: str = ""
    style: str = ""
    slot: int = 0
    step: bool = False
    markers: bool = False
    values: Floats = field(default_factory=lambda: np.empty(0))
    spread_low: Floats = field(default_factory=lambda: np.empty(0))
    spread_high: Floats = field(default_factory=lambda: np.empty(0))
    joined: bool = True

    @classmethod
    def of(cls, series: Series, slot: int, places: Sequence[float] | None = None) -> Trace:
        """The drawable part of a series.

        Args:
            slot: its place among the theme's colours.
            places: where its points stand along x, if not at their values.
        """
        size = min(len(series.x), len(series.y))
        banded = len(series.low) >= size and len(series.high) >= size > 0
        spread = len(series.spread_low) >= size and len(series.spread_high) >= size > 0
        values = drawable(series.x[:size])
        return cls(
            name=series.name,
            x=values if places is None else drawable(tuple(places[:size])),
            y=drawable(series.y[:size]),
            low=drawable(series.low[:size] if banded else ()),
            high=drawable(series.high[:size] if banded else ()),
            family=series.family,
            style=series.style,
            slot=slot,
            step=series.step,
            markers=series.markers,
            joined=series.joined,
            values=values,
            spread_low=drawable(series.spread_low[:size] if spread else ()),
            spread_high=drawable(series.spread_high[:size] if spread else ()),
        )

    @property
    def drawn(self) -> npt.NDArray[np.bool_]:
        """Which points have both coordinates."""
        return np.isfinite(self.x) & np.isfinite(self.y)

    @property
    def path(self) -> tuple[Floats, Floats]:
        """Corners of the line; a staircase keeps its value up to the next x."""
        return _stairs(self.x, self.y) if self.step else (self.x, self.y)

    @property
    def outline(self) -> tuple[Floats, Floats]:
        """Corners around the band."""
        known = np.isfinite(self.x) & np.isfinite(self.low) & np.isfinite(self.high)
        x, low, high = self.x[known], self.low[known], self.high[known]
        low_x, low_y = _stairs(x, low) if self.step else (x, low)
        high_x, high_y = _stairs(x, high) if self.step else (x, high)
        return np.concatenate((high_x, low_x[::-1])), np.concatenate((high_y, low_y[::-1]))

    def nearest(self, x: float, y: float, x_scale: float, y_scale: float) -> int | None:
        """Index of the point a reader at (x, y) means; scales are pixels a unit.

        Along a line that never goes back it is the point at that x (of a staircase the step it stands on, of
        points above one another, as a ROC curve has them, the one at that height); else the nearest on screen.
        """
        places = np.flatnonzero(self.drawn)
        if not len(places):
            return None
        xs, ys = self.x[places], self.y[places]
        if np.all(np.diff(xs) >= 0):
            if self.step:
                return int(places[max(0, int(np.searchsorted(xs, x, side="right")) - 1)])
            away = np.abs(xs - x)
            level = np.flatnonzero(away == away.min())
            return int(places[level[int(np.argmin(np.abs(ys[level] - y)))]])
        return int(places[int(np.argmin(((xs - x) * x_scale) ** 2 + ((ys - y) * y_scale) ** 2))])

    def marked(self, width: float, height: float) -> npt.NDArray[np.intp]:
        """Indices of points that get a marker, on axes of that width and height (in units of the data)."""
        places = np.flatnonzero(self.drawn)
        if not (self.family or self.markers or len(places) == 1) or not len(places):
            return places[:0]
        if len(places) == 1 or (self.markers and len(places) <= _FEW):
            return places
        dx, dy = np.diff(self.x[places]) / (width or 1), np.diff(self.y[places]) / (height or 1)
        along = np.concatenate(([0.0], np.cumsum(np.hypot(dx, dy))))
        # curves that run together start their markers at different places
        wanted = np.arange(0.05 + 0.03 * (self.slot % 6), along[-1], 0.21)
        chosen: npt.NDArray[np.intp] = places[np.unique(np.searchsorted(along, wanted).clip(0, len(places) - 1))]
        return chosen


def drawable(values: tuple[float, ...] | Floats) -> Floats:
    """As float64 with NaN for whatever no screen can show."""
    array = np.array(values, dtype=np.float64)
    array[~(np.abs(array) < _HUGE)] = math.nan
    return array


def bounds(parts: list[Floats]) -> tuple[float, float]:
    """Lowest and highest finite value of all, a unit apart where they are equal, (0, 1) where there are none."""
    known = [part[np.isfinite(part)] for part in parts]
    values = np.concatenate(known) if known else np.empty(0)
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if high > low:
        return low, high
    room = 0.5 if low == 0 else abs(low) * 0.1
    return low - room, high + room


def thinned(x: Floats, y: Floats, limit: int) -> tuple[Floats, Floats]:
    """At most about ``limit`` points that keep each stretch's first, lowest and highest: what an eye would see."""
    if len(x) <= limit:
        return x, y
    stretch = math.ceil(len(x) / (limit // 3))
    starts = np.arange(0, len(x), stretch)
    padded = np.full(len(starts) * stretch, math.nan)
    padded[: len(y)] = y
    blocks = padded.reshape(len(starts), stretch)
    lowest = starts + np.argmin(np.where(np.isfinite(blocks), blocks, math.inf), axis=1)
    highest = starts + np.argmax(np.where(np.isfinite(blocks), blocks, -math.inf), axis=1)
    kept = np.unique(np.concatenate((starts, lowest, highest, [len(x) - 1])).clip(0, len(x) - 1))
    return x[kept], y[kept]


def _stairs(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    if len(x) < 2:
        return x, y
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
