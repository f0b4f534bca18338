"""From stored pixels to what a model sees; the one path of training, validation, features and prediction.

Whatever reads an image for a model goes through a ``Preprocess``, so that a score in the viewer and a score in
the test table come from equal pixels. Its ``key`` tells the feature bank apart what was prepared differently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from medfm_gui.base import wire
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.recipe import Recipe

PREPROCESSING = "2"
"""Version of this path; part of the key of every stored feature. Raise it when any pixel would differ."""

Three = tuple[float, float, float]

IMAGENET_MEAN: Three = (0.485, 0.456, 0.406)
IMAGENET_STD: Three = (0.229, 0.224, 0.225)

_DEEP = 65535.0
_EIGHT_BIT = 255.0
_CROP = 8 / 7
"""Study A stretches to 256 pixels and keeps the middle 224."""
_FLAT = 1e-6
"""A deviation below this is that of a constant plane, which is left as it is."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Values of an image beyond two of its percentiles are cut off.

    What lies below becomes the lower percentile, or 0 with ``to_zero`` (then that percentile itself does too).
    """

    low: float
    high: float
    to_zero: bool = False

    def applied(self, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The image with that done, of the same shape and type."""
        low, high = np.percentile(image, (self.low, self.high))
        floor, ceiling = (np.rint(value).astype(image.dtype) for value in (low, high))
        cut: npt.NDArray[Any] = np.clip(image, floor, ceiling)
        if self.to_zero:
            cut[image <= floor] = 0
        return cut


@dataclass(frozen=True, slots=True)
class Preprocess:
    """How a stored image becomes a model's input.

    ``size`` is in pixels; ``mean`` and ``std`` are of red, green, blue in 0…1. ``geometry`` and ``channels`` are
    those of the recipe; with ``min_max`` each plane of an image is first spread over 0…1.
    """

    size: int
    mean: Three
    std: Three
    geometry: Literal["stretch", "centre-crop"] = "stretch"
    channels: Literal["repeat", "red", "sum"] = "repeat"
    min_max: bool = False
    clip: Clip | None = None
    """What is cut off of an image's values before anything else."""

    @property
    def key(self) -> str:
        """Short text that differs where an input would; the feature bank's key holds it."""
        said = asdict(self)
        if self.clip is None:
            del said["clip"]  # an earlier version had none, and its features still serve
        return f"{PREPROCESSING}-{hashlib.sha256(wire.canonical(said)).hexdigest()[:16]}"

    def cut(self, image: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Preprocess]:
        """An image whose extreme values are cut off, and what is left to be done with it."""
        return (image, self) if self.clip is None else (self.clip.applied(image), replace(self, clip=None))

    def input(self, image: npt.NDArray[Any]) -> Tensor:
        """What the model sees of an image: float32, 3 × size × size.

        Raises:
            InputError: as ``unit_square``.
        """
        return self.normalised(self.square(image))

    def square(self, image: npt.NDArray[Any]) -> Tensor:
        """The part of an image that the model sees, in 0…1: float32, 1 or 3 × size × size.

        Raises:
            InputError: as ``unit_square``.
        """
        image, _ = self.cut(image)
        if self.geometry == "stretch":
            return unit_square(image, self.size)
        large, edge = self._crop
        return unit_square(image, large)[:, edge : edge + self.size, edge : edge + self.size]

    def visible(self, square: Tensor) -> Tensor:
        """A square as the model sees it but for mean and deviation, in 0…1: 1 or 3 × S × S."""
        return _spread(square) if self.min_max else square

    def normalised(self, square: Tensor) -> Tensor:
        """A square in 0…1, 1 or 3 × S × S, as the filters of three colours meet it: 3 × S × S."""
        square = self.visible(square)
        if self.channels == "repeat" or not _is_grey(square):
            return normalised(square, self.mean, self.std)
        plane = square[:1]
        if self.channels == "sum":
            one = (plane - sum(self.mean) / 3) / (sum(self.std) / 3)
            return one.expand(3, -1, -1)
        red = (plane - self.mean[0]) / self.std[0]
        return torch.cat((red, torch.zeros_like(red), torch.zeros_like(red)))

    def whole(self, seen: Tensor) -> Tensor:
        """A map h × w over the model's input as one over the whole image: what was not seen is 0."""
        if self.geometry == "stretch":
            return seen
        large, _ = self._crop
        rows, columns = (round(side * large / self.size) for side in seen.shape)
        whole = seen.new_zeros((rows, columns))
        top, left = ((outer - inner) // 2 for outer, inner in zip((rows, columns), seen.shape, strict=True))
        whole[top : top + seen.shape[0], left : left + seen.shape[1]] = seen
        return whole

    @property
    def _crop(self) -> tuple[int, int]:
        """Side of the square that is cut, and what is cut off at its edge."""
        large = round(self.size * _CROP)
        return large, (large - self.size) // 2


def preprocess_of(
    recipe: Recipe, card: BackboneCard, size: int, measured: tuple[Three, Three] | None = None
) -> Preprocess:
    """What a recipe orders for a model.

    Args:
        size: of the model's input, in pixels.
        measured: mean and deviation of the dataset, for recipes that normalise by them.
    """
    mean, std = measured or (card.mean, card.std)
    if recipe.normalisation == "min-max":
        mean, std = IMAGENET_MEAN, IMAGENET_STD
    return Preprocess(
        size=size,
        mean=mean,
        std=std,
        geometry="centre-crop" if recipe.geometry == "centre-crop" else "stretch",
        channels="red" if recipe.channels == "red" else "sum" if recipe.channels == "sum" else "repeat",
        min_max=recipe.normalisation == "min-max",
        clip=_clip_of(recipe),
    )


def _clip_of(recipe: Recipe) -> Clip | None:
    if (recipe.clip_low, recipe.clip_high) == (0, 100):
        return None
    return Clip(recipe.clip_low, recipe.clip_high, recipe.clip_below == "zero")


def unit_square(image: npt.NDArray[Any], size: int) -> Tensor:
    """Stored pixels as a square of numbers from 0 to 1, bicubic with antialiasing, so that fine structure stays fair.

    Eight-bit images are resized in eight bits, as they were when the models were pretrained (and seven times
    faster); sixteen bits in float, so that no depth is lost.

    Args:
        image: H × W or H × W × 3, uint8 or uint16; is not changed.

    Returns:
        float32, 1 × size × size or 3 × size × size.

    Raises:
        InputError: another shape or type.
    """
    return _in_unit(_resized(planes_of(image), (size, size)))


def planes_of(image: npt.NDArray[Any]) -> Tensor:
    """H × W or H × W × 3 as C × H × W: uint8 as it is, uint16 as float32.

    Raises:
        InputError: another shape or type.
    """
    colours = image.ndim == 3 and image.shape[2] == 3
    if image.dtype not in (np.uint8, np.uint16) or not (image.ndim == 2 or colours) or 0 in image.shape:
        raise InputError(
            f"An image of shape {'×'.join(map(str, image.shape))} and type {image.dtype} cannot be scored.",
            "Import the data again.",
        )
    held = torch.from_numpy(np.array(image) if image.dtype == np.uint8 else image.astype(np.float32))
    return held[None] if held.ndim == 2 else held.permute(2, 0, 1)


def normalised(image: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """C × S × S in 0…1 as 3 × S × S with the model's mean and standard deviation; grey becomes three equal planes."""
    offset = torch.tensor(mean, dtype=torch.float32).view(3, 1, 1)
    scale = torch.tensor(std, dtype=torch.float32).view(3, 1, 1)
    return (image - offset) / scale


def _resized(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """C × H × W as C × rows × columns, in the same type."""
    if planes.shape[-2:] == size:
        return planes
    return functional.interpolate(planes[None], size=size, mode="bicubic", antialias=True)[0]


def _in_unit(planes: Tensor) -> Tensor:
    """Stored numbers as 0…1."""
    if planes.dtype == torch.uint8:
        return planes.float() / _EIGHT_BIT
    return planes.clamp_(0.0, _DEEP) / _DEEP


def _spread(square: Tensor) -> Tensor:
    """Each plane from its least to its greatest number as 0…1; a flat one becomes 0."""
    least = square.amin(dim=(1, 2), keepdim=True)
    width = square.amax(dim=(1, 2), keepdim=True) - least
    return (square - least) / torch.where(width > _FLAT, width, torch.ones_like(width))


def _is_grey(square: Tensor) -> bool:
    """One plane, or three equal ones."""
    return len(square) == 1 or (torch.equal(square[0], square[1]) and torch.equal(square[0], square[2]))
