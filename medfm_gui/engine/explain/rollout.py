"""Attention rollout (Abnar and Zuidema 2020): attention followed through all blocks of a plain vision transformer.

Each block mixes tokens by the mean of its heads and keeps half of every token by its skip connection; the product
over the blocks says which patches the pooled token was mixed from. The head and the class play no part.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from medfm_gui.domain.errors import UsageError
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.explain.maps import UNIFORM, HeatMap, enlarged, scaled_by_range
from medfm_gui.engine.explain.scored import Head, looked_at, score_of


def heat_map(backbone: Backbone, head: Head, images: Tensor, targets: Sequence[int]) -> list[HeatMap]:
    """From which patches each image's pooled token was mixed.

    Args:
        head: is run once, so that ``targets`` are checked as for every other map; they change nothing.

    Raises:
        UsageError: the model is no plain transformer: it has no attention between all of its patches.
    """
    with looked_at(backbone, head, images, targets) as (scored, copy), _watched(backbone) as rolled, torch.no_grad():
        for logits, target in zip(scored(copy), targets, strict=True):
            score_of(target)(logits)
        if rolled.matrix is None:
            raise _none(backbone)
        small = _pooled(backbone, rolled.matrix)
        maps = scaled_by_range(enlarged(small, (copy.shape[-2], copy.shape[-1])))
    return [HeatMap(one, "" if one.any() else UNIFORM) for one in maps]


class _Rolled:
    """The product of the blocks' attention so far, B × N × N: row i says what token i was mixed from."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self.matrix: Tensor | None = None

    def add(self, _module: nn.Module, _inputs: Any, weights: Tensor) -> None:
        """A forward hook on a block's attention weights, B × heads × N × N, rows of sum 1."""
        if weights.ndim != 4 or weights.shape[-1] != weights.shape[-2]:
            raise _none(self._backbone)
        mixed = weights.float().mean(dim=1)
        mixed = (mixed + torch.eye(mixed.shape[-1], device=mixed.device)) / 2
        if self.matrix is not None and self.matrix.shape != mixed.shape:
            raise _none(self._backbone)
        self.matrix = mixed if self.matrix is None else mixed @ self.matrix


@contextlib.contextmanager
def _watched(backbone: Backbone) -> Iterator[_Rolled]:
    """Hear every block's attention weights; fused attention, which never forms them, is switched off meanwhile."""
    attentions = [getattr(block, "attn", None) for block in backbone.blocks()]
    drops = [getattr(attention, "attn_drop", None) for attention in attentions]
    switches = [hasattr(attention, "fused_attn") for attention in attentions]
    if not drops or not all(isinstance(drop, nn.Module) for drop in drops) or not all(switches):
        raise _none(backbone)
    fused = [bool(getattr(attention, "fused_attn", False)) for attention in attentions]
    rolled = _Rolled(backbone)
    handles = [drop.register_forward_hook(rolled.add) for drop in drops if isinstance(drop, nn.Module)]
    try:
        for attention in attentions:
            setattr(attention, "fused_attn", False)  # noqa: B010 - typed as Module | None, which has no such field
        yield rolled
    finally:
        for attention, was in zip(attentions, fused, strict=True):
            setattr(attention, "fused_attn", was)  # noqa: B010
        for handle in handles:
            handle.remove()


def _pooled(backbone: Backbone, rolled: Tensor) -> Tensor:
    """The rows that the card's pooling reads, on the grid of patches: B × h × w."""
    columns = backbone.cam_maps(rolled.transpose(1, 2))  # channel i: what token i was mixed from
    grid = columns.shape[-2] * columns.shape[-1]
    prefix = rolled.shape[1] - grid
    patches = columns[:, prefix:].mean(dim=1)
    if prefix == 0 or backbone.card.features == "mean":
        return patches
    return (columns[:, 0] + patches) / 2 if backbone.card.features == "cls+mean" else columns[:, 0]


def _none(backbone: Backbone) -> UsageError:
    return UsageError(
        f"{backbone.card.title} has no attention between all of its patches, so there is nothing to roll out.",
        "Use gradcam, or eigencam for a map that does not depend on the class.",
    )
