"""A run without a result says why and what helps; one that was stopped for good never goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from medfm_gui.base.atomic import sha256_file
from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import Settings
from medfm_gui.base.weights_status import bundled_file
from medfm_gui.cli.app import app
from medfm_gui.domain.cards import WeightsState, WeightsStatus
from medfm_gui.domain.errors import InputError, NotFound, Offline, UsageError
from medfm_gui.domain.events import RunCancelled, RunFailed, RunPaused
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import FileRef, Phase, RunState, TrainSpec, fold
from medfm_gui.workspace import models, repeating, training
from medfm_gui.workspace.models import Model
from medfm_gui.workspace.place import Workspace, open_workspace

BUNDLED = "efficientnet-lite0"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings(weights_dir=str(tmp_path / "weights"))) as made:
        yield made


def view(state: RunState) -> training.RunView:
    file = FileRef("/nowhere", "")
    card = read_plugins().card(BUNDLED)
    spec = TrainSpec("r0001", file, file, "/p", "/f", card, "linear", Recipe(), 3, "cpu", file, dataset_id="d")
    return training.RunView("r0001", spec, state, Path("/nowhere"))


@pytest.mark.parametrize(
    ("state", "said", "next_step"),
    [
        (RunState(Phase.RUNNING), "is running, not finished, so it has no result", "Wait for its end."),
        (RunState(Phase.PAUSED, resumable=True), "is paused, not finished", "medfm resume r0001"),
        (RunState(Phase.CANCELLED), "is cancelled, not finished", "medfm train"),
        (
            RunState(Phase.FAILED, message="There is no device “cuda:0”.", hint="Use auto."),
            "is failed, not finished (There is no device “cuda:0”), so it has no result.",
            "Use auto.",
        ),
        (RunState(Phase.FAILED, message="Killed.", resumable=True), "(Killed), so", "medfm resume r0001"),
    ],
)
def test_what_helps_depends_on_why_a_run_has_no_result(state: RunState, said: str, next_step: str) -> None:
    with pytest.raises(UsageError) as caught:
        training.check_finished(view(state))
    assert said in caught.value.message and next_step in caught.value.hint


def test_a_finished_run_is_given_back() -> None:
    one = view(RunState(Phase.FINISHED))
    assert training.check_finished(one) is one


def test_a_run_that_was_paused_and_then_cancelled_is_over(room: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    paused = fold(RunState(), [RunPaused(1.0, epoch=2)])
    assert paused.resumable
    over = fold(paused, [RunCancelled(2.0, "Stopped as asked.")])
    assert over.phase is Phase.CANCELLED and not over.resumable
    stored = RunState(Phase.CANCELLED, resumable=True)  # as an earlier version left it in the database
    monkeypatch.setattr(training, "view", lambda _room, _run: view(stored))
    with pytest.raises(UsageError, match="was cancelled, so it cannot be resumed"):
        training.check_resumable(room, "r0001")


def test_a_failure_that_can_be_gone_on_with_is_resumable(room: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = fold(RunState(), [RunFailed(1.0, "worker_died", "The run was killed.", "Resume it.", resumable=True)])
    monkeypatch.setattr(training, "view", lambda _room, _run: view(failed))
    assert training.check_resumable(room, "r0001").state is failed


@pytest.mark.parametrize(
    ("asked", "hint"), [("dataset", "“medfm datasets” lists them"), ("split", "makes one"), ("run", "lists them")]
)
def test_what_is_not_there_is_looked_for_by_the_right_command(room: Workspace, asked: str, hint: str) -> None:
    with pytest.raises(NotFound) as caught:
        getattr(room, asked)("none")
    assert hint in caught.value.hint and "--workspace" in caught.value.hint


def test_a_repeat_takes_the_bundled_weights_that_an_imported_file_hides(
    room: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = read_plugins().card(BUNDLED)
    file = bundled_file(card)
    assert file is not None
    imported = Model(card, WeightsStatus(WeightsState.PRESENT, "a file", "0" * 64, "/weights/imported.safetensors"))
    monkeypatch.setattr(repeating, "model", lambda _settings, _name: imported)
    wanted = FileRef("/elsewhere/lite0.pth", sha256_file(file))
    assert repeating._weights(room, wanted, BUNDLED) == FileRef(str(file), wanted.sha256)
    assert repeating._weights(room, FileRef("/x", "0" * 64), BUNDLED) == FileRef(imported.weights.path, "0" * 64)
    with pytest.raises(InputError, match="others than those of the run"):
        repeating._weights(room, FileRef("/x", "1" * 64), BUNDLED)


def test_who_switched_the_network_off_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = Settings(network=True, weights_dir=str(tmp_path))
    monkeypatch.setenv("MEDFM_OFFLINE", "1")
    with pytest.raises(Offline, match="switched off by MEDFM_OFFLINE") as locked:
        models.pull_weights(settings, "resnet18")
    assert "--network on" not in locked.value.hint and "weights import" in locked.value.hint
    monkeypatch.delenv("MEDFM_OFFLINE")
    with pytest.raises(Offline, match="switched off, so") as off:
        models.pull_weights(Settings(weights_dir=str(tmp_path)), "resnet18")
    assert "--network on" in off.value.hint


def test_a_setting_that_the_computer_overrules_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MEDFM_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("MEDFM_WEIGHTS", str(tmp_path / "kept"))
    monkeypatch.setenv("MEDFM_OFFLINE", "1")
    asked = ["settings", "--network", "on", "--weights-dir", str(tmp_path / "other")]
    locked = CliRunner().invoke(app, asked)
    assert locked.exit_code == 0 and "stays switched off" in locked.stderr and "kept" in locked.stderr
    assert "network: on" in locked.stdout
    monkeypatch.delenv("MEDFM_OFFLINE")
    monkeypatch.delenv("MEDFM_WEIGHTS")
    free = CliRunner().invoke(app, asked)
    assert free.exit_code == 0 and not free.stderr
