"""OpenCLIP from timm: vision towers B/32, B/16, L/14 and H/14, before their projection.

The grid of position embeddings is built for the working size; weights are resampled to it when loaded.
"""

from __future__ import annotations

from typing import Any

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.timm_backbone import TimmBackbone, timm_backbone


def build(card: BackboneCard, image_size: int, **arch: Any) -> TimmBackbone:
    """The card's transformer with random weights; ``arch`` overrides its own shape."""
    return timm_backbone(card, image_size, **{"img_size": image_size} | arch)
