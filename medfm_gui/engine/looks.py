"""A few images as a recipe lets a model see them: prepared, and in random views. No model is loaded.

What a model is given also has its mean taken off and is divided by its deviation, which nobody can look at: here the
images are shown before that.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from medfm_gui.base.atomic import atomic_file
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import suitable_size
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.run import LooksSpec
from medfm_gui.engine.augment import augmented_square, random_of
from medfm_gui.engine.preprocess import preprocess_of

LOOKS = "looks.npy"


def show_looks(spec: LooksSpec) -> Generator[ev.Event, None, None]:
    """Prepare each image, then draw ``views`` random views of it; writes ``looks.npy`` in ``spec.out``.

    The file is uint8, images × (1 + views) × side × side × 3; ``Answered`` tells the model's input ``size``.

    Raises:
        InputError: an image cannot be read.
    """
    begun = time.perf_counter()
    size = suitable_size(spec.card, spec.recipe.input_size or spec.card.input_size)
    preprocess = preprocess_of(spec.recipe, spec.card, size)
    rows: list[npt.NDArray[np.uint8]] = []
    yield ev.StageStarted(time.time(), "looks", len(spec.images))
    for number, path in enumerate(spec.images):
        image = _read(Path(path))
        seen = [_shown(preprocess.visible(preprocess.square(image)), spec.side)]
        for view in range(spec.views):
            random = random_of(spec.seed, view + 1, number + 1)
            square, rest = augmented_square(image, preprocess, spec.recipe.augmentation, random)
            seen.append(_shown(rest.visible(square), spec.side))
        rows.append(np.stack(seen))
        yield ev.Progressed(time.time(), "looks", number + 1, len(spec.images))
    with atomic_file(Path(spec.out) / LOOKS, sync=False) as handle:
        np.save(handle, np.stack(rows), allow_pickle=False)
    yield ev.Answered(time.time(), {"size": str(size)})
    yield ev.RunFinished(time.time(), {}, time.perf_counter() - begun)


def _read(path: Path) -> npt.NDArray[np.uint8]:
    try:
        image: npt.NDArray[np.uint8] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"“{path.name}” cannot be read.", "Show the preview again.") from error
    return image


def _shown(square: torch.Tensor, side: int) -> npt.NDArray[np.uint8]:
    """A square in 0…1, 1 or 3 × S × S, as side × side × 3 of 8 bits."""
    if square.shape[-1] != side:
        square = functional.interpolate(square[None], size=(side, side), mode="bilinear", antialias=True)[0]
    pixels = (square.clamp(0, 1) * 255).round().to(torch.uint8).expand(3, -1, -1)
    return np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())
