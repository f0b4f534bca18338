"""Heat maps over pictures, and pictures as files: for the screen, the report and the archive."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from medfm_gui.base.atomic import atomic_file
from medfm_gui.base.resources import resources_folder
from medfm_gui.domain.errors import InternalError
from medfm_gui.imaging.picture import Pixels
from medfm_gui.imaging.shrink import resize, resize_float


@functools.cache
def cividis() -> npt.NDArray[np.uint8]:
    """The colour map, 256×3, dark blue to yellow: even in lightness, and the same to the colour-blind.

    Nuñez, Anderton, Renslow, PLoS ONE 13(7) e0199239, 2018.
    """
    path = resources_folder() / "colormaps" / "cividis.csv"
    table = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.uint8)
    if table.shape != (256, 3):
        raise InternalError("The colour map of the program is damaged.", "Install MedFM Studio again.")
    table.flags.writeable = False
    return table


def overlay(
    pixels: Pixels, heat: npt.NDArray[Any], *, opacity: float = 0.45, follow_value: bool = True
) -> npt.NDArray[np.uint8]:
    """A heat map laid over a picture.

    Args:
        pixels: H×W or H×W×3, uint8 or uint16.
        heat: 0…1, of the picture's size or any other (it is then interpolated).
        opacity: of the map, 0…1.
        follow_value: weak values are more transparent, so that the picture shows where the map says nothing.

    Returns:
        H×W×3, uint8.

    Raises:
        InternalError: the map is not two-dimensional or holds values that are not numbers.
    """
    if heat.ndim != 2 or not np.isfinite(heat).all():
        raise InternalError("The heat map cannot be drawn: it is no map of numbers.", "Report this, with the log.")
    base = as_rgb(pixels)
    rows, columns = base.shape[:2]
    if heat.shape != (rows, columns):
        heat = resize_float(heat, rows, columns)
    unit = np.clip(heat, 0.0, 1.0).astype(np.float32)
    colours = cividis()[np.rint(unit * 255).astype(np.uint8)]
    alpha = np.float32(np.clip(opacity, 0.0, 1.0)) * (unit if follow_value else np.ones_like(unit))
    mixed: npt.NDArray[np.float32] = base + alpha[..., None] * (colours.astype(np.float32) - base)
    return np.asarray(np.rint(mixed), dtype=np.uint8)


def to_eight_bit(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Pixels ready to look at, at 8 bits; uint16 spans its full range and is scaled down."""
    if pixels.dtype == np.uint8:
        return np.asarray(pixels, dtype=np.uint8)
    return np.asarray(np.rint(pixels.astype(np.float32) / np.float32(257)), dtype=np.uint8)


def as_rgb(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """H×W×3 at 8 bits."""
    eight = to_eight_bit(pixels)
    return np.ascontiguousarray(np.repeat(eight[..., None], 3, axis=2) if eight.ndim == 2 else eight[..., :3])


def thumbnail(pixels: Pixels, side: int = 128) -> npt.NDArray[np.uint8]:
    """The picture at 8 bits with its longer side at most ``side`` pixels."""
    rows, columns = pixels.shape[:2]
    scale = side / max(rows, columns)
    return to_eight_bit(
        pixels if scale >= 1 else resize(pixels, max(1, round(rows * scale)), max(1, round(columns * scale)))
    )


def quick_thumbnail(pixels: Pixels, side: int) -> npt.NDArray[np.uint8]:
    """As ``thumbnail``, many a second: whole blocks of pixels are averaged, then the rest is interpolated."""
    factor = max(1, max(pixels.shape[:2]) // (2 * side))
    eight = to_eight_bit(pixels)
    if factor > 1:
        eight = np.asarray(Image.fromarray(np.ascontiguousarray(eight)).reduce(factor))
    return thumbnail(eight, side)


def write_png(path: Path, pixels: Pixels, *, sync: bool = True) -> None:
    """Write a PNG that holds pixels and nothing else: grey or RGB at 8 bits, or grey at 16.

    Args:
        sync: False for files that can be made again at any time.

    Raises:
        DiskFull, InputError: the file cannot be written.
    """
    kept = to_eight_bit(pixels) if pixels.ndim == 3 else pixels  # PNG of 16-bit colour is beyond Pillow
    image = Image.fromarray(np.ascontiguousarray(kept))
    with atomic_file(path, expected_bytes=pixels.nbytes, sync=sync) as handle:
        image.save(handle, format="PNG")
