"""Images of a dataset that show the same exposure though their pixels differ: recompressed, cropped, turned, brighter.

Small descriptors propose, registration decides (``registration.agreement``). A descriptor holds low frequencies of the
square picture, once for each way to turn or mirror it. Which differences between two descriptors matter is learnt
from the dataset itself: some of its pictures are cropped and made brighter, and directions in which that moves them
count for little. The time of the search grows with the square of the number of images; memory grows linearly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn
from threadpoolctl import threadpool_limits

from medfm_gui.datasets import registration
from medfm_gui.datasets.registration import Agreement, Grey, Prepared
from medfm_gui.imaging.picture import Pixels

METHOD = "descriptors propose, registration decides (128 px, 1)"
"""Named in certificates; another way to look must have another name, for results are kept under it."""
LEAST_SIDE = 64
"""Pixels along an image's shorter side below which it is not compared."""
SHARE = 0.65
"""Share of blocks that must agree in fine structure…"""
CORRELATION = 0.65
"""…the median of their correlations…"""
TOGETHER = 1.5
"""…and both together, of 2."""
_BLOCKS = 12
"""Blocks with structure below which a picture is mostly background and not judged."""
_FEW_BLOCKS = 48
_SHARE_OF_FEW = 0.8
"""Where few blocks have structure, strangers may share a rim or a frame; then more of them must agree."""
_SIDE = 32
_FREQUENCIES = 12
_DIMENSIONS = 32
_RIDGE = 0.05
_LEARNT_FROM = 300
_CROPPED = 0.13
"""Of each side at most, in a variant."""
_NEIGHBOURS = 8
_REACH = 0.8
"""Within this share of what 99.5 % of variants keep to lies what is proposed; variants are cropped more than needed."""
_UNSURE = 100
"""The fewer images there were to learn from, the farther is looked: twice as far at this many."""
_ROWS = 512
_KEPT = 1024
"""Prepared pictures kept in memory at most (0.15 MB each)."""

Progress = Callable[[int, int], None]


class Images(Protocol):
    """Where pixels come from: ``datasets.pixels.PixelCache``."""

    def image(self, sample_id: str) -> Pixels:
        """H×W or H×W×3, uint8 or uint16."""
        ...


@dataclass(frozen=True, slots=True)
class NearPair:
    """Two samples that show the same exposure, ``a`` before ``b`` in the dataset; see ``registration.Agreement``."""

    a: str
    b: str
    share: float
    correlation: float
    way: int = 0


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """All pairs of a dataset, and what was looked at: ``left_out`` are too small, blank or no single picture."""

    method: str
    compared: int
    left_out: int
    proposed: int
    pairs: tuple[NearPair, ...]


def find_near_duplicates(
    images: Images, samples: Sequence[str], *, seed: int = 0, on_progress: Progress | None = None
) -> NearDuplicates:
    """All pairs among these samples.

    Args:
        samples: ids, in the order of the dataset.
        on_progress: told of ``done`` and ``total``; raises where the work is to stop.
    """
    tell = on_progress or (lambda done, total: None)
    with threadpool_limits(1, "blas"):
        names, squares = _squares(images, samples, tell)
    if len(names) < 2:
        return NearDuplicates(METHOD, len(names), len(samples) - len(names), 0, ())
    project, reach = _learnt(images, names, seed)
    reach *= 1 + _UNSURE / len(names)
    proposed = _proposed(squares, project, reach, lambda done, total: tell(len(samples), 2 * len(samples)))
    bands = np.stack([registration.rough(np.asarray(one, dtype=np.float32)) for one in squares]).astype(np.float16)
    del squares

    @lru_cache(maxsize=_KEPT)
    def prepared(number: int) -> Prepared:
        return registration.prepare(registration.square(images.image(names[number])))

    pairs = []
    with threadpool_limits(1, "blas"):
        for done, (first, second, way) in enumerate(proposed):
            if done % 32 == 0:
                tell(len(samples) + done * len(samples) // len(proposed), 2 * len(samples))
            if not _is_worth_while(bands[first], bands[second], way):
                continue
            found = registration.agreement(prepared(first), prepared(second), (way,))
            if _is_same(found):
                pair = NearPair(
                    names[first], names[second], round(found.share, 3), round(found.correlation, 3), found.way
                )
                pairs.append(pair)
    tell(2 * len(samples), 2 * len(samples))
    return NearDuplicates(METHOD, len(names), len(samples) - len(names), len(proposed), tuple(pairs))


def find_among(
    images: Images, candidates: Sequence[tuple[str, str]], known: NearDuplicates, *, on_progress: Progress | None = None
) -> NearDuplicates:
    """What was found before, with those of other candidates that registration confirms.

    Args:
        candidates: pairs of ids that something else proposes, e.g. neighbours in a feature bank.
        on_progress: as ``find_near_duplicates``.
    """
    tell = on_progress or (lambda done, total: None)
    there = {frozenset((pair.a, pair.b)) for pair in known.pairs}
    fresh = [pair for pair in candidates if frozenset(pair) not in there]

    @lru_cache(maxsize=_KEPT)
    def prepared(name: str) -> Prepared | None:
        image = images.image(name)
        if not _is_comparable(image):
            return None
        whole = registration.square(image)
        return registration.prepare(whole) if whole.any() else None

    pairs = list(known.pairs)
    with threadpool_limits(1, "blas"):
        for done, (first, second) in enumerate(fresh):
            if done % 32 == 0:
                tell(done, len(fresh))
            one, other = prepared(first), prepared(second)
            found = registration.agreement(one, other) if one is not None and other is not None else None
            if found is not None and _is_same(found):
                pairs.append(NearPair(first, second, round(found.share, 3), round(found.correlation, 3), found.way))
    tell(len(fresh), len(fresh))
    return replace(known, proposed=known.proposed + len(fresh), pairs=tuple(pairs))


def _is_comparable(image: Pixels) -> bool:
    """Whether it is one picture, and large enough."""
    return image.ndim in (2, 3) and (image.ndim == 2 or image.shape[2] == 3) and min(image.shape[:2]) >= LEAST_SIDE


def _is_worth_while(first: NDArray[np.float16], second: NDArray[np.float16], way: int) -> bool:
    """A cheap look that most strangers do not pass; their pixels need not be read again."""
    still = np.asarray(first, dtype=np.float32)
    return registration.is_worth_while(still, registration.turned(np.asarray(second, dtype=np.float32), way))


def _is_same(found: Agreement) -> bool:
    if found.blocks < _FEW_BLOCKS and found.share < _SHARE_OF_FEW:
        return False
    strong = found.share >= SHARE and found.correlation >= CORRELATION and found.share + found.correlation >= TOGETHER
    return strong and found.blocks >= _BLOCKS


def _squares(images: Images, samples: Sequence[str], tell: Progress) -> tuple[list[str], NDArray[np.float16]]:
    """Small squares of the samples that have a picture with anything in it."""
    names: list[str] = []
    squares = np.empty((len(samples), _SIDE, _SIDE), dtype=np.float16)
    for done, name in enumerate(samples):
        if done % 64 == 0:
            tell(done, 2 * len(samples))
        image = images.image(name)
        if not _is_comparable(image):
            continue
        small = registration.square(image, _SIDE)
        if small.any():
            squares[len(names)] = small
            names.append(name)
    return names, squares[: len(names)]


def _proposed(
    squares: NDArray[np.float16], project: NDArray[np.float32], reach: float, tell: Progress
) -> list[tuple[int, int, int]]:
    """Pairs of row numbers worth a closer look, the first below the second, and how the second is to be turned."""
    points = _points(squares, project, 0)
    turned = [points, *(_points(squares, project, way) for way in registration.WAYS[1:])]
    lengths = [(found**2).sum(axis=1) for found in turned]
    ways: dict[tuple[int, int], tuple[float, int]] = {}
    for start in range(0, len(points), _ROWS):
        tell(start, len(points))
        rows = points[start : start + _ROWS]
        close: list[list[tuple[float, int, int]]] = [[] for _ in rows]
        for way, (others, sizes) in enumerate(zip(turned, lengths, strict=True)):
            distances = lengths[0][start : start + _ROWS, None] + sizes[None, start:] - 2 * rows @ others[start:].T
            distances[np.tril_indices(len(rows))] = np.inf  # a pair is looked at once, from the row of its first
            for row, column, distance in _nearest(distances, reach):
                close[row].append((distance, start + column, way))
        for row, found in enumerate(close):
            for distance, column, way in sorted(found)[:_NEIGHBOURS]:
                pair = (start + row, column)
                ways[pair] = min(ways.get(pair, (distance, way)), (distance, way))
    return sorted((first, second, way) for (first, second), (_, way) in ways.items())


def _nearest(distances: NDArray[np.float32], reach: float) -> list[tuple[int, int, float]]:
    """Row, column and distance of what lies within reach, at most a few a row."""
    rows, columns = np.nonzero(distances < reach)
    crowded = np.flatnonzero(np.bincount(rows, minlength=len(distances)) > _NEIGHBOURS)
    if crowded.size:
        kept = ~np.isin(rows, crowded)
        nearest = np.argpartition(distances[crowded], _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
        rows = np.concatenate([rows[kept], np.repeat(crowded, _NEIGHBOURS)])
        columns = np.concatenate([columns[kept], nearest.ravel()])
    return list(zip(rows.tolist(), columns.tolist(), distances[rows, columns].tolist(), strict=True))


def _points(squares: NDArray[np.float16], project: NDArray[np.float32], way: int) -> NDArray[np.float32]:
    """n × k numbers of n squares turned in one way."""
    parts = (squares[start : start + _ROWS] for start in range(0, len(squares), _ROWS))
    return np.concatenate(
        [_waves(registration.turned(np.asarray(part, dtype=np.float32), way)) @ project for part in parts]
    )


def _waves(squares: NDArray[np.floating]) -> NDArray[np.float32]:
    """The low frequencies of n square pictures: n × 143 coefficients of the cosine transform."""
    waves = dctn(np.asarray(squares, dtype=np.float32), axes=(1, 2), norm="ortho")[:, :_FREQUENCIES, :_FREQUENCIES]
    return np.asarray(waves.reshape(len(waves), -1)[:, 1:], dtype=np.float32)


def _learnt(images: Images, names: Sequence[str], seed: int) -> tuple[NDArray[np.float32], float]:
    """A projection (143 × k) under which variants of a picture lie close, and the squared distance called close."""
    draw = np.random.default_rng(seed)
    chosen = [names[number] for number in draw.permutation(len(names))[:_LEARNT_FROM]]
    originals = [registration.square(images.image(name)) for name in chosen]
    bases, differences = [], []
    for way in registration.WAYS:  # as a picture may be turned, so may what cropping does to it
        turned = [np.ascontiguousarray(registration.turned(one, way)) for one in originals]
        base = _waves(np.stack([registration.standard(registration.reduced(one, _SIDE)) for one in turned]))
        differences.append(_waves(np.stack([_variant(one, draw) for one in turned])) - base)
        bases.append(base)
    base, apart = np.concatenate(bases), np.concatenate(differences)
    within = apart.T @ apart / len(apart)
    ridge = _RIDGE * float(np.trace(within)) / len(within) + 1e-6
    values, vectors = np.linalg.eigh(within + ridge * np.eye(len(within)))
    whiten = vectors / np.sqrt(values)
    _, _, axes = np.linalg.svd((base - base.mean(axis=0)) @ whiten, full_matrices=False)
    project = (whiten @ axes[:_DIMENSIONS].T).astype(np.float32)
    distances = ((apart @ project) ** 2).sum(axis=1)
    return project, float(np.quantile(distances, 0.995)) * _REACH


def _variant(square: Grey, draw: np.random.Generator) -> Grey:
    """A square cropped by up to an eighth along each side, brighter or darker, in part saturated; at 32 × 32."""
    scales = 1 - draw.uniform(0, _CROPPED, 2)
    shifts = draw.uniform(-1, 1, 2) * (1 - scales)
    rows, _ = registration.window(registration.SIDE, _SIDE, scales[0], shifts[0], smooth=True)
    columns, _ = registration.window(registration.SIDE, _SIDE, scales[1], shifts[1], smooth=True)
    moved = rows @ square @ columns.T
    low, high = np.quantile(moved, (draw.uniform(0, 0.03), 1 - draw.uniform(0, 0.1)))
    lifted = np.clip((np.clip(moved, low, high) - low) / max(float(high - low), 1e-6), 0, 1) ** draw.uniform(0.85, 1.2)
    return registration.standard(lifted.astype(np.float32))
