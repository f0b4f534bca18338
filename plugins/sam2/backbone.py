"""SAM 2 from timm: the image encoder T, S, B+ and L, four stages of maps with channels last.

It takes any multiple of 32 pixels without being built for it. timm gives it a norm for its classifier, which no
release of weights holds; here the last map is pooled as it is.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.timm_backbone import TimmBackbone, timm_backbone


def build(card: BackboneCard, image_size: int, **arch: Any) -> TimmBackbone:
    """The card's encoder with random weights; ``arch`` overrides its own shape."""
    backbone = timm_backbone(card, image_size, **arch)
    backbone.module.head = nn.Identity()
    return backbone
