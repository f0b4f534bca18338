"""A chest radiograph of an anatomy: line integrals, scatter, detector blur, Poisson noise, logarithm.

Attenuation is that of an effective energy near 70 keV: water 0.0193 per mm (NIST XCOM), lung a
quarter of it, cortical bone about 1.9 times. The beam is parallel; an antero-posterior film magnifies
the heart instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medfm_gui.imaging.phantom.anatomy import Anatomy
from medfm_gui.imaging.phantom.shapes import Cloud, Ellipsoid, Map, overlap

SIZE = 512
SPACING_MM = 0.72
WATER_PER_MM = 0.0193
LUNG, BONE, NODULE = 0.26, 0.62, 1.45
"""Relative to water; bone as what it adds to soft tissue; nodules are partly calcified."""
PHOTONS = 60_000.0
SCATTER = 0.55
EQUALISING = 0.35


@dataclass(frozen=True, slots=True)
class Pose:
    """How a patient stands before one exposure: shift in mm, turn in radians, inspiration and magnification near 1."""

    view: str
    shift_x: float
    shift_z: float
    turn: float
    inspiration: float
    heart_magnification: float
    dose: float


@dataclass(frozen=True, slots=True)
class Film:
    """A radiograph: ``pixels`` (512, 512) uint16 with bone bright, and masks (512, 512) of what lies behind them."""

    pixels: npt.NDArray[np.uint16]
    organs: npt.NDArray[np.uint8]
    """1 right lung, 2 left lung, 3 heart."""
    nodules: npt.NDArray[np.uint8]


def draw_pose(rng: np.random.Generator) -> Pose:
    """A pose as they happen: most films are postero-anterior and well centred."""
    view = "PA" if rng.random() < 0.7 else "AP"
    return Pose(
        view=view,
        shift_x=float(rng.normal(0, 6)),
        shift_z=float(rng.normal(0, 8)),
        turn=float(rng.normal(0, 0.02)),
        inspiration=float(rng.normal(1.0 if view == "PA" else 0.94, 0.03)),
        heart_magnification=1.0 if view == "PA" else 1.14,
        dose=float(rng.lognormal(0, 0.25)),
    )


def expose(anatomy: Anatomy, pose: Pose, rng: np.random.Generator) -> Film:
    """Take one radiograph."""
    x, z = _plane(pose)
    heart = replace(
        anatomy.heart, a=anatomy.heart.a * pose.heart_magnification, c=anatomy.heart.c * pose.heart_magnification
    )
    lungs = tuple(replace(lung, c=lung.c * pose.inspiration) for lung in anatomy.lungs)
    water, organs = _soft_tissue(anatomy, lungs, heart, x, z)
    water += _bones(anatomy, x, z, pose)
    nodules = np.zeros((SIZE, SIZE), np.uint8)
    for nodule in anatomy.nodules:
        low, high = nodule.interval(x, z)
        thickness = high - low
        water += (NODULE - LUNG) * thickness
        nodules[thickness > 2.0] = 1
    return Film(_detected(water, pose, rng), organs, nodules)


def _plane(pose: Pose) -> tuple[Map, Map]:
    """Patient coordinates (x, z) of every pixel: left to the right of the picture, head up."""
    half = SIZE * SPACING_MM / 2
    axis = (np.arange(SIZE, dtype=np.float32) + 0.5) * SPACING_MM - half
    column, row = np.meshgrid(axis, -axis)
    cos, sin = np.float32(np.cos(pose.turn)), np.float32(np.sin(pose.turn))
    return column * cos + row * sin - np.float32(pose.shift_x), row * cos - column * sin - np.float32(pose.shift_z)


def _soft_tissue(
    anatomy: Anatomy, lungs: tuple[Ellipsoid, ...], heart: Ellipsoid, x: Map, z: Map
) -> tuple[Map, npt.NDArray[np.uint8]]:
    """Water-equivalent path in mm of everything soft, and the organ masks."""
    water = _trunk(anatomy, x, z)
    for shoulder in anatomy.shoulders:
        low, high = shoulder.interval(x, z)
        water = np.sqrt(water**2 + (high - low) ** 2)
    for breast in anatomy.breasts:
        water += breast.b * np.maximum(breast.level(x, z), 0.0) ** 1.5
    organs = np.zeros((SIZE, SIZE), np.uint8)
    middle = anatomy.mediastinum.interval(x, z)
    solid = (heart.interval(x, z), anatomy.arch.interval(x, z), *(hilum.interval(x, z) for hilum in anatomy.hila))
    for label, (lung, dome) in enumerate(zip(lungs, anatomy.domes, strict=True), start=1):
        air = lung.interval(x, z)
        length = air[1] - air[0]
        taken = overlap(air, dome.interval(x, z))
        taken = np.maximum(taken, overlap(air, solid[0]))
        for other in (*solid[1:], middle):
            taken = np.maximum(taken, 0.75 * overlap(air, other))
        aerated = np.maximum(length - taken, 0.0)
        water -= (1.0 - LUNG) * aerated
        organs[aerated > 12.0] = label
    organs[(heart.level(x, z) > 0) & (organs == 0)] = 3
    return water, organs


def _trunk(anatomy: Anatomy, x: Map, z: Map) -> Map:
    """The trunk narrows to the neck; its depth follows an ellipse."""
    neck = 1.0 / (1.0 + np.exp(-(z - 178.0) / 9.0))
    half_width = anatomy.half_width * (1 - neck) + 62.0 * neck
    half_depth = anatomy.half_depth * (1 - 0.35 * neck)
    inside = np.maximum(1.0 - np.abs(x / half_width) ** 2.5, 0.0)
    path: Map = (2.0 * half_depth * np.sqrt(inside)).astype(np.float32)
    return path


def _bones(anatomy: Anatomy, x: Map, z: Map, pose: Pose) -> Map:
    """Extra water-equivalent path in mm of bone, and what vessels add and airways take away."""
    low, high = anatomy.spine.interval(x, z)
    discs = 0.62 + 0.38 * np.clip(np.cos(z * (2 * np.pi / 24.0)) * 2.2 + 0.6, 0, 1)
    extra: Map = (BONE * discs * (high - low)).astype(np.float32)
    for scapula in anatomy.scapulae:
        low, high = scapula.interval(x, z)
        extra += 0.5 * (high - low)
    extra += _projected(anatomy.ribs, pose, weight=BONE)
    extra += _projected(anatomy.clavicles, pose, weight=BONE)
    extra += _projected(anatomy.vessels, pose, weight=1.0 - LUNG)
    extra -= _projected(anatomy.trachea, pose, weight=0.9)
    return extra


def _projected(cloud: Cloud, pose: Pose, *, weight: float) -> Map:
    """Thickness in mm of a cloud, seen from the front, slightly blurred against the grain of its points."""
    cos, sin = np.cos(pose.turn), np.sin(pose.turn)
    x, z = cloud.points[:, 0] + pose.shift_x, cloud.points[:, 2] + pose.shift_z
    half = SIZE * SPACING_MM / 2
    column = ((x * cos - z * sin + half) / SPACING_MM).astype(np.int64)
    row = ((half - (x * sin + z * cos)) / SPACING_MM).astype(np.int64)
    seen = (column >= 0) & (column < SIZE) & (row >= 0) & (row < SIZE)
    counted = np.bincount(row[seen] * SIZE + column[seen], weights=cloud.volume[seen], minlength=SIZE * SIZE)
    thickness = counted.reshape(SIZE, SIZE).astype(np.float32) * np.float32(weight / SPACING_MM**2)
    blurred: Map = ndimage.gaussian_filter(thickness, 1.5)
    return blurred


def _detected(water: Map, pose: Pose, rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    """From water-equivalent path to stored values: exposure, scatter, blur, noise, logarithm, 14 bits."""
    primary = np.exp(-WATER_PER_MM * np.maximum(water, 0.0))
    wide = ndimage.zoom(ndimage.gaussian_filter(primary[::8, ::8], 8.0), 8, order=1)
    total = ndimage.gaussian_filter(primary + SCATTER * wide, 0.6)
    counts = rng.poisson(PHOTONS * pose.dose * total).astype(np.float32)
    density = -np.log(np.maximum(counts, 1.0) / (PHOTONS * pose.dose * (1 + SCATTER)))
    coarse = ndimage.zoom(ndimage.gaussian_filter(density[::8, ::8], 5.0), 8, order=1)
    density = density - EQUALISING * (coarse - coarse.mean())  # what a console does before a reader sees the film
    low, high = np.percentile(density[::4, ::4], (1.0, 99.5))
    scaled = np.clip((density - low) / max(high - low, 1e-6), -0.08, 1.15)
    stored: npt.NDArray[np.uint16] = np.rint((scaled + 0.1) * 12_500).astype(np.uint16)
    return stored
