"""Ellipsoids with closed-form line integrals, and clouds of points for everything thin and curved.

Coordinates are the patient's, in mm: x to the left, y to the back, z to the head (DICOM's LPS).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]
_STRIDE = 8


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """Centre and semi-axes in mm; ``tilt`` turns it in the frontal plane (radians, x towards z)."""

    x: float
    y: float
    z: float
    a: float
    b: float
    c: float
    tilt: float = 0.0

    def level(self, x: Map, z: Map) -> Map:
        """(x, z) → 1 at the axis, 0 at the silhouette, negative outside."""
        u, w = self._turned(x, z)
        u /= np.float32(self.a)
        w /= np.float32(self.c)
        np.square(u, out=u)
        np.square(w, out=w)
        return np.float32(1.0) - u - w

    def interval(self, x: Map, z: Map) -> tuple[Map, Map]:
        """Where the ray through (x, z) along y enters and leaves, in mm; equal where it misses."""
        half = np.zeros_like(x)
        seen = self._window(x, z)
        half[seen] = self.b * np.sqrt(np.maximum(self.level(x[seen], z[seen]), 0.0))
        return self.y - half, self.y + half

    def _window(self, x: Map, z: Map) -> tuple[slice, slice]:
        """The rows and columns of a picture that can see it, found on a coarse grid: the rest need not be computed."""
        across, up = self.reach()
        coarse = (np.abs(x[::_STRIDE, ::_STRIDE] - self.x) <= across) & (np.abs(z[::_STRIDE, ::_STRIDE] - self.z) <= up)
        rows, columns = np.flatnonzero(coarse.any(axis=1)), np.flatnonzero(coarse.any(axis=0))
        if not len(rows):
            return slice(None), slice(None)  # smaller than the grid, or outside
        return _around(rows), _around(columns)

    def contains(self, x: Map, y: Map, z: Map) -> npt.NDArray[np.bool_]:
        """Whether points lie inside."""
        u, w = self._turned(x, z)
        inside: npt.NDArray[np.bool_] = (u / self.a) ** 2 + ((y - self.y) / self.b) ** 2 + (w / self.c) ** 2 <= 1.0
        return inside

    def reach(self) -> tuple[float, float]:
        """Half the extent of the bounding box along x and z, in mm."""
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        return math.hypot(self.a * cos, self.c * sin), math.hypot(self.a * sin, self.c * cos)

    def _turned(self, x: Map, z: Map) -> tuple[Map, Map]:
        dx, dz = x - np.float32(self.x), z - np.float32(self.z)
        if not self.tilt:
            return dx, dz
        cos, sin = np.float32(math.cos(self.tilt)), np.float32(math.sin(self.tilt))
        return dx * cos + dz * sin, dz * cos - dx * sin


def _around(found: npt.NDArray[np.intp]) -> slice:
    return slice(max(0, int(found[0] - 1) * _STRIDE), int(found[-1] + 1) * _STRIDE + 1)


def overlap(first: tuple[Map, Map], second: tuple[Map, Map]) -> Map:
    """Length in mm that two intervals along the ray share."""
    shared: Map = np.maximum(np.minimum(first[1], second[1]) - np.maximum(first[0], second[0]), 0.0)
    return shared


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points (n, 3) in mm, each standing for ``volume`` mm³ of material: ribs, vessels, airways."""

    points: npt.NDArray[np.float32]
    volume: npt.NDArray[np.float32]


def tube(
    path: npt.NDArray[np.float64], radius: npt.NDArray[np.float64], rng: np.random.Generator, per_mm: float = 10.0
) -> Cloud:
    """A tube around a curve.

    Args:
        path: (n, 3) points in mm.
        radius: (n,) in mm.
        per_mm: points for each mm of length.
    """
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    count = max(8, int(along[-1] * per_mm))
    where = rng.uniform(0.0, along[-1], count)
    centre = np.stack([np.interp(where, along, path[:, axis]) for axis in range(3)], axis=1)
    radii = np.interp(where, along, radius)
    direction = rng.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    offset = direction * (radii * np.cbrt(rng.uniform(size=count)))[:, None]
    volume = np.pi * radii**2 * along[-1] / count
    return Cloud((centre + offset).astype(np.float32), volume.astype(np.float32))


def joined(clouds: list[Cloud]) -> Cloud:
    """Several clouds as one."""
    if not clouds:
        return Cloud(np.zeros((0, 3), np.float32), np.zeros(0, np.float32))
    return Cloud(np.concatenate([item.points for item in clouds]), np.concatenate([item.volume for item in clouds]))
