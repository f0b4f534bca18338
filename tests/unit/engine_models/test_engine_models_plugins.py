"""A plugin of one's own loads; a broken or a foreign one is a named error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from medfm_gui.base.plugins import read_plugins
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import PluginError
from medfm_gui.engine.backbones import build_backbone

Write = Callable[..., Path]


def test_a_plugin_of_ones_own_builds(pocket: BackboneCard) -> None:
    backbone = build_backbone(pocket, 56)
    assert backbone.features(torch.zeros(1, 3, 56, 56)).shape == (1, 64)
    assert "medfm_plugins.pocket.backbone" in sys.modules


def test_a_plugin_may_be_a_package_of_several_files(write_plugin: Write) -> None:
    root = write_plugin("from .parts import make as build\n")
    (root / "pocket" / "__init__.py").write_text('"""A package."""\n', encoding="utf-8")
    (root / "pocket" / "parts.py").write_text(
        "from medfm_gui.engine.timm_backbone import timm_backbone\n"
        "def make(card, image_size):\n    return timm_backbone(card, image_size, embed_dim=64, depth=1, num_heads=2)\n",
        encoding="utf-8",
    )
    assert build_backbone(read_plugins(root).card("pocket"), 56).image_size == 56


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import a_library_that_is_not_there\n", "ModuleNotFoundError"),
        ("def build(:\n", "SyntaxError"),
        ("raise ValueError('not today')\n", "not today"),
        ("def make(): ...\n", "has no attribute 'build'"),
        ("def build(card, image_size):\n    return 1 / 0\n", "ZeroDivisionError"),
        ("def build(card, image_size):\n    return card\n", "could not build Pocket"),
    ],
)
def test_a_broken_plugin_is_an_error_with_its_reason(code: str, reason: str, write_plugin: Write) -> None:
    card = read_plugins(write_plugin(code)).card("pocket")
    with pytest.raises(PluginError, match=reason):
        build_backbone(card, 56)


@pytest.mark.parametrize(
    ("line", "promise"),
    [("feature_dim = 64", "feature_dim = 65"), ("parameters_m = 0.139", "parameters_m = 86.6")],
)
def test_a_manifest_that_promises_another_model_is_refused(line: str, promise: str, write_plugin: Write) -> None:
    manifest = write_plugin() / "pocket" / "plugin.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(line, promise), encoding="utf-8")
    card = read_plugins(manifest.parent.parent).card("pocket")
    with pytest.raises(PluginError, match=r"does not fit its own model Pocket.*promises"):
        build_backbone(card, 56)


def test_a_plugin_of_a_newer_format_is_a_row_with_a_reason(write_plugin: Write) -> None:
    manifest = write_plugin() / "pocket" / "plugin.toml"
    text = manifest.read_text(encoding="utf-8").replace("[plugin]\n", "[plugin]\nformat = 2\n")
    manifest.write_text(text, encoding="utf-8")
    found = read_plugins(manifest.parent.parent)
    assert not found.cards
    assert "another version of this program (plugin format 2, here 1)" in found.broken[0].reason


def test_a_broken_package_is_tried_anew(write_plugin: Write) -> None:
    root = write_plugin()
    init = root / "pocket" / "__init__.py"
    init.write_text("raise OSError('half copied')\n", encoding="utf-8")
    card = read_plugins(root).card("pocket")
    with pytest.raises(PluginError, match="half copied"):
        build_backbone(card, 56)
    init.write_text('"""Whole now, and longer, so that no bytecode passes for it."""\n', encoding="utf-8")
    assert build_backbone(card, 56).image_size == 56


def test_a_card_cannot_choose_the_code_that_runs(
    tmp_path: Path, write_plugin: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "ran"
    root = write_plugin(f"open({str(marker)!r}, 'w').close()\n")
    card = read_plugins(root).card("pocket")
    monkeypatch.delenv("MEDFM_PLUGINS")
    with pytest.raises(PluginError, match="not installed here"):
        build_backbone(card, 56)
    assert not marker.exists()


def test_a_card_from_another_computer_finds_the_plugin_here() -> None:
    card = replace(read_plugins().card("dinov2-s"), plugin_folder="/elsewhere/plugins/dinov2")
    assert build_backbone(card, 14, embed_dim=64, depth=1, num_heads=2).image_size == 14
