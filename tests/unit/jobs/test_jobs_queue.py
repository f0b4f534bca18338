from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from medfm_gui.base import children
from medfm_gui.domain.errors import InputError, NotFound, WorkerFailed, WorkspaceBusy
from medfm_gui.domain.events import Event, RunFinished, RunStarted
from medfm_gui.domain.run import Phase, PredictSpec, ProbeSpec, RunState
from medfm_gui.jobs import device, follow, owner, process
from medfm_gui.jobs.process import request_cancel, request_pause, run_queue, start_supervisor, stop_on_signals

if TYPE_CHECKING:
    from tests.unit.jobs.conftest import Lab

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process states are read from /proc")


def silent(folder: Path, events: Sequence[Event], state: RunState) -> None:
    """A watcher of a queue that does nothing."""


def span(folder: Path) -> tuple[float, float]:
    events = follow.read_all(folder)
    (began,) = (event.at for event in events if isinstance(event, RunStarted))
    (ended,) = (event.at for event in events if isinstance(event, RunFinished))
    return began, ended


def test_runs_on_one_device_follow_one_another_in_order(lab: Lab) -> None:
    folders = [lab.run(f"r{number}", epoch_s=0.1) for number in range(3)]
    told: list[tuple[str, Event]] = []
    states = run_queue(
        [*folders, folders[0]],
        on_events=lambda folder, events, state: told.extend((folder.name, event) for event in events),
        command=lab.command,
        locks=lab.locks,
    )
    assert [state.phase for state in states] == [Phase.FINISHED] * 3
    spans = [span(folder) for folder in folders]
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    for folder in folders:
        assert [event for name, event in told if name == folder.name] == follow.read_all(folder)


def test_two_queues_of_two_programs_never_overlap_on_one_device(lab: Lab) -> None:
    first, second = lab.run("a", epochs=3, epoch_s=0.2), lab.run("b", epochs=3, epoch_s=0.2)
    both = [lab.supervisor(first), lab.supervisor(second)]
    assert [each.wait() for each in both] == [0, 0]
    early, late = sorted([span(first), span(second)])
    assert early[1] <= late[0]


def test_devices_work_side_by_side(lab: Lab) -> None:
    folders = [lab.run("a", epoch_s=0.6), lab.run("b", epoch_s=0.6, device="cuda:1")]
    run_queue(folders, on_events=silent, command=lab.command, locks=lab.locks)
    (began_a, ended_a), (began_b, ended_b) = map(span, folders)
    assert max(began_a, began_b) < min(ended_a, ended_b)


def test_every_run_of_a_queue_reads_as_queued_and_hears_a_cancel(lab: Lab) -> None:
    first, second, third = lab.run("a", epoch_s=60), lab.run("b"), lab.run("c")
    states: list[RunState] = []
    queue = threading.Thread(
        target=lambda: states.extend(
            run_queue([first, second, third], on_events=silent, command=lab.command, locks=lab.locks)
        )
    )
    queue.start()
    lab.worker(first)
    assert [follow.state_of(folder).phase for folder in (second, third)] == [Phase.QUEUED] * 2
    request_cancel(second)
    assert follow.wait_for_end(second, timeout_s=5).phase is Phase.CANCELLED
    request_pause(first)
    queue.join()
    assert [state.phase for state in states] == [Phase.PAUSED, Phase.CANCELLED, Phase.FINISHED]


def test_a_queue_with_a_busy_run_starts_nothing(lab: Lab) -> None:
    free, busy = lab.run("free"), lab.run("busy")
    owner.claim(busy)
    with pytest.raises(WorkspaceBusy):
        run_queue([free, busy], on_events=silent, command=lab.command, locks=lab.locks)
    assert follow.read_all(free) == []
    assert owner.read_owner(free) is None
    assert owner.read_owner(busy) is not None


def test_a_watcher_that_fails_for_one_run_is_heard_after_all_have_ended(lab: Lab) -> None:
    first, second = lab.run("a"), lab.run("b")

    def broken(folder: Path, events: Sequence[Event], state: RunState) -> None:
        if folder == first:
            raise RuntimeError("no place in the database")

    with pytest.raises(RuntimeError, match="no place"):
        run_queue([first, second], on_events=broken, command=lab.command, locks=lab.locks, patience=lab.quick)
    assert [follow.state_of(folder).phase for folder in (first, second)] == [Phase.FINISHED] * 2


def test_an_interruption_while_a_queue_runs_pauses_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, stop = lab.run(epoch_s=60), threading.Event()
    join = process._Queued.join

    def interrupted(self: process._Queued, timeout: float | None = None) -> None:
        monkeypatch.setattr(process._Queued, "join", join)
        lab.worker(folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(process._Queued, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_queue([folder], on_events=silent, command=lab.command, locks=lab.locks, stop=stop, patience=lab.quick)
    assert follow.wait_for_end(folder, timeout_s=5).phase is Phase.PAUSED


def test_the_first_signal_asks_and_the_second_acts() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


# -- detached -------------------------------------------------------------------------------------

_PARENT = """
import sys
from pathlib import Path
from medfm_gui.base import children
from medfm_gui.jobs.process import start_supervisor
root, supervisor = Path(sys.argv[1]), sys.argv[2]
children.python = lambda module, *args: [sys.executable, "-P", supervisor, str(root / "locks"),
                                         *(str(root / "runs" / run) for run in args[1:-2])]
print(start_supervisor(["r1"], root), flush=True)
"""


def test_a_detached_supervisor_survives_the_program_that_started_it(lab: Lab) -> None:
    folder = lab.run(epochs=2, epoch_s=0.5)
    lab.locks.mkdir()
    supervisor = Path(__file__).with_name("fake_supervisor.py")
    said = subprocess.run(
        [sys.executable, "-c", _PARENT, str(lab.root), str(supervisor)], capture_output=True, text=True, check=True
    )
    pid = int(said.stdout)
    assert os.getsid(pid) == pid
    assert Path(f"/proc/{pid}/fd/1").readlink() == Path("/dev/null")
    assert follow.wait_for_end(folder, timeout_s=20).phase is Phase.FINISHED
    lab.until(lambda: lab.gone(pid))


def test_a_run_reads_as_queued_while_its_detached_supervisor_comes_up(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lab.run()
    commands: list[list[str]] = []

    def slow(module: str, *arguments: str) -> list[str]:
        commands.append([module, *arguments])
        return [sys.executable, "-c", "import time; time.sleep(60)"]

    monkeypatch.setattr(children, "python", slow)
    pid = start_supervisor(["r1"], lab.root)
    try:
        assert commands == [["medfm_gui", "supervise", "r1", "--workspace", str(lab.root)]]
        state = follow.state_of(folder)
        assert (state.phase, state.message) == (Phase.QUEUED, "It is about to start.")
        with pytest.raises(WorkspaceBusy):
            start_supervisor(["r1"], lab.root)
    finally:
        os.kill(pid, signal.SIGKILL)
    lab.until(lambda: follow.state_of(folder).error_kind == "interrupted")
    assert follow.state_of(folder).resumable


def test_a_detached_supervisor_that_cannot_start_is_named(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.run()
    monkeypatch.setattr(children, "python", lambda *arguments: ["/nonexistent"])
    with pytest.raises(WorkerFailed, match="could not be started"):
        start_supervisor(["r1"], lab.root)
    with pytest.raises(NotFound):
        start_supervisor(["absent"], lab.root)


# -- devices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "means"), [("cpu", "cpu"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1")])
def test_a_device_has_one_name(asked: str, means: str) -> None:
    assert device.device_of(PredictSpec("", "val", "", device=asked)) == means


def test_auto_stands_before_a_real_device() -> None:
    assert device.device_of(PredictSpec("", "val", "", device="auto")) in ("cpu", "cuda:0", "mps")


def test_work_without_a_device_waits_for_none(tmp_path: Path) -> None:
    assert device.device_of(ProbeSpec()) == ""
    first, second = device.Turn("", tmp_path), device.Turn("", tmp_path)
    assert first.come()
    assert second.come()
    first.leave()


def test_a_turn_ends_when_it_is_left(tmp_path: Path) -> None:
    first, second = device.Turn("cuda:0", tmp_path), device.Turn("cuda:0", tmp_path)
    assert first.come()
    assert first.come()
    assert not second.come()
    first.leave()
    assert second.come()
    second.leave()


def test_a_damaged_order_is_named(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text("{}")
    with pytest.raises(InputError, match="order"):
        device.read_spec(tmp_path)
