"""From stored pixels to what a model sees; the one path of training, validation, features and prediction.

Whatever reads an image for a model goes through ``unit_square`` and ``normalised``, so that a score in
the viewer and a score in the test table come from equal pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from medfm_gui.domain.errors import InputError

PREPROCESSING = "2"
"""Version of this path; part of the key of every stored feature. Raise it when any pixel would differ."""

_DEEP = 65535.0
_EIGHT_BIT = 255.0


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
    planes = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype not in (np.uint8, np.uint16) or not planes or 0 in image.shape:
        raise InputError(
            f"An image of shape {'×'.join(map(str, image.shape))} and type {image.dtype} cannot be scored.",
            "Import the data again.",
        )
    if image.dtype == np.uint8:
        return _resized(torch.from_numpy(np.array(image)), size).float() / _EIGHT_BIT
    return _resized(torch.from_numpy(image.astype(np.float32)), size).clamp_(0.0, _DEEP) / _DEEP


def _resized(image: Tensor, size: int) -> Tensor:
    """H × W or H × W × 3 as C × size × size, in the same type."""
    planes = image[None] if image.ndim == 2 else image.permute(2, 0, 1)
    if planes.shape[-2:] == (size, size):
        return planes
    return functional.interpolate(planes[None], size=(size, size), mode="bicubic", antialias=True)[0]


def normalised(image: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """C × S × S in 0…1 as 3 × S × S with the model's mean and standard deviation; grey becomes three equal planes."""
    offset = torch.tensor(mean, dtype=torch.float32).view(3, 1, 1)
    scale = torch.tensor(std, dtype=torch.float32).view(3, 1, 1)
    return (image - offset) / scale


def model_input(image: npt.NDArray[Any], size: int, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """What a model sees of an image: float32, 3 × size × size.

    Raises:
        InputError: as ``unit_square``.
    """
    return normalised(unit_square(image, size), mean, std)
