"""Mean and deviation of a dataset's images: Study A's own numbers where it has some, else measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.recipe import Recipe
from medfm_gui.engine.preprocess import Preprocess, Three, preprocess_of

STUDY_A: Mapping[str, tuple[Three, Three]] = {
    "ddsm": ((0.286, 0.286, 0.286), (0.267, 0.267, 0.267)),
    "chexpert": ((0.503, 0.503, 0.503), (0.292, 0.292, 0.292)),
    "isic2019": ((0.6678, 0.5296, 0.5243), (0.2238, 0.2036, 0.2154)),
    "aptos2019": ((0.415, 0.221, 0.073), (0.275, 0.150, 0.081)),
}
"""Layout of a dataset → mean and deviation in Study A's code."""

_MOST = 256
_LEAST_DEVIATION = 1e-3


def preprocess_for(
    recipe: Recipe, card: BackboneCard, size: int, dataset: Dataset, pixels: PixelCache, train: Sequence[str]
) -> tuple[Preprocess, str]:
    """How a run prepares its images, and a sentence where that is not quite what its recipe names (else empty).

    Args:
        size: of the model's input, in pixels.
        train: ids of the training images, the only ones that are measured.

    Raises:
        InputError: an image of the pixel cache is gone.
    """
    plain = preprocess_of(recipe, card, size)
    if recipe.normalisation not in ("dataset", "study-a"):
        return plain, ""
    if recipe.normalisation == "study-a" and dataset.layout in STUDY_A:
        mean, std = STUDY_A[dataset.layout]
        return replace(plain, mean=mean, std=std), ""
    mean, std = measured(plain, pixels, train)
    said = f"mean {_listed(mean)}, deviation {_listed(std)}"
    if recipe.normalisation == "dataset":
        return replace(plain, mean=mean, std=std), ""
    return replace(plain, mean=mean, std=std), (
        f"Study A has no mean and deviation for data of the layout “{dataset.layout}”, so they were measured on "
        f"training images: {said}."
    )


def measured(preprocess: Preprocess, pixels: PixelCache, ids: Sequence[str]) -> tuple[Three, Three]:
    """Mean and deviation of red, green, blue in 0…1 over the pixels of at most 256 images, evenly spaced in ``ids``."""
    step = max(1, -(-len(ids) // _MOST))
    count, total, squares = 0, torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for one in ids[::step]:
        square = preprocess.square(pixels.image(one)).double().flatten(1).expand(3, -1)
        count += square.shape[1]
        total += square.sum(dim=1)
        squares += square.square().sum(dim=1)
    mean = total / count
    std = (squares / count - mean.square()).clamp_min(0).sqrt().clamp_min(_LEAST_DEVIATION)
    return _three(mean), _three(std)


def _three(values: torch.Tensor) -> Three:
    red, green, blue = (round(float(value), 4) for value in values)
    return red, green, blue


def _listed(values: Three) -> str:
    return "/".join(f"{value:g}" for value in values)
