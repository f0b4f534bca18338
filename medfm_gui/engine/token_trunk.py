"""The transformer blocks of an attention head: DeiT-B's, pretrained or drawn by lot, without the patch embedding."""

from __future__ import annotations

import math
from pathlib import Path

import timm
import torch
from timm.layers.pos_embed import resample_abs_pos_embed
from torch import nn

from medfm_gui.domain.errors import PluginError
from medfm_gui.engine.converters import converted
from medfm_gui.engine.fit import load_checked
from medfm_gui.engine.head import HeadFacts
from medfm_gui.engine.tensor_files import read_tensors

ARCH = "deit_base_patch16_224"
_HEAD_WIDTH = 64
_CLASSIFIER = ("head.", "head_dist.")


def blank_trunk(facts: HeadFacts) -> nn.Module:
    """Blocks with random weights, and positions for ``facts.tokens`` tokens."""
    trunk = _transformer(facts)
    trunk.patch_embed = nn.Identity()
    positions = torch.zeros(1, 1 + facts.tokens, facts.width)
    trunk.pos_embed = nn.Parameter(nn.init.trunc_normal_(positions, std=0.02))
    return trunk


def pretrained_trunk(facts: HeadFacts, weights: Path) -> nn.Module:
    """DeiT-B's blocks, with its positions resized to the square of ``facts.tokens`` tokens.

    Raises:
        WeightsAbsent: there is no such file.
        WeightsRejected: it does not hold DeiT-B.
        PluginError: the tokens are not those of a square.
    """
    side = math.isqrt(facts.tokens)
    if side * side != facts.tokens:
        raise PluginError(
            f"The model gives {facts.tokens} tokens, which are no square.", "Use another model or adaptation."
        )
    trunk = _transformer(facts)
    tensors = converted(read_tensors(weights), trunk, "timm", what=weights.name)
    load_checked(trunk, tensors, ignore=_CLASSIFIER, what=weights.name, model="DeiT-B")
    with torch.no_grad():
        positions = resample_abs_pos_embed(trunk.pos_embed, [side, side], num_prefix_tokens=1)
    trunk.patch_embed = nn.Identity()
    trunk.pos_embed = nn.Parameter(positions.clone())
    return trunk


def _transformer(facts: HeadFacts) -> nn.Module:
    built: nn.Module = timm.create_model(
        ARCH,
        pretrained=False,
        num_classes=0,
        embed_dim=facts.width,
        depth=facts.depth,
        num_heads=facts.width // _HEAD_WIDTH,
    )
    return built
