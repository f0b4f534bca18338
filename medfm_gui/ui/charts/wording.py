"""Numbers and names as a chart prints them."""

from __future__ import annotations

import math
import re
import unicodedata

from medfm_gui.ui.charts.ticks import short
from medfm_gui.ui.widgets.text import one_line

LONGEST = 120
"""Characters of a name that are kept before it is elided to its place; longer ones only cost time."""

NOT_ESTIMABLE = "not estimable"


def line(text: str, limit: int = LONGEST) -> str:
    """One line of at most ``limit`` characters in which nothing is hidden."""
    return one_line(text, limit)


def number(value: float, span: float | None = None) -> str:
    """A value with as many digits as matter on an axis of width ``span`` (three decimals at 1)."""
    if not math.isfinite(value):
        return "–"
    size = abs(span) if span and math.isfinite(span) else abs(value)
    if size and (size < 1e-3 or size >= 1e6):
        return short(value)
    decimals = 3 if size <= 3 else 2 if size < 30 else 1 if size < 300 else 0
    return f"{value:,.{decimals}f}".replace("-", "−")


def estimate(value: float, low: float = math.nan, high: float = math.nan, span: float | None = 1.0) -> str:
    """``0.873 (0.841–0.899)``; without limits the value alone."""
    if not math.isfinite(value):
        return NOT_ESTIMABLE
    if not (math.isfinite(low) and math.isfinite(high)):
        return number(value, span)
    # an interval that reaches below zero reads “−0.1 to 0.2”: a dash between signs would mislead
    between = " to " if low < 0 or high < 0 else "–"
    return f"{number(value, span)} ({number(low, span)}{between}{number(high, span)})"


def difference(value: float, low: float = math.nan, high: float = math.nan, span: float | None = 1.0) -> str:
    """``+0.024 (−0.013 to +0.061)``: a difference always says which way."""
    if not math.isfinite(value):
        return NOT_ESTIMABLE
    if not (math.isfinite(low) and math.isfinite(high)):
        return _signed(value, span)
    return f"{_signed(value, span)} ({_signed(low, span)} to {_signed(high, span)})"


def _signed(value: float, span: float | None) -> str:
    return f"+{number(value, span)}" if value > 0 else number(value, span)


def count(value: float) -> str:
    """A cell of a matrix: whole numbers with thousands, others with two decimals."""
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def file_stem(text: str) -> str:
    """A name for a file made of letters, digits and dashes, at most 60 long; “chart” if nothing is left."""
    ascii_only = unicodedata.normalize("NFKD", text[:400].casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:60].strip("-") or "chart"
