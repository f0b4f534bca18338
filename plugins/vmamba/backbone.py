"""VMamba as the engine works with it: a network of maps, whose last one is normalised position by position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.timm_backbone import layer_at

from .model import Stage, VMamba

SHAPES: Mapping[str, Mapping[str, Any]] = {
    "vssm1_tiny_0230s": {"dims": 96, "depths": (2, 2, 8, 2), "ssm_ratio": 1.0},
    "vssm_tiny_0230": {"dims": 96, "depths": (2, 2, 5, 2), "ssm_ratio": 2.0},
    "vssm_small_0229": {"dims": 96, "depths": (2, 2, 15, 2), "ssm_ratio": 2.0},
    "vssm1_small_0229s": {"dims": 96, "depths": (2, 2, 20, 2), "ssm_ratio": 1.0},
    "vssm_base_0229": {"dims": 128, "depths": (2, 2, 15, 2), "ssm_ratio": 2.0},
    "vssm1_base_0229s": {"dims": 128, "depths": (2, 2, 20, 2), "ssm_ratio": 1.0},
}
"""The published sizes by the authors' names for them; the rest of their shape is ``VMamba``'s own."""
_LORA = {
    "qkv": ("in_proj",),
    "attention": ("in_proj", "out_proj"),
    "attention+mlp": ("in_proj", "out_proj", "fc1", "fc2"),
}
"""Which linear layers get adapters. A scan has no queries, keys and values: what feeds it stands for them."""


@dataclass(frozen=True, slots=True)
class VMambaBackbone:
    """A VMamba without its classifier; any input size."""

    card: BackboneCard
    module: VMamba
    image_size: int

    @property
    def feature_dim(self) -> int:
        """D, the length of a feature vector."""
        return self.module.num_features

    @property
    def token_dim(self) -> int:
        """C, the length of a token."""
        return self.module.num_features

    def features(self, images: Tensor) -> Tensor:
        """The mean of the last map, normalised, B × D, of normalised images B × 3 × H × W."""
        return self.module.pool(self.module.forward_features(images))

    def tokens(self, images: Tensor, *, raw: bool = False) -> Tensor:
        """The positions of the last map, normalised (``raw``: as they are), row by row: B × T × C."""
        last = self.module.forward_features(images)
        return last.flatten(2).mT if raw else self.module.tokens(last)

    def depths(self, images: Tensor, last: int) -> tuple[Tensor, Tensor]:
        """The mean of the last map, as B × 1 × C and as B × C: maps of other blocks have other channels."""
        mean = self.features(images)
        return mean[:, None], mean

    def blocks(self) -> list[nn.Module]:
        """The blocks of all stages in order; what halves a map lies between two of them."""
        return [block for stage in self.module.layers if isinstance(stage, Stage) for block in stage.blocks]

    def lora_targets(self, which: str) -> list[str]:
        """Names of the linear layers that get adapters."""
        return [
            name
            for name, layer in self.module.layers.named_modules(prefix="layers")
            if isinstance(layer, nn.Linear) and name.rpartition(".")[2] in _LORA[which]
        ]

    def cam_layer(self) -> nn.Module:
        """The layer that the card names for Grad-CAM: the last block."""
        return layer_at(self.module, self.card.cam)

    def cam_maps(self, activation: Tensor) -> Tensor:
        """A block's output B × h × w × C as B × C × h × w."""
        return activation.permute(0, 3, 1, 2)


def build(card: BackboneCard, image_size: int, **arch: Any) -> VMambaBackbone:
    """The card's network with random weights; ``arch`` overrides its own shape."""
    return VMambaBackbone(card, VMamba(**{**SHAPES[card.arch], **arch, "num_classes": 0}), image_size)
