"""Files of other libraries land on timm's names with equal outputs; wrong and incomplete ones are named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from medfm_gui.base.plugins import Catalogue
from medfm_gui.base.weights_status import bundled_file
from medfm_gui.domain.errors import PluginError, WeightsRejected
from medfm_gui.engine.backbones import Backbone, build_backbone
from medfm_gui.engine.converters import converted
from medfm_gui.engine.fit import check_finite, check_fit, load_checked
from medfm_gui.engine.tensor_files import read_tensors

Build = Callable[[Any], Backbone]
SMALL: dict[str, Any] = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def _load(backbone: Backbone, tensors: dict[str, torch.Tensor]) -> None:
    named = converted(tensors, backbone.module, "timm", what="file")
    load_checked(backbone.module, named, ignore=backbone.card.weights.ignore, what="file", model=backbone.card.title)


@pytest.fixture
def in_memory_and_saved(tmp_path: Path) -> Callable[[Any], Iterator[dict[str, torch.Tensor]]]:
    """A transformers model's names as it has them, and as it writes them to a file."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    def both(model: Any) -> Iterator[dict[str, torch.Tensor]]:
        yield dict(model.state_dict())
        model.save_pretrained(tmp_path / "saved")
        yield read_tensors(tmp_path / "saved" / "model.safetensors")

    return both


def _shaken(module: nn.Module) -> nn.Module:
    """Random numbers in every parameter, so that no initial zero or one hides a swapped name."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return module.eval()


@pytest.mark.parametrize(
    ("name", "kind"), [("dinov2-s", "plain"), ("dinov2-g", "gated"), ("dinov2-s-reg", "registers")]
)
def test_dinov2_of_transformers_gives_equal_tokens(
    name: str, kind: str, build_tiny: Build, in_memory_and_saved: Callable[[Any], Iterator[dict[str, torch.Tensor]]]
) -> None:
    from transformers import Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    size: dict[str, Any] = {**SMALL, "image_size": 56, "patch_size": 14}
    if kind == "gated":
        size["hidden_size"] = 96
    source = _shaken(
        Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**size))
        if kind == "registers"
        else Dinov2Model(Dinov2Config(**size, use_swiglu_ffn=kind == "gated"))
    )
    images = torch.randn(2, 3, 56, 56)
    expected = source(images).last_hidden_state[:, 0]
    for tensors in in_memory_and_saved(source):
        backbone = build_tiny(name)
        _load(backbone, tensors)
        torch.testing.assert_close(backbone.features(images), expected, atol=2e-5, rtol=1e-4)


def test_mae_of_transformers_gives_equal_tokens(
    build_tiny: Build, in_memory_and_saved: Callable[[Any], Iterator[dict[str, torch.Tensor]]]
) -> None:
    from transformers import ViTMAEConfig, ViTMAEForPreTraining

    config = ViTMAEConfig(
        **SMALL, intermediate_size=256, image_size=64, patch_size=16, mask_ratio=0.0, decoder_hidden_size=32,
        decoder_num_hidden_layers=1, decoder_num_attention_heads=2, decoder_intermediate_size=64,
    )  # fmt: skip
    source: Any = _shaken(ViTMAEForPreTraining(config))
    images = torch.randn(2, 3, 64, 64)
    tokens = source.vit(images, noise=torch.arange(16.0).repeat(2, 1)).last_hidden_state
    for tensors in in_memory_and_saved(source):
        backbone = build_tiny("mae-b")
        _load(backbone, tensors)
        torch.testing.assert_close(backbone.features(images), tokens[:, 1:].mean(1), atol=1e-4, rtol=1e-3)


def test_files_of_the_original_releases_fit(rung: Any, build_tiny: Build) -> None:
    """The authors' own names, and what their files hold beside the backbone, which is dropped."""
    source = _shaken(build_tiny(rung).module).state_dict()
    backbone = build_tiny(rung)
    beside = {"dinov2": "mask_token", "mae": "decoder_blocks.0.norm1.weight", "baselines": "fc.weight"}
    released = {name: tensor.clone() for name, tensor in source.items()}
    released[beside[backbone.card.plugin]] = torch.zeros(1, 64)
    if backbone.card.name == "dinov2-g":
        released = {name.replace("fc1", "w12").replace("fc2", "w3"): tensor for name, tensor in released.items()}
    if "reg_token" in released:
        position = torch.randn(1, 1, 64)
        released["register_tokens"] = released.pop("reg_token")
        released["cls_token"] = released["cls_token"] - position
        released["pos_embed"] = torch.cat((position, released["pos_embed"]), dim=1)
    _load(backbone, released)
    for name, tensor in backbone.module.state_dict().items():
        torch.testing.assert_close(tensor, source[name])


def test_position_embeddings_are_resampled_to_the_working_size(catalogue: Catalogue) -> None:
    tiny: dict[str, Any] = {"embed_dim": 64, "depth": 1, "num_heads": 2}
    native = build_backbone(catalogue.card("dinov2-s"), 518, **tiny)
    working = build_backbone(catalogue.card("dinov2-s"), 224, **tiny)
    _load(working, dict(native.module.state_dict()))
    assert working.module.state_dict()["pos_embed"].shape == (1, 1 + 16 * 16, 64)


def test_a_missing_tensor_is_named(rung: Any, build_tiny: Build) -> None:
    backbone = build_tiny(rung)
    tensors = dict(backbone.module.state_dict())
    gone = list(tensors)[-3]
    del tensors[gone]
    with pytest.raises(WeightsRejected, match="missing") as refused:
        _load(backbone, tensors)
    assert gone in refused.value.message


def test_a_tensor_too_many_is_named(rung: Any, build_tiny: Build) -> None:
    backbone = build_tiny(rung)
    with pytest.raises(WeightsRejected, match=r"do not belong to it \(blocks\.99\.odd\.weight\)"):
        _load(backbone, {**backbone.module.state_dict(), "blocks.99.odd.weight": torch.zeros(3)})


def test_another_shape_is_named(build_tiny: Build) -> None:
    backbone = build_tiny("mae-b")
    tensors = dict(backbone.module.state_dict())
    tensors["blocks.1.mlp.fc1.weight"] = torch.zeros(8, 64)
    with pytest.raises(WeightsRejected, match=r"blocks\.1\.mlp\.fc1\.weight is 8×64, not 256×64"):
        _load(backbone, tensors)


@pytest.mark.parametrize(
    ("file_of", "into"),
    [
        ("dinov2-s", "mae-b"),
        ("dinov2-s", "dinov2-s-reg"),
        ("dinov2-s-reg", "dinov2-s"),
        ("mae-b", "dinov2-s"),
        ("dinov2-g", "dinov2-s"),
        ("resnet50", "mae-b"),
        ("mae-b", "resnet50"),
    ],
)
def test_a_file_of_another_family_is_refused(file_of: str, into: str, build_tiny: Build) -> None:
    backbone = build_tiny(into)
    before = {name: tensor.clone() for name, tensor in backbone.module.state_dict().items()}
    with pytest.raises(WeightsRejected):
        _load(backbone, dict(build_tiny(file_of).module.state_dict()))
    assert all(torch.equal(before[name], tensor) for name, tensor in backbone.module.state_dict().items())


def test_patches_of_another_size_are_refused(build_tiny: Build) -> None:
    """Else timm would scale the kernels and load a model that never was."""
    backbone = build_tiny("mae-b")
    tensors = dict(backbone.module.state_dict())
    tensors["patch_embed.proj.weight"] = torch.zeros(64, 3, 32, 32)
    with pytest.raises(WeightsRejected, match="patches are 32 pixels wide, not 16"):
        _load(backbone, tensors)


def test_an_incomplete_file_of_transformers_is_refused(build_tiny: Build) -> None:
    from transformers import Dinov2Config, Dinov2Model

    tensors = dict(Dinov2Model(Dinov2Config(**SMALL, image_size=56, patch_size=14)).state_dict())
    del tensors["encoder.layer.1.attention.k_proj.weight"]
    with pytest.raises(WeightsRejected, match=r"blocks\.1\.attn\.qkv\.weight is 128×64, not 192×64"):
        _load(build_tiny("dinov2-s"), tensors)


def test_order_maps_every_tensor_onto_its_like(catalogue: Catalogue) -> None:
    card = catalogue.card("efficientnet-lite0")
    file = bundled_file(card)
    assert file is not None
    module = build_backbone(card, 64).module
    own = check_fit(
        module, converted(read_tensors(file), module, "order", what="f"), ignore=("_fc.",), what="f", model="m"
    )
    for (name, tensor), foreign in zip(own.items(), read_tensors(file), strict=False):
        last = name.rpartition(".")[2]
        assert foreign.rpartition(".")[2] == last
        assert ("conv_dw" in name) == ("depthwise" in foreign)
        assert last != "running_var" or bool((tensor >= 0).all())
    convolutions = [name for name in own if "conv" in name]
    assert len(convolutions) == 50 - 1  # a stem, 16 blocks of two or three, a head


def test_order_refuses_another_network(catalogue: Catalogue) -> None:
    file = bundled_file(catalogue.card("efficientnet-lite0"))
    assert file is not None
    tensors = read_tensors(file)
    with pytest.raises(WeightsRejected, match="holds 296 tensors, where 384 are needed"):
        converted(tensors, build_backbone(catalogue.card("efficientnet-lite1"), 64).module, "order", what="f")
    turned = dict(reversed(tensors.items()))
    with pytest.raises(WeightsRejected, match=r"_fc\.bias has the shape \(1000,\), where conv_stem\.weight"):
        converted(turned, build_backbone(catalogue.card("efficientnet-lite0"), 64).module, "order", what="f")


def test_an_unknown_converter_is_an_error_of_the_plugin(build_tiny: Build) -> None:
    with pytest.raises(PluginError, match="no converter “magic”"):
        converted({}, build_tiny("mae-b").module, "magic", what="f")


def test_numbers_that_are_not_finite_are_refused() -> None:
    check_finite({"a": torch.ones(2), "steps": torch.tensor(3)}, what="f")
    with pytest.raises(WeightsRejected, match="b holds numbers that are not finite"):
        check_finite({"a": torch.ones(2), "b": torch.tensor([1.0, float("nan")])}, what="f")
