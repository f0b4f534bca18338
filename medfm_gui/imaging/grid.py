"""The one scale on which all frames of a series are kept for a viewer, in at most 16 bits a pixel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

StoredType = Literal["uint8", "uint16", "int16"]
_RANGES: Mapping[StoredType, tuple[int, int]] = {
    "uint8": (0, 255),
    "uint16": (0, 65535),
    "int16": (-32768, 32767),
}
STEPS = 65535
_WHOLE = 1e-4
"""How far from a whole number a stored value may be, in steps, and still count as one."""


ROUNDED = "Some values were rounded, so that all images have one scale."


@dataclass(frozen=True, slots=True)
class Grid:
    """What every frame of the array has in common; ``channels`` is 1 or 3 (then uint8 RGB).

    ``is_rounded`` says that values may lie between two steps; else only exact ones are accepted.
    """

    rows: int
    columns: int
    channels: int = 1
    dtype: StoredType = "uint16"
    slope: float = 1.0
    intercept: float = 0.0
    is_rounded: bool = False

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return self.rows * self.columns * self.channels * (1 if self.dtype == "uint8" else 2)

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Extent:
    """The stored values of a frame, from ``low`` to ``high``, and its own way from them to values."""

    low: float
    high: float
    slope: float
    intercept: float
    is_whole: bool
    """Whether the stored values are whole numbers."""
    rows: int
    columns: int

    @property
    def values(self) -> tuple[float, float]:
        """Lowest and highest value."""
        ends = (self.low * self.slope + self.intercept, self.high * self.slope + self.intercept)
        return min(ends), max(ends)


def common_grid(found: Sequence[Extent], rows: int, columns: int) -> Grid:
    """One scale for frames with scales of their own: the finest of theirs where 16 bits can hold it, else equal steps.

    Frames with the finest scale stay exact; those that are coarser are rounded by less than half of its step.
    """
    low = min(item.values[0] for item in found)
    high = max(item.values[1] for item in found)
    whole = [item for item in found if item.is_whole]
    if len(whole) == len(found):
        finest = min(whole, key=lambda item: abs(item.slope))
        step = abs(finest.slope)
        below = math.ceil((finest.values[0] - low) / step - _WHOLE)
        start = finest.values[0] - below * step
        if (high - start) / step <= STEPS:
            is_exact = all(
                _is_whole(item.slope / step) and _is_whole((item.values[0] - start) / step) for item in found
            )
            return Grid(rows, columns, 1, "uint16", step, start, is_rounded=not is_exact)
    return Grid(rows, columns, 1, "uint16", (high - low) / STEPS or 1.0, low, is_rounded=True)


def _is_whole(number: float) -> bool:
    return math.isclose(number, round(number), rel_tol=0, abs_tol=_WHOLE)


def fits(low: float, high: float, dtype: StoredType) -> bool:
    """Whether whole numbers from ``low`` to ``high`` can be kept in that type."""
    least, most = _RANGES[dtype]
    return least <= low and high <= most
