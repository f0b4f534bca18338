"""Integrated gradients (Sundararajan et al. 2017): gradients added up along the way from a blank image to this one.

The blank image is the image's own mean colour, so that neither dark nor bright tissue is left out as a black or a
white one would. What the pixels get adds up to the change of the score (completeness), which is checked.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
import torch
from torch import Tensor

from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.explain.maps import HeatMap, evidence_maps
from medfm_gui.engine.explain.occlusion import Step
from medfm_gui.engine.explain.scored import Head, Scored, check_targets, looked_at, score_of

STEPS = 32
_BATCH = 8
_BRIGHTEST = 0.99
_TOLERANCE = 0.1


def heat_map(
    backbone: Backbone, head: Head, images: Tensor, targets: Sequence[int]
) -> Generator[Step, None, list[HeatMap]]:
    """What each pixel of each image adds to its score; the strongest hundredth of the pixels is cut off.

    Yields:
        Steps done and steps in all; 32 an image.
    """
    check_targets(images, targets)
    total = STEPS * len(images)
    found: list[HeatMap] = []
    for number, (image, target) in enumerate(zip(images, targets, strict=True)):
        parts = []
        for start in range(0, STEPS, _BATCH):
            # nothing is held over a yield: whoever listens may use the model meanwhile
            with looked_at(backbone, head, image[None], [target]) as (scored, copy):
                parts.append(_gradients(scored, copy[0], target, slice(start, start + _BATCH)))
            yield number * STEPS + min(start + _BATCH, STEPS), total
        with looked_at(backbone, head, image[None], [target]) as (scored, copy), torch.no_grad():
            given = (copy[0] - _blank(copy[0])) * torch.stack(parts).sum(dim=0)
            missing = _missing(scored, copy[0], target, float(given.sum()))
        (one,) = evidence_maps(given.sum(dim=0)[None], quantile=_BRIGHTEST)
        note = f"The pixels account for the score but for {missing:.0%}." if missing > _TOLERANCE else ""
        found.append(HeatMap(one.map, one.note or note))
    return found


def _gradients(scored: Scored, image: Tensor, target: int, here: slice) -> Tensor:
    """Some steps of the path by Gauss–Legendre: the weighted sum of their gradients, C × H × W."""
    nodes, weights = np.polynomial.legendre.leggauss(STEPS)
    places = torch.as_tensor((nodes[here] + 1) / 2, dtype=image.dtype, device=image.device)[:, None, None, None]
    shares = torch.as_tensor(weights[here] / 2, dtype=image.dtype, device=image.device)[:, None, None, None]
    blank = _blank(image)
    along = (blank + places * (image - blank)).requires_grad_(True)
    score = torch.stack([score_of(target)(logits) for logits in scored(along)]).sum()
    if not score.requires_grad:  # a head that looks at nothing
        return torch.zeros_like(image)
    (gradient,) = torch.autograd.grad(score, along)
    return (shares * gradient).sum(dim=0)


def _blank(image: Tensor) -> Tensor:
    return image.mean(dim=(1, 2))[:, None, None].expand_as(image)


def _missing(scored: Scored, image: Tensor, target: int, given: float) -> float:
    """The share of the score's change that the pixels do not account for."""
    with torch.no_grad():
        here, blank = (float(score_of(target)(logits)) for logits in scored(torch.stack((image, _blank(image)))))
    change = here - blank
    return abs(given - change) / max(abs(change), 1e-6)
