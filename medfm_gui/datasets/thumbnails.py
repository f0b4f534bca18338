"""Images of a few pixels a side, as grey shares of full scale: what is left when every detail is gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from medfm_gui.datasets.pixels import PixelCache

SIDE = 32
_AT_MOST = 256
"""Larger images are thinned to that many rows and columns before they are averaged: nothing of it is seen at 32."""


def thumbnails(
    cache: PixelCache, samples: Sequence[str], *, side: int = SIDE, on_image: Callable[[int], None] | None = None
) -> NDArray[np.float32]:
    """Grey pictures (n, side · side) in 0 … 1, stretched to a square as a model's input is.

    Raises:
        NotFound, InputError: the cache lacks an image.
    """
    found = np.empty((len(samples), side * side), np.float32)
    for place, sample in enumerate(samples):
        found[place] = thumbnail(cache.image(sample), side).ravel()
        if on_image is not None:
            on_image(place)
    return found


def thumbnail(image: NDArray[np.uint8] | NDArray[np.uint16], side: int = SIDE) -> NDArray[np.float32]:
    """One image, H×W or H×W×3 of uint8 or uint16, as (side, side) means in 0 … 1; small ones repeat their pixels."""
    scale = float(np.iinfo(image.dtype).max)
    rows, columns = image.shape[:2]
    few = image[:: max(1, rows // _AT_MOST), :: max(1, columns // _AT_MOST)].astype(np.float32)
    grey = few.mean(axis=2) if few.ndim == 3 else few
    for axis in (0, 1):
        length = grey.shape[axis]
        edges = np.arange(side) * length // side
        if length >= side:
            widths = np.diff(np.append(edges, length)).astype(np.float32)
            grey = np.add.reduceat(grey, edges, axis=axis) / (widths[:, None] if axis == 0 else widths[None, :])
        else:
            grey = np.take(grey, edges, axis=axis)
    return grey / np.float32(scale)
