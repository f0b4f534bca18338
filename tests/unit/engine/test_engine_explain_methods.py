"""Each explanation says what its definition says, and leaves the model alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from medfm_gui.base.plugins import read_plugins
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.explain import EXPLANATIONS
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.explain import rollout
from medfm_gui.engine.explain.eigencam import principal_map
from medfm_gui.engine.explain.maps import NO_DEPENDENCE, NO_POSITIVE_EVIDENCE, evidence_maps, scaled_by_range
from medfm_gui.engine.explain.methods import STEP_BY_STEP, explained, heat_maps
from medfm_gui.engine.head import BagHead, HeadFacts, LinearHead, TokenHead
from medfm_gui.engine.reading import TOKENS, Reading
from medfm_gui.engine.token_trunk import blank_trunk
from tests.fixtures.tiny import tiny_backbone

CARDS = read_plugins()
NAMES = [card.name for card in EXPLANATIONS]


@pytest.fixture
def vit() -> Backbone:
    return tiny_backbone(CARDS.card("dinov2-s"))


def _head(backbone: Backbone) -> nn.Linear:
    torch.manual_seed(1)
    head = nn.Linear(backbone.feature_dim, 3)
    nn.init.normal_(head.weight, std=0.1)
    return head


def _images(backbone: Backbone, count: int = 1) -> Tensor:
    torch.manual_seed(2)
    return torch.randn(count, 3, backbone.image_size, backbone.image_size)


@dataclass(frozen=True)
class Weighted:
    """A backbone whose one feature is a weighted sum of its pixels: what each pixel gives is known."""

    card: BackboneCard
    module: nn.Module
    weights: Tensor
    image_size: int = 16
    feature_dim: int = 1

    def features(self, images: Tensor) -> Tensor:
        seen: Tensor = self.module(images)
        return (seen * self.weights).sum(dim=(1, 2, 3))[:, None]


def _weighted(weights: Tensor) -> Any:
    module = nn.Conv2d(3, 3, 1, bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.eye(3)[:, :, None, None])
    return Weighted(CARDS.card("resnet50"), module, weights)


def _same(features: Tensor) -> Tensor:
    return features


@pytest.mark.parametrize("name", NAMES)
def test_whether_the_class_matters_is_what_the_card_says(name: str, vit: Backbone) -> None:
    card = next(one for one in EXPLANATIONS if one.name == name)
    one, other = (heat_maps(name, vit, _head(vit), _images(vit), [target])[0].map for target in (0, 1))
    assert card.class_specific == (not np.array_equal(one, other))


@pytest.mark.parametrize("name", NAMES)
def test_the_model_is_left_as_it_was(name: str, vit: Backbone) -> None:
    head, images = _head(vit), _images(vit)
    vit.module.train()
    next(vit.module.parameters()).requires_grad_(False)
    head(vit.features(images)).sum().backward()
    modules = [*vit.module.modules(), head]
    parameters = [*vit.module.parameters(), *head.parameters()]
    kept = [None if one.grad is None else one.grad.clone() for one in parameters]
    flags = ("training", "inplace", "fused_attn")

    def facts() -> list[Any]:
        return [
            [one.requires_grad for one in parameters],
            [[getattr(module, flag, None) for flag in flags] + [len(module._forward_hooks)] for module in modules],
            torch.is_grad_enabled(),
        ]

    before = facts()
    heat_maps(name, vit, head, images, [0])
    assert facts() == before
    for one, gradient in zip(parameters, kept, strict=True):
        assert (one.grad is None and gradient is None) or torch.equal(one.grad, gradient)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_it_works_from_inference_mode_and_no_grad(name: str, vit: Backbone) -> None:
    head, images = _head(vit), _images(vit)
    expected = heat_maps(name, vit, head, images, [0])[0].map
    with torch.inference_mode():
        inside = heat_maps(name, vit, head, images.clone(), [0])[0].map
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        cast = heat_maps(name, vit, head, images, [0])[0].map
    np.testing.assert_array_equal(inside, expected)
    np.testing.assert_array_equal(cast, expected)


@pytest.mark.parametrize("name", NAMES)
def test_targets_are_checked(name: str, vit: Backbone) -> None:
    head = _head(vit)
    with pytest.raises(UsageError, match="2 images need as many targets, not 1"):
        heat_maps(name, vit, head, _images(vit, 2), [0])
    if name != "eigencam":  # it never looks at the class
        with pytest.raises(UsageError, match="no class 3"):
            heat_maps(name, vit, head, _images(vit), [3])


def test_an_unknown_explanation_is_named(vit: Backbone) -> None:
    with pytest.raises(UsageError, match="no explanation “magic”") as raised:
        heat_maps("magic", vit, _head(vit), _images(vit), [0])
    assert "layercam" in raised.value.hint


@pytest.mark.parametrize("name", sorted(STEP_BY_STEP))
def test_long_work_tells_how_far_it_is_and_can_be_left(name: str, vit: Backbone) -> None:
    head, images = _head(vit), _images(vit, 2)
    with torch.no_grad():
        work = explained(name, vit, head, images, [0, 1])
        steps = list(work)
        assert not torch.is_grad_enabled()
    done = [step for step, _ in steps]
    assert done == sorted(set(done)) and done[-1] == steps[-1][1]
    assert len({total for _, total in steps}) == 1
    left = explained(name, vit, head, images, [0, 1])
    next(left)
    left.close()
    assert next(vit.module.parameters()).requires_grad


def test_hirescam_is_grad_cam_where_a_last_map_is_averaged() -> None:
    """Draelos and Carin 2020: with average pooling and one linear layer gradients are the same at every place."""
    network = tiny_backbone(CARDS.card("resnet50"), image_size=160)
    head, images = _head(network), _images(network, 2)
    for target in range(3):
        pair = [heat_maps(name, network, head, images, [target] * 2) for name in ("gradcam", "hirescam")]
        for one, other in zip(*pair, strict=True):
            np.testing.assert_allclose(one.map, other.map, atol=1e-4)


def test_the_principal_map_finds_the_pattern_and_its_sign() -> None:
    random = np.random.default_rng(0)
    pattern = np.zeros((6, 6), np.float32)
    pattern[1:3, 1:3] = 1.0
    noise = 0.01 * random.standard_normal((5, 6, 6))
    for sign in (1, -1):
        activation = (sign * random.random(5)[:, None, None] * pattern + noise).astype(np.float32)
        found = principal_map(activation)
        assert found.shape == (6, 6)
        assert found[1:3, 1:3].min() > found[pattern == 0].max()


def test_rollout_of_one_block_is_its_attention_and_the_skip() -> None:
    vit = tiny_backbone(CARDS.card("dinov2-s"), depth=1)
    images = _images(vit)
    kept: list[Tensor] = []
    attention: Any = vit.blocks()[0].attn
    attention.fused_attn = False
    handle = attention.attn_drop.register_forward_hook(lambda _m, _i, output: kept.append(output))
    with torch.no_grad():
        vit.features(images)
    handle.remove()
    row = (kept[0].mean(dim=1)[0, 0] / 2)[1:].reshape(1, 4, 4)  # the skip keeps the class token, which is no patch
    large = nn.functional.interpolate(row[:, None], size=(56, 56), mode="bilinear")[:, 0]
    (expected,) = scaled_by_range(large)
    (found,) = heat_maps("rollout", vit, _head(vit), images, [0])
    np.testing.assert_allclose(found.map, expected, atol=1e-5)


@pytest.mark.parametrize("rule", ["cls", "mean", "cls+mean"])
def test_rollout_starts_from_the_tokens_that_are_pooled(rule: str, vit: Backbone) -> None:
    backbone: Any = replace(vit, card=replace(vit.card, features=rule))  # type: ignore[type-var]
    tokens = 17
    random = torch.Generator().manual_seed(0)
    mixed = torch.rand(1, tokens, tokens, generator=random)
    pooled = rollout._pooled(backbone, mixed)
    rows = {"cls": mixed[0, 0], "mean": mixed[0, 1:].mean(dim=0)}
    rows["cls+mean"] = (rows["cls"] + rows["mean"]) / 2
    torch.testing.assert_close(pooled[0], rows[rule][1:].reshape(4, 4))


def test_rollout_of_a_model_without_attention_is_refused() -> None:
    network = tiny_backbone(CARDS.card("resnet50"))
    with pytest.raises(UsageError, match="nothing to roll out"):
        heat_maps("rollout", network, _head(network), _images(network), [0])


def test_occlusion_finds_the_place_that_counts() -> None:
    weights = torch.zeros(3, 16, 16)
    weights[:, 4:8, 8:12] = 1.0
    images = torch.zeros(1, 3, 16, 16)
    images[:, :, 4:8, 8:12] = 1.0
    (found,) = heat_maps("occlusion", _weighted(weights), _same, images, [1])
    assert found.map[4:8, 8:12].min() > 0.2
    assert found.map[10:].max() == 0 and found.map[:, :6].max() == 0
    (against,) = heat_maps("occlusion", _weighted(weights), _same, images, [0])
    assert against.note == NO_POSITIVE_EVIDENCE and not against.map.any()


def test_integrated_gradients_of_a_weighted_sum_are_its_terms() -> None:
    torch.manual_seed(0)
    weights, images = torch.randn(3, 16, 16), torch.randn(1, 3, 16, 16)
    given = (weights * (images[0] - images[0].mean(dim=(1, 2), keepdim=True))).sum(dim=0)
    (expected,) = evidence_maps(given[None], quantile=0.99)
    (found,) = heat_maps("integrated-gradients", _weighted(weights), _same, images, [1])
    np.testing.assert_allclose(found.map, expected.map, atol=1e-4)
    assert found.note == ""


def test_a_score_that_depends_on_nothing_says_so() -> None:
    images = torch.randn(1, 3, 16, 16)
    for name in STEP_BY_STEP:
        (found,) = heat_maps(name, _weighted(torch.zeros(3, 16, 16)), _same, images, [1])
        assert found.note == NO_DEPENDENCE and not found.map.any()
        (blind,) = heat_maps(name, _weighted(torch.zeros(3, 16, 16)), _blind, images, [1])
        assert blind.note == NO_DEPENDENCE


def _blind(features: Tensor) -> Tensor:
    return torch.ones(len(features), 1)


def test_small_numbers_fill_the_range_and_rounding_does_not() -> None:
    ramp = torch.linspace(0, 1, 16).reshape(1, 4, 4)
    (tiny,) = scaled_by_range(ramp * 1e-20)
    np.testing.assert_allclose(tiny, ramp[0].numpy(), atol=1e-6)
    (flat,) = scaled_by_range(1e6 + ramp * 1e-3)
    assert not flat.any()


_HEADS = {
    "depths": HeadFacts("linear", Task.BINARY, ("no", "yes"), 3 * 64, reads=Reading("depths", 2, True)),
    "bag": HeadFacts("bag", Task.BINARY, ("no", "yes"), 64, aggregate="attention"),
    "attention": HeadFacts("attention", Task.BINARY, ("no", "yes"), 64, reads=TOKENS, width=64, depth=2, tokens=16),
}


@pytest.mark.parametrize("kind", sorted(_HEADS))
@pytest.mark.parametrize("name", ["gradcam", "layercam", "integrated-gradients", "rollout"])
def test_every_head_is_explained_through_what_it_reads(name: str, kind: str, vit: Backbone) -> None:
    facts = _HEADS[kind]
    torch.manual_seed(4)
    head: Any = _new_head(facts)
    for parameter in head.parameters():
        nn.init.normal_(parameter, std=0.2)
    maps = [heat_maps(name, vit, head, _images(vit), [target])[0] for target in (0, 1)]
    assert all(one.map.shape == (56, 56) for one in maps)
    assert any(one.map.std() > 0.01 for one in maps)


def _new_head(facts: HeadFacts) -> nn.Module:
    if facts.kind == "attention":
        return TokenHead(facts, blank_trunk(facts))
    return BagHead(facts) if facts.kind == "bag" else LinearHead(facts)
