"""Backbones of every family: features, their gradients, sizes, pooling, and the weights that came with a package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from medfm_gui.base.plugins import Catalogue
from medfm_gui.base.weights_status import bundled_file
from medfm_gui.domain.errors import PluginError, UsageError, WeightsAbsent
from medfm_gui.engine.backbones import Backbone, build_backbone, load_backbone
from medfm_gui.engine.tensor_files import read_tensors
from medfm_gui.engine.timm_backbone import TimmBackbone, layer_at

Build = Callable[[Any], Backbone]


def test_features_are_finite_and_differentiable(rung: Any, build_tiny: Build) -> None:
    backbone = build_tiny(rung)
    images = torch.randn(2, 3, rung.image_size, rung.image_size)
    features = backbone.features(images)
    assert features.shape == (2, backbone.feature_dim)
    assert bool(torch.isfinite(features).all())
    (gradient,) = torch.autograd.grad(features.square().sum(), next(backbone.module.parameters()))
    assert bool(gradient.abs().sum() > 0)


def test_equal_seeds_give_equal_random_weights(build_tiny: Build) -> None:
    one, other = build_tiny("dinov2-s"), build_tiny("dinov2-s")
    images = torch.randn(1, 3, 56, 56)
    assert torch.equal(one.features(images), other.features(images))


def test_a_backbone_is_made_in_eval_mode(rung: Any, build_tiny: Build) -> None:
    assert not any(module.training for module in build_tiny(rung).module.modules())


def test_pooling_follows_the_card(build_tiny: Build) -> None:
    backbone = build_tiny("dinov2-s-reg")
    assert isinstance(backbone, TimmBackbone)
    images = torch.randn(2, 3, 56, 56)
    tokens = backbone.module.forward_features(images)  # type: ignore[operator]
    assert tokens.shape == (2, 1 + 4 + 16, 64)
    pooled = {
        rule: replace(backbone, card=replace(backbone.card, features=rule)).features(images)
        for rule in ("cls", "mean", "cls+mean", "native")
    }
    torch.testing.assert_close(pooled["cls"], tokens[:, 0])
    torch.testing.assert_close(pooled["mean"], tokens[:, 5:].mean(1))
    torch.testing.assert_close(pooled["cls+mean"], torch.cat((pooled["cls"], pooled["mean"]), 1))
    torch.testing.assert_close(pooled["native"], backbone.module(images))
    assert replace(backbone, card=replace(backbone.card, features="cls+mean")).feature_dim == 128
    with pytest.raises(PluginError, match="unknown pooling"):
        replace(backbone, card=replace(backbone.card, features="median")).features(images)


def test_a_size_that_does_not_suit_is_refused_with_the_next_ones(catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match="multiple of 14") as refused:
        build_backbone(catalogue.card("dinov2-s"), 225)
    assert "input_size=224 or 238" in refused.value.hint
    with pytest.raises(UsageError, match="multiple of 14"):
        build_backbone(catalogue.card("dinov2-s"), 7)


@pytest.mark.parametrize("path", ["nothing", "blocks[7]", "blocks[-1].norm9", "pos_embed", "norm[0]"])
def test_a_layer_that_is_not_there_is_named(path: str, build_tiny: Build) -> None:
    with pytest.raises(PluginError, match="layer"):
        layer_at(build_tiny("dinov2-s").module, path)


def test_tokens_become_maps_in_raster_order(build_tiny: Build) -> None:
    backbone = build_tiny("dinov2-s-reg")
    tokens = torch.arange(21).float().view(1, 21, 1)
    assert torch.equal(backbone.cam_maps(tokens), torch.arange(5, 21).float().view(1, 1, 4, 4))


@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite1"])
def test_bundled_weights_know_what_they_see(name: str, catalogue: Catalogue) -> None:
    card = catalogue.card(name)
    file = bundled_file(card)
    assert file is not None
    backbone = load_backbone(card, image_size=card.input_size, weights=file)
    head = read_tensors(file)
    for picture, imagenet_class in (("china.jpg", 698), ("flower.jpg", 985)):  # palace, daisy
        features = backbone.features(_picture(picture, card.input_size)).detach()
        logits = features @ head["_fc.weight"].T + head["_fc.bias"]
        assert int(logits.argmax()) == imagenet_class


def test_weights_that_are_not_there_are_absent(catalogue: Catalogue, tmp_path: Any) -> None:
    with pytest.raises(WeightsAbsent, match=r"nothing\.safetensors"):
        load_backbone(catalogue.card("efficientnet-lite0"), image_size=64, weights=tmp_path / "nothing.safetensors")


def test_no_weights_means_random_ones(catalogue: Catalogue) -> None:
    torch.manual_seed(3)
    backbone = load_backbone(catalogue.card("efficientnet-lite0"), image_size=64, weights=None)
    assert isinstance(backbone.module, nn.Module)
    assert backbone.features(torch.zeros(1, 3, 64, 64)).shape == (1, 1280)


def _picture(name: str, size: int) -> torch.Tensor:
    from sklearn.datasets import load_sample_image

    whole = torch.from_numpy(np.array(load_sample_image(name))).permute(2, 0, 1)[None].float() / 255
    side = min(whole.shape[-2:])
    top, left = (whole.shape[-2] - side) // 2, (whole.shape[-1] - side) // 2
    square = whole[:, :, top : top + side, left : left + side]
    scaled = nn.functional.interpolate(square, (size, size), mode="bicubic", antialias=True).clamp(0, 1)
    return (scaled - 0.5) / 0.5
