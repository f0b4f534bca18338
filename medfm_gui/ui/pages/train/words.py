"""Numbers of a plan as people say them."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def duration(seconds: float) -> str:
    """“about 34 min”: two sensible digits, never more exact than a measurement of a few batches can be."""
    return brief(seconds) if seconds < 1 else f"about {brief(seconds)}"


def brief(seconds: float) -> str:
    """“34 min”, for a column whose heading says that it is about that."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 90:
        return f"{_two_digits(seconds):g} s"
    if seconds < 90 * 60:
        return f"{_two_digits(seconds / 60):g} min"
    if seconds < 48 * 3600:
        return f"{_two_digits(seconds / 3600):g} h"
    return f"{_two_digits(seconds / 86_400):g} days"


def size(byte_count: float) -> str:
    """“9.2 GB”, in powers of a thousand."""
    unit = 0
    while byte_count >= 999.5 and unit < len(_UNITS) - 1:
        byte_count /= 1000
        unit += 1
    digits = 0 if unit == 0 or byte_count >= 99.5 else 1
    return f"{byte_count:.{digits}f} {_UNITS[unit]}"


def millions(number: float) -> str:
    """A count of parameters: “2,562”, “86.6 M”."""
    return f"{number:,.0f}" if number < 100_000 else f"{number / 1e6:,.{1 if number < 1e9 else 0}f} M"


def listed(items: Sequence[str], most: int = 3) -> str:
    """“a, b and c”, or “a, b, c and 4 more”."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return " and ".join(part for part in (", ".join(items[:-1]), items[-1] if items else "") if part)


def _two_digits(value: float) -> float:
    return round(value) if value >= 10 else round(value, 1)
