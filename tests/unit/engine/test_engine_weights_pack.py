"""A stick of weights comes in at one go: by names, by tensors, with a reason for each file that does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from medfm_gui.base import wire
from medfm_gui.base.plugins import keep_card, read_plugins
from medfm_gui.base.settings import Settings, load_settings
from medfm_gui.base.weights_status import importing, record_file, status, weights_file
from medfm_gui.domain.cards import BackboneCard, WeightsState
from medfm_gui.domain.errors import DiskFull, InputError, NotFound, Offline, UsageError, WeightsRejected, WorkspaceBusy
from medfm_gui.domain.events import Answered, Event
from medfm_gui.domain.run import PackSpec, Spec, TimmSpec, WeightsSpec
from medfm_gui.engine import weights as engine_weights
from medfm_gui.engine.backbones import build_backbone
from medfm_gui.engine.job import events_of
from medfm_gui.engine.pack import import_pack
from medfm_gui.engine.tensor_files import write_tensors
from medfm_gui.engine.timm_card import timm_card
from medfm_gui.engine.weights import import_weights
from medfm_gui.jobs.device import device_of
from medfm_gui.workspace import models, packs

PLUGIN = """
from medfm_gui.engine.timm_backbone import timm_backbone


def build(card, image_size, **arch):
    return timm_backbone(card, image_size, img_size=image_size, embed_dim=64, depth=2, num_heads=2, **arch)
"""


@pytest.fixture
def pockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[BackboneCard, ...]:
    """A DINOv2 that is alone of its shape, and two models that share one."""
    root = tmp_path / "plugins"
    (root / "pocket").mkdir(parents=True)
    (root / "pocket" / "backbone.py").write_text(PLUGIN, encoding="utf-8")
    (root / "pocket" / "plugin.toml").write_text('[plugin]\nname = "pocket"\n', encoding="utf-8")
    monkeypatch.setenv("MEDFM_PLUGINS", str(root))
    monkeypatch.setenv("MEDFM_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("MEDFM_WEIGHTS", raising=False)
    catalogue = read_plugins()
    here: dict[str, Any] = {
        "plugin": "pocket", "plugin_folder": str(root / "pocket"), "entry": "backbone:build",
        "parameters_m": 0.14, "feature_dim": 64,
    }  # fmt: skip
    dino, mae, msn = (catalogue.card(name) for name in ("dinov2-s", "mae-b", "msn-b"))
    return (
        replace(dino, native_size=84, input_size=56, **here),
        replace(mae, native_size=64, input_size=64, **here),
        replace(msn, native_size=64, input_size=64, **here),
    )


def _write(card: BackboneCard, path: Path, *, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tensors(path, build_backbone(card, card.native_size).module.state_dict())
    return path


def _facts(events: list[Event]) -> dict[str, dict[str, str]]:
    return {Path(one.facts["file"]).name: dict(one.facts) for one in events if isinstance(one, Answered)}


def test_a_pack_comes_in_at_one_go(pockets: tuple[BackboneCard, ...], tmp_path: Path) -> None:
    dino, mae, _ = pockets
    stick, out = tmp_path / "stick", tmp_path / "weights"
    _write(dino, stick / "unnamed.safetensors")
    _write(mae, stick / "mae_pretrain_vit_base.safetensors")
    _write(mae, stick / "which.safetensors", seed=1)
    (stick / "empty.pth").write_bytes(b"")
    (stick / "damaged.safetensors").write_bytes((stick / "which.safetensors").read_bytes()[:-1])
    torch.save({"optimizer": torch.zeros(3)}, stick / "training.pt")
    found, is_cut = packs.find_files(stick, pockets)
    assert not is_cut
    spec = PackSpec(pockets, tuple(one.path for one in found), tuple(one.model for one in found), str(out))
    said = _facts(list(import_pack(spec)))
    assert {name: (one["state"], one["model"]) for name, one in said.items()} == {
        "unnamed.safetensors": ("imported", "dinov2-s"),
        "mae_pretrain_vit_base.safetensors": ("imported", "mae-b"),
        "which.safetensors": ("refused", ""),
        "empty.pth": ("refused", ""),
        "damaged.safetensors": ("refused", ""),
        "training.pt": ("refused", ""),
    }
    assert "fits several models of the same shape (mae-b, msn-b)" in said["which.safetensors"]["message"]
    assert "--model NAME" in said["which.safetensors"]["hint"]
    assert "no file of any model" in said["training.pt"]["message"]
    assert [status(card, out).state for card in pockets] == [
        WeightsState.PRESENT,
        WeightsState.PRESENT,
        WeightsState.ABSENT,
    ]
    again = _facts(list(import_pack(spec)))
    assert again["unnamed.safetensors"]["state"] == again["mae_pretrain_vit_base.safetensors"]["state"] == "present"


def test_a_wrong_name_is_refused_with_the_reason(pockets: tuple[BackboneCard, ...], tmp_path: Path) -> None:
    dino, _, _ = pockets
    file = _write(dino, tmp_path / "stick" / "mae-b.safetensors")
    said = _facts(list(import_pack(PackSpec(pockets, (str(file),), ("mae-b",), str(tmp_path / "weights")))))
    assert said["mae-b.safetensors"]["state"] == "refused"
    assert "patches are 14 pixels wide" in said["mae-b.safetensors"]["message"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("dinov2_vits14_pretrain.pth", "dinov2-s"),
        ("dinov2_vitl14_reg4_pretrain.pth", "dinov2-l-reg"),
        ("vitl16_600ep.pth.tar", "msn-l"),
        ("sam2.1_hiera_base_plus.pt", "sam2-b-plus"),
        ("sam_vit_b_01ec64.pth", "sam-b"),
        ("CLIP-B16.safetensors", "clip-b16"),
        ("models--timm--resnet50.a1_in1k/snapshots/abc/model.safetensors", "resnet50"),
        ("laion/CoCa-ViT-L-14-laion2B-s13B-b90k/open_clip_pytorch_model.bin", "coca-l14"),
        ("model.safetensors", ""),
        ("holiday.pt", ""),
    ],
)
def test_files_are_known_by_what_their_authors_call_them(path: str, name: str) -> None:
    assert packs.named_for(Path(path), read_plugins().cards) == name


def test_a_folder_without_weights_is_said_so(pockets: tuple[BackboneCard, ...], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no file of weights"):
        packs.import_pack(Settings(), tmp_path / "plugins")
    with pytest.raises(InputError, match="no folder"):
        packs.import_pack(Settings(), tmp_path / "nothing")


def test_an_order_for_a_pack_survives_the_wire(pockets: tuple[BackboneCard, ...]) -> None:
    specs: tuple[Spec, ...] = (PackSpec(pockets, ("a",), ("",), "out"), TimmSpec("resnet18"))
    for spec in specs:
        assert wire.decode_spec(wire.encode_spec(spec)) == spec
        assert device_of(spec) == ""


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errands carried out here, without a process."""

    def run(spec: Spec, **_: Any) -> list[Event]:
        return list(events_of(spec, Path()))

    monkeypatch.setattr(models, "run_errand", run)
    monkeypatch.setattr(packs, "run_errand", run)


def test_the_workspace_brings_a_pack_in(
    pockets: tuple[BackboneCard, ...], tmp_path: Path, inline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "read_plugins", lambda: type("Few", (), {"cards": pockets}))
    file = _write(pockets[0], tmp_path / "stick" / "unnamed.safetensors")
    settings = Settings(weights_dir=str(tmp_path / "weights"))
    (one,) = packs.import_pack(settings, file.parent)
    assert (one.model, one.state, one.message) == ("dinov2-s", "imported", "")
    (alone,) = packs.import_pack(settings, file)
    assert alone.state == "present"


def test_a_plugin_that_does_not_load_costs_a_pack_one_file(
    pockets: tuple[BackboneCard, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dino, mae, _ = pockets
    files = [_write(card, tmp_path / f"{card.name}.safetensors") for card in (mae, dino)]
    broken = replace(mae, entry="backbone:nowhere")
    order = PackSpec((broken, dino), tuple(map(str, files)), ("mae-b", "dinov2-s"), str(tmp_path / "weights"))
    said = _facts(list(import_pack(order)))
    assert said["mae-b.safetensors"]["state"] == "refused"
    assert "plugin" in said["mae-b.safetensors"]["message"]
    assert said["dinov2-s.safetensors"]["state"] == "imported"

    def pulled(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("medfm_gui.engine.pack.import_file", pulled)
    gone = _facts(list(import_pack(PackSpec((mae,), (str(files[0]),), ("mae-b",), str(tmp_path / "other")))))
    assert gone["mae-b.safetensors"]["message"] == "“mae-b.safetensors” cannot be read (Input/output error)."


def test_the_licence_of_one_model_of_timms_is_not_that_of_another() -> None:
    card = read_plugins().card("dinov2-s")
    one, other = (replace(card, name=f"timm:{arch}", plugin="timm", licence="other") for arch in ("a", "b"))
    assert one.needs_acceptance
    assert one.licence_key != other.licence_key
    assert card.licence_key == read_plugins().card("dinov2-l").licence_key


def test_a_tag_that_timm_does_not_have_is_named_as_such() -> None:
    for name in ("resnet18.nobody_in1k", "resnet18.../../x"):
        with pytest.raises(NotFound, match="no model") as refused:
            timm_card(name)
        assert refused.value.hint


def test_a_licence_is_accepted_once_for_all_sizes(
    pockets: tuple[BackboneCard, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEDFM_OFFLINE", raising=False)
    ordered: list[Spec] = []

    def run(spec: Spec, **_: Any) -> list[Event]:
        ordered.append(spec)
        return []

    monkeypatch.setattr(models, "run_errand", run)
    online = Settings(network=True)
    with pytest.raises(Offline):
        models.pull_weights(Settings(), "mae-b")
    with pytest.raises(UsageError, match=r"CC-BY-NC-4\.0” \(not for commercial use\)") as refused:
        models.pull_weights(online, "mae-b")
    assert "medfm weights accept mae-b" in refused.value.hint
    accepted = models.accept_licence("mae-b")
    assert load_settings() == accepted == models.accept_licence("mae-l")
    models.pull_weights(replace(accepted, network=True), "mae-h")
    models.pull_weights(online, "dinov2-s")
    assert [one.card.name for one in ordered if isinstance(one, WeightsSpec)] == ["mae-h", "dinov2-s"]


def test_weights_that_are_being_brought_in_say_so(pockets: tuple[BackboneCard, ...], tmp_path: Path) -> None:
    card, folder = pockets[0], tmp_path / "weights"
    with importing(card, folder):
        assert status(card, folder).state is WeightsState.IMPORTING
        assert not status(card, folder).is_here
        with pytest.raises(WorkspaceBusy, match="being brought in already"), importing(card, folder):
            pass
        assert status(card, folder).state is WeightsState.IMPORTING
    assert status(card, folder).state is WeightsState.ABSENT
    assert list(folder.iterdir()) == []
    (folder / ".dinov2-s.importing").touch()  # of a process that died
    assert status(card, folder).state is WeightsState.ABSENT


def test_a_full_disk_leaves_the_former_weights_in_use(
    pockets: tuple[BackboneCard, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, folder = pockets[0], tmp_path / "weights"
    file, out = _write(card, tmp_path / "one.safetensors"), weights_file(card, folder)
    list(import_weights(WeightsSpec(card, str(out), file=str(file))))
    before = record_file(out).read_bytes()

    def full(*_: object) -> str:
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(engine_weights, "write_tensors", full)
    other = _write(card, tmp_path / "two.safetensors", seed=1)
    with pytest.raises(DiskFull):
        list(import_weights(WeightsSpec(card, str(out), file=str(other))))
    assert status(card, folder).state is WeightsState.PRESENT
    assert record_file(out).read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == [out.name, record_file(out).name]


def test_any_name_of_timms_becomes_a_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inline: None, pockets: tuple[BackboneCard, ...]
) -> None:
    name = "timm:vit_tiny_patch16_224.augreg_in21k"
    one = models.model(Settings(weights_dir=str(tmp_path)), name)
    card = one.card
    assert (card.name, card.feature_dim, card.multiple, card.size_rule) == (name, 192, 16, "multiple")
    assert (card.cam, card.parameters_m, card.mean) == ("blocks[-1].norm1", 5.52, (0.5, 0.5, 0.5))
    assert card.weights.hub_repo == "timm/vit_tiny_patch16_224.augreg_in21k"
    assert one.weights.state is WeightsState.ABSENT
    assert ":" not in weights_file(card, tmp_path).name
    assert read_plugins().card(name) == card
    monkeypatch.setattr(models, "run_errand", lambda *_, **__: pytest.fail("it is kept"))
    assert models.card_of(name) == card
    backbone = build_backbone(card, 32)
    assert backbone.features(torch.zeros(1, 3, 32, 32)).shape == (1, 192)
    with pytest.raises(NotFound, match="no model “resnet-fifty”"):
        models.card_of("resnet-fifty")


@pytest.mark.parametrize(
    ("name", "rule", "multiple", "dim", "convolutional"),
    [
        ("mobilenetv4_conv_small", "any", 1, 1280, True),
        ("swin_tiny_patch4_window7_224", "multiple", 4, 768, False),
        ("mixer_b16_224", "fixed", 1, 768, False),
        ("convnext_tiny", "any", 1, 768, False),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_trial_finds_what_a_model_takes(name: str, rule: str, multiple: int, dim: int, convolutional: bool) -> None:
    card = timm_card(name)
    assert (card.size_rule, card.multiple, card.feature_dim, card.convolutional) == (rule, multiple, dim, convolutional)
    with torch.device("meta"):
        assert isinstance(build_backbone(card, card.native_size).cam_layer(), torch.nn.Module)


def test_a_name_that_timm_lacks_is_answered_with_near_ones() -> None:
    with pytest.raises(NotFound, match="no model “vit_tny_patch16_224”") as refused:
        list(events_of(TimmSpec("vit_tny_patch16_224"), Path()))
    assert "vit_tiny_patch16_224" in refused.value.hint


def test_a_damaged_list_of_kept_cards_is_a_row_not_a_failed_start(
    pockets: tuple[BackboneCard, ...], tmp_path: Path
) -> None:
    keep_card(replace(pockets[0], name="timm:mine"))
    assert read_plugins().card("timm:mine").plugin_folder.endswith("any_timm")
    kept = tmp_path / "config" / "models.json"
    kept.write_text(json.dumps({"cards": [{"name": 3}]}), encoding="utf-8")
    catalogue = read_plugins()
    assert len(catalogue.cards) > 60
    assert [Path(one.folder).name for one in catalogue.broken] == ["models.json"]


@pytest.mark.parametrize("damage", ["empty", "cut", "code", "text"])
def test_bad_files_are_refused_with_a_reason_and_run_nothing(
    damage: str, pockets: tuple[BackboneCard, ...], tmp_path: Path, make_hostile: Callable[[Path], Path]
) -> None:
    card, out = pockets[0], tmp_path / "weights" / "dinov2-s.safetensors"
    whole = _write(card, tmp_path / "good.safetensors").read_bytes()
    bad = tmp_path / "bad.pth"
    if damage == "code":
        marker = make_hostile(bad)
    else:
        bad.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "text": b"<html>Sign in</html>"}[damage])
        marker = tmp_path / "never"
    with pytest.raises(WeightsRejected) as refused:
        list(import_weights(WeightsSpec(card, str(out), file=str(bad))))
    assert refused.value.message
    assert refused.value.hint
    assert not marker.exists()
    assert not out.exists()


@pytest.fixture
def make_hostile() -> Callable[[Path], Path]:
    """Write a pickle that would make a file if it ran; returns that file."""

    class Hostile:
        def __init__(self, target: Path) -> None:
            self.target = target

        def __reduce__(self) -> tuple[Any, tuple[str, str]]:
            return open, (str(self.target), "w")

    def make(path: Path) -> Path:
        target = path.with_name("it-ran")
        torch.save({"model": Hostile(target)}, path)
        return target

    return make
