"""Low-rank adapters (LoRA, Hu et al. 2021) in a backbone: put in, found, and folded into its own weights.

peft puts them into the module itself, so that features, tokens and heat maps work through the same object. The
module's own tensors of an adapted layer move to ``<layer>.base_layer.*``; the adapters are ``<layer>.lora_A…`` and
``lora_B…``. A new adapter changes nothing, for B is zero.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from medfm_gui.domain.errors import PluginError


@dataclass(frozen=True, slots=True)
class Adapters:
    """``targets`` are names of layers; the product of the two matrices counts ``alpha / rank`` times."""

    rank: int
    alpha: float
    dropout: float
    targets: tuple[str, ...]


def with_adapters(module: nn.Module, adapters: Adapters) -> None:
    """Put adapters beside these layers, in place; the caller seeds torch.

    Raises:
        PluginError: a layer is not there, or is of a kind that cannot be adapted.
    """
    from peft import LoraConfig, inject_adapter_in_model  # brings transformers: seconds that other runs save

    if not adapters.targets:
        raise PluginError("This model names no layer that could be adapted.", "Use another adaptation, e.g. bitfit.")
    config = LoraConfig(
        r=adapters.rank,
        lora_alpha=adapters.alpha,  # type: ignore[arg-type]  # any number is multiplied with
        lora_dropout=adapters.dropout,
        target_modules=list(adapters.targets),
        bias="none",
    )
    training = module.training
    try:
        inject_adapter_in_model(config, module)
    except ValueError as error:
        raise PluginError(
            f"Adapters do not fit this model: {error}.", "Use another adaptation, or other lora_targets."
        ) from error
    module.train(training)


def adapter_layers(module: nn.Module) -> dict[str, nn.Module]:
    """The adapted layers by name."""
    from peft.tuners.lora import LoraLayer

    names = [name for name, layer in module.named_modules() if isinstance(layer, LoraLayer)]
    return {name: module.get_submodule(name) for name in names}


def merge_adapters(module: nn.Module) -> None:
    """Fold all adapters into the weights of their layers and take them out: names are the pretrained module's again."""
    for name, layer in adapter_layers(module).items():
        layer.merge()  # type: ignore[operator]
        parent, _, own = name.rpartition(".")
        setattr(module.get_submodule(parent), own, layer.get_base_layer())  # type: ignore[operator]
