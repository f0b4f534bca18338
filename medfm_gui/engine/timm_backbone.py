"""A backbone from timm, which builds every architecture of the product's own plugins.

Models are built without a classifier and with their own pooling: another pool would rename the last norm,
so that pretrained numbers no longer land. The tokens are pooled here instead.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import timm
import torch
from torch import Tensor, nn

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import PluginError

_STEP = re.compile(r"([A-Za-z_]\w*)|\[(-?\d+)\]|\.")


@dataclass(frozen=True, slots=True)
class TimmBackbone:
    """One timm model, a transformer with tokens (B × N × C) or a network of maps (B × C × h × w)."""

    card: BackboneCard
    module: nn.Module
    image_size: int

    @property
    def feature_dim(self) -> int:
        """D, the length of a feature vector."""
        channels = int(self.module.num_features)  # type: ignore[arg-type]
        return 2 * channels if self.card.features == "cls+mean" else channels

    def features(self, images: Tensor) -> Tensor:
        """Features B × D of normalised images B × 3 × H × W, pooled by the card's rule."""
        if self.card.convolutional:
            images = images.contiguous(memory_format=torch.channels_last)
        final: Tensor = self.module.forward_features(images)  # type: ignore[operator]
        if self.card.features == "native":
            pooled: Tensor = self.module.forward_head(final, pre_logits=True)  # type: ignore[operator]
            return pooled
        if final.ndim == 4:
            return final.mean(dim=(2, 3))
        mean = final[:, self._prefix_tokens :].mean(dim=1)
        match self.card.features:
            case "cls":
                return final[:, 0]
            case "mean":
                return mean
            case "cls+mean":
                return torch.cat((final[:, 0], mean), dim=1)
            case rule:
                raise PluginError(
                    f"{self.card.title} asks for the unknown pooling “{rule}”.", "Use cls, mean or native."
                )

    def cam_layer(self) -> nn.Module:
        """The layer that the card names for Grad-CAM, e.g. ``blocks[-1].norm1``."""
        return layer_at(self.module, self.card.cam)

    def cam_maps(self, activation: Tensor) -> Tensor:
        """That layer's output as B × C × h × w: maps as they are, tokens on their square grid."""
        if activation.ndim == 4:
            return activation
        patches = activation[:, self._prefix_tokens :]
        side = math.isqrt(patches.shape[1])
        return patches.transpose(1, 2).reshape(len(patches), -1, side, side)

    @property
    def _prefix_tokens(self) -> int:
        return int(getattr(self.module, "num_prefix_tokens", 0))


def timm_backbone(card: BackboneCard, image_size: int, **arch: Any) -> TimmBackbone:
    """The card's architecture with random weights; ``arch`` goes to timm and overrides its own arguments.

    Convolutional networks are kept channels-last, which is faster on CPUs too: on one core, a training step took
    0.7 (EfficientNet-Lite0) and 0.87 (ResNet-50) of the time, a forward pass 0.9.
    """
    module: nn.Module = timm.create_model(card.arch, pretrained=False, num_classes=0, **arch)
    if card.convolutional:
        module.to(memory_format=torch.channels_last)
    return TimmBackbone(card, module, image_size)


def layer_at(module: nn.Module, path: str) -> nn.Module:
    """The submodule that a path such as ``blocks[-1].norm1`` names.

    Raises:
        PluginError: there is none.
    """
    here: Any = module
    try:
        for name, index in _STEP.findall(path):
            if name:
                here = getattr(here, name)
            elif index:
                here = here[int(index)]
    except (AttributeError, IndexError, TypeError) as error:
        raise PluginError(f"The model has no layer “{path}”: {error}.", "Correct “cam” in plugin.toml.") from error
    if not isinstance(here, nn.Module):
        raise PluginError(f"“{path}” is not a layer.", "Correct “cam” in plugin.toml.")
    return here
