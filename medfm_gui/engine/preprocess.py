"""From stored pixels to what a model sees; the one path of training, validation, features and prediction.

Whatever reads an image for a model goes through ``unit_image`` and ``model_input``, so that a score in
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

PREPROCESSING = "1"
"""Version of this path; part of the key of every stored feature. Raise it when any pixel would differ."""

_FULL_SCALE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}


def unit_image(image: npt.NDArray[Any]) -> Tensor:
    """Stored pixels as numbers from 0 to 1.

    Args:
        image: H × W or H × W × 3, uint8 or uint16.

    Returns:
        float32, 1 × H × W or 3 × H × W.

    Raises:
        InputError: another shape or type.
    """
    full_scale = _FULL_SCALE.get(image.dtype)
    planes = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if full_scale is None or not planes or 0 in image.shape:
        raise InputError(
            f"An image of shape {'×'.join(map(str, image.shape))} and type {image.dtype} cannot be scored.",
            "Import the data again.",
        )
    values = np.asarray(image, dtype=np.float32) / np.float32(full_scale)
    if image.ndim == 2:
        return torch.from_numpy(values)[None]
    return torch.from_numpy(values).permute(2, 0, 1)


def resized(image: Tensor, size: int) -> Tensor:
    """C × H × W in 0…1 as C × size × size: bicubic with antialiasing, so that fine structure does not alias."""
    if image.shape[-2:] == (size, size):
        return image.contiguous()
    square = functional.interpolate(image[None], size=(size, size), mode="bicubic", antialias=True)[0]
    return square.clamp_(0.0, 1.0)


def normalised(image: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """C × S × S in 0…1 as 3 × S × S with the model's mean and standard deviation; grey becomes three equal planes."""
    offset = torch.tensor(mean, dtype=torch.float32).view(3, 1, 1)
    scale = torch.tensor(std, dtype=torch.float32).view(3, 1, 1)
    return (image - offset) / scale


def model_input(image: npt.NDArray[Any], size: int, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """What a model sees of an image: float32, 3 × size × size.

    Raises:
        InputError: as ``unit_image``.
    """
    return normalised(resized(unit_image(image), size), mean, std)
