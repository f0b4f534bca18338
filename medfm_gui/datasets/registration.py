"""Whether two pictures show the same exposure: aligned first, then compared detail by detail.

A picture is compared as a square of 128 × 128 grey values. The second of a pair is turned or mirrored, then moved and
stretched until it lies on the first, as far as an edge that was cut off asks for. What decides is fine structure
alone: two chest radiographs share ribs and shadows, but no vessel lies where the other one's does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from medfm_gui.imaging.picture import Pixels
from medfm_gui.imaging.shrink import resize

SIDE = 128
"""Pixels along the square in which details are compared."""
SMALL = 24
"""Pixels along the square in which turns are recognised."""
WAYS = tuple(range(8))
"""Quarter turns (0–3), and the same after mirroring (4–7)."""
_LEVELS = ((32, 20, 4.0), (64, 12, 3.0), (128, 10, 2.0))
"""Of each level of the pyramid: its side, the most steps of Gauss–Newton, the deviation (pixels) of what is coarse."""
_FINE_PX = 0.7
_WORTH_WHILE = (0.7, 0.65)
"""Correlation after the first two levels below which a pair is given up."""
_LOOK_AFTER = 6
_HOPELESS = 0.35
"""Correlation after so many steps on the first level below which there is no hope."""
_MOST_MOVED = 0.3
_BLOCK = 16
_DETAIL_PX = 2.0
"""Structure coarser than this many pixels of the square is taken out before two pictures are compared."""
_EDGE_PX = 3
_AGREES = 0.6
"""Correlation of fine structure above which a block counts as the same."""
_TEXTURE = 0.35
"""A block with less structure than this share of the picture's own says nothing: background."""
_FEWEST_BLOCKS = 6

Grey = NDArray[np.float32]
Place = NDArray[np.float64]
"""Scale and shift across, scale and shift down; places run from -1 to 1."""
_START: Place = np.array([1.0, 0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture ready to be compared: small copy, a pyramid of its middle frequencies, the square."""

    small: Grey
    bands: tuple[Grey, ...]
    whole: Grey

    def turned(self, way: int) -> Prepared:
        """The picture turned and mirrored, one of ``WAYS``."""
        bands = tuple(np.ascontiguousarray(turned(band, way)) for band in self.bands)
        return Prepared(turned(self.small, way), bands, np.ascontiguousarray(turned(self.whole, way)))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well two pictures agree once aligned.

    ``share`` is the share of blocks with structure whose fine structure agrees, ``correlation`` the median over these
    blocks; ``blocks`` how many had structure; ``way`` how the second picture was turned (``WAYS``).
    """

    share: float = 0.0
    correlation: float = 0.0
    blocks: int = 0
    way: int = 0


def square(image: Pixels, side: int = SIDE) -> Grey:
    """A picture (H×W or H×W×3, uint8 or uint16) as ``side`` × ``side`` grey values of mean 0 and deviation 1.

    The aspect is not kept: a picture that was turned must give a square that was turned.
    """
    small = np.asarray(resize(image, side, side), dtype=np.float32)
    return standard(small.mean(axis=2) if small.ndim == 3 else small)


def standard(grey: Grey) -> Grey:
    """Mean 0, deviation 1, so that brightness and contrast are gone; a blank picture becomes zeros."""
    centred = grey - grey.mean()
    deviation = float(centred.std())
    return np.zeros_like(centred) if deviation < 1e-6 else np.clip(centred / deviation, -4, 4)


def prepare(whole: Grey) -> Prepared:
    """What ``agreement`` needs of a square."""
    bands = []
    for side, _, coarse in _LEVELS:
        level = reduced(whole, side)
        bands.append(_band(level, coarse))
    return Prepared(reduced(whole, SMALL), tuple(bands), whole)


def turned(picture: Grey, way: int) -> Grey:
    """Squares (… × side × side) turned and mirrored, one of ``WAYS``."""
    return np.rot90(picture[..., ::-1] if way >= 4 else picture, way % 4, axes=(-2, -1))


def reduced(picture: Grey, side: int) -> Grey:
    """A square at a smaller size."""
    if side == picture.shape[0]:
        return picture
    weights, _ = window(picture.shape[0], side, 1.0, 0.0, smooth=True)
    return np.asarray(weights @ picture @ weights.T, dtype=np.float32)


def window(source: int, side: int, scale: float, shift: float, *, smooth: bool = False) -> tuple[Grey, Grey]:
    """Weights (side × source) that read a line of ``source`` pixels at ``side`` places; 1 where a place lies inside.

    Places run from -1 to 1 over the line and are taken at ``scale * place + shift``, linearly between pixels, or as
    the mean of all pixels that fall to one (``smooth``).
    """
    wanted = (scale * _places(side) + shift + 1) * (source / 2) - 0.5
    width = max(1.0, source / side) if smooth else 1.0
    pixels = np.arange(source, dtype=np.float32)
    weights = np.maximum(1 - np.abs(wanted[:, None] - pixels) / width, 0)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-6)
    inside = ((wanted > -0.5) & (wanted < source - 0.5)).astype(np.float32)
    return weights.astype(np.float32), inside


def _places(side: int) -> Grey:
    return np.asarray((np.arange(side) + 0.5) * 2 / side - 1, dtype=np.float32)


def agreement(first: Prepared, second: Prepared, ways: Iterable[int] = ()) -> Agreement:
    """Align the second picture with the first and say how far they agree.

    Args:
        ways: how the second may have been turned; the two likeliest of all eight where none are given.
    """
    best = Agreement()
    for way in ways or likely_ways(first.small, second.small):
        other = second.turned(way)
        place = _aligned(first, other)
        if place is not None:
            best = max(best, _compared(first, other, place, way), key=lambda one: (one.share, one.correlation))
        if best.share > 0.9:
            break
    return best


def likely_ways(first: Grey, second: Grey, most: int = 2) -> tuple[int, ...]:
    """The ways to turn a small picture that make it most like another."""
    alike = {way: float((first * turned(second, way)).mean()) for way in WAYS}
    return tuple(sorted(WAYS, key=lambda way: -alike[way])[:most])


def is_worth_while(first: Grey, second: Grey) -> bool:
    """Whether two small squares (see ``rough``), the second already turned, come to lie on each other at all."""
    return _moved(first, second, _START, 0) is not None


def rough(square: Grey) -> Grey:
    """The middle frequencies of a square of 32 × 32, for ``is_worth_while``."""
    return _band(square, _LEVELS[0][2])


def _band(level: Grey, coarse: float) -> Grey:
    return standard(gaussian_filter(level, _FINE_PX) - gaussian_filter(level, coarse))


def _aligned(first: Prepared, second: Prepared) -> Place | None:
    """How the second picture comes to lie on the first; None where nothing comes of it."""
    place: Place | None = _START
    for number in range(len(_LEVELS)):
        if place is not None:
            place = _moved(first.bands[number], second.bands[number], place, number)
    return place


def _moved(still: Grey, moving: Grey, place: Place, number: int) -> Place | None:
    """Gauss–Newton on one level of the pyramid: scale and shift across, scale and shift down."""
    side, steps, _ = _LEVELS[number]
    at = _places(side)
    for count in range(steps):
        columns, in_x = window(side, side, place[0], place[1])
        rows, in_y = window(side, side, place[2], place[3])
        moved = rows @ moving @ columns.T
        across, down = np.zeros_like(moved), np.zeros_like(moved)
        across[:, 1:-1] = (moved[:, 2:] - moved[:, :-2]) * np.float32(side / 4 / place[0])
        down[1:-1] = (moved[2:] - moved[:-2]) * np.float32(side / 4 / place[2])
        seen = in_y[:, None] * in_x
        slopes = (np.stack([across * at, across, down * at[:, None], down]) * seen).reshape(4, -1)
        matrix = slopes @ slopes.T
        matrix[np.diag_indices(4)] = matrix.diagonal() * 1.001 + 1e-3
        step = np.linalg.solve(matrix, slopes @ (still - moved).ravel())
        place = place + step
        if np.abs(place - _START).max() > _MOST_MOVED:
            return None
        if np.abs(step).max() < 0.1 / side:
            break
        if number == 0 and count == _LOOK_AFTER and _alike(still, moving, place) < _HOPELESS:
            return None
    if number < len(_WORTH_WHILE) and _alike(still, moving, place) < _WORTH_WHILE[number]:
        return None
    return place


def _alike(still: Grey, moving: Grey, place: Place) -> float:
    side = still.shape[0]
    columns, in_x = window(side, side, place[0], place[1])
    rows, in_y = window(side, side, place[2], place[3])
    seen = in_y[:, None] * in_x
    moved = (rows @ moving @ columns.T) * seen
    still = still * seen
    return float((still * moved).sum() / np.sqrt(max(float((still**2).sum() * (moved**2).sum()), 1e-12)))


def _compared(first: Prepared, second: Prepared, place: Place, way: int) -> Agreement:
    """Correlation of fine structure, block by block, where both pictures have some."""
    columns, in_x = window(SIDE, SIDE, place[0], place[1])
    rows, in_y = window(SIDE, SIDE, place[2], place[3])
    inside = _within(in_y)[:, None] * _within(in_x)
    left = _detail(first.whole) * inside
    right = _detail(np.asarray(rows @ second.whole @ columns.T, dtype=np.float32)) * inside
    pixels = _blocks(inside)
    n = np.maximum(pixels, 1)
    left_mean, right_mean = _blocks(left) / n, _blocks(right) / n
    left_var = np.maximum(_blocks(left * left) / n - left_mean**2, 0)
    right_var = np.maximum(_blocks(right * right) / n - right_mean**2, 0)
    covariance = _blocks(left * right) / n - left_mean * right_mean
    structured = pixels >= 0.6 * _BLOCK**2
    for variance in (left_var, right_var):
        some = variance[structured & (variance > 1e-7)]
        structured &= variance > _TEXTURE**2 * (np.median(some) if some.size else 1.0)
    blocks = int(structured.sum())
    if blocks < _FEWEST_BLOCKS:
        return Agreement(blocks=blocks, way=way)
    correlation = (covariance / np.sqrt(np.maximum(left_var * right_var, 1e-14)))[structured]
    return Agreement(float((correlation > _AGREES).mean()), float(np.median(correlation)), blocks, way)


def _within(line: Grey) -> Grey:
    """Places that lie inside and so do their neighbours, for what is coarse reaches across an edge."""
    return np.asarray(
        np.convolve(np.pad(line, _EDGE_PX, mode="edge"), np.ones(2 * _EDGE_PX + 1), "valid") > 2 * _EDGE_PX,
        dtype=np.float32,
    )


def _detail(picture: Grey) -> Grey:
    return np.asarray(picture - gaussian_filter(picture, _DETAIL_PX), dtype=np.float32)


def _blocks(values: Grey) -> NDArray[np.float64]:
    count = SIDE // _BLOCK
    return np.asarray(values.reshape(count, _BLOCK, count, _BLOCK).sum(axis=(1, 3)), dtype=np.float64)
