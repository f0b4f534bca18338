"""What every backbone can do, and how one is made from its card.

The order of things: the card's plugin is imported and builds the module with random weights; the weights'
file is read without running any code in it; its names are converted to the module's own; every key and
shape is checked; only then are the numbers copied in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import MedfmError, PluginError, UsageError
from medfm_gui.engine.converters import converted
from medfm_gui.engine.fit import load_checked
from medfm_gui.engine.plugins import plugin_function
from medfm_gui.engine.tensor_files import read_tensors

_PARAMETERS_OFF = 0.05
_MILLIONS_OFF = 0.5
"""Positions of another input size are parameters too."""


class Backbone(Protocol):
    """A vision model without a head, behind one interface.

    The module is on the CPU in float32 and in eval mode when it is made; whoever moves it or trains it
    does so through ``module``.
    """

    @property
    def card(self) -> BackboneCard:
        """What the plugin declares of it."""
        ...

    @property
    def module(self) -> nn.Module:
        """All its parameters."""
        ...

    @property
    def image_size(self) -> int:
        """Rows and columns of its input in pixels."""
        ...

    @property
    def feature_dim(self) -> int:
        """D, the length of a feature vector."""
        ...

    def features(self, images: Tensor) -> Tensor:
        """Pooled features, differentiable.

        Args:
            images: B × 3 × image_size × image_size, normalised with the card's mean and std.

        Returns:
            B × D, pooled by the card's rule.
        """
        ...

    @property
    def token_dim(self) -> int:
        """C, the length of a token."""
        ...

    def tokens(self, images: Tensor, *, raw: bool = False) -> Tensor:
        """The tokens of every patch after the last norm, differentiable: B × T × C, row by row, no class token.

        A network of maps gives the positions of its last map.

        Args:
            raw: as the last block gives them, before that norm.
        """
        ...

    def depths(self, images: Tensor, last: int) -> tuple[Tensor, Tensor]:
        """What a linear layer may read at several depths, differentiable.

        Args:
            images: as ``features``.
            last: how many blocks, counted from the end; a network of maps has only its last map, whatever is asked.

        Returns:
            B × n × C: the normalised class token (where there is none, the mean of the patches) of each of those
            blocks, the last block's at the end; and B × C, the mean of the last block's patch tokens.
        """
        ...

    def blocks(self) -> list[nn.Module]:
        """The parts in order of depth: partial fine-tuning thaws them, a decay of the learning rate counts them."""
        ...

    def lora_targets(self, which: str) -> list[str]:
        """Names of the layers in ``module`` that get adapters.

        Args:
            which: ``attention`` (all its projections), ``attention+mlp``, or ``qkv`` alone.
        """
        ...

    def cam_layer(self) -> nn.Module:
        """The layer whose output Grad-CAM weighs."""
        ...

    def cam_maps(self, activation: Tensor) -> Tensor:
        """That layer's output (or its gradient) as maps: B × C × h × w."""
        ...


def build_backbone(card: BackboneCard, image_size: int, **arch: Any) -> Backbone:
    """A backbone with random weights (the caller seeds torch).

    Args:
        image_size: input in pixels, a multiple of ``card.multiple``.
        arch: arguments of the architecture that differ from the card's, for small ones in tests.

    Raises:
        PluginError: the plugin does not load or its function fails.
        UsageError: the size does not suit the model.
    """
    if image_size < card.multiple or image_size % card.multiple:
        below = max(card.multiple, image_size // card.multiple * card.multiple)
        raise UsageError(
            f"{card.title} takes images whose size is a multiple of {card.multiple} pixels, not {image_size}.",
            f"Use input_size={below} or {below + card.multiple}.",
        )
    build = plugin_function(card)
    try:
        backbone: Backbone = build(card, image_size, **arch)
        if not isinstance(backbone.module, nn.Module):
            raise TypeError(f"{card.entry} returned no module")
    except (MedfmError, MemoryError):
        raise
    except Exception as error:  # border: a plugin's own code
        raise PluginError(
            f"The plugin “{card.plugin}” could not build {card.title}: {type(error).__name__}: {error}.",
            "Restore the plugin's folder or install a version that suits this program.",
        ) from error
    if not arch and card.feature_dim:  # a card in the making promises nothing yet
        _check_promises(card, backbone)
    backbone.module.eval()
    return backbone


def _check_promises(card: BackboneCard, backbone: Backbone) -> None:
    """Whether the model is what its manifest says: people choose by the card.

    Raises:
        PluginError: features of another length, or a number of parameters that is off by more than a twentieth
            and half a million.
    """
    counted = sum(parameter.numel() for parameter in backbone.module.parameters()) / 1e6
    wrong = []
    if backbone.feature_dim != card.feature_dim:
        wrong.append(f"features of length {card.feature_dim}, where it gives {backbone.feature_dim}")
    if abs(counted - card.parameters_m) > _PARAMETERS_OFF * card.parameters_m + _MILLIONS_OFF:
        wrong.append(f"{card.parameters_m:g} million parameters, where it has {counted:.2f}")
    if wrong:
        raise PluginError(
            f"The manifest of the plugin “{card.plugin}” does not fit its own model {card.title}: it promises "
            f"{' and '.join(wrong)}.",
            f"Correct “{card.plugin_folder}/plugin.toml”, or install a version that suits this program.",
        )


def load_backbone(card: BackboneCard, *, image_size: int, weights: Path | None) -> Backbone:
    """A backbone ready for work.

    Args:
        image_size: input in pixels; position embeddings are resampled to it.
        weights: a file of the card's weights in any layout its converter knows; None = random weights.

    Raises:
        PluginError, UsageError: as ``build_backbone``.
        WeightsAbsent: there is no such file.
        WeightsRejected: the file does not hold exactly this model's weights.
    """
    backbone = build_backbone(card, image_size)
    if weights is not None:
        tensors = converted(
            read_tensors(weights, first=card.weights.inner), backbone.module, card.weights.converter, what=weights.name
        )
        load_checked(backbone.module, tensors, ignore=card.weights.ignore, what=weights.name, model=card.title)
    return backbone
