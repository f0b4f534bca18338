"""A patient drawn from a seed: habitus, lungs, heart, bones, vessels, and perhaps nodules.

Sizes follow adult anatomy as textbooks give it (chest width about 30 cm, lungs about 25 cm high,
cardiothoracic ratio 0.42–0.55, nodules below 3 cm); none is taken from a real person.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medfm_gui.imaging.phantom.shapes import Cloud, Ellipsoid, joined, tube

SMALLEST_NODULE_MM, LARGEST_NODULE_MM = 11.0, 15.0
"""Radius. Nodules are below 3 cm; smaller ones than 2 cm are hardly seen on a radiograph."""


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One patient. ``half_width`` and ``half_depth`` of the trunk in mm; clouds in patient coordinates."""

    sex: str
    age_years: int
    half_width: float
    half_depth: float
    lungs: tuple[Ellipsoid, Ellipsoid]
    domes: tuple[Ellipsoid, Ellipsoid]
    heart: Ellipsoid
    mediastinum: Ellipsoid
    arch: Ellipsoid
    hila: tuple[Ellipsoid, Ellipsoid]
    shoulders: tuple[Ellipsoid, Ellipsoid]
    breasts: tuple[Ellipsoid, ...]
    scapulae: tuple[Ellipsoid, Ellipsoid]
    spine: Ellipsoid
    ribs: Cloud
    clavicles: Cloud
    vessels: Cloud
    trachea: Cloud
    nodules: tuple[Ellipsoid, ...]


def draw_patient(seed: int, number: int, *, nodule: bool) -> Anatomy:
    """The anatomy of patient ``number``; the same for the same arguments, and the same body with or without nodule."""
    rng = np.random.default_rng([seed, number])
    size = rng.normal(1.0, 0.05)
    sex = "F" if rng.random() < 0.5 else "M"
    size *= 0.95 if sex == "F" else 1.03
    half_width, half_depth = 158 * size * rng.normal(1, 0.05), 108 * size * rng.normal(1, 0.07)
    lungs = _lungs(rng, size, half_depth)
    heart = Ellipsoid(
        22 * size, -26, -58 * size, 66 * size * rng.normal(1, 0.08), 48 * size, 52 * size * rng.normal(1, 0.07), -0.55
    )
    domes = (
        Ellipsoid(-78 * size, -5, -178 * size + rng.normal(0, 7), 84 * size, 96 * size, 88 * size),
        Ellipsoid(80 * size, -5, -190 * size + rng.normal(0, 7), 82 * size, 96 * size, 86 * size),
    )
    breasts: tuple[Ellipsoid, ...] = ()
    if sex == "F":
        volume = rng.normal(1.0, 0.2)
        breasts = tuple(
            Ellipsoid(side * 78 * size, -half_depth + 5, -62 * size, 58 * volume, 34 * volume, 50 * volume)
            for side in (-1, 1)
        )
    vessels, trachea = _airways_and_vessels(rng, size)
    ribs = _ribs(rng, size, half_width, half_depth)
    clavicles = _clavicles(rng, size)
    own = np.random.default_rng([seed, number, 1])
    return Anatomy(
        sex=sex,
        age_years=int(np.clip(rng.normal(60, 14), 20, 89)),
        half_width=half_width,
        half_depth=half_depth,
        lungs=lungs,
        domes=domes,
        heart=heart,
        mediastinum=Ellipsoid(0, 10, 30, 30 * size * rng.normal(1, 0.12), 62, 190),
        arch=Ellipsoid(27 * size, 5, 66 * size, 21 * rng.normal(1, 0.12), 34, 22),
        hila=(Ellipsoid(-38 * size, 12, 8, 15, 20, 24), Ellipsoid(40 * size, 12, 16, 15, 20, 22)),
        shoulders=(
            Ellipsoid(-132 * size, 10, 128 * size, 74, 72, 96, -0.75),
            Ellipsoid(132 * size, 10, 128 * size, 74, 72, 96, 0.75),
        ),
        breasts=breasts,
        scapulae=(
            Ellipsoid(-118 * size, 82, 78, 30, 4, 66, 0.22),
            Ellipsoid(118 * size, 82, 78, 30, 4, 66, -0.22),
        ),
        spine=Ellipsoid(0, 62 * size, 0, 17 * size, 17 * size, 900),
        ribs=ribs,
        clavicles=clavicles,
        vessels=vessels,
        trachea=trachea,
        nodules=_nodules(own, lungs, domes, heart) if nodule else (),
    )


def _lungs(rng: np.random.Generator, size: float, half_depth: float) -> tuple[Ellipsoid, Ellipsoid]:
    height = 136 * size * rng.normal(1, 0.05)
    width = 60 * size * rng.normal(1, 0.04)
    depth = half_depth * 0.78
    return (
        Ellipsoid(-74 * size, 4, 6 * size, width * 1.05, depth, height, 0.10),
        Ellipsoid(74 * size, 4, 4 * size, width, depth, height, -0.10),
    )


def _ribs(rng: np.random.Generator, size: float, half_width: float, half_depth: float) -> Cloud:
    clouds = []
    drop = rng.normal(62, 6) * size
    for number in range(11):
        top = (152 - 24.5 * number) * size
        spread = min(1.0, 0.62 + 0.09 * number)
        across, deep = half_width * 0.84 * spread, half_depth * 0.83 * min(1.0, 0.8 + 0.05 * number)
        angle = np.linspace(math.radians(82), math.radians(-58 + 4 * max(0, number - 6)), 60)
        progress = np.linspace(0, 1, 60)
        for side in (-1, 1):
            path = np.stack([side * across * np.cos(angle), deep * np.sin(angle), top - drop * progress**1.15], axis=1)
            radius = np.interp(progress, [0, 0.2, 0.7, 1], [5.2, 4.6, 4.0, 3.4])
            clouds.append(tube(path, radius * size, rng, per_mm=9))
    return joined(clouds)


def _clavicles(rng: np.random.Generator, size: float) -> Cloud:
    clouds = []
    for side in (-1, 1):
        lift = rng.normal(0, 5)
        path = np.array(
            [[side * 18, -58, 128 + lift], [side * 60, -52, 138 + lift], [side * 105, -20, 142], [side * 150, 5, 156]]
        )
        clouds.append(tube(path * size, np.array([7.0, 5.0, 4.5, 5.5]), rng, per_mm=14))
    return joined(clouds)


def _airways_and_vessels(rng: np.random.Generator, size: float) -> tuple[Cloud, Cloud]:
    clouds: list[Cloud] = []
    for side in (-1, 1):
        hilum = np.array([side * 40.0, 12.0, 10.0]) * size
        for fan in np.linspace(-1.35, 1.35, 9):
            direction = np.array([side * math.cos(fan), rng.normal(0, 0.45), math.sin(fan) - 0.25])
            _branch(rng, clouds, hilum, direction, length=54 * size * rng.normal(1, 0.15), radius=3.6, depth=3)
    top = np.array([[0, 18, 175], [-2, 14, 110], [-3, 10, 52]]) * size
    left = np.array([[-3, 10, 52], [20, 10, 30], [38, 12, 18]]) * size
    right = np.array([[-3, 10, 52], [-20, 10, 26], [-36, 12, 12]]) * size
    trachea = joined(
        [
            tube(top, np.full(3, 8.5), rng, 30),
            tube(left, np.full(3, 5.5), rng, 25),
            tube(right, np.full(3, 6.0), rng, 25),
        ]
    )
    return joined(clouds), trachea


def _branch(
    rng: np.random.Generator,
    clouds: list[Cloud],
    start: npt.NDArray[np.float64],
    direction: npt.NDArray[np.float64],
    *,
    length: float,
    radius: float,
    depth: int,
) -> None:
    direction = direction / np.linalg.norm(direction)
    bend = rng.normal(0, 0.12, 3)
    path = np.stack([start + direction * length * part + bend * length * part**2 for part in np.linspace(0, 1, 6)])
    clouds.append(tube(path, np.linspace(radius, radius * 0.72, 6), rng, per_mm=5))
    if depth:
        for _ in range(2):
            turned = direction + rng.normal(0, 0.42, 3)
            _branch(
                rng,
                clouds,
                path[-1],
                turned,
                length=length * rng.uniform(0.6, 0.85),
                radius=radius * 0.66,
                depth=depth - 1,
            )


def _nodules(
    rng: np.random.Generator, lungs: tuple[Ellipsoid, Ellipsoid], domes: tuple[Ellipsoid, Ellipsoid], heart: Ellipsoid
) -> tuple[Ellipsoid, ...]:
    """One to three nodules inside the lungs, clear of heart and diaphragm."""
    wanted = int(rng.choice([1, 2, 3], p=[0.3, 0.35, 0.35]))
    found: list[Ellipsoid] = []
    while len(found) < wanted:
        lung = lungs[int(rng.integers(2))]
        radius = float(rng.uniform(SMALLEST_NODULE_MM, LARGEST_NODULE_MM))
        where = rng.uniform(-0.8, 0.8, 3)
        if np.linalg.norm(where) > 0.85:
            continue
        x, y, z = lung.x + where[0] * lung.a, lung.y + where[1] * lung.b, lung.z + where[2] * lung.c
        point = tuple(np.array([value], np.float32) for value in (x, y, z))
        if any(organ.contains(*point)[0] for organ in (*domes, heart)):
            continue
        axes = radius * rng.uniform(0.85, 1.15, 3)
        found.append(Ellipsoid(x, y, z, *map(float, axes)))
    return tuple(found)
