from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from medfm_gui.domain.errors import InputError, WorkerFailed
from medfm_gui.domain.events import Answered, Event, RunCancelled, RunFailed, RunFinished
from medfm_gui.jobs.warm import WarmWorker, engine_serving

if TYPE_CHECKING:
    from tests.unit.jobs.conftest import Lab

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process states are read from /proc")
FAKE = [sys.executable, "-P", str(Path(__file__).with_name("fake_worker.py")), "--serve"]


@pytest.fixture
def warm(lab: Lab) -> Iterator[WarmWorker]:
    with WarmWorker(lab.root / "warm.log", command=lambda: FAKE) as worker:
        yield worker


def pid_of(events: list[Event]) -> int:
    (answer,) = (event for event in events if isinstance(event, Answered))
    return int(answer.facts["pid"])


def test_one_process_answers_job_after_job(lab: Lab, warm: WarmWorker) -> None:
    first = list(warm.ask(lab.run("a", noise=True)))
    second = list(warm.ask(lab.run("b")))
    assert isinstance(first[-1], RunFinished)
    assert isinstance(second[-1], RunFinished)
    assert pid_of(first) == pid_of(second)
    assert "a library prints" in (lab.root / "warm.log").read_text()


def test_nothing_starts_before_it_is_asked(lab: Lab) -> None:
    with WarmWorker(lab.root / "warm.log", command=lambda: ["/nonexistent"]) as worker:
        assert not (lab.root / "warm.log").exists()
        with pytest.raises(WorkerFailed, match="could not be started"):
            list(worker.ask(lab.run()))


def test_a_crash_fails_one_job_and_the_next_gets_a_new_worker(lab: Lab, warm: WarmWorker) -> None:
    crashed = list(warm.ask(lab.run("a", die_after=1, signal="SIGSEGV")))
    last = crashed[-1]
    assert isinstance(last, RunFailed)
    assert last.error == "interrupted"
    assert "SIGSEGV" in last.message
    after = list(warm.ask(lab.run("b")))
    assert isinstance(after[-1], RunFinished)
    assert pid_of(after) != pid_of(crashed)


def test_an_idle_worker_that_died_is_replaced_unnoticed(lab: Lab, warm: WarmWorker) -> None:
    pid = pid_of(list(warm.ask(lab.run("a"))))
    os.kill(pid, signal.SIGKILL)
    lab.until(lambda: lab.gone(pid))
    assert isinstance(list(warm.ask(lab.run("b")))[-1], RunFinished)


def test_an_end_without_an_answer_is_a_failure(lab: Lab, warm: WarmWorker) -> None:
    last = list(warm.ask(lab.run(die_after=1, exit=0)))[-1]
    assert isinstance(last, RunFailed)
    assert last.error == "worker_failed"
    assert "warm.log" in last.hint


def test_an_answer_that_takes_too_long_is_a_failure(lab: Lab, warm: WarmWorker) -> None:
    began = time.monotonic()
    events = list(warm.ask(lab.run(epoch_s=60), timeout_s=1.0))
    assert time.monotonic() - began < 5
    last = events[-1]
    assert isinstance(last, RunFailed)
    assert "within 1 seconds" in last.message
    assert lab.gone(pid_of(events))


def test_who_stops_reading_has_the_job_cancelled_and_keeps_the_worker(lab: Lab, warm: WarmWorker) -> None:
    folder = lab.run("a", epoch_s=60)
    answer = warm.ask(folder)
    pid = pid_of([next(answer)])
    answer.close()  # type: ignore[attr-defined]
    assert not (folder / "request").exists()
    assert pid_of(list(warm.ask(lab.run("b")))) == pid


def test_a_worker_that_does_not_hear_of_it_is_ended(lab: Lab, warm: WarmWorker) -> None:
    answer = warm.ask(lab.run("a", epoch_s=60, deaf=True))
    pid = pid_of([next(answer)])
    answer.close()  # type: ignore[attr-defined]
    assert lab.gone(pid)
    assert isinstance(list(warm.ask(lab.run("b")))[-1], RunFinished)


def test_a_job_can_be_cancelled_by_its_request(lab: Lab, warm: WarmWorker) -> None:
    folder = lab.run(epoch_s=60)
    answer = warm.ask(folder)
    next(answer)
    (folder / "request").write_text("cancel")
    assert isinstance(list(answer)[-1], RunCancelled)


def test_threads_take_turns(lab: Lab, warm: WarmWorker) -> None:
    answers: dict[str, list[Event]] = {}
    folders = [lab.run(f"r{number}") for number in range(4)]
    threads = [
        threading.Thread(target=lambda folder=folder: answers.update({folder.name: list(warm.ask(folder))}))
        for folder in folders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({pid_of(events) for events in answers.values()}) == 1
    assert all([event.event for event in events][1] == "RunStarted" for events in answers.values())


def test_closing_ends_the_worker_and_what_it_was_at(lab: Lab) -> None:
    warm = WarmWorker(lab.root / "warm.log", command=lambda: FAKE)
    answer = warm.ask(lab.run("a", epoch_s=60))
    pid = pid_of([next(answer)])
    closer = threading.Thread(target=warm.close)
    closer.start()
    last = list(answer)[-1]
    closer.join()
    assert isinstance(last, RunFailed)
    assert "closed" in last.message
    assert lab.gone(pid)
    with pytest.raises(WorkerFailed, match="closed"):
        next(warm.ask(lab.run("b")))


def test_a_folder_with_a_line_break_is_refused(warm: WarmWorker, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line break"):
        next(warm.ask(tmp_path / "a\nb"))


def test_the_engine_serves_by_default() -> None:
    assert engine_serving()[1:] == ["-P", "-m", "medfm_gui.engine.worker", "--serve"]
