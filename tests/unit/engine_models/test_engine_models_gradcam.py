"""Grad-CAM on every family: it finds what the score depends on, leaves the model alone and names its failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from medfm_gui.base.plugins import Catalogue
from medfm_gui.base.weights_status import bundled_file
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import InternalError, PluginError, UsageError
from medfm_gui.engine.backbones import Backbone, load_backbone
from medfm_gui.engine.explain.gradcam import heat_map
from medfm_gui.engine.explain.maps import NO_DEPENDENCE, NO_POSITIVE_EVIDENCE, UNIFORM

Build = Callable[[Any], Backbone]


@pytest.fixture
def lite0(catalogue: Catalogue) -> Backbone:
    card = catalogue.card("efficientnet-lite0")
    return load_backbone(card, image_size=160, weights=bundled_file(card))


def _head(backbone: Backbone, classes: int = 3) -> nn.Linear:
    torch.manual_seed(1)
    head = nn.Linear(backbone.feature_dim, classes)
    nn.init.normal_(head.weight, std=0.1)
    return head


def _check(backbone: Backbone, size: int) -> None:
    torch.manual_seed(2)
    images = torch.randn(2, 3, size, size)
    maps = [one for target in range(3) for one in heat_map(backbone, _head(backbone), images, [target, target])]
    assert all(one.map.shape == (size, size) and one.map.dtype == np.float32 for one in maps)
    assert all(one.map.min() >= 0 and one.map.max() <= 1 for one in maps)
    shown = [one for one in maps if not one.note]
    assert len(shown) >= 3
    assert all(one.map.std() > 0.01 and one.map.max() > 0.99 for one in shown)


@pytest.mark.parametrize("frozen", [True, False])
def test_every_family_gives_a_map(rung: Any, frozen: bool, build_tiny: Build) -> None:
    backbone = build_tiny(rung)
    backbone.module.requires_grad_(not frozen)
    _check(backbone, rung.image_size)


@pytest.mark.parametrize("frozen", [True, False])
def test_real_weights_give_a_map(frozen: bool, lite0: Backbone) -> None:
    lite0.module.requires_grad_(not frozen)
    _check(lite0, 160)


@pytest.mark.parametrize("name", ["resnet50", "dinov2-s-reg", "mae-b"])
def test_the_cut_changes_nothing(name: str, build_tiny: Build) -> None:
    """Equal to the definition, with gradients through the whole network."""
    backbone, size = build_tiny(name), build_tiny(name).image_size
    head, images = _head(backbone), torch.randn(1, 3, size, size)
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        output.retain_grad()
        kept.append(output)

    handle = backbone.cam_layer().register_forward_hook(keep)
    head(backbone.features(images))[0, 1].backward()
    handle.remove()
    assert kept[0].grad is not None
    activation, gradient = backbone.cam_maps(kept[0]), backbone.cam_maps(kept[0].grad)
    small = torch.relu((gradient.mean((2, 3), keepdim=True) * activation).sum(1, keepdim=True)).detach()
    small = (small - small.min()) / small.max().clamp_min(1e-7)
    large = nn.functional.interpolate(small, (size, size), mode="bilinear")[0, 0]
    expected = ((large - large.min()) / (large.max() - large.min())).numpy()
    (found,) = heat_map(backbone, head, images, [1])
    assert found.note == ""
    np.testing.assert_allclose(found.map, expected, atol=1e-3)


def test_the_map_follows_the_evidence(lite0: Backbone) -> None:
    """A head that asks for what a corner of noise excites lights that corner."""
    torch.manual_seed(0)
    images = torch.zeros(1, 3, 160, 160)
    images[:, :, :64, :64] = torch.randn(1, 3, 64, 64).clamp(-1, 1)
    with torch.no_grad():
        direction = (lite0.features(images) - lite0.features(torch.zeros_like(images))).squeeze(0)
    (found,) = heat_map(lite0, lambda features: (features @ direction)[:, None], images, [1])
    assert found.map[:80, :80].mean() > 2 * found.map[80:, 80:].mean()


def test_one_logit_has_two_signs(lite0: Backbone) -> None:
    torch.manual_seed(3)
    images, head = torch.randn(1, 3, 160, 160), _head(lite0, 1)
    (positive,) = heat_map(lite0, head, images, [1])
    (negative,) = heat_map(lite0, head, images, [0])
    assert np.abs(positive.map - negative.map).max() > 0.5
    both = nn.Linear(lite0.feature_dim, 2)
    with torch.no_grad():
        both.weight.copy_(torch.cat((-head.weight, head.weight)))
    np.testing.assert_allclose(heat_map(lite0, both, images, [0])[0].map, negative.map, atol=1e-5)


def test_the_model_is_left_as_it_was(rung: Any, build_tiny: Build) -> None:
    backbone = build_tiny(rung)
    head, images = _head(backbone), torch.randn(2, 3, rung.image_size, rung.image_size)
    backbone.module.train()
    frozen = next(backbone.module.parameters())
    frozen.requires_grad_(False)
    head(backbone.features(images)).sum().backward()
    modules = [*backbone.module.modules(), head]
    parameters = [*backbone.module.parameters(), *head.parameters()]
    state = {name: tensor.clone() for name, tensor in backbone.module.state_dict().items()}
    before = [None if one.grad is None else one.grad.clone() for one in parameters]
    wanted = [one.requires_grad for one in parameters]
    modes = [(module.training, getattr(module, "inplace", None), len(module._forward_hooks)) for module in modules]

    heat_map(backbone, head, images, [0, 1])

    for one, gradient in zip(parameters, before, strict=True):
        assert (one.grad is None) == (gradient is None)
        assert one.grad is None or (gradient is not None and torch.equal(one.grad, gradient))
    assert [one.requires_grad for one in parameters] == wanted
    assert modes == [(m.training, getattr(m, "inplace", None), len(m._forward_hooks)) for m in modules]
    assert all(torch.equal(state[name], tensor) for name, tensor in backbone.module.state_dict().items())


def test_it_works_from_inference_mode_no_grad_and_autocast(build_tiny: Build) -> None:
    backbone = build_tiny("dinov2-s")
    head = _head(backbone)
    images = torch.randn(1, 3, 56, 56)
    expected = heat_map(backbone, head, images, [0])[0].map
    with torch.inference_mode():
        inside = heat_map(backbone, head, images.clone(), [0])[0].map
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        cast = heat_map(backbone, head, images, [0])[0].map
    np.testing.assert_array_equal(inside, expected)
    np.testing.assert_array_equal(cast, expected)


def test_a_model_in_bfloat16_gives_a_map(build_tiny: Build) -> None:
    backbone = build_tiny("dinov2-s")
    backbone.module.bfloat16()
    (found,) = heat_map(backbone, _head(backbone).bfloat16(), torch.randn(1, 3, 56, 56), [0])
    assert found.map.dtype == np.float32


def test_gradient_checkpointing_does_not_disturb(build_tiny: Build) -> None:
    backbone = build_tiny("dinov2-s")
    head, images = _head(backbone), torch.randn(1, 3, 56, 56)
    expected = heat_map(backbone, head, images, [0])[0].map
    backbone.module.set_grad_checkpointing(True)  # type: ignore[operator]
    np.testing.assert_allclose(heat_map(backbone, head, images, [0])[0].map, expected, atol=1e-6)
    assert backbone.module.grad_checkpointing


def test_a_model_made_in_inference_mode_is_refused(build_tiny: Build) -> None:
    with torch.inference_mode():
        backbone = build_tiny("dinov2-s")
    with pytest.raises(InternalError, match="inference mode"):
        heat_map(backbone, _head(backbone), torch.randn(1, 3, 56, 56), [0])


@pytest.mark.parametrize("layer", ["blocks[-1]", "norm"])
def test_a_layer_that_makes_a_constant_map_is_refused(layer: str, build_tiny: Build) -> None:
    backbone = build_tiny("dinov2-s")
    wrong = replace(backbone, card=replace(backbone.card, cam=layer))  # type: ignore[type-var]
    with pytest.raises(PluginError, match=r"class token alone"):
        heat_map(wrong, _head(backbone), torch.randn(2, 3, 56, 56), [0, 1])


def test_targets_are_checked(build_tiny: Build) -> None:
    backbone = build_tiny("dinov2-s")
    images = torch.randn(2, 3, 56, 56)
    with pytest.raises(UsageError, match="2 images need as many targets, not 1"):
        heat_map(backbone, _head(backbone), images, [0])
    with pytest.raises(UsageError, match="no class 3"):
        heat_map(backbone, _head(backbone), images, [0, 3])
    with pytest.raises(UsageError, match="no class 2"):
        heat_map(backbone, _head(backbone, 1), images, [0, 2])


@dataclass(frozen=True)
class Simple:
    """A backbone of one layer: its map is chosen by the test."""

    card: BackboneCard
    module: nn.Module
    image_size: int = 8
    feature_dim: int = 2

    def features(self, images: Tensor) -> Tensor:
        pooled: Tensor = self.module(images).mean(dim=(2, 3))
        return pooled

    @property
    def token_dim(self) -> int:
        return self.feature_dim

    def tokens(self, images: Tensor, *, raw: bool = False) -> Tensor:
        rows: Tensor = self.module(images).flatten(2).mT
        return rows

    def depths(self, images: Tensor, last: int) -> tuple[Tensor, Tensor]:
        mean = self.features(images)
        return mean[:, None], mean

    def blocks(self) -> list[nn.Module]:
        return [self.module]

    def lora_targets(self, which: str) -> list[str]:
        return [""]

    def cam_layer(self) -> nn.Module:
        return self.module

    def cam_maps(self, activation: Tensor) -> Tensor:
        return activation


def _simple(catalogue: Catalogue, module: nn.Module) -> Simple:
    return Simple(catalogue.card("resnet50"), module)


def test_an_empty_map_says_why(catalogue: Catalogue) -> None:
    layer = nn.Conv2d(3, 2, 1)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.fill_(1.0)  # type: ignore[union-attr]
    backbone, images = _simple(catalogue, layer), torch.randn(2, 3, 8, 8)
    notes = {}
    for name, weight in (("for", 1.0), ("against", -1.0), ("nothing", 0.0)):
        maps = heat_map(backbone, partial(torch.mul, torch.tensor(weight)), images, [0, 1])
        assert all(not one.map.any() for one in maps)
        (notes[name],) = {one.note for one in maps}
    assert notes == {"for": UNIFORM, "against": NO_POSITIVE_EVIDENCE, "nothing": NO_DEPENDENCE}


def test_an_activation_in_place_does_not_spoil_the_map(catalogue: Catalogue) -> None:
    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 2, 1)
            self.act = nn.ReLU(inplace=True)

    parts = InPlace()

    @dataclass(frozen=True)
    class Activated(Simple):
        def features(self, images: Tensor) -> Tensor:
            pooled: Tensor = parts.act(parts.layer(images)).mean(dim=(2, 3))
            return pooled

        def cam_layer(self) -> nn.Module:
            return parts.layer

    backbone = Activated(catalogue.card("resnet50"), parts)
    images = torch.randn(1, 3, 8, 8)
    with torch.no_grad():
        stored = parts.layer(images)
    parts.act.inplace = False
    expected = heat_map(backbone, lambda features: features, images, [0])[0].map
    parts.act.inplace = True
    np.testing.assert_array_equal(heat_map(backbone, lambda features: features, images, [0])[0].map, expected)
    assert parts.act.inplace
    assert bool((stored < 0).any())


def test_a_layer_that_is_no_tensor_or_runs_twice_is_refused(catalogue: Catalogue) -> None:
    class Pair(nn.Conv2d):
        def forward(self, images: Tensor) -> Any:
            return super().forward(images), 1

    @dataclass(frozen=True)
    class Twice(Simple):
        def features(self, images: Tensor) -> Tensor:
            pooled: Tensor = (self.module(images) + self.module(-images)).mean(dim=(2, 3))
            return pooled

    images = torch.randn(1, 3, 8, 8)
    with pytest.raises(PluginError, match="gives a tuple"):
        heat_map(_simple(catalogue, Pair(3, 2, 1)), lambda features: features, images, [0])
    card = catalogue.card("resnet50")
    with pytest.raises(PluginError, match="runs 2 times"):
        heat_map(Twice(card, nn.Conv2d(3, 2, 1)), lambda features: features, images, [0])
