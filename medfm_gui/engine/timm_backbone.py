"""A backbone from timm, which builds every architecture of the product's own plugins but VMamba.

Models are built without a classifier and with their own pooling: another pool would rename the last norm,
so that pretrained numbers no longer land. The tokens are pooled here instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import timm
import torch
from torch import Tensor, nn

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import PluginError

_STEP = re.compile(r"([A-Za-z_]\w*)|\[(-?\d+)\]|\.")
_DEPTH = ("blocks", "stages", "layers", "layer1", "layer2", "layer3", "layer4", "features")
"""Names under which timm's models keep their parts in order of depth."""
_PROJECTIONS = ("qkv", "q_proj", "k_proj", "v_proj")
_LORA: dict[str, tuple[str, ...]] = {
    "qkv": _PROJECTIONS,
    "attention": (*_PROJECTIONS, "attn.proj"),
    "attention+mlp": (*_PROJECTIONS, "attn.proj", "fc1", "fc1_g", "fc1_x", "fc2"),
}
"""What the name of an adapted layer ends in. Patch embeddings, attention pools and heads lie outside the parts."""


@dataclass(frozen=True, slots=True)
class TimmBackbone:
    """One timm model: a transformer with tokens (B × N × C) or a network of maps (B × C × h × w or B × h × w × C).

    ``module`` may be a tower of a plugin's own that carries a timm transformer as ``trunk`` and adds to it what
    timm lacks; its ``forward_head`` then pools the trunk's tokens.
    """

    card: BackboneCard
    module: nn.Module
    image_size: int

    @property
    def feature_dim(self) -> int:
        """D, the length of a feature vector."""
        if self.card.features == "native":
            return int(getattr(self.module, "head_hidden_size", None) or self.module.num_features)  # type: ignore[arg-type]
        return 2 * self.token_dim if self.card.features == "cls+mean" else self.token_dim

    @property
    def token_dim(self) -> int:
        """C, the length of a token."""
        return int(self._trunk.num_features)  # type: ignore[arg-type]

    def features(self, images: Tensor) -> Tensor:
        """Features B × D of normalised images B × 3 × H × W, pooled by the card's rule."""
        final = self._final(images)
        if self.card.features == "native":
            pooled: Tensor = self.module.forward_head(final, pre_logits=True)  # type: ignore[operator]
            return pooled.flatten(1)
        if final.ndim == 4:
            return self._maps_first(final).mean(dim=(2, 3))
        final = self._normed(final)
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

    def tokens(self, images: Tensor, *, raw: bool = False) -> Tensor:
        """The patches' tokens after the last norm (before it: ``raw``), B × T × C; the positions of the last map."""
        if raw and hasattr(self._trunk, "num_prefix_tokens"):
            last: Tensor = self._intermediates(images, [len(self.blocks()) - 1], norm=False)[0]
            return last
        final = self._final(images)
        if final.ndim == 4:
            return self._maps_first(final).flatten(2).transpose(1, 2)
        return self._normed(final)[:, self._prefix_tokens :]

    def depths(self, images: Tensor, last: int) -> tuple[Tensor, Tensor]:
        """Class tokens (or means) of the last blocks, B × n × C, and the mean of the last block's patches, B × C."""
        if not hasattr(self._trunk, "num_prefix_tokens"):  # a network of maps
            mean = self.tokens(images).mean(dim=1)
            return mean[:, None], mean
        depth = len(self.blocks())
        wanted = list(range(max(0, depth - last), depth))
        if self._prefix_tokens:
            kept = self._intermediates(images, wanted, return_prefix_tokens=True)
            pairs = [(self._normed(patches), self._normed(prefix)) for patches, prefix in kept]
            return torch.stack([prefix[:, 0] for _, prefix in pairs], dim=1), pairs[-1][0].mean(dim=1)
        means = [self._normed(patches).mean(dim=1) for patches in self._intermediates(images, wanted)]
        return torch.stack(means, dim=1), means[-1]

    def blocks(self) -> list[nn.Module]:
        """The transformer's blocks, or the network's in order of depth; what joins two stages counts as a part."""
        roots = [getattr(self._trunk, name) for name in _DEPTH if hasattr(self._trunk, name)]
        return [part for root in roots or [self._trunk] for part in _parts(root)]

    def lora_targets(self, which: str) -> list[str]:
        """Names of the layers that get adapters: linear ones by their role.

        A network without attention gives its other linear layers (ConvNeXt) or its convolutions, whatever is asked.
        """
        prefix = {id(module): name for name, module in self.module.named_modules()}
        inside = [
            (f"{prefix[id(part)]}.{name}" if name else prefix[id(part)], layer)
            for part in self.blocks()
            for name, layer in part.named_modules()
        ]
        linear = [name for name, layer in inside if isinstance(layer, nn.Linear)]
        for roles in (_LORA[which], _LORA["attention+mlp"]):
            found = [name for name in linear if name.endswith(tuple(f".{role}" for role in roles))]
            if found:
                return found
        # a grouped convolution would need a rank that its groups divide
        return [name for name, layer in inside if isinstance(layer, nn.Conv2d) and layer.groups == 1]

    def cam_layer(self) -> nn.Module:
        """The layer that the card names for Grad-CAM, e.g. ``blocks[-1].norm1``."""
        return layer_at(self.module, self.card.cam)

    def cam_maps(self, activation: Tensor) -> Tensor:
        """A layer's output as B × C × h × w: maps as they are or turned, tokens on their square grid."""
        if activation.ndim == 4:
            return self._maps_first(activation)
        patches = activation[:, self._prefix_tokens :]
        side = math.isqrt(patches.shape[1])
        return patches.transpose(1, 2).reshape(len(patches), -1, side, side)

    @property
    def _trunk(self) -> nn.Module:
        """The timm model itself."""
        return getattr(self.module, "trunk", self.module)

    @property
    def _prefix_tokens(self) -> int:
        return int(getattr(self._trunk, "num_prefix_tokens", 0))

    def _final(self, images: Tensor) -> Tensor:
        if self.card.convolutional:
            images = images.contiguous(memory_format=torch.channels_last)
        final: Tensor = self.module.forward_features(images)  # type: ignore[operator]
        return final

    def _intermediates(self, images: Tensor, wanted: list[int], *, norm: bool = True, **options: bool) -> Any:
        return self._trunk.forward_intermediates(  # type: ignore[operator]
            images, indices=wanted, norm=norm, output_fmt="NLC", intermediates_only=True, **options
        )

    def _normed(self, tokens: Tensor) -> Tensor:
        """Tokens after the last norm, which some keep for the pooled vector and CoCa for its pooler alone."""
        if isinstance(getattr(self._trunk, "norm", None), nn.Identity):
            norm = getattr(self._trunk, "fc_norm", None)
            if norm is None or isinstance(norm, nn.Identity):
                return nn.functional.layer_norm(tokens, tokens.shape[-1:])
            normed: Tensor = norm(tokens)
            return normed
        return tokens

    def _maps_first(self, maps: Tensor) -> Tensor:
        """Maps as B × C × h × w. They are square, as the images are; so channels that stand last can be told."""
        _, one, two, three = maps.shape
        return maps.permute(0, 3, 1, 2) if one == two != three else maps


def timm_backbone(card: BackboneCard, image_size: int, **arch: Any) -> TimmBackbone:
    """The card's architecture with random weights; ``arch`` goes to timm and overrides its own arguments.

    Convolutional networks are kept channels-last, which is faster on CPUs too: on one core, a training step took
    0.7 (EfficientNet-Lite0) and 0.87 (ResNet-50) of the time, a forward pass 0.9.
    """
    module: nn.Module = timm.create_model(card.arch, pretrained=False, num_classes=0, **arch)
    if card.convolutional:
        module.to(memory_format=torch.channels_last)
    _bias_apart(module)
    return TimmBackbone(card, module, image_size)


def _bias_apart(module: nn.Module) -> None:
    """Call ``qkv`` as a layer in those models that else use its weight directly, past an adapter (output the same)."""
    for layer in module.modules():
        if hasattr(layer, "qkv_bias_separate"):
            layer.qkv_bias_separate = True  # type: ignore[assignment]


def _parts(root: nn.Module) -> Iterator[nn.Module]:
    """A container's parts that hold parameters; a stage gives what joins it to the one before, then its blocks."""
    if type(root) in (nn.Sequential, nn.ModuleList) or isinstance(getattr(root, "blocks", None), nn.Module):
        for child in root.children():
            yield from _parts(child)
    elif next(root.parameters(), None) is not None:
        yield root


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
