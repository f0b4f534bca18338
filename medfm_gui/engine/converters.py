"""The names in a weights file turned into the module's own.

``order``: the file lists the same tensors in the same order under other names.
``timm``: the file has timm's names, those of the original release (timm's own filter knows them), or those
of the transformers library. To add one: a function here and its name in ``CONVERTERS``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from medfm_gui.domain.errors import PluginError, WeightsRejected

Tensors = dict[str, Tensor]

_TRANSFORMERS_PREFIXES = ("vit.", "dinov2.", "dinov2_with_registers.")
_EMBEDDINGS = {
    "embeddings.cls_token": "cls_token",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.register_tokens": "reg_token",
    "embeddings.patch_embeddings.projection.weight": "patch_embed.proj.weight",
    "embeddings.patch_embeddings.projection.bias": "patch_embed.proj.bias",
    "layernorm.weight": "norm.weight",
    "layernorm.bias": "norm.bias",
}
_LAYER = re.compile(r"(?:encoder\.)?layers?\.(\d+)\.(.+)\.(weight|bias)$")
_SCALE = re.compile(r"(?:encoder\.)?layers?\.(\d+)\.layer_scale([12])\.lambda1$")
_PARTS = {
    "norm1": "norm1",
    "norm2": "norm2",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
    "attention.output.dense": "attn.proj",
    "attention.o_proj": "attn.proj",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
    "mlp.weights_in": "mlp.fc1",
    "mlp.weights_out": "mlp.fc2",
    "mlp.down_proj": "mlp.fc2",
}
_ATTENTION = re.compile(r"attention\.(?:attention\.)?(query|key|value|q_proj|k_proj|v_proj)$")
_GATED = re.compile(r"mlp\.(gate|up)_proj$")
_ROW = {"q": 0, "k": 1, "v": 2, "g": 0, "u": 1}
"""Where a matrix stands in the one that timm has instead, by its first letter."""
_PATCHES = "patch_embed.proj.weight"
_DROPPED = ("embeddings.mask_token", "pooler.", "decoder.", "classifier.")


def converted(tensors: Tensors, module: nn.Module, converter: str, *, what: str) -> Tensors:
    """The tensors under the module's names; not yet checked for completeness.

    A file that already has every name (one of ours) passes through timm's filter alone, which resamples
    position embeddings to the module's size.

    Raises:
        WeightsRejected: the file cannot be of this family.
        PluginError: there is no such converter.
    """
    convert = CONVERTERS.get(converter)
    if convert is None:
        raise PluginError(f"There is no converter “{converter}”.", f"Known are: {', '.join(sorted(CONVERTERS))}.")
    if not all(name in tensors for name in module.state_dict()):
        tensors = convert(tensors, module, what)
    return _filtered(tensors, module, what)


def _by_order(tensors: Tensors, module: nn.Module, what: str) -> Tensors:
    expected = module.state_dict()
    held = list(tensors.items())
    if len(held) < len(expected):
        raise WeightsRejected(
            f"“{what}” holds {len(held)} tensors, where {len(expected)} are needed.", "Choose the file of this model."
        )
    renamed: Tensors = {}
    for (name, own), (foreign, tensor) in zip(expected.items(), held, strict=False):
        if tensor.shape != own.shape:
            raise WeightsRejected(
                f"“{what}” is of another model: {foreign} has the shape {tuple(tensor.shape)}, "
                f"where {name} needs {tuple(own.shape)}.",
                "Choose the file of this model.",
            )
        renamed[name] = tensor
    renamed.update(held[len(expected) :])
    return renamed


def _by_name(tensors: Tensors, module: nn.Module, what: str) -> Tensors:
    bare = {_bare(name): tensor for name, tensor in tensors.items()}
    return _from_transformers(bare) if "embeddings.patch_embeddings.projection.weight" in bare else tensors


def _bare(name: str) -> str:
    for prefix in _TRANSFORMERS_PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def _from_transformers(tensors: Mapping[str, Tensor]) -> Tensors:
    """A ViT of the transformers library (ViTMAE, Dinov2, Dinov2WithRegisters) under timm's names."""
    renamed: Tensors = {}
    stacked: dict[str, dict[int, Tensor]] = {}
    for name, tensor in tensors.items():
        layer = _LAYER.match(name)
        if name in _EMBEDDINGS:
            renamed[_EMBEDDINGS[name]] = tensor
        elif scale := _SCALE.match(name):
            renamed[f"blocks.{scale[1]}.ls{scale[2]}.gamma"] = tensor
        elif layer and (part := _ATTENTION.match(layer[2])):
            stacked.setdefault(f"blocks.{layer[1]}.attn.qkv.{layer[3]}", {})[_ROW[part[1][0]]] = tensor
        elif layer and (part := _GATED.match(layer[2])):
            stacked.setdefault(f"blocks.{layer[1]}.mlp.fc1.{layer[3]}", {})[_ROW[part[1][0]]] = tensor
        elif layer and layer[2] in _PARTS:
            renamed[f"blocks.{layer[1]}.{_PARTS[layer[2]]}.{layer[3]}"] = tensor
        elif not name.startswith(_DROPPED):
            renamed[name] = tensor  # unknown: the key check will name it
    for name, rows in stacked.items():
        renamed[name] = torch.cat([rows[row] for row in sorted(rows)])  # an absent one shows in the shape
    if "reg_token" in renamed and "cls_token" in renamed and "pos_embed" in renamed:
        # timm embeds no position for the class token of these models: it is added to the token itself
        renamed["cls_token"] = renamed["cls_token"] + renamed["pos_embed"][:, :1]
        renamed["pos_embed"] = renamed["pos_embed"][:, 1:]
    return renamed


def _filtered(tensors: Tensors, module: nn.Module, what: str) -> Tensors:
    """timm's own filter of that architecture: names of the original releases, position embeddings resampled."""
    known = getattr(sys.modules[type(module).__module__], "checkpoint_filter_fn", None)
    if known is None:
        return tensors
    _check_patches(tensors, module, what)
    try:
        filtered: Any = known(dict(tensors), module)
    except Exception as error:  # border: timm's filters fail in many ways on foreign files
        raise WeightsRejected(
            f"“{what}” is of another model ({type(error).__name__}: {str(error)[:120]}).",
            "Choose the file of this model.",
        ) from error
    return dict(filtered)


def _check_patches(tensors: Tensors, module: nn.Module, what: str) -> None:
    """Refuse patches of another size, which timm's filter would resample to a model that never was."""
    own, held = module.state_dict().get(_PATCHES), tensors.get(_PATCHES)
    if own is not None and held is not None and held.ndim == 4 and held.shape[-2:] != own.shape[-2:]:
        raise WeightsRejected(
            f"“{what}” is of another model: its patches are {held.shape[-1]} pixels wide, not {own.shape[-1]}.",
            "Choose the file of this model.",
        )


CONVERTERS: Mapping[str, Callable[[Tensors, nn.Module, str], Tensors]] = {"timm": _by_name, "order": _by_order}
"""All converters by the name that a card gives."""
