"""SAM from timm: the image encoder B, L and H with patches of 16 pixels, before its neck.

The neck narrows the features to 256 channels for the mask decoder. Its table of positions has the native size and
is resampled at each call, so that any multiple of 16 pixels can be taken.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.timm_backbone import TimmBackbone, timm_backbone


def build(card: BackboneCard, image_size: int, **arch: Any) -> TimmBackbone:
    """The card's encoder with random weights; ``arch`` overrides its own shape."""
    backbone = timm_backbone(card, image_size, **arch)
    backbone.module.neck = nn.Identity()
    backbone.module.num_features = backbone.module.embed_dim
    return backbone
