"""Files of every project land on our names with equal tokens: transformers' modules, and the others' names by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from medfm_gui.base.plugins import read_plugins
from medfm_gui.domain.errors import WeightsRejected
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.converters import converted
from medfm_gui.engine.fit import check_fit, load_checked
from medfm_gui.engine.tensor_files import read_tensors
from tests.fixtures.tiny import tiny_backbone

CATALOGUE = read_plugins()
SMALL: dict[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 256,
    "image_size": 64, "patch_size": 16,
}  # fmt: skip


def _tiny(name: str, *, seed: int = 0) -> Backbone:
    return tiny_backbone(CATALOGUE.card(name), seed=seed)


def _shaken(module: nn.Module) -> nn.Module:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return module.eval()


def _load(backbone: Backbone, tensors: dict[str, Tensor]) -> None:
    card = backbone.card
    named = converted(tensors, backbone.module, card.weights.converter, what="file")
    load_checked(backbone.module, named, ignore=card.weights.ignore, what="file", model=card.title)


def _both_names(model: Any, folder: Path) -> list[dict[str, Tensor]]:
    """As the module has them in memory, and as it writes them."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model.save_pretrained(folder)
    return [dict(model.state_dict()), read_tensors(folder / "model.safetensors")]


@pytest.mark.parametrize(
    ("name", "kind", "tolerance"),
    [("msn-s", "ViTMSN", 1e-5), ("vit-l-in21k", "ViT", 1e-4), ("clip-b16", "CLIPVision", 1e-4)],
)
def test_transformers_with_a_class_token_give_equal_tokens(
    name: str, kind: str, tolerance: float, tmp_path: Path
) -> None:
    import transformers

    torch.manual_seed(1)
    config = getattr(transformers, f"{kind}Config")(**SMALL)
    source = _shaken(getattr(transformers, f"{kind}Model")(config))
    images = torch.randn(2, 3, 64, 64)
    whole = source(images)
    # CLIP's module norms only the pooled token
    expected = whole.pooler_output if kind == "CLIPVision" else whole.last_hidden_state[:, 0]
    for tensors in _both_names(source, tmp_path):
        backbone = _tiny(name)
        _load(backbone, tensors)
        torch.testing.assert_close(backbone.features(images), expected, atol=tolerance, rtol=1e-3)


def test_siglip_of_transformers_gives_the_same_pooled_feature(tmp_path: Path) -> None:
    from transformers import SiglipVisionConfig, SiglipVisionModel

    torch.manual_seed(1)
    # timm has the exact GELU where transformers approximates it by a tanh
    source = _shaken(SiglipVisionModel(SiglipVisionConfig(**SMALL, hidden_act="gelu")))
    images = torch.randn(2, 3, 64, 64)
    whole = source(images)
    for tensors in _both_names(source, tmp_path):
        inside = {f"vision_model.{name}": tensor for name, tensor in tensors.items()}
        inside["text_model.embeddings.token_embedding.weight"] = torch.zeros(3, 3)
        for held in (tensors, inside):
            backbone = _tiny("siglip2-b")
            _load(backbone, held)
            torch.testing.assert_close(backbone.features(images), whole.pooler_output, atol=1e-5, rtol=1e-4)
            torch.testing.assert_close(backbone.tokens(images), whole.last_hidden_state, atol=1e-5, rtol=1e-4)


def test_blip_of_transformers_gives_equal_tokens(tmp_path: Path) -> None:
    from transformers import BlipVisionConfig, BlipVisionModel

    torch.manual_seed(1)
    source = _shaken(BlipVisionModel(BlipVisionConfig(**SMALL)))
    images = torch.randn(2, 3, 64, 64)
    expected = source(images).last_hidden_state
    for tensors in _both_names(source, tmp_path):
        backbone = _tiny("vit-l-in21k")
        _load(backbone, tensors)
        torch.testing.assert_close(backbone.tokens(images), expected[:, 1:], atol=1e-4, rtol=1e-3)


def _open_clip_names(tensors: dict[str, Tensor], prefix: str = "visual.") -> dict[str, Tensor]:
    """A timm ViT's tensors as open_clip and OpenAI name them."""
    swaps = (
        ("patch_embed.proj", "conv1"), ("pos_embed", "positional_embedding"), ("cls_token", "class_embedding"),
        ("blocks.", "transformer.resblocks."), ("norm_pre", "ln_pre"), ("norm1", "ln_1"), ("norm2", "ln_2"),
        ("attn.qkv.", "attn.in_proj_"), ("attn.proj", "attn.out_proj"), ("mlp.fc1", "mlp.c_fc"),
        ("mlp.fc2", "mlp.c_proj"),
    )  # fmt: skip
    named = {}
    for name, tensor in tensors.items():
        foreign = "ln_post" + name.removeprefix("norm") if name.startswith("norm.") else name
        for ours, theirs in swaps:
            foreign = foreign.replace(ours, theirs)
        named[prefix + foreign] = tensor.reshape(tensor.shape[-2:] if name == "pos_embed" else tensor.shape)
        if name == "cls_token":
            named[prefix + foreign] = tensor.flatten()
    return named


@pytest.mark.parametrize("name", ["clip-b32", "clip-l14", "openclip-b16", "openclip-h14"])
def test_files_of_openai_and_open_clip_fit(name: str) -> None:
    source = _tiny(name)
    _shaken(source.module)
    released = _open_clip_names(dict(source.module.state_dict()))
    released |= {"visual.proj": torch.randn(64, 32), "logit_scale": torch.ones(()), "ln_final.weight": torch.ones(32)}
    backbone = _tiny(name, seed=1)
    _load(backbone, released)
    images = torch.randn(1, 3, source.image_size, source.image_size)
    assert torch.equal(backbone.features(images), source.features(images))


def test_biomedclips_tower_inside_open_clip_fits() -> None:
    source = _tiny("biomedclip")
    _shaken(source.module)
    released = {f"visual.trunk.{name}": tensor for name, tensor in source.module.state_dict().items()}
    released |= {"visual.head.proj.weight": torch.randn(32, 64), "text.proj.0.weight": torch.zeros(4, 4)}
    backbone = _tiny("biomedclip", seed=1)
    _load(backbone, released)
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(backbone.features(images), source.features(images))


@pytest.mark.parametrize("name", ["coca-b32", "coca-l14"])
def test_cocas_tower_and_pooler_fit(name: str) -> None:
    source = _tiny(name)
    _shaken(source.module)
    state = dict(source.module.state_dict())
    trunk = {key.removeprefix("trunk."): one for key, one in state.items() if key.startswith("trunk.")}
    released = _open_clip_names(trunk) | {f"visual.{key}": one for key, one in state.items() if "attn_pool" in key}
    released |= {"visual.ln_post.weight": state["norm.weight"], "visual.ln_post.bias": state["norm.bias"]}
    released |= {
        "visual.proj": state["proj"],
        "text.cls_emb": torch.zeros(3),
        "text_decoder.ln_final.bias": torch.ones(3),
    }
    backbone = _tiny(name, seed=1)
    _load(backbone, released)
    images = torch.randn(2, 3, source.image_size, source.image_size)
    assert torch.equal(backbone.features(images), source.features(images))
    lacking = {key: one for key, one in released.items() if key != "visual.attn_pool.query"}
    with pytest.raises(WeightsRejected, match=r"missing \(attn_pool\.query\)"):
        _load(_tiny(name), lacking)


def test_cocas_pooler_answers_as_all_its_queries_would() -> None:
    """The published rule: each query attends to the tokens by itself, so that the first one suffices."""
    backbone = _tiny("coca-b32")
    tower: Any = _shaken(backbone.module)
    images = torch.randn(2, 3, 64, 64)
    tokens = tower.forward_features(images)
    pool = tower.attn_pool
    keys, queries = pool.ln_k(tokens), pool.ln_q(pool.query).expand(2, -1, -1)
    every, _ = pool.attn(queries, keys, keys)
    expected = (tower.norm(every) @ tower.proj)[:, 0]
    torch.testing.assert_close(backbone.features(images), expected, atol=1e-6, rtol=1e-5)


def test_sam2s_own_file_fits() -> None:
    source = _tiny("sam2-t")
    _shaken(source.module)
    released = {
        "image_encoder.trunk." + name.replace("mlp.fc1", "mlp.layers.0").replace("mlp.fc2", "mlp.layers.1"): tensor
        for name, tensor in source.module.state_dict().items()
    }
    released |= {"image_encoder.neck.convs.0.conv.bias": torch.zeros(4), "memory_attention.norm.bias": torch.zeros(4)}
    backbone = _tiny("sam2-t", seed=1)
    _load(backbone, released)
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(backbone.features(images), source.features(images))


def test_sams_own_file_fits() -> None:
    source = _tiny("sam-b")
    _shaken(source.module)
    released = {
        "image_encoder." + name.replace("mlp.fc", "mlp.lin"): tensor
        for name, tensor in source.module.state_dict().items()
    }
    released |= {"image_encoder.neck.0.weight": torch.zeros(4), "mask_decoder.iou_token.weight": torch.zeros(4)}
    backbone = _tiny("sam-b", seed=1)
    _load(backbone, released)
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(backbone.features(images), source.features(images))


def test_msns_own_file_fits(tmp_path: Path) -> None:
    source = _tiny("msn-s")
    _shaken(source.module)
    held = {f"module.{name}": tensor for name, tensor in source.module.state_dict().items()}
    held["module.fc.fc1.weight"] = torch.zeros(4, 64)
    torch.save(
        {"target_encoder": held, "encoder": {}, "prototypes": torch.zeros(4, 4), "epoch": 800}, tmp_path / "m.tar"
    )
    backbone = _tiny("msn-s", seed=1)
    _load(backbone, read_tensors(tmp_path / "m.tar"))
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(backbone.features(images), source.features(images))


def test_apples_own_names_fit() -> None:
    source = _tiny("aimv2-l")
    _shaken(source.module)
    swaps = (
        ("mlp.fc1_x", "mlp.fc3"), ("mlp.fc1_g", "mlp.fc1"), ("norm1", "norm_1"), ("norm2", "norm_2"),
        ("blocks.", "trunk.blocks."), ("patch_embed.", "preprocessor.patchifier."),
        ("pos_embed", "preprocessor.pos_embed"),
    )  # fmt: skip
    released = {}
    for name, tensor in source.module.state_dict().items():
        foreign = "trunk.post_trunk_norm" + name.removeprefix("norm") if name.startswith("norm.") else name
        for ours, theirs in swaps:
            foreign = foreign.replace(ours, theirs)
        released[foreign] = tensor
    backbone = _tiny("aimv2-l", seed=1)
    _load(backbone, released)
    images = torch.randn(1, 3, 56, 56)
    assert torch.equal(backbone.features(images), source.features(images))


def test_retfound_and_mae_drop_their_decoder() -> None:
    source = _tiny("mae-l")
    _shaken(source.module)
    released = {**source.module.state_dict(), "decoder_pred.bias": torch.zeros(3), "mask_token": torch.zeros(1, 1, 8)}
    backbone = _tiny("mae-l", seed=1)
    _load(backbone, released)
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(backbone.features(images), source.features(images))


def test_torchvisions_names_fit() -> None:
    dense = _tiny("densenet121")
    _shaken(dense.module)
    old = {
        name.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2."): tensor
        for name, tensor in dense.module.state_dict().items()
    }
    assert set(old) != set(dense.module.state_dict())
    other = _tiny("densenet121", seed=1)
    _load(other, {**old, "classifier.bias": torch.zeros(5)})
    images = torch.randn(1, 3, 64, 64)
    assert torch.equal(other.features(images), dense.features(images))


@pytest.mark.parametrize(
    ("file_of", "into"),
    [
        ("clip-b16", "openclip-l14"), ("clip-b16", "vit-l-in21k"), ("coca-b32", "clip-b32"), ("sam2-t", "sam-b"),
        ("siglip2-b", "mae-b"), ("aimv2-l", "dinov2-s"), ("dinov3-s", "deit3-s"), ("deit3-s", "msn-s"),
        ("resnet50", "densenet121"), ("vgg19", "resnet18"), ("mae-b", "coca-b32"), ("dinov2-s", "aimv2-l"),
    ],
)  # fmt: skip
def test_a_file_of_another_family_is_refused_with_names(file_of: str, into: str) -> None:
    with pytest.raises(WeightsRejected) as refused:
        _load(_tiny(into), dict(_tiny(file_of).module.state_dict()))
    assert (
        "missing" in refused.value.message
        or "another model" in refused.value.message
        or "belong" in refused.value.message
    )


def test_a_whole_models_file_that_lacks_a_layer_names_it() -> None:
    source = _tiny("openclip-b16")
    released = _open_clip_names(dict(source.module.state_dict()))
    del released["visual.transformer.resblocks.1.mlp.c_fc.weight"]
    module = _tiny("openclip-b16").module
    named = converted(released, module, "timm", what="file")
    with pytest.raises(WeightsRejected, match=r"1 of \d+ tensors are missing \(blocks\.1\.mlp\.fc1\.weight\)"):
        check_fit(module, named, ignore=("head.",), what="file", model="OpenCLIP")
