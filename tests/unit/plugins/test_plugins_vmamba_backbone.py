"""VMamba as the engine takes it: the whole protocol, every card, files of any age, adapters, heat maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from pytorch_grad_cam import GradCAM
from torch import Tensor, nn

from medfm_gui.base.plugins import read_plugins
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import WeightsRejected
from medfm_gui.engine.backbones import Backbone, build_backbone
from medfm_gui.engine.converters import converted
from medfm_gui.engine.fit import load_checked
from medfm_gui.engine.tensor_files import read_tensors, write_tensors

_TINY: dict[str, Any] = {"dims": 16, "depths": (1, 1, 2, 1), "ssm_ratio": 2.0}
_CARDS = tuple(card for card in read_plugins().cards if card.plugin == "vmamba")


@pytest.fixture
def build() -> Callable[..., Backbone]:
    def built(seed: int = 0, image_size: int = 40) -> Backbone:
        torch.manual_seed(seed)
        return build_backbone(_CARDS[0], image_size, **_TINY)

    return built


def test_all_six_published_sizes_have_a_card() -> None:
    assert [card.name for card in _CARDS] == [
        "vmamba-t", "vmamba-s", "vmamba-b", "vmamba-t-s2l5", "vmamba-s-s1l20", "vmamba-b-s1l20",
    ]  # fmt: skip
    assert len({card.arch for card in _CARDS}) == 6
    assert all(card.licence == "MIT" and "MzeroMiko/VMamba" in card.weights.note for card in _CARDS)


@pytest.mark.parametrize("card", _CARDS, ids=lambda card: card.name)
def test_a_card_says_the_parameters_and_the_length_of_features_that_its_model_has(card: BackboneCard) -> None:
    with torch.device("meta"):
        backbone = build_backbone(card, card.input_size)
        features = backbone.features(torch.empty(1, 3, 224, 224))
    assert features.shape == (1, card.feature_dim)
    assert backbone.feature_dim == backbone.token_dim == card.feature_dim
    millions = sum(parameter.numel() for parameter in backbone.module.parameters()) / 1e6
    assert card.parameters_m == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize("image_size", [40, 64, 33])
def test_what_it_gives_of_images(build: Callable[..., Backbone], image_size: int) -> None:
    backbone = build(image_size=image_size)
    images = torch.randn(2, 3, image_size, image_size)
    features, tokens = backbone.features(images), backbone.tokens(images)
    side = -(-image_size // 32)
    assert tokens.shape == (2, side**2, backbone.token_dim) == (2, side**2, 128)
    torch.testing.assert_close(features, tokens.mean(1))
    torch.testing.assert_close(features, backbone.module(images))
    classes, mean = backbone.depths(images, 4)
    torch.testing.assert_close(classes, features[:, None])
    torch.testing.assert_close(mean, features)
    (gradient,) = torch.autograd.grad(features.square().sum(), next(backbone.module.parameters()))
    assert bool(gradient.any())


def test_its_blocks_stand_in_the_order_of_depth(build: Callable[..., Backbone]) -> None:
    backbone = build()
    names = {id(module): name for name, module in backbone.module.named_modules()}
    assert [names[id(block)] for block in backbone.blocks()] == [
        "layers.0.blocks.0", "layers.1.blocks.0", "layers.2.blocks.0", "layers.2.blocks.1", "layers.3.blocks.0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("which", "layers"),
    [("qkv", {"in_proj"}), ("attention", {"in_proj", "out_proj"}),
     ("attention+mlp", {"in_proj", "out_proj", "fc1", "fc2"})],
)  # fmt: skip
def test_every_adapter_learns(build: Callable[..., Backbone], which: str, layers: set[str]) -> None:
    backbone = build()
    targets = backbone.lora_targets(which)
    assert len(targets) == 5 * len(layers)
    assert {name.rpartition(".")[2] for name in targets} == layers
    module = inject_adapter_in_model(LoraConfig(r=4, target_modules=targets), backbone.module)
    torch.autograd.backward(backbone.features(torch.randn(2, 3, 40, 40)).square().sum())
    adapters = {name: parameter.grad for name, parameter in module.named_parameters() if "lora_B" in name}
    assert len(adapters) == len(targets)
    assert all(gradient is not None and bool(gradient.any()) for gradient in adapters.values())


@pytest.mark.parametrize("frozen", [False, True])
def test_a_heat_map_varies_over_the_image(build: Callable[..., Backbone], frozen: bool) -> None:
    backbone = build(image_size=160)
    backbone.module.requires_grad_(not frozen)
    torch.manual_seed(1)
    model = nn.Sequential(backbone.module, nn.Linear(128, 3))
    with GradCAM(model, [backbone.cam_layer()], reshape_transform=backbone.cam_maps) as cam:
        cam.compute_input_gradient = True
        maps = cam(torch.randn(2, 3, 160, 160), targets=None)
    assert maps.shape == (2, 160, 160)
    assert all(float(one.max() - one.min()) > 0.5 for one in maps)


def test_a_block_is_turned_to_channels_first(build: Callable[..., Backbone]) -> None:
    activation = torch.arange(24).view(1, 2, 3, 4)
    maps = build().cam_maps(activation)
    assert maps.shape == (1, 4, 2, 3)
    assert int(maps[0, 1, 0, 2]) == int(activation[0, 0, 2, 1])


def _as_convolutions(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    linear = ("in_proj.weight", "out_proj.weight", "fc1.weight", "fc2.weight")
    return {name: one[:, :, None, None] if name.endswith(linear) else one for name, one in tensors.items()}


def _of_old(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.replace("classifier.", "").replace(".norm.", ".ln_1.").replace(".op.", ".self_attention."): one
        for name, one in tensors.items()
    }


@pytest.mark.parametrize("written", [dict, _as_convolutions, _of_old, lambda held: _as_convolutions(_of_old(held))])
@pytest.mark.parametrize("wrapper", ["model", "model_ema", ""])
def test_the_authors_files_of_any_age_load(
    build: Callable[..., Backbone], tmp_path: Path, written: Callable[[dict[str, Tensor]], Any], wrapper: str
) -> None:
    source = build(seed=1)
    head = {"classifier.head.weight": torch.randn(9, 128), "classifier.head.bias": torch.randn(9)}
    held = written({**source.module.state_dict(), **head})
    file = tmp_path / "published.pth"
    torch.save({wrapper: held, "epoch": 9} if wrapper else held, file)
    _assert_loads(file, build(), source)


def test_of_a_file_with_two_kinds_of_weights_the_trained_ones_are_taken(
    build: Callable[..., Backbone], tmp_path: Path
) -> None:
    source, mean = build(seed=1), build(seed=2)
    file = tmp_path / "published.pth"
    torch.save({"model_ema": mean.module.state_dict(), "model": source.module.state_dict()}, file)
    _assert_loads(file, build(), source)


def test_our_own_file_loads(build: Callable[..., Backbone], tmp_path: Path) -> None:
    source = build(seed=1)
    write_tensors(tmp_path / "own.safetensors", source.module.state_dict())
    _assert_loads(tmp_path / "own.safetensors", build(), source)


def _assert_loads(file: Path, backbone: Backbone, source: Backbone) -> None:
    _load(file, backbone)
    images = torch.randn(1, 3, 40, 40)
    assert torch.equal(backbone.features(images), source.features(images))


def _load(file: Path, backbone: Backbone) -> None:
    weights = backbone.card.weights
    tensors = converted(read_tensors(file, first=weights.inner), backbone.module, weights.converter, what=file.name)
    load_checked(backbone.module, tensors, ignore=weights.ignore, what=file.name, model=backbone.card.title)


def test_a_file_of_another_size_or_without_a_layer_is_refused(build: Callable[..., Backbone], tmp_path: Path) -> None:
    backbone = build()
    torch.manual_seed(1)
    wider = build_backbone(_CARDS[0], 40, **{**_TINY, "ssm_ratio": 1.0}).module.state_dict()
    whole = backbone.module.state_dict()
    lacking = {name: one for name, one in whole.items() if "layers.2.blocks.1.mlp" not in name}
    before = {name: one.clone() for name, one in whole.items()}
    for tensors, said in (wider, "have another shape"), (lacking, r"layers\.2\.blocks\.1\.mlp\.fc1"):
        write_tensors(tmp_path / "wrong.safetensors", tensors)
        with pytest.raises(WeightsRejected, match=said):
            _load(tmp_path / "wrong.safetensors", backbone)
    assert all(torch.equal(one, before[name]) for name, one in backbone.module.state_dict().items())
