"""CoCa: a transformer of timm's without its last norm, and the attention pooler as ``tower.py`` has it.

The grid of position embeddings is built for the working size; weights are resampled to it when loaded.
"""

from __future__ import annotations

from typing import Any

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.timm_backbone import TimmBackbone, timm_backbone

from .tower import CoCaTower

_QUERIES, _HEADS = 256, 8


def build(
    card: BackboneCard, image_size: int, *, queries: int = _QUERIES, heads: int = _HEADS, out: int = 0, **arch: Any
) -> TimmBackbone:
    """The card's tower with random weights; ``arch`` overrides the transformer's shape, ``out`` the embedding's."""
    trunk = timm_backbone(card, image_size, **{"img_size": image_size, "final_norm": False} | arch)
    return TimmBackbone(card, CoCaTower(trunk.module, out or card.feature_dim, queries, heads), image_size)
