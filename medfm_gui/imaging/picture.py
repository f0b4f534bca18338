"""What every reader returns: pixels ready to look at, a fingerprint of the stored values, a harmless header."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""H×W or H×W×3; uint16 spans 0…65535."""

MAX_PIXELS = 80_000_000
"""Rows × columns that one image may have; whole slides are another kind of thing."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image, upright and windowed.

    ``stored_sha256`` covers the decoded values before windowing and turning, so the same image is
    found again whatever its header says. ``header`` holds only covariates that do not identify
    anybody (modality, view, body part, laterality, sex, age, manufacturer, presentation intent).
    ``notes`` are sentences, equal for equal causes, so that they can be counted.
    """

    pixels: Pixels
    stored_sha256: str
    header: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def columns(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])


def stored_sha256(values: npt.NDArray[Any]) -> str:
    """SHA-256 over type, shape and values, the same on every machine: little-endian, row by row."""
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{values.dtype.kind}{values.dtype.itemsize}|{values.shape}|".encode())
    digest.update(little.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
