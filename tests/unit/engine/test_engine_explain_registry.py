"""Every explanation on every model of the registry, at a tiny size: frozen, trained as a whole and with adapters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import nn

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.explain import EXPLANATIONS
from medfm_gui.engine.adapters import Adapters, with_adapters
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.explain.maps import HeatMap
from medfm_gui.engine.explain.methods import AT_ONCE, STEP_BY_STEP, heat_maps
from tests.fixtures.tiny import distinct_cards, tiny, tiny_backbone

CLASSES = 3
every_shape = pytest.mark.parametrize("card", distinct_cards(), ids=lambda card: card.name)


def _backbone(card: BackboneCard, how: str) -> Backbone:
    backbone = tiny_backbone(card, image_size=96 if tiny(card).cam_size == 160 else tiny(card).size_for_maps)
    if how == "lora":
        targets = tuple(backbone.lora_targets("attention"))
        with_adapters(backbone.module, Adapters(rank=2, alpha=4, dropout=0.0, targets=targets))
        for name, parameter in backbone.module.named_parameters():
            if "lora_B" in name:
                nn.init.normal_(parameter, std=0.02)
    backbone.module.requires_grad_(how == "full")
    return backbone


def _head(backbone: Backbone) -> nn.Linear:
    torch.manual_seed(1)
    head = nn.Linear(backbone.feature_dim, CLASSES)
    nn.init.normal_(head.weight, std=0.1)
    return head


def _images(backbone: Backbone, count: int = 1) -> torch.Tensor:
    torch.manual_seed(2)
    return torch.randn(count, 3, backbone.image_size, backbone.image_size)


def _check(maps: Sequence[HeatMap], size: int) -> None:
    """Maps of the right size, not all of them empty; those that are not have a strongest and a weakest place."""
    for one in maps:
        assert one.map.shape == (size, size) and one.map.dtype == np.float32
        assert one.map.min() >= 0 and one.map.max() <= 1
        assert (one.map.std() > 0.005 and one.map.max() > 0.9) or one.note
    assert any(one.map.max() > 0.9 for one in maps), {one.note for one in maps}


def test_the_table_knows_every_card_of_an_explanation() -> None:
    assert {card.name for card in EXPLANATIONS} == {*AT_ONCE, *STEP_BY_STEP}
    assert not set(AT_ONCE) & set(STEP_BY_STEP)


@pytest.mark.parametrize("how", ["frozen", "full", "lora"])
@every_shape
def test_a_class_activation_map_of_every_model(card: BackboneCard, how: str) -> None:
    backbone = _backbone(card, how)
    head, images = _head(backbone), _images(backbone).repeat(CLASSES, 1, 1, 1)
    for name in ("gradcam", "gradcam++", "hirescam", "layercam", "eigencam"):
        _check(heat_maps(name, backbone, head, images, range(CLASSES)), backbone.image_size)


@every_shape
def test_attention_is_rolled_out_or_refused(card: BackboneCard) -> None:
    backbone = _backbone(card, "full")
    head, images = _head(backbone), _images(backbone, 2)
    attentions = [block.attn for block in backbone.blocks() if hasattr(block, "attn")]
    fused = [getattr(one, "fused_attn", None) for one in attentions]
    plain = card.plugin not in ("sam", "sam2", "vmamba") and not card.convolutional
    if plain:
        _check(heat_maps("rollout", backbone, head, images, [0, 1]), backbone.image_size)
    else:
        with pytest.raises(UsageError, match="nothing to roll out"):
            heat_maps("rollout", backbone, head, images, [0, 1])
    assert [getattr(one, "fused_attn", None) for one in attentions] == fused
    assert not any(module._forward_hooks for module in backbone.module.modules())


@pytest.mark.parametrize("name", sorted(STEP_BY_STEP))
@every_shape
def test_the_slower_maps_of_every_shape_of_model(card: BackboneCard, name: str) -> None:
    backbone = tiny_backbone(card)
    _check(heat_maps(name, backbone, _head(backbone), _images(backbone), [1]), backbone.image_size)
