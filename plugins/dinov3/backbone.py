"""DINOv3 from timm: ViT S, S+, B, L, H+ and 7B with patches of 16 pixels.

Positions are rotary, made for whatever grid the images have, so nothing is built for a size.
"""

from __future__ import annotations

from typing import Any

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.timm_backbone import TimmBackbone, timm_backbone


def build(card: BackboneCard, image_size: int, **arch: Any) -> TimmBackbone:
    """The card's transformer with random weights; ``arch`` overrides its own shape."""
    return timm_backbone(card, image_size, **arch)
