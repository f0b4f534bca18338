"""Round values along an axis and how they are written."""

from __future__ import annotations

import math

_STEPS = (1, 2, 5, 10)


def round_step(least: float) -> float:
    """The smallest of 1, 2 or 5 times a power of ten that is not below ``least`` (> 0)."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((power * factor for factor in _STEPS if power * factor >= least * (1 - 1e-9)), power * 10)


def ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """At most ``most`` round values from ``low`` to ``high``."""
    step = round_step((high - low) / max(1, most))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(place * step for place in range(first, last + 1))


def tick_text(value: float, step: float) -> str:
    """A value with the decimals its step has; very large and very small ones with an exponent."""
    if abs(value) < step / 2:
        value = 0.0
    largest = max(abs(value), step)
    if largest >= 1e6 or largest < 1e-3:
        return short(value)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:,.{decimals}f}".replace("-", "−")


def short(value: float) -> str:
    """Three significant digits, the exponent without padding: ``5e−5``; ``1e−4`` too, as it stands beside it."""
    written = f"{value:.2e}" if 0 < abs(value) < 1e-3 else f"{value:.3g}"
    mantissa, _, exponent = written.partition("e")
    if "." in mantissa and exponent:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return (f"{mantissa}e{int(exponent)}" if exponent else mantissa).replace("-", "−")
