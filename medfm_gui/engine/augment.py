"""Random views of training images, without a random state.

Each view is a function of (seed, epoch, sample) alone, so that a run that was stopped and resumed sees
exactly what an uninterrupted one would have seen, whatever thread prepares it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch.nn.functional as functional
from torch import Tensor
from torchvision.transforms.v2 import functional as colours

from medfm_gui.engine.preprocess import Preprocess, unit_square

_AREA = (0.8, 1.0)
_ASPECT = (3 / 4, 4 / 3)
_BRIGHTNESS = 0.1
_CONTRAST = 0.1

_A_AREA = (0.8, 1.2)
_A_JITTER_CHANCE = 0.8
_B_AREA = (0.75, 1.0)
_TRIES = 10
"""torchvision's RandomResizedCrop draws so many boxes; if none fits it takes the middle."""


def augmented_input(
    image: npt.NDArray[Any], preprocess: Preprocess, policy: str, random: np.random.Generator
) -> Tensor:
    """A random view of an image as a model sees it: float32, 3 × size × size.

    ``default``: a crop of 80–100 % of the area is stretched to the square, then perhaps mirrored left to right, then
    made up to a tenth lighter, darker, flatter or steeper. ``study-a`` and ``study-b``: as those studies' code does.

    Raises:
        InputError: as ``unit_square``.
    """
    square, rest = augmented_square(image, preprocess, policy, random)
    return rest.normalised(square)


def augmented_square(
    image: npt.NDArray[Any], preprocess: Preprocess, policy: str, random: np.random.Generator
) -> tuple[Tensor, Preprocess]:
    """The same view in 0…1, 1 or 3 × size × size, and what is left to be done with it.

    Raises:
        InputError: as ``unit_square``.
    """
    image, rest = preprocess.cut(image)
    return _POLICIES[policy](image, rest, random), rest


def random_of(*keys: int) -> np.random.Generator:
    """The random numbers that belong to these keys, e.g. (seed, epoch, sample)."""
    return np.random.default_rng([key & 0xFFFFFFFF for key in keys])


def _default(image: npt.NDArray[Any], preprocess: Preprocess, random: np.random.Generator) -> Tensor:
    square = unit_square(_crop(image, random), preprocess.size)
    if random.random() < 0.5:
        square = square.flip(-1)
    contrast = 1.0 + random.uniform(-_CONTRAST, _CONTRAST)
    brightness = 1.0 + random.uniform(-_BRIGHTNESS, _BRIGHTNESS)
    level = square.mean()
    return ((square - level) * contrast + level).mul_(brightness).clamp_(0.0, 1.0)


def _study_a(image: npt.NDArray[Any], preprocess: Preprocess, random: np.random.Generator) -> Tensor:
    """On the prepared square: a resized crop of 80–120 % of it, flips both ways, and perhaps a colour jitter.

    No box of more than 100 % fits; as in torchvision such draws are repeated.
    """
    size = preprocess.size
    square = preprocess.square(image)
    top, left, rows, columns = _box(size, size, _A_AREA, random)
    part = square[None, :, top : top + rows, left : left + columns]
    square = functional.interpolate(part, size=(size, size), mode="bilinear", antialias=True, align_corners=False)[0]
    for axis in (-2, -1):
        if random.random() < 0.5:
            square = square.flip(axis)
    if random.random() < _A_JITTER_CHANCE:
        square = _jittered(square, random)
    return square.clamp(0.0, 1.0)


def _study_b(image: npt.NDArray[Any], preprocess: Preprocess, random: np.random.Generator) -> Tensor:
    """A resized crop of 75–100 % of the image, perhaps mirrored left to right."""
    top, left, rows, columns = _box(image.shape[0], image.shape[1], _B_AREA, random)
    square = unit_square(image[top : top + rows, left : left + columns], preprocess.size)
    return square.flip(-1) if random.random() < 0.5 else square


_POLICIES: Mapping[str, Callable[[npt.NDArray[Any], Preprocess, np.random.Generator], Tensor]] = {
    "default": _default,
    "study-a": _study_a,
    "study-b": _study_b,
}


def _crop(image: npt.NDArray[Any], random: np.random.Generator) -> npt.NDArray[Any]:
    """Part of an image whose sides keep the image's own proportions times the drawn aspect."""
    area = random.uniform(*_AREA)
    aspect = math.exp(random.uniform(math.log(_ASPECT[0]), math.log(_ASPECT[1])))
    rows = max(1, round(image.shape[0] * min(1.0, math.sqrt(area / aspect))))
    columns = max(1, round(image.shape[1] * min(1.0, math.sqrt(area * aspect))))
    top = int(random.integers(0, image.shape[0] - rows + 1))
    left = int(random.integers(0, image.shape[1] - columns + 1))
    return image[top : top + rows, left : left + columns]


def _box(rows: int, columns: int, area: tuple[float, float], random: np.random.Generator) -> tuple[int, int, int, int]:
    """Top, left, rows, columns of a box as torchvision's RandomResizedCrop draws it."""
    for _ in range(_TRIES):
        wanted = rows * columns * random.uniform(*area)
        aspect = math.exp(random.uniform(math.log(_ASPECT[0]), math.log(_ASPECT[1])))
        width, height = round(math.sqrt(wanted * aspect)), round(math.sqrt(wanted / aspect))
        if 0 < width <= columns and 0 < height <= rows:
            top, left = int(random.integers(0, rows - height + 1)), int(random.integers(0, columns - width + 1))
            return top, left, height, width
    width = max(1, min(columns, round(rows * _ASPECT[1])))
    height = max(1, min(rows, round(columns / _ASPECT[0])))
    return (rows - height) // 2, (columns - width) // 2, height, width


def _jittered(square: Tensor, random: np.random.Generator) -> Tensor:
    """Brightness and contrast by ± 20 %, saturation and hue by ± 10 %, in an order drawn by lot."""
    brightness, contrast = random.uniform(0.8, 1.2, 2).tolist()
    saturation, hue = float(random.uniform(0.9, 1.1)), float(random.uniform(-0.1, 0.1))
    steps: tuple[Callable[[Tensor], Tensor], ...] = (
        lambda seen: colours.adjust_brightness(seen, brightness),
        lambda seen: colours.adjust_contrast(seen, contrast),
        lambda seen: colours.adjust_saturation(seen, saturation) if len(seen) == 3 else seen,
        lambda seen: colours.adjust_hue(seen, hue) if len(seen) == 3 else seen,
    )
    for place in random.permutation(len(steps)).tolist():
        square = steps[place](square)
    return square
