"""Stored values become grey by one look-up: slope and intercept, window or VOI LUT, polarity, all in one table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medfm_gui.imaging.window import Window, to_uint8, windowed
from medfm_gui.ui.viewer.image import SeriesImage


def first_window(series: SeriesImage) -> Window:
    """The window a series opens with: its own, else the span of its VOI LUT, else the whole range of its type."""
    if series.window is not None:
        return Window(*series.window, series.window_function)
    if series.voi_table is not None:
        span = float(max(1, series.voi_table.greys.size - 1))
        return Window(series.voi_table.first + span / 2, span, "LINEAR_EXACT")
    low, high = value_range(series)
    return Window((low + high) / 2, high - low, "LINEAR_EXACT")


def value_range(series: SeriesImage) -> tuple[float, float]:
    """The least and the greatest value that the type of the frames can hold, in units of the series."""
    limits = np.iinfo(series.frames.dtype)
    ends = [end * series.slope + series.intercept for end in (limits.min, limits.max)]
    return min(ends), max(ends)


def grey_table(series: SeriesImage, window: Window | None, *, inverted: bool) -> npt.NDArray[np.uint8]:
    """The grey of every bit pattern of a stored value: 256 entries, or 65,536.

    Args:
        series: its type, slope, intercept and VOI LUT.
        window: none for the VOI LUT of the series.
        inverted: polarity, applied last.
    """
    dtype = series.frames.dtype
    patterns = np.arange(2 ** (8 * dtype.itemsize), dtype=f"u{dtype.itemsize}")
    values = patterns.view(dtype).astype(np.float64) * series.slope + series.intercept
    if window is None and series.voi_table is not None:
        greys = series.voi_table.greys
        grey = greys[np.rint(values - series.voi_table.first).clip(0, greys.size - 1).astype(np.intp)]
        return np.asarray(255 - grey if inverted else grey, dtype=np.uint8)
    unit = windowed(values.astype(np.float32), window or first_window(series))
    return to_uint8(1 - unit if inverted else unit)


def looked_up(stored: npt.NDArray[Any], table: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The greys of stored values; the table has one entry a bit pattern, so no index can miss."""
    patterns = stored if stored.dtype.itemsize == 1 else stored.view(np.uint16)
    return np.take(table, patterns)


def bounded(window: Window, series: SeriesImage) -> Window:
    """The nearest window that the standard allows and that lies where values can be."""
    low, high = value_range(series)
    narrowest = 1.0 if window.function == "LINEAR" else min(abs(series.slope), 1.0)
    width = min(max(window.width, narrowest), 2 * (high - low))
    return Window(min(max(window.centre, low), high), width, window.function)
