"""Pictures made smaller for the cache and for thumbnails: antialiased, aspect kept, depth kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from medfm_gui.imaging.picture import Pixels


def shrink(pixels: Pixels, short_side: int | None) -> Pixels:
    """The picture with its shorter side at most ``short_side`` pixels; never enlarged, None leaves it as it is."""
    rows, columns = pixels.shape[:2]
    if short_side is None or min(rows, columns) <= short_side:
        return pixels
    scale = short_side / min(rows, columns)
    return resize(pixels, max(1, round(rows * scale)), max(1, round(columns * scale)))


def resize(pixels: Pixels, rows: int, columns: int) -> Pixels:
    """Bicubic, antialiased when it gets smaller. uint16 goes through float: Pillow does not filter 16-bit grey."""
    if pixels.dtype == np.uint8:
        image = Image.fromarray(np.ascontiguousarray(pixels))
        return np.asarray(image.resize((columns, rows), Image.Resampling.BICUBIC), dtype=np.uint8)
    if pixels.ndim == 3:
        bands = [resize(pixels[..., band], rows, columns) for band in range(pixels.shape[2])]
        return np.stack(bands, axis=-1).astype(np.uint16)
    smooth = resize_float(pixels, rows, columns)
    return np.rint(smooth).clip(0, 65535).astype(np.uint16)


def resize_float(values: npt.NDArray[Any], rows: int, columns: int) -> npt.NDArray[np.float32]:
    """A grey array of any kind at another size, as float32; bicubic."""
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(image.resize((columns, rows), Image.Resampling.BICUBIC))
