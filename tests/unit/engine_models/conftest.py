"""Small versions of the real architectures, from the real plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from medfm_gui.base.plugins import Catalogue, read_plugins
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.backbones import Backbone, build_backbone
from tests.fixtures.one_thread import one_thread as one_thread

_VIT: dict[str, Any] = {"embed_dim": 64, "depth": 2, "num_heads": 2}
_RESNET: dict[str, Any] = {"layers": (1, 1, 1, 1), "channels": (8, 16, 24, 32)}


@dataclass(frozen=True)
class Rung:
    """One real class at a tiny size: its card, its input and what differs from the card's architecture."""

    name: str
    image_size: int
    arch: dict[str, Any]


LADDER = (
    Rung("resnet50", 160, _RESNET),
    Rung("dinov2-s", 56, _VIT),
    Rung("dinov2-g", 56, {**_VIT, "embed_dim": 96}),
    Rung("dinov2-s-reg", 56, _VIT),
    Rung("mae-b", 64, _VIT),
    Rung("mae-h", 56, _VIT),
)

PLUGIN = """
from medfm_gui.engine.timm_backbone import timm_backbone


def build(card, image_size, **arch):
    return timm_backbone(card, image_size, img_size=image_size, embed_dim=64, depth=2, num_heads=2, **arch)
"""
MANIFEST = """
[plugin]
name = "pocket"
title = "Pocket transformers"
version = "1.0"

[[backbone]]
name = "pocket"
title = "Pocket DINOv2"
family = "DINOv2"
entry = "backbone:build"
arch = "vit_small_patch14_dinov2"
pretraining = "none"
pretraining_data = "none"
parameters_m = 0.139
input_size = 56
native_size = 84
multiple = 14
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
features = "cls"
cam = "blocks[-1].norm1"
licence = "Apache-2.0"
adaptations = ["linear"]
feature_dim = 64
weights = { hub_repo = "pocket/dinov2", hub_file = "model.safetensors", ignore = ["mask_token", "head."] }
"""


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return read_plugins()


@pytest.fixture(params=LADDER, ids=lambda rung: rung.name)
def rung(request: pytest.FixtureRequest) -> Rung:
    chosen: Rung = request.param
    return chosen


@pytest.fixture
def build_tiny(catalogue: Catalogue) -> Callable[[Rung | str], Backbone]:
    def build(rung: Rung | str) -> Backbone:
        chosen = rung if isinstance(rung, Rung) else next(one for one in LADDER if one.name == rung)
        torch.manual_seed(0)
        return build_backbone(catalogue.card(chosen.name), chosen.image_size, **chosen.arch)

    return build


@pytest.fixture
def write_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Write a plugin's folder into a folder of plugins that is trusted for this test."""
    root = tmp_path / "plugins"
    monkeypatch.setenv("MEDFM_PLUGINS", str(root))

    def write(code: str = PLUGIN, folder: str = "pocket", manifest: str = MANIFEST) -> Path:
        (root / folder).mkdir(parents=True)
        (root / folder / "plugin.toml").write_text(manifest, encoding="utf-8")
        (root / folder / "backbone.py").write_text(code, encoding="utf-8")
        return root

    yield write


@pytest.fixture
def pocket(write_plugin: Callable[..., Path]) -> BackboneCard:
    """The card of a plugin of one's own: a DINOv2 of 0.14 million parameters, native at 84 pixels."""
    return read_plugins(write_plugin()).card("pocket")
