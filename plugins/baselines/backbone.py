"""Convolutional baselines: any input size, mean of the last map."""

from __future__ import annotations

from typing import Any

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.timm_backbone import TimmBackbone, timm_backbone


def build(card: BackboneCard, image_size: int, **arch: Any) -> TimmBackbone:
    """The card's network with random weights; ``arch`` overrides its own shape."""
    return timm_backbone(card, image_size, **arch)
