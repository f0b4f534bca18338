from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from medfm_gui.domain.errors import DiskFull, NotFound, UsageError, WorkspaceBusy
from medfm_gui.domain.events import (
    Beat,
    EpochFinished,
    Event,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
)
from medfm_gui.domain.run import Phase, RunState
from medfm_gui.jobs import follow, owner, process, request
from medfm_gui.jobs.attempt import Patience
from medfm_gui.jobs.process import request_cancel, request_pause

if TYPE_CHECKING:
    from tests.unit.jobs.conftest import Lab

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process states are read from /proc")


def kinds(folder: Path) -> list[str]:
    return [event.event for event in follow.read_all(folder)]


def test_a_run_from_start_to_end(lab: Lab) -> None:
    folder = lab.run(epochs=3)
    state = lab.supervise(folder)
    assert state.phase is Phase.FINISHED
    assert [point.epoch for point in state.curve] == [1, 2, 3]
    assert lab.watched.events == follow.read_all(folder)
    assert lab.watched.batches[-1][1] == state == follow.state_of(folder)
    assert (folder / "log.txt").read_text().endswith("x" * 99 + "\n")
    assert not (folder / "owner.json").exists()
    assert not (folder / "request").exists()
    assert lab.watched.messages == ["Its worker is starting."]


def test_a_finished_run_is_told_again_and_not_run_again(lab: Lab) -> None:
    folder = lab.run()
    first = lab.supervise(folder)
    lab.watched.batches.clear()
    assert lab.supervise(folder, command=lambda folder: ["/nonexistent"]) == first
    assert lab.watched.events == follow.read_all(folder)


def test_the_worker_computes_in_its_own_folder_with_low_priority_and_a_clean_environment(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/evil")
    folder = lab.run(epoch_s=30)
    thread, _ = lab.aside(folder)
    pid = lab.worker(folder)
    environment = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 5
    assert "OMP_WAIT_POLICY=PASSIVE" in environment
    assert "HF_HUB_OFFLINE=1" in environment
    assert not [entry for entry in environment if entry.startswith("PYTHONPATH")]
    assert Path(f"/proc/{pid}/cwd").readlink() == folder
    assert os.getpgid(pid) != os.getpgid(0)  # a Ctrl-C of the terminal is not for it
    request_cancel(folder)
    thread.join()


def test_a_worker_killed_is_an_interruption_that_resumes_where_it_was(lab: Lab) -> None:
    folder = lab.run(epochs=4, die_after=2, signal="SIGKILL", torn=True)
    state = lab.supervise(folder)
    assert (state.phase, state.error_kind, state.resumable) == (Phase.FAILED, "interrupted", True)
    assert "SIGKILL, signal 9" in state.message
    assert "out of memory" in state.message
    assert "batch_size" in state.hint
    assert "after epoch 2" in state.hint
    lab.plan(folder, epochs=4)
    state = lab.supervise(folder)
    assert state.phase is Phase.FINISHED
    assert [point.epoch for point in state.curve] == [1, 2, 3, 4]
    assert RunResumed in {type(event) for event in follow.read_all(folder)}
    assert "Warned" not in kinds(folder)  # the torn line is gone


def test_a_library_that_crashes_is_named_by_its_signal(lab: Lab) -> None:
    state = lab.supervise(lab.run(die_after=1, signal="SIGSEGV"))
    assert "SIGSEGV, signal 11" in state.message
    assert "memory" not in state.message


@pytest.mark.parametrize("code", [0, 3])
def test_a_worker_without_a_last_word_has_failed(lab: Lab, code: int) -> None:
    folder = lab.run(die_after=1, exit=code, no_checkpoint=True)
    state = lab.supervise(folder)
    assert (state.phase, state.error_kind, state.resumable) == (Phase.FAILED, "worker_failed", False)
    assert f"exit status {code}" in state.message
    assert "log.txt" in state.hint
    assert isinstance(lab.watched.events[-1], RunFailed)


def test_a_named_failure_stays_the_workers_own_word(lab: Lab) -> None:
    folder = lab.run(once_failed=True)
    state = lab.supervise(folder)
    assert (state.phase, state.error_kind) == (Phase.FAILED, "non_finite_loss")
    assert kinds(folder).count("RunFailed") == 1


def test_a_worker_that_cannot_be_started_is_a_failure_of_the_run(lab: Lab) -> None:
    state = lab.supervise(lab.run(), command=lambda folder: ["/nonexistent/python"])
    assert (state.phase, state.error_kind, state.resumable) == (Phase.FAILED, "worker_failed", True)
    assert "could not be started" in state.message


def test_an_order_that_is_missing_is_named_before_anything_happens(lab: Lab) -> None:
    folder = lab.run()
    (folder / "spec.json").unlink()
    with pytest.raises(NotFound, match=r"spec\.json"):
        lab.supervise(folder)
    assert not (folder / "owner.json").exists()


def test_two_supervisors_do_not_share_a_run(lab: Lab) -> None:
    folder = lab.run(epoch_s=30)
    thread, _ = lab.aside(folder)
    lab.worker(folder)
    with pytest.raises(WorkspaceBusy, match="already in the hands"):
        lab.supervise(folder)
    other = lab.supervisor(folder)
    assert other.wait() == 1
    request_cancel(folder)
    thread.join()
    assert kinds(folder).count("RunStarted") == 1


# -- pause, resume, cancel ------------------------------------------------------------------------


def test_pause_and_resume(lab: Lab) -> None:
    folder = lab.run(epochs=3, epoch_s=0.2)
    thread, states = lab.aside(folder)
    lab.until(lambda: follow.told(folder).epoch == 1)
    request_pause(folder)
    thread.join()
    assert (states[0].phase, states[0].resumable) == (Phase.PAUSED, True)
    assert follow.wait_for_end(folder, timeout_s=5).phase is Phase.PAUSED
    with pytest.raises(UsageError, match="not running"):
        request_pause(folder)
    lab.plan(folder, epochs=3)
    state = lab.supervise(folder)
    assert state.phase is Phase.FINISHED
    assert [point.epoch for point in state.curve] == [1, 2, 3]


def test_cancel_a_running_run(lab: Lab) -> None:
    folder = lab.run(epoch_s=30)
    thread, states = lab.aside(folder)
    pid = lab.worker(folder)
    request_cancel(folder)
    thread.join()
    assert states[0].phase is Phase.CANCELLED
    assert states[0].message == "Done."  # the worker's own word
    assert lab.gone(pid)
    with pytest.raises(UsageError, match="ended already"):
        request_cancel(folder)
    assert lab.supervise(folder).phase is Phase.CANCELLED


@pytest.mark.parametrize(("ask", "word"), [(request_cancel, RunCancelled), (request_pause, RunPaused)])
def test_a_worker_that_does_not_listen_is_ended(lab: Lab, ask: Callable[[Path], None], word: type) -> None:
    folder = lab.run(epochs=3, epoch_s=0.3, deaf=True, child=True)
    lab.plan(folder, epochs=100, epoch_s=0.3, deaf=True, child=True)
    thread, states = lab.aside(folder)
    lab.until(lambda: follow.told(folder).epoch == 1)
    pid, child = lab.worker(folder), int((folder / "child").read_text())
    asked_at = time.monotonic()
    ask(folder)
    thread.join()
    assert time.monotonic() - asked_at < 3
    last = follow.last_event(folder)
    assert isinstance(last, word)
    if isinstance(last, RunPaused):
        assert last.epoch == states[0].curve[-1].epoch
    else:
        assert "was stopped" in states[0].message
    assert lab.gone(pid)
    lab.until(lambda: lab.gone(child))


def test_a_pause_is_overruled_by_a_cancel(lab: Lab) -> None:
    folder = lab.run(epoch_s=30, deaf=True)
    thread, states = lab.aside(folder, patience=Patience(cancel_s=0.2, pause_s=60, term_s=0.1))
    lab.worker(folder)
    request_pause(folder)
    time.sleep(0.2)
    request_cancel(folder)
    thread.join()
    assert states[0].phase is Phase.CANCELLED


def test_a_clock_that_jumps_ends_nobody_early_or_late(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = lab.run(epoch_s=30, deaf=True)
    thread, states = lab.aside(folder)
    lab.worker(folder)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 86_400)
    request_cancel(folder)
    asked_at = time.monotonic()
    time.sleep(0.1)
    monkeypatch.setattr(time, "time", lambda: real() + 86_400)
    thread.join()
    assert 0.3 <= time.monotonic() - asked_at < 3
    assert states[0].phase is Phase.CANCELLED
    assert (states[0].seconds_left or 0) >= 0


@pytest.mark.parametrize(
    ("ask", "phase"), [(request_cancel, Phase.CANCELLED), (request_pause, Phase.PAUSED)], ids=["cancel", "pause"]
)
def test_a_run_in_line_hears_what_is_asked(lab: Lab, ask: Callable[[Path], None], phase: Phase) -> None:
    first, second = lab.run("a", epoch_s=30), lab.run("b")
    thread, _ = lab.aside(first)
    lab.worker(first)
    waiting, states = lab.aside(second)
    lab.until(lambda: "its turn on cpu" in follow.state_of(second).message)
    assert follow.state_of(second).phase is Phase.QUEUED
    ask(second)
    waiting.join()
    assert states[0].phase is phase
    assert "RunStarted" not in kinds(second)
    assert any("its turn on cpu" in message for message in lab.watched.messages)
    request_cancel(first)
    thread.join()


def test_a_run_that_nobody_supervises_is_cancelled_at_once(lab: Lab) -> None:
    folder = lab.run()
    with pytest.raises(UsageError, match="cannot be paused"):
        request_pause(folder)
    request_cancel(folder)
    assert follow.state_of(folder).phase is Phase.CANCELLED
    assert not (folder / "owner.json").exists()


def test_a_failure_that_can_go_on_can_be_cancelled_and_one_that_cannot_is_over(lab: Lab) -> None:
    can, cannot = lab.run("can", die_after=1, exit=1), lab.run("cannot", die_after=1, exit=1, no_checkpoint=True)
    assert lab.supervise(can).resumable
    assert not lab.supervise(cannot).resumable
    assert follow.has_checkpoint(can)
    request_cancel(can)
    assert follow.state_of(can).phase is Phase.CANCELLED
    assert not follow.has_checkpoint(can)  # nothing will read it again
    with pytest.raises(UsageError):
        request_cancel(cannot)


def test_a_cancel_that_comes_after_the_pause_still_counts(lab: Lab) -> None:
    folder = lab.run(epoch_s=30)

    def watch(events: Sequence[Event], state: RunState) -> None:
        lab.watched(events, state)
        if any(isinstance(event, RunPaused) for event in events):
            request_cancel(folder)

    thread, states = lab.aside(folder, on_events=watch)
    lab.worker(folder)
    request_pause(folder)
    thread.join()
    assert states[0].phase is Phase.CANCELLED
    assert kinds(folder)[-2:] == ["RunPaused", "RunCancelled"]
    assert isinstance(lab.watched.events[-1], RunCancelled)


def test_a_resumed_run_reads_as_queued_until_its_worker_is_up(lab: Lab) -> None:
    folder = lab.run(beats_s=0.6)
    follow.append_events(folder, [RunPaused(1.0, 0)])
    thread, states = lab.aside(folder)
    lab.until(lambda: isinstance(follow.last_event(folder), Beat))
    state = follow.state_of(folder)
    assert (state.phase, state.message) == (Phase.QUEUED, "Its worker is starting.")
    thread.join()
    assert states[0].phase is Phase.FINISHED


def test_an_old_request_does_not_stop_a_new_start(lab: Lab) -> None:
    folder = lab.run()
    (folder / "request").write_text("cancel")
    assert lab.supervise(folder).phase is Phase.FINISHED


def test_stop_pauses_what_runs(lab: Lab) -> None:
    folder, stop = lab.run(epoch_s=30), threading.Event()
    thread, states = lab.aside(folder, stop=stop)
    lab.worker(folder)
    stop.set()
    thread.join()
    assert states[0].phase is Phase.PAUSED


# -- watchers, silence, floods --------------------------------------------------------------------


def test_a_watcher_that_fails_for_a_while_misses_nothing(lab: Lab) -> None:
    folder = lab.run(epochs=5)
    failures = [1, 2, 3, 4]

    def busy(events: Sequence[Event], state: RunState) -> None:
        if events and failures:
            failures.pop()
            raise RuntimeError("the database is busy")
        lab.watched(events, state)

    assert lab.supervise(folder, on_events=busy).phase is Phase.FINISHED
    assert lab.watched.events == follow.read_all(folder)


def test_a_watcher_that_fails_for_good_costs_the_run_nothing_and_is_heard(lab: Lab) -> None:
    folder = lab.run(epochs=2)

    def broken(events: Sequence[Event], state: RunState) -> None:
        raise RuntimeError("the database is gone")

    with pytest.raises(RuntimeError, match="gone"):
        lab.supervise(folder, on_events=broken)
    assert follow.state_of(folder).phase is Phase.FINISHED
    assert not (folder / "owner.json").exists()
    lab.supervise(folder)
    assert lab.watched.events == follow.read_all(folder)


def test_a_new_supervisor_tells_what_a_killed_one_may_not_have_told(lab: Lab) -> None:
    folder = lab.run(epochs=2)
    follow.append_events(folder, [EpochFinished(1.0, 1, 2, {"auc": 0.4})])
    lab.supervise(folder)
    assert lab.watched.events == follow.read_all(folder)
    assert lab.watched.events[0] == EpochFinished(1.0, 1, 2, {"auc": 0.4})


def test_a_flood_is_told_in_small_batches_without_loss(lab: Lab) -> None:
    folder = lab.run(flood=3_000, log_lines=100_000)
    assert lab.supervise(folder).phase is Phase.FINISHED
    assert lab.watched.events == follow.read_all(folder)
    assert max(len(events) for events, _ in lab.watched.batches) <= 64
    assert (folder / "log.txt").stat().st_size <= 5_000_000
    assert (folder / "log.txt").read_bytes().startswith(b"[earlier lines were cut]\n")


def test_silence_is_told_once_and_broken_by_the_next_event(lab: Lab) -> None:
    folder = lab.run(epochs=1, epoch_s=0.8)
    assert lab.supervise(folder, patience=Patience(silence_s=0.3)).message == ""
    told = "".join("e" if events else "s" for events, state in lab.watched.batches if events or "said" in state.message)
    assert "s" in told.lstrip("s")  # in the epoch; a slow start of the worker may have been told before
    assert "ss" not in told


def test_time_that_the_computer_slept_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    silence = process._Silence(60)
    now[0] += 3_600
    assert not silence.is_long()
    for _ in range(59):
        now[0] += 1
        told = silence.is_long()
    assert told
    assert not silence.is_long()


def test_a_worker_that_lingers_after_its_last_word_is_ended(lab: Lab) -> None:
    folder = lab.run(linger_s=60)
    began = time.monotonic()
    assert lab.supervise(folder).phase is Phase.FINISHED
    assert time.monotonic() - began < 10
    assert isinstance(follow.last_event(folder), RunFinished)


class _Full:
    total, used, free = 100, 100, 0


def test_a_run_on_a_disk_that_became_full_goes_on_and_can_be_cancelled(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lab.run(epoch_s=60)

    def command(folder: Path) -> list[str]:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: _Full)
        return lab.command(folder)

    thread, states = lab.aside(folder, command=command)
    lab.until(lambda: "RunStarted" in kinds(folder))
    request_cancel(folder)
    thread.join()
    assert states[0].phase is Phase.CANCELLED


def test_a_supervisor_that_must_end_ends_a_worker_that_it_cannot_ask(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, stop = lab.run(epoch_s=60), threading.Event()
    thread, states = lab.aside(folder, stop=stop)
    pid = lab.worker(folder)

    def full(folder: Path, word: request.Request) -> None:
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(request, "ask", full)
    stop.set()
    thread.join()
    assert states[0].phase is Phase.PAUSED
    assert lab.gone(pid)


# -- deaths ---------------------------------------------------------------------------------------


def test_a_supervisor_killed_takes_its_worker_along_and_the_run_resumes(lab: Lab) -> None:
    folder = lab.run(epochs=1_000, epoch_s=0.05, child=True)
    supervisor = lab.supervisor(folder)
    lab.until(lambda: follow.told(folder).epoch >= 2)
    pid = lab.worker(folder)
    supervisor.kill()
    lab.until(lambda: lab.gone(pid) and lab.gone(supervisor.pid), timeout_s=1)
    state = follow.state_of(folder)  # the supervisor is a zombie: nobody has waited for it
    assert (state.phase, state.error_kind, state.resumable) == (Phase.FAILED, "interrupted", True)
    supervisor.wait()
    os.kill(int((folder / "child").read_text()), signal.SIGKILL)  # a worker ties its own children to itself
    lab.plan(folder, epochs=state.epoch + 1)
    assert lab.supervise(folder).phase is Phase.FINISHED


def test_both_killed_leaves_nobody(lab: Lab) -> None:
    folder = lab.run(epoch_s=60)
    supervisor = lab.supervisor(folder)
    pid = lab.worker(folder)
    os.kill(pid, signal.SIGSTOP)  # it cannot even notice
    os.kill(pid, signal.SIGKILL)
    supervisor.kill()
    lab.until(lambda: lab.gone(pid) and lab.gone(supervisor.pid), timeout_s=1)
    state = follow.state_of(folder)
    assert state.phase is Phase.FAILED
    assert state.error_kind == "interrupted"


def test_a_supervisor_told_to_end_pauses_its_runs_and_ends_well(lab: Lab) -> None:
    first, second = lab.run("a", epoch_s=60), lab.run("b")
    supervisor = lab.supervisor(first, second)
    pid = lab.worker(first)
    began = time.monotonic()
    supervisor.terminate()
    assert supervisor.wait() == 0
    assert time.monotonic() - began < 5
    assert lab.gone(pid)
    assert (lab.locks / "ended").read_text() == "paused paused"
    assert follow.state_of(second).phase is Phase.PAUSED


def test_both_frozen_for_a_while_go_on(lab: Lab) -> None:
    folder = lab.run(epochs=3, epoch_s=0.3)
    supervisor = lab.supervisor(folder)
    pid = lab.worker(folder)
    for each in (supervisor.pid, pid):
        os.kill(each, signal.SIGSTOP)
    assert follow.state_of(folder).phase is Phase.RUNNING  # stopped is not dead
    time.sleep(0.5)
    for each in (pid, supervisor.pid):
        os.kill(each, signal.SIGCONT)
    assert supervisor.wait() == 0
    assert follow.state_of(folder).phase is Phase.FINISHED


def test_an_interruption_of_the_program_leaves_no_worker(lab: Lab) -> None:
    folder = lab.run(epoch_s=60)
    pids: list[int] = []

    def interrupt(events: Sequence[Event], state: RunState) -> None:
        pids.extend(event.pid for event in events if isinstance(event, RunStarted))
        if pids:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lab.supervise(folder, on_events=interrupt)
    assert lab.gone(pids[0])
    assert owner.read_owner(folder) is None
    assert follow.state_of(folder).error_kind == "interrupted"
