"""Random views of training images, without a random state.

Each view is a function of (seed, epoch, sample) alone, so that a run that was stopped and resumed sees
exactly what an uninterrupted one would have seen, whatever thread prepares it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from medfm_gui.engine.preprocess import normalised, unit_square

_AREA = (0.8, 1.0)
_ASPECT = (3 / 4, 4 / 3)
_BRIGHTNESS = 0.1
_CONTRAST = 0.1


def augmented_input(
    image: npt.NDArray[Any], size: int, mean: Sequence[float], std: Sequence[float], random: np.random.Generator
) -> Tensor:
    """A random view of an image as a model sees it: float32, 3 × size × size.

    A crop of 80–100 % of the area is stretched to the square, then perhaps mirrored left to right, then
    made up to a tenth lighter, darker, flatter or steeper.
    """
    square = unit_square(_crop(image, random), size)
    if random.random() < 0.5:
        square = square.flip(-1)
    contrast = 1.0 + random.uniform(-_CONTRAST, _CONTRAST)
    brightness = 1.0 + random.uniform(-_BRIGHTNESS, _BRIGHTNESS)
    level = square.mean()
    square = ((square - level) * contrast + level).mul_(brightness).clamp_(0.0, 1.0)
    return normalised(square, mean, std)


def random_of(*keys: int) -> np.random.Generator:
    """The random numbers that belong to these keys, e.g. (seed, epoch, sample)."""
    return np.random.default_rng([key & 0xFFFFFFFF for key in keys])


def _crop(image: npt.NDArray[Any], random: np.random.Generator) -> npt.NDArray[Any]:
    """Part of an image whose sides keep the image's own proportions times the drawn aspect."""
    area = random.uniform(*_AREA)
    aspect = math.exp(random.uniform(math.log(_ASPECT[0]), math.log(_ASPECT[1])))
    rows = max(1, round(image.shape[0] * min(1.0, math.sqrt(area / aspect))))
    columns = max(1, round(image.shape[1] * min(1.0, math.sqrt(area * aspect))))
    top = int(random.integers(0, image.shape[0] - rows + 1))
    left = int(random.integers(0, image.shape[1] - columns + 1))
    return image[top : top + rows, left : left + columns]
