"""Vision transformers of the transformers library under timm's names.

Two generations of names are told apart by nothing: a file has the old ones, a module in memory those of version 5,
and both are understood side by side. Kinds: ViT, ViTMAE, ViTMSN, Dinov2 (with registers), BlipVision, SiglipVision,
CLIPVision, alone or inside a model of image and text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

Tensors = dict[str, Tensor]

_TOWERS = ("vision_model.", "vit.", "dinov2.", "dinov2_with_registers.")
"""What stands before the names of a transformer that is part of something."""
_PATCHES = ("embeddings.patch_embeddings.projection.weight", "embeddings.patch_embedding.weight")
"""The patch embedding: one of these names is in each of the files, and in no other."""
_NAMES = {
    "embeddings.cls_token": "cls_token",
    "embeddings.class_embedding": "cls_token",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.position_embedding": "pos_embed",
    "embeddings.position_embedding.weight": "pos_embed",
    "embeddings.register_tokens": "reg_token",
    "head.probe": "attn_pool.latent",
}
_MODULES = {
    "embeddings.patch_embeddings.projection": "patch_embed.proj",
    "embeddings.patch_embedding": "patch_embed.proj",
    "pre_layrnorm": "norm_pre",
    "layernorm": "norm",
    "post_layernorm": "norm",
    "head.attention.out_proj": "attn_pool.proj",
    "head.layernorm": "attn_pool.norm",
    "head.mlp.fc1": "attn_pool.mlp.fc1",
    "head.mlp.fc2": "attn_pool.mlp.fc2",
}
_LAYER = re.compile(r"(?:encoder\.)?layers?\.(\d+)\.(.+)\.(weight|bias)$")
_SCALE = re.compile(r"(?:encoder\.)?layers?\.(\d+)\.layer_scale([12])\.lambda1$")
_PARTS = {
    "norm1": "norm1",
    "norm2": "norm2",
    "layer_norm1": "norm1",
    "layer_norm2": "norm2",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
    "attention.output.dense": "attn.proj",
    "attention.o_proj": "attn.proj",
    "self_attn.out_proj": "attn.proj",
    "self_attn.projection": "attn.proj",
    "self_attn.qkv": "attn.qkv",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
    "mlp.weights_in": "mlp.fc1",
    "mlp.weights_out": "mlp.fc2",
    "mlp.down_proj": "mlp.fc2",
}
_ATTENTION = re.compile(r"(?:self_attn|attention)\.(?:attention\.)?(query|key|value|q_proj|k_proj|v_proj)$")
_GATED = re.compile(r"mlp\.(gate|up)_proj$")
_POOL = re.compile(r"head\.attention\.in_proj_(weight|bias)$")
_ROW = {"q": 0, "k": 1, "v": 2, "g": 0, "u": 1}
"""Where a matrix stands in the one that timm has instead, by its first letter."""
_DROPPED = ("embeddings.mask_token", "embeddings.position_ids", "pooler.", "decoder.", "classifier.")


def vision_tower(tensors: Mapping[str, Tensor]) -> Tensors | None:
    """The tensors of the vision transformer, bare of what stands before their names; None if it is no such file."""
    for prefix in _TOWERS:
        inside = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        if any(name in inside for name in _PATCHES):
            return inside
    return dict(tensors) if any(name in tensors for name in _PATCHES) else None


def timm_names(tensors: Mapping[str, Tensor]) -> Tensors:
    """The tensors of ``vision_tower`` as timm names and joins them; what is unknown keeps its name."""
    renamed: Tensors = {}
    stacked: dict[str, dict[int, Tensor]] = {}
    for name, tensor in tensors.items():
        module, _, kind = name.rpartition(".")
        layer = _LAYER.match(name)
        if name in _NAMES:
            renamed[_NAMES[name]] = tensor
        elif module in _MODULES:
            renamed[f"{_MODULES[module]}.{kind}"] = tensor
        elif scale := _SCALE.match(name):
            renamed[f"blocks.{scale[1]}.ls{scale[2]}.gamma"] = tensor
        elif pool := _POOL.match(name):
            width = len(tensor) // 3
            renamed[f"attn_pool.q.{pool[1]}"] = tensor[:width]
            renamed[f"attn_pool.kv.{pool[1]}"] = tensor[width:]
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
    return _tokens_shaped(renamed)


def _tokens_shaped(tensors: Tensors) -> Tensors:
    for name in ("cls_token", "pos_embed"):
        if name in tensors:
            tensors[name] = tensors[name].reshape(1, -1, tensors[name].shape[-1])
    if "reg_token" in tensors and "cls_token" in tensors and "pos_embed" in tensors:
        # timm embeds no position for the class token of these models: it is added to the token itself
        tensors["cls_token"] = tensors["cls_token"] + tensors["pos_embed"][:, :1]
        tensors["pos_embed"] = tensors["pos_embed"][:, 1:]
    return tensors
