from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import load_settings
from medfm_gui.desk.answers import settings, weights
from medfm_gui.desk.answers.packages import packages
from medfm_gui.desk.asks.settings import (
    AcceptLicence,
    AllowNetwork,
    ImportPack,
    ImportWeights,
    LookForWeights,
    MoveWeightsFolder,
    OfferClassSets,
    PreviewDiagnostics,
    PullWeights,
    ReadProgramFacts,
    ReadSettings,
    SaveDiagnostics,
)
from medfm_gui.desk.protocol import Progress
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import (
    InputError,
    Interrupted,
    NotFound,
    Offline,
    UsageError,
    WeightsAbsent,
    WeightsRejected,
)
from medfm_gui.domain.run import PackSpec, Spec
from medfm_gui.workspace import models, packs
from medfm_gui.workspace.place import open_workspace


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDFM_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("MEDFM_WEIGHTS", raising=False)
    monkeypatch.delenv("MEDFM_OFFLINE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_workspace(tmp_path / "w") as workspace, Room(workspace) as opened:
        yield opened


def told() -> tuple[Told, list[Any]]:
    heard: list[Any] = []
    return Told(lambda _, value: heard.append(value)), heard


def quiet() -> Told:
    return told()[0]


def test_the_network_is_off_until_it_is_allowed_and_the_choice_is_kept(room: Room) -> None:
    assert settings.read_settings(room, ReadSettings(), quiet()).is_offline
    assert not settings.allow_network(room, AllowNetwork(True), quiet()).is_offline
    assert load_settings().network
    assert room.workspace.settings.network  # also for what this desk does from now on
    assert settings.allow_network(room, AllowNetwork(False), quiet()).is_offline
    assert not load_settings().network


def test_sets_of_classes_are_off_until_they_are_wanted(room: Room) -> None:
    assert not settings.read_settings(room, ReadSettings(), quiet()).class_sets
    assert settings.offer_class_sets(room, OfferClassSets(True), quiet()).class_sets
    assert load_settings().class_sets and room.workspace.settings.class_sets
    assert not settings.offer_class_sets(room, OfferClassSets(False), quiet()).class_sets


def test_the_environment_keeps_the_network_off(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDFM_OFFLINE", "1")
    seen = settings.read_settings(room, ReadSettings(), quiet())
    assert seen.is_offline_locked
    assert seen.is_offline
    with pytest.raises(UsageError, match="MEDFM_OFFLINE"):
        settings.allow_network(room, AllowNetwork(True), quiet())
    assert not load_settings().network


def test_weights_can_be_kept_elsewhere_and_in_the_default_again(room: Room, tmp_path: Path) -> None:
    (tmp_path / "big disk").mkdir()
    seen = settings.move_weights_folder(room, MoveWeightsFolder(str(tmp_path / "big disk")), quiet())
    assert seen.weights_dir == str(tmp_path / "big disk")
    assert room.workspace.weights == tmp_path / "big disk"
    assert seen.weights_free_gb
    back = settings.move_weights_folder(room, MoveWeightsFolder(""), quiet())
    assert back.weights_dir == back.default_weights_dir != seen.weights_dir


def test_a_folder_that_is_none_is_refused(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for name in ("gone", "file"):
        with pytest.raises(InputError, match=name):
            settings.move_weights_folder(room, MoveWeightsFolder(str(tmp_path / name)), quiet())
    monkeypatch.setenv("MEDFM_WEIGHTS", str(tmp_path))
    with pytest.raises(UsageError, match="MEDFM_WEIGHTS"):
        settings.move_weights_folder(room, MoveWeightsFolder(str(tmp_path)), quiet())


def test_a_file_that_is_not_there_or_no_file_is_refused_before_a_worker_starts(room: Room, tmp_path: Path) -> None:
    with pytest.raises(WeightsAbsent, match=r"gone\.pt"):
        weights.import_weights(room, ImportWeights("dinov2-s", str(tmp_path / "gone.pt")), quiet())
    with pytest.raises(WeightsRejected, match="regular file"):
        weights.import_weights(room, ImportWeights("dinov2-s", str(tmp_path)), quiet())
    with pytest.raises(NotFound, match="nonsense"):
        weights.import_weights(room, ImportWeights("nonsense", str(tmp_path)), quiet())


def test_nothing_is_fetched_offline(room: Room) -> None:
    with pytest.raises(Offline, match="switched off"):
        weights.pull_weights(room, PullWeights("dinov2-s"), quiet())


Errand = Callable[..., list[ev.Event]]


@pytest.fixture
def errand(monkeypatch: pytest.MonkeyPatch) -> Callable[[Errand], None]:
    return lambda run: monkeypatch.setattr(models, "run_errand", run)


def test_a_download_is_told_in_bytes_and_its_cancel_reaches_the_worker(
    room: Room, errand: Callable[[Errand], None]
) -> None:
    asked: list[bool] = []

    def run(spec: Spec, *, on_event: Callable[[ev.Event], None], stop: threading.Event) -> list[ev.Event]:
        on_event(ev.StageStarted(0.0, "download", 4_000_000))
        on_event(ev.Progressed(0.0, "download", 4_000_000, 4_000_000, seconds_left=3.0))
        say.stopped.set()
        on_event(ev.Beat(0.0))
        asked.append(stop.is_set())
        raise Interrupted("The work was stopped before it was done.", "Start it again.")

    errand(run)
    settings.allow_network(room, AllowNetwork(True), quiet())
    say, heard = told()
    with pytest.raises(Interrupted, match=r"Fetching the weights of DINOv2 S/14 was cancelled") as stopped:
        weights.pull_weights(room, PullWeights("dinov2-s"), say)
    assert asked == [True]
    assert "is kept" in stopped.value.hint
    assert (heard[-1].text, heard[-1].done, heard[-1].total, heard[-1].seconds_left) == (
        "Fetching", 4_000_000, 4_000_000, 3.0,
    )  # fmt: skip
    assert not list(room.scratch.iterdir())


def test_what_the_worker_refuses_is_told_with_its_reason(
    room: Room, tmp_path: Path, errand: Callable[[Errand], None]
) -> None:
    def run(spec: Spec, *, on_event: Callable[[ev.Event], None], stop: threading.Event) -> list[ev.Event]:
        raise WeightsRejected("“a.pt” is not a file of DINOv2 S/14: 3 of 174 tensors are missing.", "Choose another.")

    errand(run)
    (tmp_path / "a.pt").touch()
    with pytest.raises(WeightsRejected, match="3 of 174 tensors"):
        weights.import_weights(room, ImportWeights("dinov2-s", str(tmp_path / "a.pt")), quiet())


def test_files_of_a_stick_are_named_for_models(room: Room, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    names = (
        "dinov2-s.safetensors",
        "DINOv2_B.pth",
        "models--timm--vit_large_patch14_dinov2.lvd142m/snapshots/abc/model.safetensors",
        "vit_base_patch16_224.mae/pytorch_model.bin",
        "checkpoint.pt",
        "readme.txt",
        ".hidden/dinov2-g.safetensors",
    )
    for name in names:
        (stick / name).parent.mkdir(parents=True, exist_ok=True)
        (stick / name).write_bytes(b"1234")
    found = weights.look_for_weights(room, LookForWeights(str(stick)), quiet())
    assert {Path(item.path).name: item.model for item in found.files if item.model} == {
        "dinov2-s.safetensors": "dinov2-s",
        "DINOv2_B.pth": "dinov2-b",
        "model.safetensors": "dinov2-l",
        "pytorch_model.bin": "mae-b",
    }
    assert found.files[-1].path.endswith("checkpoint.pt")  # what is named for no model comes last
    assert {item.size for item in found.files} == {4}
    assert not found.is_cut


def test_a_pack_is_brought_in_with_a_word_on_each_file(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / "dinov2-s.safetensors").write_bytes(b"1234")
    ordered: list[PackSpec] = []

    def run(spec: PackSpec, *, on_event: Callable[[ev.Event], None], stop: threading.Event) -> list[ev.Event]:
        ordered.append(spec)
        on_event(ev.StageStarted(0.0, "pack", 1))
        facts = {"file": spec.files[0], "model": spec.named[0], "state": "refused", "message": "Too short.", "hint": ""}
        on_event(ev.Answered(0.0, facts))
        return [ev.Answered(0.0, facts)]

    monkeypatch.setattr(packs, "run_errand", run)
    said, heard = told()
    report = weights.import_pack(room, ImportPack(str(tmp_path / "stick")), said)
    assert [(one.model, one.state, one.message) for one in report.files] == [("dinov2-s", "refused", "Too short.")]
    assert ordered[0].files == (str(tmp_path / "stick" / "dinov2-s.safetensors"),)
    assert any(isinstance(one, Progress) and one.text == "Going through the files" for one in heard)
    assert heard[-1] == report  # each file is told as soon as it was gone through


def test_a_licence_is_accepted_from_the_window(room: Room) -> None:
    assert weights.accept_licence(room, AcceptLicence("mae-b"), quiet())
    assert load_settings().licences == ("mae: CC-BY-NC-4.0",)


def test_every_model_is_found_by_its_own_name() -> None:
    cards = read_plugins().cards
    assert {packs.named_for(Path(f"{card.name}.safetensors"), cards) for card in cards} == {card.name for card in cards}


def test_a_stick_that_was_pulled_out_is_named(room: Room, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder “stick”"):
        weights.look_for_weights(room, LookForWeights(str(tmp_path / "stick")), quiet())


def test_a_search_can_be_stopped(room: Room, tmp_path: Path) -> None:
    (tmp_path / "a.pt").touch()
    say = quiet()
    say.stopped.set()
    with pytest.raises(Interrupted):
        weights.look_for_weights(room, LookForWeights(str(tmp_path)), say)


def test_packages_are_listed_once_with_short_licences() -> None:
    found = packages()
    names = [item.name.lower() for item in found]
    assert names == sorted(set(names))
    assert {"numpy", "pydicom", "pyside6"} <= set(names)
    assert all("\n" not in item.licence and len(item.licence) < 200 for item in found)
    assert next(item for item in found if item.name == "pydicom").licence == "MIT License"


def test_facts_of_the_program(room: Room) -> None:
    seen = settings.read_program_facts(room, ReadProgramFacts(), quiet())
    assert seen.python.startswith("3.")
    assert tuple(int(part) for part in seen.sqlite.split(".")) >= (3, 51, 3)
    assert seen.packages == packages()


CANARIES = ("Doe", "19560214", "1.2.840.113619.2.55", "/data/hospital", "C:\\\\scans", "4711-secret")


def _leak(folder: Path, lines: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prediction.log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "desk.log").write_text("ListRuns: KeyError\n  runs.py:31 list_runs\n", encoding="utf-8")


def test_diagnostics_hold_frames_and_error_names_and_nothing_that_was_said(room: Room, tmp_path: Path) -> None:
    lines = [
        "--- worker started 2026-11-20T14:02:11Z",
        "PatientName: Doe",
        "reading /data/hospital/Doe^John/1.dcm",
        "Traceback (most recent call last):",
        '  File "/data/hospital/app/train.py", line 88, in run_training',
        "    patient = '4711-secret'",
        "ValueError: 19560214 is no date of Doe",
        "torch.OutOfMemoryError: CUDA out of memory. Tried /data/hospital 20 MiB",
        "UserWarning: C:\\\\scans 1.2.840.113619.2.55",
        "Doe",
    ]
    _leak(room.workspace.root / "logs", lines)
    files = {file.name: file for file in settings.preview_diagnostics(room, PreviewDiagnostics(), quiet()).files}
    assert files["logs/prediction.log"].text.splitlines() == [
        "--- worker started 2026-11-20T14:02:11Z",
        "[2 lines left out]",
        "Traceback (most recent call last):",
        "  train.py:88 run_training",
        "[1 line left out]",
        "ValueError",
        "torch.OutOfMemoryError: CUDA out of memory",
        "UserWarning",
        "[1 line left out]",
    ]
    assert files["logs/desk.log"].text == "ListRuns: KeyError\n  runs.py:31 list_runs\n"
    whole = "".join(file.text for file in files.values())
    assert not [canary for canary in CANARIES if canary in whole]
    assert str(tmp_path) not in whole
    assert "pydicom 3" in files["versions.txt"].text
    assert "SQLite 3." in files["versions.txt"].text
    assert "Runs 0 (none)" in files["workspace.txt"].text


def test_only_the_last_lines_of_a_log_are_kept(room: Room) -> None:
    _leak(room.workspace.root / "logs", [f"  a.py:{number} f" for number in range(5000)])
    files = {file.name: file for file in settings.preview_diagnostics(room, PreviewDiagnostics(), quiet()).files}
    kept = files["logs/prediction.log"].text.splitlines()
    assert (len(kept), kept[0], kept[-1]) == (200, "  a.py:4800 f", "  a.py:4999 f")


def test_what_is_saved_is_what_was_shown(room: Room, tmp_path: Path) -> None:
    _leak(room.workspace.root / "logs", ["MemoryError"])
    shown = settings.preview_diagnostics(room, PreviewDiagnostics(), quiet()).files
    saved = settings.save_diagnostics(room, SaveDiagnostics(str(tmp_path / "out.zip")), quiet())
    with zipfile.ZipFile(saved.path) as archive:
        assert {name: archive.read(name).decode() for name in archive.namelist()} == {
            file.name: file.text for file in shown
        }
    assert saved.size == (tmp_path / "out.zip").stat().st_size
    assert saved.files == len(shown)


def test_diagnostics_are_not_saved_where_there_is_no_folder(room: Room, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder “gone”"):
        settings.save_diagnostics(room, SaveDiagnostics(str(tmp_path / "gone" / "out.zip")), quiet())
