"""Study A's attention head: transformer blocks on tokens, from images or from the bank, pretrained or by lot."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from timm.models.vision_transformer import VisionTransformer, checkpoint_filter_fn

from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import PluginError, UsageError, WeightsAbsent, WeightsRejected
from medfm_gui.domain.recipe import Recipe, recipe_from
from medfm_gui.domain.run import FileRef, PredictSpec, TrainSpec
from medfm_gui.engine import token_trunk
from medfm_gui.engine.head import HeadFacts, TokenHead, head_of
from medfm_gui.engine.predict import predict_subset
from medfm_gui.engine.reading import TOKENS
from medfm_gui.engine.saved import open_model
from medfm_gui.engine.tensor_files import write_tensors
from medfm_gui.engine.token_trunk import blank_trunk, pretrained_trunk
from medfm_gui.engine.train import run_training
from tests.fixtures.tiny_transformer import tiny_transformer

Order = Callable[..., tuple[TrainSpec, Path]]
SMALL = {"attention_init": "random", "attention_width": 64, "attention_depth": 1, "epochs": 2, "amp": False}
FACTS = HeadFacts("attention", Task.BINARY, ("a", "b"), 8, reads=TOKENS, width=64, depth=2, tokens=16)


def _results(events: Sequence[ev.Event]) -> dict[str, str]:
    return {event.name: event.sha256 for event in events if isinstance(event, ev.FileWritten)}


@pytest.fixture
def vit(bench: Any, order: Order) -> Order:
    card, weights = tiny_transformer(bench.root, bench.card)

    def make(**changes: Any) -> tuple[TrainSpec, Path]:
        return order("attention-head", card=card, weights=weights, **changes)

    return make


def _deit(**more: Any) -> VisionTransformer:
    built = timm.create_model(
        token_trunk.ARCH, pretrained=False, num_classes=0, embed_dim=64, depth=2, num_heads=1, **more
    )
    assert isinstance(built, VisionTransformer)
    return built


def test_the_head_is_deit_on_tokens_with_positions_of_their_grid(tmp_path: Path) -> None:
    torch.manual_seed(2)
    pretrained = _deit()
    file = tmp_path / "deit.safetensors"
    write_tensors(file, {**pretrained.state_dict(), "head.weight": torch.zeros(3, 64)})
    head = TokenHead(FACTS, pretrained_trunk(FACTS, file)).eval()
    tokens = torch.randn(3, 16, 8)
    resized = _deit(img_size=64)  # four by four patches
    resized.load_state_dict(checkpoint_filter_fn(pretrained.state_dict(), resized))
    with torch.no_grad():
        entered = head.enter_norm(head.enter(tokens))
        assert resized.cls_token is not None and resized.pos_embed is not None
        seen = torch.cat((resized.cls_token.expand(3, -1, -1), entered), dim=1) + resized.pos_embed
        expected = head.linear(resized.norm(resized.blocks(seen))[:, 0])
        assert torch.allclose(head(tokens), expected, atol=1e-5)
        scores = head_of(FACTS, head.state_dict()).scores(tokens)
    assert torch.allclose(scores.probabilities, expected.softmax(1), atol=1e-5)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    tensors = {name: tensor for name, tensor in _deit().state_dict().items() if "blocks.1.mlp" not in name}
    write_tensors(file, tensors)
    with pytest.raises(WeightsRejected):
        pretrained_trunk(FACTS, file)
    with pytest.raises(PluginError, match="no square"):
        pretrained_trunk(HeadFacts("attention", Task.BINARY, ("a", "b"), 8, width=64, depth=2, tokens=15), file)


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("unfreeze", [False, True])
def test_it_learns_on_a_frozen_and_on_a_trained_backbone(
    vit: Order, tmp_path: Path, augment: bool, unfreeze: bool
) -> None:
    spec, folder = vit(recipe={**SMALL, "augment": augment, "unfreeze": unfreeze})
    *events, last = run_training(spec, folder)
    assert isinstance(last, ev.RunFinished)
    assert (folder / "weights" / "backbone.safetensors").exists() is unfreeze
    assert last.facts["attention blocks began as"] == "drawn by lot"
    losses = [event.metrics["train_loss"] for event in events if isinstance(event, ev.EpochFinished)]
    assert len(losses) == 2
    model = open_model(folder, torch.device("cpu"))
    assert isinstance(model.head, TokenHead)
    assert last.trained_parameters == sum(part.numel() for part in model.head.parameters()) + unfreeze * sum(
        part.numel() for part in model.backbone.module.parameters()
    )
    list(predict_subset(PredictSpec(str(folder), "val", str(tmp_path)), tmp_path))
    stored, again = (np.load(path / "val.npz")["scores"] for path in (folder / "predictions", tmp_path))
    assert np.allclose(stored, again, atol=1e-6)


@pytest.mark.parametrize("augment", [False, True])
def test_where_the_card_says_so_it_reads_tokens_before_the_last_norm(
    bench: Any, order: Order, tmp_path: Path, augment: bool
) -> None:
    card, weights = tiny_transformer(bench.root, bench.card)
    recipe, banks = {**SMALL, "epochs": 1, "augment": augment}, str(tmp_path / "banks")
    results = []
    for words in ("normed", "raw"):
        one = replace(card, attention_tokens=words)
        spec, folder = order("attention-head", card=one, weights=weights, recipe=recipe, features=banks)
        events = list(run_training(spec, folder))
        results.append(_results(events))
        assert open_model(folder, torch.device("cpu")).head.facts.reads.raw is (words == "raw")
        assert any(event.computed for event in events if isinstance(event, ev.FeaturesReady)), "a bank of its own"
    assert results[0] != results[1]


def test_tokens_of_a_frozen_backbone_are_computed_once(vit: Order) -> None:
    spec, folder = vit(recipe={**SMALL, "augment": False, "epochs": 5}, features=str(vit()[1] / "bank"))
    events = list(run_training(spec, folder))
    assert sum(event.computed for event in events if isinstance(event, ev.FeaturesReady)) == 40


@pytest.mark.parametrize("augment", [False, True])
def test_a_stopped_head_ends_in_the_same_bytes(vit: Order, augment: bool) -> None:
    recipe = {**SMALL, "augment": augment}
    whole = list(run_training(*vit(recipe=recipe)))
    spec, folder = vit(recipe=recipe)
    for count in (5, 9):
        work = run_training(spec, folder)
        list(itertools.islice(work, count))
        work.close()
    assert _results(list(run_training(spec, folder))) == _results(whole)


def test_pretrained_blocks_come_with_the_order(vit: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"attention_width": 64, "attention_depth": 2, "epochs": 1, "augment": False}
    file = tmp_path / "deit.safetensors"
    write_tensors(file, _deit().state_dict())
    spec, folder = vit(recipe=small, head_weights=FileRef(str(file), sha256_file(file)))
    *_, last = run_training(spec, folder)
    assert isinstance(last, ev.RunFinished)
    assert last.facts["attention blocks began as"] == "DeiT-B, pretrained"
    assert json.loads((folder / "weights" / "head.json").read_text())["tokens"] == 16
    with pytest.raises(WeightsAbsent, match="DeiT-B"):
        list(run_training(*vit(recipe=small)))


def test_only_random_blocks_may_have_another_shape() -> None:
    assert recipe_from("attention-head", {}).attention_width == Recipe().attention_width == 768
    with pytest.raises(UsageError, match="12 blocks"):
        recipe_from("attention-head", {"attention_depth": "2"})
    with pytest.raises(UsageError, match="multiple of 64"):
        recipe_from("attention-head", {"attention_init": "random", "attention_width": "100"})
    assert recipe_from("attention-head", {"attention_init": "random", "attention_depth": "2"}).attention_depth == 2
    assert sum(part.numel() for part in blank_trunk(FACTS).parameters()) > 0
