"""Supervised baselines: convolutional networks, which take any size, and a vision transformer.

ResNet, DenseNet and EfficientNet give the mean of their last map, VGG-19 the output of its second hidden layer.
"""

from __future__ import annotations

from typing import Any

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.timm_backbone import TimmBackbone, timm_backbone


def build(card: BackboneCard, image_size: int, **arch: Any) -> TimmBackbone:
    """The card's network with random weights; ``arch`` overrides its own shape."""
    return timm_backbone(card, image_size, **arch)


def build_transformer(card: BackboneCard, image_size: int, **arch: Any) -> TimmBackbone:
    """The card's transformer, its grid of positions built for the working size."""
    return timm_backbone(card, image_size, **{"img_size": image_size} | arch)
