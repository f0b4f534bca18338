"""The engine's door: orders in, event lines out, requests heard, every end with a name."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError

from medfm_gui.base import wire
from medfm_gui.base.children import clean_environment, compute_environment, python
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import DiskFull, NonFiniteLoss, OutOfMemory, UsageError
from medfm_gui.domain.run import ProbeSpec, StudySpec, TrainSpec
from medfm_gui.engine import job
from medfm_gui.engine.eventlog import EventLog
from medfm_gui.engine.failure import named, resumable
from medfm_gui.engine.session import PauseRequested
from medfm_gui.engine.train import run_training

Order = Callable[..., tuple[TrainSpec, Path]]


def _said(folder: Path) -> list[ev.Event]:
    return [wire.decode_event(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]


def _carried_out(folder: Path) -> tuple[bool, list[ev.Event]]:
    with EventLog.in_folder(folder) as log:
        done = job.carry_out(folder, log, startup_seconds=1.5)
    return done, _said(folder)


def test_an_order_is_carried_out_and_told(order: Order) -> None:
    spec, folder = order("linear")
    done, said = _carried_out(folder)
    words = [event for event in said if not isinstance(event, ev.Beat)]  # a slow start beats before its first word
    assert done
    assert isinstance(words[0], ev.RunStarted)
    assert words[0].startup_seconds == 1.5
    assert isinstance(words[-1], ev.RunFinished)
    assert spec.run == folder.name


@pytest.mark.parametrize("request_word", ["pause", "cancel"])
def test_a_request_is_heard_between_steps(order: Order, request_word: str) -> None:
    _, folder = order("full")
    (folder / "request").write_text(request_word)
    done, said = _carried_out(folder)
    assert done
    last = said[-1]
    assert isinstance(last, ev.RunPaused if request_word == "pause" else ev.RunCancelled)
    (folder / "request").unlink()
    done, said = _carried_out(folder)
    assert isinstance(said[-1], ev.RunFinished)


def test_a_pause_in_the_middle_is_saved_and_gone_on_with(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, folder = order("full")

    def pausing(spec: TrainSpec, folder: Path) -> Iterator[ev.Event]:
        work = run_training(spec, folder)
        for event in work:
            if isinstance(event, ev.EpochFinished) and event.epoch == 2:
                (folder / "request").write_text("pause")
            try:
                yield event
            except PauseRequested as pause:
                work.throw(pause)

    monkeypatch.setattr(job, "_training", pausing)
    _, said = _carried_out(folder)
    paused = said[-1]
    assert isinstance(paused, ev.RunPaused)
    assert (paused.epoch, paused.step) == (2, 0)
    assert (folder / "checkpoint" / "last.safetensors").exists()
    monkeypatch.undo()
    (folder / "request").unlink()
    _, said = _carried_out(folder)
    assert isinstance(said[-1], ev.RunFinished)
    assert spec.recipe.epochs == 3


def test_a_request_after_the_last_word_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "request").write_text("cancel")
    (tmp_path / "spec.json").write_bytes(wire.encode_spec(ProbeSpec()))
    monkeypatch.setattr(job, "_probe", lambda: iter([ev.RunFinished(time.time(), {}, 1.0)]))
    _, said = _carried_out(tmp_path)
    assert [type(event) for event in said] == [ev.RunFinished]


def test_work_without_a_last_word_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spec.json").write_bytes(wire.encode_spec(ProbeSpec()))
    monkeypatch.setattr(job, "_probe", lambda: iter([ev.Answered(time.time(), {"a": "b"})]))
    done, said = _carried_out(tmp_path)
    assert done
    assert isinstance(said[-1], ev.RunFinished)


@pytest.mark.parametrize(
    ("error", "kind", "goes_on"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "out_of_memory", True),
        (MemoryError(), "out_of_memory", True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "out_of_memory", True),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full", True),
        (RuntimeError("unexpected pos 576 vs 534"), "disk_full", True),
        (SafetensorError("I/O error"), "disk_full", True),
        (DiskFull("full", "free"), "disk_full", True),
        (NonFiniteLoss("NaN", "smaller"), "non_finite_loss", False),
        (UsageError("no", "do"), "usage_error", False),
        (torch.AcceleratorError("device-side assert"), "interrupted", True),
        (ZeroDivisionError("secret of /home/someone"), "internal_error", True),
    ],
)
def test_every_end_has_a_name(
    order: Order,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    error: Exception,
    kind: str,
    goes_on: bool,
) -> None:
    def failing(*_: object) -> Iterator[ev.Event]:
        yield ev.Beat(time.time())
        raise error

    monkeypatch.setattr(job, "_training", failing)
    _, folder = order("full")
    done, said = _carried_out(folder)
    last = said[-1]
    assert isinstance(last, ev.RunFailed)
    assert (done, last.error, last.resumable) == (False, kind, goes_on)
    assert last.message
    assert last.hint
    assert "Traceback" not in last.message
    assert "secret" not in last.message
    assert ("Traceback" in capfd.readouterr().err) == (kind == "internal_error")


def test_memory_that_a_cpu_does_not_have_is_recognised() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    assert isinstance(named(caught.value), OutOfMemory)
    assert resumable(named(caught.value))


def test_a_folder_without_an_order_is_told(tmp_path: Path) -> None:
    done, said = _carried_out(tmp_path)
    assert not done
    assert isinstance(said[-1], ev.RunFailed)
    assert said[-1].error == "usage_error"


def test_progress_is_thinned_but_its_end_is_told(tmp_path: Path) -> None:
    with EventLog.in_folder(tmp_path) as log:
        for done in range(1, 501):
            log.say(ev.Progressed(time.time(), "train", done, 500))
        log.say(ev.Progressed(time.time(), "validate", 1, 9))
    said = _said(tmp_path)
    assert len(said) <= 6
    told = [(event.stage, event.done) for event in said if isinstance(event, ev.Progressed)]
    assert ("train", 500) in told
    assert ("validate", 1) in told


def test_a_torn_last_line_is_ended_before_the_next(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(wire.encode_event(ev.Beat(1.0)) + b'{"at": 2.0, "ev')
    with EventLog.in_folder(tmp_path) as log:
        log.say(ev.Warned(3.0, "hello"))
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert len(lines) == 3
    assert wire.decode_event(lines[2]) == ev.Warned(3.0, "hello")


def test_silence_is_filled_with_beats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medfm_gui.engine.eventlog._SILENCE_S", 0.05)
    with EventLog.in_folder(tmp_path) as log:
        time.sleep(0.4)
        log.say(ev.Warned(1.0, "x"))
    kinds = [type(event) for event in _said(tmp_path)]
    assert 2 <= kinds.count(ev.Beat) <= 8
    assert ev.Warned in kinds


@pytest.fixture
def server() -> Iterator[subprocess.Popen[bytes]]:
    environment = {**clean_environment(), **compute_environment()}
    process = subprocess.Popen(
        python("medfm_gui.engine.worker", "--serve"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    with process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def _answer(server: subprocess.Popen[bytes], folder: Path) -> list[ev.Event]:
    assert server.stdin is not None
    assert isinstance(server.stdout, io.BufferedReader)
    server.stdin.write(os.fsencode(folder) + b"\n")
    server.stdin.flush()
    said: list[ev.Event] = []
    while not said or not isinstance(said[-1], ev.LAST_WORDS):
        said.append(wire.decode_event(server.stdout.readline()))
    return said


def test_a_warm_worker_answers_one_order_after_another(
    order: Order, bench: Any, tmp_path: Path, server: subprocess.Popen[bytes]
) -> None:
    import numpy as np

    from medfm_gui.domain.run import StudyImage

    spec, run = order("linear")
    list(run_training(spec, run))
    np.save(tmp_path / "image.npy", np.full((50, 60), 90, np.uint8))
    asked = StudySpec((str(run),), (StudyImage("s", str(tmp_path / "image.npy")),), str(tmp_path))
    answers = []
    for name in ("a", "b", "broken"):
        folder = tmp_path / name
        folder.mkdir()
        if name != "broken":
            (folder / "spec.json").write_bytes(wire.encode_spec(asked))
        answers.append(_answer(server, folder))
        assert not (folder / "events.jsonl").exists()
    first, second = ([event for event in answer if isinstance(event, ev.StudyPredicted)] for answer in answers[:2])
    assert first[0].scores == second[0].scores
    assert isinstance(answers[2][-1], ev.RunFailed)


def test_wrong_usage_ends_with_2() -> None:
    environment = {**clean_environment(), **compute_environment()}
    done = subprocess.run(python("medfm_gui.engine.worker"), env=environment, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"usage" in done.stderr
