"""A heat map, and how numbers of any range become one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor

NO_POSITIVE_EVIDENCE = "no positive evidence"
NO_DEPENDENCE = "the score does not depend on the image"
UNIFORM = "no place stands out"

Map = NDArray[np.float32]
_TINY = 1e-12
_LEVEL = 1e-6
"""Differences below this share of a map's largest value are rounding."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """One image's map: float32, H × W of the model's input, scaled to 0…1 by its own range.

    Strength therefore cannot be compared between images or classes. ``note`` says why a map is empty
    (all 0), or what else is to be known of it.
    """

    map: Map
    note: str = ""


def enlarged(small: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps B × h × w at the size of the model's input, bilinear."""
    return functional.interpolate(small[:, None].float(), size=size, mode="bilinear", align_corners=False)[:, 0]


def scaled_by_range(values: Tensor) -> list[Map]:
    """Maps B × H × W from their lowest to their highest value; a constant one is all 0."""
    low, high = values.amin(dim=(1, 2), keepdim=True), values.amax(dim=(1, 2), keepdim=True)
    spread = high - low
    stands_out = spread > _LEVEL * torch.maximum(low.abs(), high.abs())
    unit = torch.where(stands_out, (values - low) / torch.where(stands_out, spread, 1.0), torch.zeros_like(values))
    return list(unit.cpu().numpy())


def evidence_maps(values: Tensor, *, quantile: float = 1.0) -> list[HeatMap]:
    """Maps of signed evidence B × H × W: what speaks for the class, 0 where nothing does.

    Args:
        quantile: the share of places below full strength; single pixels beyond it do not make the rest dark.
    """
    found = []
    for one in values.detach().float().cpu():
        positive = one.clamp_min(0.0)
        top = float(np.quantile(positive.numpy(), quantile)) or float(positive.max())
        note = ""
        if float(one.abs().max()) <= _TINY:
            note = NO_DEPENDENCE
        elif float(positive.max()) <= _TINY:
            note = NO_POSITIVE_EVIDENCE
        scaled = positive / top if not note else torch.zeros_like(positive)
        found.append(HeatMap(scaled.clamp(0.0, 1.0).numpy().astype(np.float32), note))
    return found
