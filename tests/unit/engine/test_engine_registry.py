"""The contract of every model of the registry, at a tiny size: whatever a plugin adds is checked by these tests.

What is computed is computed once for cards that are the same network at that size (``every_shape``); what is only
built is built for every card.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from medfm_gui.base.plugins import read_plugins
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import WeightsRejected
from medfm_gui.engine.backbones import Backbone, build_backbone
from medfm_gui.engine.converters import converted
from medfm_gui.engine.explain.gradcam import heat_map
from medfm_gui.engine.fit import load_checked
from medfm_gui.engine.tensor_files import read_tensors, write_tensors
from tests.fixtures.tiny import distinct_cards, tiny, tiny_backbone

CARDS = read_plugins().cards
every_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
every_shape = pytest.mark.parametrize("card", distinct_cards(), ids=lambda card: card.name)


def _images(backbone: Backbone, count: int = 2) -> torch.Tensor:
    torch.manual_seed(7)
    return torch.randn(count, 3, backbone.image_size, backbone.image_size)


def _shaken(backbone: Backbone) -> Backbone:
    """Away from the start, where some models keep a layer's share near zero."""
    with torch.no_grad():
        for parameter in backbone.module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return backbone


def _load(backbone: Backbone, path: Path) -> None:
    card = backbone.card
    named = converted(read_tensors(path), backbone.module, card.weights.converter, what=path.name)
    load_checked(backbone.module, named, ignore=card.weights.ignore, what=path.name, model=card.title)


@every_shape
def test_features_tokens_and_depths_have_the_shapes_they_say(card: BackboneCard) -> None:
    backbone = tiny_backbone(card)
    images = _images(backbone)
    with torch.no_grad():
        features, tokens, (classes, mean) = (
            backbone.features(images),
            backbone.tokens(images),
            backbone.depths(images, 2),
        )
    assert features.shape == (2, backbone.feature_dim)
    assert tokens.shape[0::2] == (2, backbone.token_dim)
    assert classes.shape[0::2] == (2, backbone.token_dim)
    assert classes.shape[1] in (1, 2)
    torch.testing.assert_close(mean, tokens.mean(dim=1), atol=1e-5, rtol=1e-4)
    for found in (features, tokens, classes):
        assert bool(torch.isfinite(found).all())
    if card.features == "cls":
        torch.testing.assert_close(classes[:, -1], features, atol=1e-5, rtol=1e-4)
    if card.features == "mean":
        torch.testing.assert_close(mean, features, atol=1e-5, rtol=1e-4)


def test_an_attention_head_reads_dinov2_before_its_last_norm() -> None:
    cards = read_plugins().cards
    assert {card.plugin for card in cards if card.attention_tokens == "raw"} == {"dinov2"}
    backbone = _shaken(tiny_backbone(next(card for card in cards if card.name == "dinov2-s-reg")))
    with torch.no_grad():
        raw, tokens = (backbone.tokens(_images(backbone), raw=raw) for raw in (True, False))
        assert not torch.allclose(raw, tokens, atol=1e-3)
        torch.testing.assert_close(backbone.module.norm(raw), tokens)  # type: ignore[operator]


@every_shape
def test_raw_tokens_are_of_the_same_shape(card: BackboneCard) -> None:
    backbone = tiny_backbone(card)
    with torch.no_grad():
        raw, tokens = (backbone.tokens(_images(backbone), raw=raw) for raw in (True, False))
    assert raw.shape == tokens.shape


@every_shape
def test_a_training_step_reaches_every_parameter_and_lowers_the_loss(card: BackboneCard) -> None:
    backbone = _shaken(tiny_backbone(card))
    images, targets = _images(backbone), torch.tensor([0, 1])
    head = nn.Linear(backbone.feature_dim, 2)
    trained = [*backbone.module.parameters(), *head.parameters()]

    def loss() -> torch.Tensor:
        return nn.functional.cross_entropy(head(backbone.features(images)), targets)

    before = loss()
    before.backward()  # type: ignore[no-untyped-call]
    without = [name for name, one in backbone.module.named_parameters() if one.grad is None]
    assert without == []
    with torch.no_grad():
        norm = torch.stack([one.grad.square().sum() for one in trained if one.grad is not None]).sum()
        for one in trained:
            if one.grad is not None:
                one.sub_(1e-3 * one.grad / norm.sqrt())
        assert float(loss()) < float(before)


@every_card
def test_blocks_hold_most_of_the_model_each_once(card: BackboneCard) -> None:
    backbone = tiny_backbone(card)
    blocks = backbone.blocks()
    assert len(blocks) >= 2
    inside = [id(one) for block in blocks for one in block.parameters()]
    assert len(inside) == len(set(inside)) > 0
    assert set(inside) <= {id(one) for one in backbone.module.parameters()}


@every_shape
def test_a_file_of_it_comes_back_equal_and_an_incomplete_one_is_refused(card: BackboneCard, tmp_path: Path) -> None:
    source, other = tiny_backbone(card), tiny_backbone(card, seed=1)
    whole = dict(source.module.state_dict())
    write_tensors(tmp_path / "whole.safetensors", whole)
    _load(other, tmp_path / "whole.safetensors")
    images = _images(source)
    with torch.no_grad():
        assert torch.equal(source.features(images), other.features(images))
    gone = list(whole)[len(whole) // 2]
    write_tensors(tmp_path / "part.safetensors", {name: one for name, one in whole.items() if name != gone})
    with pytest.raises(WeightsRejected) as refused:
        _load(other, tmp_path / "part.safetensors")
    assert gone in refused.value.message or card.weights.converter == "order"  # which has but an order to go by


@every_shape
def test_every_adapter_gets_a_gradient(card: BackboneCard) -> None:
    backbone = _shaken(tiny_backbone(card))
    names = backbone.lora_targets("attention+mlp")
    assert set() < set(backbone.lora_targets("qkv")) <= set(backbone.lora_targets("attention")) <= set(names)
    assert len(names) == len(set(names))
    layers = dict(backbone.module.named_modules())
    assert all(isinstance(layers[name], nn.Linear | nn.Conv2d) for name in names)
    images = _images(backbone)
    with torch.no_grad():
        before = backbone.features(images)
    inject_adapter_in_model(LoraConfig(r=2, lora_alpha=4, target_modules=names), backbone.module)
    torch.testing.assert_close(backbone.features(images), before, atol=1e-5, rtol=1e-4)
    backbone.features(images).square().sum().backward()  # type: ignore[no-untyped-call]
    adapters = {name: one for name, one in backbone.module.named_parameters() if "lora_B" in name}
    assert len(adapters) == len(names)
    inert = [name for name, one in adapters.items() if one.grad is None or not bool(one.grad.any())]
    assert inert == []


@every_shape
def test_its_heat_map_varies(card: BackboneCard) -> None:
    backbone = _shaken(tiny_backbone(card, image_size=tiny(card).size_for_maps))
    head = nn.Linear(backbone.feature_dim, 4)
    nn.init.normal_(head.weight, std=0.5)
    images = _images(backbone, 4)
    maps = heat_map(backbone, head, images, [0, 1, 2, 3])
    assert all(one.map.shape == (backbone.image_size, backbone.image_size) for one in maps)
    assert any(float(one.map.std()) > 0.01 for one in maps)


def test_bias_counts_are_those_of_the_facts() -> None:
    """Millions of weights, thousands of biases: AIMv2 has none but its patches'."""
    thousands = {
        "dinov2-s": 51.5, "dinov2-g": 760.8, "mae-h": 453.1, "sam2-t": 53.3, "aimv2-l": 1.0, "aimv2-3b": 3.1,
        "clip-b32": 102.9, "coca-b32": 106.0, "dinov3-s": 37.6, "resnet50": 26.6,
    }  # fmt: skip
    catalogue = read_plugins()
    for name, expected in thousands.items():
        card = catalogue.card(name)
        with torch.device("meta"):
            module = build_backbone(card, card.native_size).module
        found = sum(one.numel() for key, one in module.named_parameters() if key.endswith("bias"))
        assert found / 1e3 == pytest.approx(expected, abs=1.6), name
