"""Values become grey: VOI windows (PS3.3 C.11.2.1.2) and, where a file declares none, robust percentiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

_LOW, _HIGH = 1.0, 99.0
_SAMPLED = 4_000_000

Function = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]


@dataclass(frozen=True, slots=True)
class Window:
    """Centre and width in units of the values (HU for CT), and the function between."""

    centre: float
    width: float
    function: Function = "LINEAR"

    @property
    def is_valid(self) -> bool:
        """Whether the standard allows it: finite, and at least 1 wide (LINEAR) or wider than 0."""
        if not (np.isfinite(self.centre) and np.isfinite(self.width)):
            return False
        return self.width >= 1 if self.function == "LINEAR" else self.width > 0


def windowed(values: npt.NDArray[Any], window: Window) -> npt.NDArray[np.float32]:
    """Values through a window, 0…1.

    LINEAR keeps the standard's half-unit shifts, so that a width of 1 is a threshold.
    """
    data = values.astype(np.float32, copy=False)
    if window.function == "SIGMOID":
        slope = np.clip(-4.0 * (data - window.centre) / window.width, -60, 60)
        return np.asarray(1.0 / (1.0 + np.exp(slope)), dtype=np.float32)
    if window.function == "LINEAR" and window.width == 1:
        return (data > window.centre - 0.5).astype(np.float32)
    if window.function == "LINEAR":
        unit = (data - np.float32(window.centre - 0.5)) / np.float32(window.width - 1) + np.float32(0.5)
    else:
        unit = (data - np.float32(window.centre)) / np.float32(window.width) + np.float32(0.5)
    return np.clip(unit, 0, 1, out=unit)


def percentile_window(values: npt.NDArray[Any], *, padding: npt.NDArray[np.bool_] | None = None) -> Window:
    """The window from the 1st to the 99th percentile; of everything when those fall together.

    Args:
        padding: pixels outside the image, left out of the count.
    """
    counted = values[~padding] if padding is not None and not padding.all() else values.reshape(-1)
    step = max(1, counted.size // _SAMPLED)
    low, high = np.percentile(counted[::step], (_LOW, _HIGH))
    if high <= low:
        low, high = counted.min(), counted.max()
    if high <= low:
        return Window(float(low) + 0.5, 1.0, "LINEAR_EXACT")  # constant: black
    return Window((float(low) + float(high)) / 2, float(high) - float(low), "LINEAR_EXACT")


def to_uint16(unit: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """0…1 as 0…65535."""
    return np.asarray(np.rint(unit * np.float32(65535)), dtype=np.uint16)


def to_uint8(unit: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """0…1 as 0…255."""
    return np.asarray(np.rint(unit * np.float32(255)), dtype=np.uint8)
