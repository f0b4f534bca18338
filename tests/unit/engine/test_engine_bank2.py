"""What banks share and what room they take: blocks for all heads, tokens in half precision, the least used first."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medfm_gui.base.plugins import read_plugins
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import InputError
from medfm_gui.engine.backbones import load_backbone
from medfm_gui.engine.bank import BankKey, FeatureBank, in_use
from medfm_gui.engine.features import FrozenBackbone, StoredFeatures
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.material import frozen_backbone, open_dataset
from medfm_gui.engine.reading import POOLED, TOKENS, Reading, pooled_of_depths, read, rows_of_depths
from medfm_gui.engine.shelf import Shelf
from medfm_gui.engine.train import run_training
from tests.fixtures.tiny import tiny_backbone
from tests.fixtures.tiny_transformer import tiny_transformer

IDS = [f"s{number:06d}" for number in range(20)]
LAST = Reading("depths", 1)
BOTH = Reading("depths", 2, patches=True)


def _key(name: str) -> BankKey:
    return BankKey(name, "a", "mean", (0, 0, 0), (1, 1, 1), "w", 32, "1", "d", "cpu", "2")


def test_numbers_beyond_half_precision_are_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    bank = FeatureBank(tmp_path, _key("t"), precision="f16")
    bank.append(["a"], np.full((1, 2), 65_000.0))
    with pytest.raises(InputError, match="7e\\+04"):
        bank.append(["b"], np.full((1, 2), 70_000.0))
    assert bank.missing(["a", "b"]) == [1]
    FeatureBank(tmp_path, _key("u")).append(["b"], np.full((1, 2), 70_000.0))


@pytest.fixture
def frozen(bench: Any, tmp_path: Path) -> FrozenBackbone:
    card, weights = tiny_transformer(bench.root, bench.card)
    spec = replace(bench.spec(), card=card, weights=weights, features=str(tmp_path / "banks"))
    dataset, pixels = open_dataset(spec.dataset, spec.pixels)
    backbone = load_backbone(card, image_size=32, weights=Path(weights.path))
    return frozen_backbone(spec, backbone, dataset, ImageReader(pixels, card, 32), torch.device("cpu"))


def _done(work: Generator[ev.Event, None, StoredFeatures]) -> tuple[int, StoredFeatures]:
    computed = 0
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            return computed, end.value
        if isinstance(event, ev.FeaturesReady):
            computed = event.computed


def test_one_look_at_a_transformer_serves_every_head(frozen: FrozenBackbone) -> None:
    assert frozen.missing(IDS) == 20
    computed, pooled = _done(frozen.look(IDS))
    assert computed == 20
    with torch.no_grad():
        inputs = frozen.images.batch(IDS)
        for reading in (POOLED, LAST, BOTH):
            again, held = _done(frozen.look(IDS, reading))
            assert again == 0
            assert np.allclose(held.of(IDS), read(frozen.backbone, reading, inputs).numpy(), atol=1e-5)
    assert pooled.of(IDS[:3]).shape == (3, 8)
    assert pooled.read_as(BOTH).of(IDS[:3]).shape == (3, 24)
    assert frozen.missing(IDS, BOTH) == 0


def _first_of_each_family() -> list[BackboneCard]:
    found = {card.plugin: card for card in read_plugins().cards if not card.convolutional}
    return [card for card in found.values() if card.features in ("cls", "mean", "cls+mean")]


@pytest.mark.parametrize("card", _first_of_each_family(), ids=lambda card: card.name)
def test_pooled_features_are_a_part_of_what_is_kept_of_the_blocks(card: BackboneCard) -> None:
    torch.manual_seed(0)
    backbone = tiny_backbone(card)
    images = torch.randn(2, 3, backbone.image_size, backbone.image_size)
    with torch.no_grad():
        rows = torch.cat(rows_of_depths(backbone, images, 4), dim=1)
        expected = backbone.features(images)
    assert torch.allclose(pooled_of_depths(rows, card.features), expected, atol=1e-5)


def test_a_second_adaptation_looks_at_no_image(bench: Any, order: Any, tmp_path: Path) -> None:
    card, weights = tiny_transformer(bench.root, bench.card)
    more = {"card": card, "weights": weights, "features": str(tmp_path / "banks")}
    computed = {}
    for adapt in ("knn", "linear-grid", "linear"):
        events = list(run_training(*order(adapt, recipe={"epochs": 2}, **more)))
        computed[adapt] = sum(event.computed for event in events if isinstance(event, ev.FeaturesReady))
    assert computed == {"knn": 40, "linear-grid": 0, "linear": 0}


def test_tokens_are_kept_in_half_precision(frozen: FrozenBackbone) -> None:
    computed, tokens = _done(frozen.look(IDS, TOKENS))
    assert computed == 20
    assert tokens.bank.row_bytes == 16 * 8 * 2
    held = tokens.of(IDS[::-1])
    assert held.dtype == np.float32
    with torch.no_grad():
        expected = frozen.backbone.tokens(frozen.images.batch(IDS[::-1])).numpy()
    assert held.shape == expected.shape == (20, 16, 8)
    assert np.allclose(held, expected, atol=2e-3)


def test_pooling_in_a_way_of_its_own_is_stored_as_it_is(frozen: FrozenBackbone) -> None:
    own = replace(frozen.backbone.card, features="native")
    other = replace(frozen, backbone=replace(frozen.backbone, card=own))  # type: ignore[type-var]
    _, held = _done(other.look(IDS))
    assert held.bank.shape == (8,)
    assert held.blocks == 1
    assert frozen._bank_key() != other._bank_key()


def test_another_preparation_is_another_bank(frozen: FrozenBackbone) -> None:
    assert frozen._bank_key() != replace(frozen, preprocessing="other")._bank_key()


def test_rows_are_read_in_parts_through_a_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medfm_gui.engine.bank._READ_AT_ONCE_BYTES", 100)
    rows = np.random.default_rng(0).normal(size=(50, 4, 3)).astype(np.float32)
    bank = FeatureBank(tmp_path, _key("a"))
    names = [f"k{number}" for number in range(50)]
    bank.append(names, rows)
    order = np.random.default_rng(1).permutation(50)
    assert np.array_equal(bank.read([names[place] for place in order]), rows[order])


def test_wide_rows_are_trusted_but_for_the_last_that_were_written(tmp_path: Path) -> None:
    rows = np.ones((4, 20_000), np.float32)
    bank = FeatureBank(tmp_path, _key("wide"))
    bank.append(["a", "b"], rows[:2])
    bank.append(["c", "d"], rows[2:])
    path = bank.folder / "features.f32"
    path.write_bytes(path.read_bytes()[:-4])
    again = FeatureBank(tmp_path, _key("wide"))
    again.refresh()
    assert again.missing(["a", "b", "c", "d"]) == [2, 3]


def test_a_shape_that_was_never_whole_is_as_none(tmp_path: Path) -> None:
    bank = FeatureBank(tmp_path, _key("x"))
    bank.append(["a"], np.ones((1, 3), np.float32))
    (bank.folder / "shape.json").write_text("[")
    again = FeatureBank(tmp_path, _key("x"))
    again.refresh()
    assert again.missing(["a"]) == [0]
    again.append(["a"], np.ones((1, 3), np.float32))
    assert again.read(["a"]).shape == (1, 3)


def _shelf(root: Path, limit: int | None) -> Shelf:
    for age, name in enumerate(("old", "newer", "newest")):
        bank = FeatureBank(root, _key(name))
        bank.append(["a"], np.ones((1, 250), np.float32))
        (bank.folder / "used").touch()
        os.utime(bank.folder / "used", (1000 + age, 1000 + age))
    return Shelf(root, limit)


def _there(root: Path) -> set[str]:
    return {name for name in ("old", "newer", "newest") if (root / _key(name).digest).exists()}


def test_the_bank_that_was_unused_longest_goes_first(tmp_path: Path) -> None:
    assert _shelf(tmp_path, None).make_room(10**12).suffices
    assert _shelf(tmp_path, 20_000).make_room(1000).removed == 0
    room = _shelf(tmp_path, 5_000).make_room(1500)
    assert (room.removed, room.suffices) == (1, True)
    assert _there(tmp_path) == {"newer", "newest"}


def test_a_bank_in_use_is_never_removed(tmp_path: Path) -> None:
    shelf = _shelf(tmp_path, 1_000)
    held = shelf.bank(_key("newer"))
    room = shelf.make_room(500)
    assert (room.removed, room.suffices) == (2, False)
    assert _there(tmp_path) == {"newer"}
    del held
    gc.collect()
    assert shelf.make_room(500).suffices
    assert _there(tmp_path) == set()


def test_a_bank_that_another_process_holds_is_in_use_until_it_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom medfm_gui.engine.bank import BankKey, FeatureBank\n"
        "key = BankKey('x','a','mean',(0,0,0),(1,1,1),'w',32,'1','d','cpu','2')\n"
        "bank = FeatureBank(Path(sys.argv[1]), key)\nbank.hold()\nprint('held', flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        folder = tmp_path / _key("x").digest
        assert in_use(folder)
        other.kill()
    assert not in_use(folder)
    assert not list(folder.glob("use-*"))


def test_growing_beyond_the_limit_is_said(frozen: FrozenBackbone, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(frozen, limit_bytes=100)
    events = list(small.look(IDS))
    (said,) = (event.message for event in events if isinstance(event, ev.Warned))
    assert "limit" in said
    assert frozen.missing(IDS) == 0


def test_a_limit_of_nothing_means_none(bench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MEDFM_CONFIG", str(tmp_path))
    spec = bench.spec()
    dataset, pixels = open_dataset(spec.dataset, spec.pixels)
    backbone = load_backbone(spec.card, image_size=32, weights=None)
    images = ImageReader(PixelCache(Path(spec.pixels)), spec.card, 32)
    assert frozen_backbone(spec, backbone, dataset, images, torch.device("cpu")).limit_bytes == 20 * 10**9
    (tmp_path / "settings.json").write_text('{"features_gb": 0}')
    assert frozen_backbone(spec, backbone, dataset, images, torch.device("cpu")).limit_bytes is None
    pixels.close()
