"""LoRA (Hu et al. 2021): small matrices beside layers of the backbone, and a linear head.

Kept are the matrices alone (and biases, if the recipe trains them); ``saved.merged`` folds them in.
"""

from __future__ import annotations

from collections.abc import Generator

import torch

from medfm_gui.domain import events as ev
from medfm_gui.engine.adaptations.descent import descend
from medfm_gui.engine.adaptations.scope import Scope, base_of, linear_head
from medfm_gui.engine.adapters import Adapters, adapter_layers, with_adapters
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.change import ChangeFacts
from medfm_gui.engine.fitted import Fitted
from medfm_gui.engine.material import Material


def adapt(material: Material) -> Generator[ev.Event, None, Fitted]:
    """Train to the end, or from where an earlier attempt stopped; as ``descend``.

    Raises:
        PluginError: the model has no layer that could be adapted.
    """
    return (yield from descend(material, scope_of(material)))


def scope_of(material: Material) -> Scope:
    """What is trained, its first weights drawn; the backbone has adapters afterwards."""
    recipe, backbone = material.spec.recipe, material.backbone
    adapters = Adapters(recipe.rank, recipe.alpha, recipe.lora_dropout, targets(backbone, recipe.lora_targets))
    head = linear_head(material)
    torch.manual_seed(material.spec.seed)
    with_adapters(backbone.module, adapters)
    backbone.module.to(material.device)
    layers = adapter_layers(backbone.module)
    trained = {name for name, _ in backbone.module.named_parameters() if ".lora_" in name}
    if recipe.lora_bias:
        here = {name for name, _ in backbone.module.named_parameters()}
        trained |= here & {f"{layer}.base_layer.bias" for layer in layers}
    return Scope(
        head,
        frozenset(trained),
        live=tuple(layer.get_submodule("lora_dropout") for layer in layers.values()),
        change=ChangeFacts(
            "adapters",
            f"adapters of rank {recipe.rank} beside {len(layers)} layers" + (" and biases" if recipe.lora_bias else ""),
            base_of(material),
            adapters,
        ),
    )


def targets(backbone: Backbone, which: str) -> tuple[str, ...]:
    """The layers that get adapters.

    Args:
        which: as ``Backbone.lora_targets``, or ``qkv+mlp``: query, key, value and the MLP without the projection behind
            the attention (Study B).
    """
    if which != "qkv+mlp":
        return tuple(backbone.lora_targets(which))
    attention = set(backbone.lora_targets("attention"))
    query = set(backbone.lora_targets("qkv"))
    return tuple(name for name in backbone.lora_targets("attention+mlp") if name in query or name not in attention)
