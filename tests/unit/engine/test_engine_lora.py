"""Adapters in real architectures of a small size: nothing changes at first, all learn, and they fold in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch

from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import BackboneCard, Family, WeightsSource
from medfm_gui.domain.errors import PluginError
from medfm_gui.domain.run import StudyImage, StudySpec, TrainSpec
from medfm_gui.engine.adaptations.bitfit import biases, norms
from medfm_gui.engine.adaptations.lora import targets
from medfm_gui.engine.adapters import Adapters, adapter_layers, merge_adapters, with_adapters
from medfm_gui.engine.change import ChangeFacts
from medfm_gui.engine.predict import predict_study
from medfm_gui.engine.saved import merged, open_model
from medfm_gui.engine.tensor_files import read_tensors
from medfm_gui.engine.timm_backbone import TimmBackbone
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]

_SMALL: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "dinov2": ("vit_small_patch14_dinov2", {"embed_dim": 64, "depth": 2, "num_heads": 2, "img_size": 56}, 56, "cls"),
    "aimv2": ("aimv2_large_patch14_224", {"embed_dim": 64, "depth": 2, "num_heads": 2, "img_size": 56}, 56, "mean"),
    "resnet": (
        "resnet18",
        {"layers": (1, 1, 1, 1), "channels": (8, 16, 24, 32), "zero_init_last": False},  # zeros pass no gradient
        64,
        "mean",
    ),
}


def _small(name: str) -> TimmBackbone:
    arch, kwargs, size, pool = _SMALL[name]
    card = BackboneCard(
        name=name, title=name, family=Family.BASELINE, arch=arch, entry="", plugin="", plugin_folder="",
        pretraining="", pretraining_data="", parameters_m=0.1, input_size=size, native_size=size, multiple=1,
        mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), features=pool, cam="", licence="", weights=WeightsSource(),
        adaptations=(), feature_dim=64, convolutional=name == "resnet",
    )  # fmt: skip
    torch.manual_seed(0)
    module = timm.create_model(arch, pretrained=False, num_classes=0, **kwargs).eval()
    return TimmBackbone(card, module, size)


@pytest.mark.parametrize("which", ["attention", "attention+mlp", "qkv", "qkv+mlp"])
@pytest.mark.parametrize("name", _SMALL)
def test_adapters_begin_as_nothing_all_learn_and_fold_in(name: str, which: str) -> None:
    backbone = _small(name)
    names = list(backbone.module.state_dict())
    images = torch.randn(2, 3, backbone.image_size, backbone.image_size)
    with torch.no_grad():
        before = backbone.features(images)
    with_adapters(backbone.module, Adapters(4, 8.0, 0.0, targets(backbone, which)))
    assert torch.equal(backbone.features(images), before)
    backbone.features(images).square().sum().backward()  # type: ignore[no-untyped-call]
    second = {one: part for one, part in backbone.module.named_parameters() if "lora_B" in one}
    assert second
    assert all(part.grad is not None and bool(part.grad.any()) for part in second.values())
    with torch.no_grad():
        for part in second.values():
            part.normal_(std=0.02)
        learned = backbone.features(images)
        assert not torch.equal(learned, before)
        merge_adapters(backbone.module)
        assert torch.allclose(backbone.features(images), learned, rtol=1e-4, atol=1e-5)
    assert list(backbone.module.state_dict()) == names


def test_study_b_adapts_query_key_value_and_mlp_without_the_projection() -> None:
    assert targets(_small("dinov2"), "qkv+mlp") == tuple(
        f"blocks.{block}.{layer}" for block in range(2) for layer in ("attn.qkv", "mlp.fc1", "mlp.fc2")
    )


def test_a_model_without_such_layers_is_named() -> None:
    backbone = _small("dinov2")
    with pytest.raises(PluginError, match="no layer"):
        with_adapters(backbone.module, Adapters(4, 8.0, 0.0, ()))
    with pytest.raises(PluginError, match="do not fit"):
        with_adapters(backbone.module, Adapters(4, 8.0, 0.0, ("nowhere",)))


def test_biases_and_norms_are_told_by_name_and_by_class() -> None:
    aimv2 = _small("aimv2").module
    assert biases(aimv2) == {"patch_embed.proj.bias"}
    assert {"blocks.0.norm1.weight", "norm.weight"} <= norms(aimv2)
    resnet = _small("resnet").module
    assert "bn1.bias" in biases(resnet)
    assert "bn1.weight" in norms(resnet)
    assert "conv1.weight" not in norms(resnet) | biases(resnet)


def test_a_run_keeps_adapters_alone_and_merges_them(order: Order) -> None:
    spec, folder = order("lora", recipe={"rank": 3, "alpha": 5.0, "lora_dropout": 0.1})
    events = list(run_training(spec, folder))
    assert isinstance(events[-1], ev.RunFinished)
    kept = read_tensors(folder / "weights" / "backbone.safetensors")
    assert set(kept) == {"3.lora_A.default.weight", "3.lora_B.default.weight"}
    model = open_model(folder, torch.device("cpu"))
    assert spec.weights is not None
    said = "adapters of rank 3 beside 1 layers"
    assert model.change == ChangeFacts("adapters", said, spec.weights.sha256, Adapters(3, 5.0, 0.1, ("3",)))
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        scores = model.head.scores(model.backbone.features(images)).probabilities
        alone = merged(model)
        assert torch.allclose(alone.head.scores(alone.backbone.features(images)).probabilities, scores, atol=1e-5)
    assert alone == replace(model, change=None)
    assert not adapter_layers(alone.backbone.module)


def test_an_adapted_run_predicts_and_explains_a_study(order: Order, tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 48)).astype(np.uint8)
    np.save(tmp_path / "image.npy", image)
    for adapt in ("lora", "bitfit", "partial"):
        spec, folder = order(adapt, recipe={"epochs": 1, "geometry": "centre-crop", "normalisation": "dataset"})
        list(run_training(spec, folder))
        study = StudySpec((str(folder),), (StudyImage("a", str(tmp_path / "image.npy")),), str(tmp_path), "gradcam")
        (said,) = (event for event in predict_study(study) if isinstance(event, ev.StudyPredicted))
        assert sum(said.scores) == pytest.approx(1.0)
        heat = np.load(said.map, allow_pickle=False)
        assert heat.shape == (40, 48)
        assert not heat[0].any(), "what the crop cut off was not seen"
