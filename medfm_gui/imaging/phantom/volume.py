"""A CT of an anatomy: Hounsfield units on a grid, with masks of organs and nodules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medfm_gui.imaging.phantom.anatomy import Anatomy
from medfm_gui.imaging.phantom.shapes import Cloud, Ellipsoid

SIZE = 256
SPACING_MM = 1.6
SLICE_MM = 6.0
SLICES = 56
LABELS = ("background", "right lung", "left lung", "heart", "liver", "spine", "nodule")
_AIR, _FAT, _MUSCLE, _LUNG, _BLOOD, _LIVER, _SPINE, _RIB, _NODULE = -1000, -95, 45, -855, 42, 62, 240, 420, 400


@dataclass(frozen=True, slots=True)
class Volume:
    """``hu`` and ``labels`` as (slice, row, column): slices from the feet up, rows to the back, columns to the left.

    ``origin_mm`` is the patient position (x, y, z) of the first voxel's centre.
    """

    hu: npt.NDArray[np.int16]
    labels: npt.NDArray[np.uint8]
    origin_mm: tuple[float, float, float]


def scan(anatomy: Anatomy, rng: np.random.Generator) -> Volume:
    """Take one CT from the diaphragm to the lung apices."""
    half = SIZE * SPACING_MM / 2
    axis = (np.arange(SIZE, dtype=np.float32) + 0.5) * SPACING_MM - half
    x, y = np.meshgrid(axis, axis)
    first = -SLICES * SLICE_MM / 2 - 12.0
    levels = first + np.arange(SLICES) * SLICE_MM
    hu = np.empty((SLICES, SIZE, SIZE), np.float32)
    labels = np.zeros((SLICES, SIZE, SIZE), np.uint8)
    for number, level in enumerate(levels):
        hu[number], labels[number] = _slice(anatomy, x, y, np.full_like(x, level))
    for cloud, value in (
        (anatomy.ribs, _RIB),
        (anatomy.clavicles, _RIB),
        (anatomy.vessels, _BLOOD),
        (anatomy.trachea, _AIR),
    ):
        share = _share(cloud, axis[0], levels[0])
        if value == _BLOOD:
            share = share * ((labels == 1) | (labels == 2))
        hu += share * (value - hu)
    noise = ndimage.gaussian_filter(rng.normal(0, 1, hu.shape).astype(np.float32), (0, 0.7, 0.7))
    hu += noise * (20.0 / noise.std())
    hu[hu < -1000] = -1000
    return Volume(np.rint(hu).astype(np.int16), labels, (float(axis[0]), float(axis[0]), float(levels[0])))


def _slice(
    anatomy: Anatomy, x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], z: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """One axial slice, painted from the skin inwards."""
    hu = np.full(x.shape, _AIR, np.float32)
    labels = np.zeros(x.shape, np.uint8)
    level = float(z[0, 0])
    neck = 1.0 / (1.0 + np.exp(-(level - 178.0) / 9.0))
    width, depth = anatomy.half_width * (1 - neck) + 62 * neck, anatomy.half_depth * (1 - 0.35 * neck)
    around = np.abs(x / width) ** 2.5 + np.abs((y - 5) / depth) ** 2.5
    hu[around <= 1] = _FAT
    for part in (*anatomy.shoulders, *anatomy.breasts):
        hu[part.contains(x, y, z)] = _FAT
    hu[np.abs(x / (width - 16)) ** 2.5 + np.abs((y - 5) / (depth - 13)) ** 2.5 <= 1] = _MUSCLE
    for number, lung in enumerate(anatomy.lungs, start=1):
        inside = lung.contains(x, y, z)
        hu[inside] = _LUNG + 35 * ((y[inside] - lung.y) / lung.b)
        labels[inside] = number
    for organ, value, label in _organs(anatomy):
        inside = organ.contains(x, y, z)
        hu[inside], labels[inside] = value, label
    for nodule in anatomy.nodules:
        inside = nodule.contains(x, y, z)
        hu[inside], labels[inside] = _NODULE, 6
    return hu, labels


def _organs(anatomy: Anatomy) -> list[tuple[Ellipsoid, int, int]]:
    return [
        (anatomy.mediastinum, _MUSCLE - 20, 0),
        (anatomy.arch, _BLOOD, 0),
        *((hilum, _BLOOD, 0) for hilum in anatomy.hila),
        (anatomy.heart, _BLOOD, 3),
        (anatomy.domes[0], _LIVER, 4),
        (anatomy.domes[1], _MUSCLE, 0),
        (anatomy.spine, _SPINE, 5),
    ]


def _share(cloud: Cloud, first_mm: float, lowest_mm: float) -> npt.NDArray[np.float32]:
    """The part of every voxel that a cloud fills, 0…1."""
    column = np.rint((cloud.points[:, 0] - first_mm) / SPACING_MM).astype(np.int64)
    row = np.rint((cloud.points[:, 1] - first_mm) / SPACING_MM).astype(np.int64)
    number = np.rint((cloud.points[:, 2] - lowest_mm) / SLICE_MM).astype(np.int64)
    kept = (column >= 0) & (column < SIZE) & (row >= 0) & (row < SIZE) & (number >= 0) & (number < SLICES)
    index = (number[kept] * SIZE + row[kept]) * SIZE + column[kept]
    filled = np.bincount(index, weights=cloud.volume[kept], minlength=SLICES * SIZE * SIZE)
    share = filled.reshape(SLICES, SIZE, SIZE).astype(np.float32) / (SPACING_MM**2 * SLICE_MM)
    blurred: npt.NDArray[np.float32] = np.clip(ndimage.gaussian_filter(share, (0, 0.8, 0.8)), 0, 1)
    return blurred
