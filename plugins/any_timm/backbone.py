"""Any model of timm's by its name: what its card found out decides whether it is built for a size."""

from __future__ import annotations

from typing import Any

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.timm_backbone import TimmBackbone, timm_backbone


def build(card: BackboneCard, image_size: int, **arch: Any) -> TimmBackbone:
    """The card's network with random weights, which takes images of whatever size its rule allows."""
    return timm_backbone(card, image_size, **arch)


def build_sized(card: BackboneCard, image_size: int, **arch: Any) -> TimmBackbone:
    """The card's network with random weights, its positions made for the working size."""
    return timm_backbone(card, image_size, **{"img_size": image_size} | arch)
