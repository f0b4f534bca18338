"""Occlusion (Zeiler and Fergus 2014): how far the score falls when a square of the image is covered.

The model is looked at from outside only, so that this map can also be held against the others. Squares are an eighth
of the image wide and half a square apart; what covers them is the image's own mean, neither dark nor bright.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Sequence

import torch
from torch import Tensor

from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.explain.maps import HeatMap, evidence_maps
from medfm_gui.engine.explain.scored import Head, Scored, check_targets, looked_at, score_of

Step = tuple[int, int]
"""How many forward passes of how many are done."""

_SQUARES = 8
_BATCH = 16


def heat_map(
    backbone: Backbone, head: Head, images: Tensor, targets: Sequence[int]
) -> Generator[Step, None, list[HeatMap]]:
    """What each image's score owes to each place.

    Yields:
        Steps done and steps in all; some 200 an image.
    """
    check_targets(images, targets)
    squares = _squares(images.shape[-2], images.shape[-1])
    total = len(squares) * len(images)
    found: list[HeatMap] = []
    for number, (image, target) in enumerate(zip(images, targets, strict=True)):
        drops: list[float] = []
        for start in range(0, len(squares), _BATCH):
            # nothing is held over a yield: whoever listens may use the model meanwhile
            with looked_at(backbone, head, image[None], [target]) as (scored, copy), torch.no_grad():
                drops += _drops(scored, copy[0], target, squares[start : start + _BATCH])
            yield number * len(squares) + len(drops), total
        found += evidence_maps(_spread(image, squares, drops)[None])
    return found


def _squares(rows: int, columns: int) -> list[tuple[slice, slice]]:
    """Overlapping squares that together cover everything."""

    def spans(length: int) -> list[slice]:
        side = max(1, length // _SQUARES)
        starts = [*range(0, length - side, max(1, side // 2)), length - side]
        return [slice(start, start + side) for start in starts]

    return list(itertools.product(spans(rows), spans(columns)))


def _drops(scored: Scored, image: Tensor, target: int, squares: Sequence[tuple[slice, slice]]) -> list[float]:
    """The fall of the score for each covered square."""
    seen = image.repeat(len(squares) + 1, 1, 1, 1)  # the last one stays whole
    mean = image.mean(dim=(1, 2))[:, None, None]
    for row, (down, across) in enumerate(squares):
        seen[row, :, down, across] = mean
    *covered, whole = (float(score_of(target)(logits)) for logits in scored(seen))
    return [whole - score for score in covered]


def _spread(image: Tensor, squares: Sequence[tuple[slice, slice]], drops: Sequence[float]) -> Tensor:
    """Each place's mean over the squares that covered it."""
    total, times = torch.zeros(image.shape[1:]), torch.zeros(image.shape[1:])
    for (down, across), drop in zip(squares, drops, strict=True):
        total[down, across] += drop
        times[down, across] += 1
    return total / times
