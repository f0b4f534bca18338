"""Integrated gradients (Sundararajan et al. 2017): gradients added up along the way from a blank image to this one.

The blank image is the image's own mean colour, so that neither dark nor bright tissue is left out as a black or a
white one would. What the pixels get adds up to the change of the score (completeness), which is checked.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import torch
from captum.attr import IntegratedGradients
from torch import Tensor

from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.explain.maps import HeatMap, evidence_maps
from medfm_gui.engine.explain.occlusion import Step
from medfm_gui.engine.explain.scored import Head, Scored, check_targets, looked_at, score_of

_BATCH = 8
_PARTS = 4
STEPS = _BATCH * _PARTS
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
        for part in range(_PARTS):
            # nothing is held over a yield: whoever listens may use the model meanwhile
            with looked_at(backbone, head, image[None], [target]) as (scored, copy):
                parts.append(_along(scored, copy[0], target, part))
            yield number * STEPS + (part + 1) * _BATCH, total
        with looked_at(backbone, head, image[None], [target]) as (scored, copy), torch.no_grad():
            given = torch.stack(parts).sum(dim=0)
            missing = _missing(scored, copy[0], target, float(given.sum()))
        (one,) = evidence_maps(given.sum(dim=0)[None], quantile=_BRIGHTEST)
        note = f"The pixels account for the score but for {missing:.0%}." if missing > _TOLERANCE else ""
        found.append(HeatMap(one.map, one.note or note))
    return found


def _along(scored: Scored, image: Tensor, target: int, part: int) -> Tensor:
    """What one part of the straight way adds, C × H × W; what the parts add makes up the whole."""

    def scores(images: Tensor) -> Tensor:
        found = torch.stack([score_of(target)(logits) for logits in scored(images)])
        # a head that looks at nothing has no gradient; this gives it one of zeros
        return found if found.requires_grad else found + 0.0 * images.flatten(1).sum(dim=1)

    blank = _blank(image)
    ends = [blank + (image - blank) * (place / _PARTS) for place in (part, part + 1)]
    way = IntegratedGradients(scores)
    added: Tensor = way.attribute(ends[1][None], baselines=ends[0][None], n_steps=_BATCH, method="gausslegendre")
    return added[0].to(image.dtype)


def _blank(image: Tensor) -> Tensor:
    return image.mean(dim=(1, 2))[:, None, None].expand_as(image)


def _missing(scored: Scored, image: Tensor, target: int, given: float) -> float:
    """The share of the score's change that the pixels do not account for."""
    with torch.no_grad():
        here, blank = (float(score_of(target)(logits)) for logits in scored(torch.stack((image, _blank(image)))))
    change = here - blank
    return abs(given - change) / max(abs(change), 1e-6)
