"""A volume out of one file, and its slices as a reader of DICOM would see them.

Readers hand on voxels in the axes of the file with a matrix from index to place, in DICOM's patient frame (LPS: x to
the left, y to the back, z to the head; NIfTI's own is RAS). ``frames_of`` makes slices of them, always along the
**third axis of the file**: converters keep the direction of acquisition there, and published counts of slices mean it.
Rows and columns are turned to the nearest radiological view (axial: the patient's right at the left, front on top;
coronal: head on top; sagittal: front at the left, head on top), and slices ascend along the normal of their plane, as
those of a DICOM series do. Voxels are never resampled. Without a known place everything stays as stored, and that is
said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medfm_gui.imaging.reasons import Reason, refusal
from medfm_gui.imaging.window import Window, percentile_window

MAX_VOLUME_BYTES = 5 << 29
"""What the voxels of one file may take when decompressed, 2.5 GiB: a long CT in numbers of 64 bits has 2."""
NO_PLACE = "The file does not say how the patient lies: rows and columns are shown as stored."
SHEARED = "The slices are sheared against their normal (gantry tilt)."
FIRST_VOLUME = "The file holds several volumes (channels or points in time); the first was taken."
_STEEPEST = math.radians(0.5)
_SAMPLED = 2_000_000

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Voxels:
    """Stored numbers (columns × rows × slices, or × 3 of colour) in the order of the file's axes.

    ``to_lps`` is 4 × 4, voxel index to mm in DICOM's patient frame; None where the file says nothing of it. A value is
    stored × slope + intercept.
    """

    stored: npt.NDArray[Any]
    to_lps: npt.NDArray[np.float64] | None = None
    slope: float = 1.0
    intercept: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where slices lie, in mm of LPS: first voxel of the first one, directions of a row and a column, distances.

    ``spacing`` is (between rows, between columns); ``positions`` are those of the slices along their normal.
    """

    origin: Vector
    orientation: tuple[float, float, float, float, float, float]
    spacing: tuple[float, float]
    positions: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Slices:
    """Slices × rows × columns (× 3), a view of the voxels, with their place."""

    stored: npt.NDArray[Any]
    place: Place | None
    slope: float
    intercept: float
    notes: tuple[str, ...]

    @property
    def is_colour(self) -> bool:
        """Whether a voxel has red, green and blue."""
        return self.stored.ndim == 4

    def values(self, index: int) -> npt.NDArray[np.float32]:
        """One slice in the units of the file."""
        one: npt.NDArray[Any] = self.stored[index]
        if (self.slope, self.intercept) == (1.0, 0.0):
            return one.astype(np.float32)
        return (one.astype(np.float64) * self.slope + self.intercept).astype(np.float32)

    def window(self) -> Window:
        """From the 1st to the 99th percentile of the whole volume, so that all its slices look alike."""
        # thinned in every direction, so that nothing is copied
        step = max(1, math.ceil((self.stored.size / _SAMPLED) ** (1 / 3)))
        sample = self.stored[::step, ::step, ::step].astype(np.float64) * self.slope + self.intercept
        return percentile_window(sample)


def check_budget(shape: tuple[int, ...], item_bytes: int) -> None:
    """Refuse what no file of a patient has, before memory is taken for it.

    Raises:
        UnreadableFile: ``bad_header`` or ``too_large``.
    """
    if not shape or min(shape) < 1:
        raise refusal(Reason.BAD_HEADER, "The header gives the volume a side without voxels.")
    if math.prod(shape) * item_bytes > MAX_VOLUME_BYTES:
        said = " × ".join(str(side) for side in shape)
        raise refusal(
            Reason.TOO_LARGE, f"The header says {said} voxels; the limit is {MAX_VOLUME_BYTES >> 20} MB of them."
        )


def frames_of(voxels: Voxels) -> Slices:
    """The slices of a volume, turned as the module says.

    Raises:
        UnreadableFile: the place is none (not a number, or voxels without size).
    """
    stored = voxels.stored
    if voxels.to_lps is None:
        turned = np.moveaxis(stored, (0, 1, 2), (2, 1, 0))
        return Slices(turned, None, voxels.slope, voxels.intercept, (*voxels.notes, NO_PLACE))
    matrix = checked_matrix(voxels.to_lps)
    steps, origin = matrix[:3, :3], matrix[:3, 3]
    lengths = np.linalg.norm(steps, axis=0)
    axes, signs = _view(steps / lengths)
    turned = np.moveaxis(stored, axes, (2, 1, 0))
    for axis, at in zip(axes, (2, 1, 0), strict=True):
        if signs[axis] < 0:
            turned = np.flip(turned, at)
            origin = origin + steps[:, axis] * (stored.shape[axis] - 1)
    along_row, along_column, along_slices = (steps[:, axis] * signs[axis] for axis in axes)
    row, column = along_row / lengths[axes[0]], along_column / lengths[axes[1]]
    normal = np.cross(row, column)
    normal /= np.linalg.norm(normal)
    first, step = float(normal @ origin), float(normal @ along_slices)
    tilted = abs(step) < math.cos(_STEEPEST) * lengths[axes[2]] or abs(float(row @ column)) > math.sin(_STEEPEST)
    place = Place(
        origin=_vector(origin),
        orientation=(*_vector(row), *_vector(column)),
        spacing=(round(float(lengths[axes[1]]), 6), round(float(lengths[axes[0]]), 6)),
        positions=tuple(round(first + step * number, 4) for number in range(turned.shape[0])),
    )
    notes = (*voxels.notes, SHEARED) if tilted else voxels.notes
    return Slices(turned, place, voxels.slope, voxels.intercept, notes)


def checked_matrix(to_lps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The matrix, if it can be one.

    Raises:
        UnreadableFile: it holds what is no number, or voxels have no size.
    """
    if to_lps.shape != (4, 4) or not np.isfinite(to_lps).all():
        raise refusal(Reason.BAD_HEADER, "The header's place in the patient (affine) holds what is not a number.")
    if abs(float(np.linalg.det(to_lps[:3, :3]))) < 1e-9:
        raise refusal(Reason.BAD_HEADER, "The header gives the voxels no size (its affine cannot be inverted).")
    return to_lps


_VIEWS = (
    ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
)
"""For slices across x, y, z: where a row and a column of the picture should lead, in LPS."""


def _view(directions: npt.NDArray[np.float64]) -> tuple[tuple[int, int, int], dict[int, int]]:
    """Which axis of the file runs along a row, a column and the slices, and which are turned round (−1)."""
    first, second, third = directions.T
    across = int(np.argmax(np.abs(np.cross(first, second))))
    row, column = (np.asarray(way) for way in _VIEWS[across])
    straight = abs(first @ row) + abs(second @ column)
    crossed = abs(first @ column) + abs(second @ row)
    axes = (0, 1, 2) if straight >= crossed else (1, 0, 2)
    along = {0: first, 1: second}
    signs = {
        axes[0]: -1 if along[axes[0]] @ row < 0 else 1,
        axes[1]: -1 if along[axes[1]] @ column < 0 else 1,
    }
    normal = np.cross(along[axes[0]] * signs[axes[0]], along[axes[1]] * signs[axes[1]])
    signs[2] = -1 if third @ normal < 0 else 1
    return axes, signs


def _vector(values: npt.NDArray[np.float64]) -> Vector:
    x, y, z = (round(float(value), 6) + 0.0 for value in values)
    return x, y, z
