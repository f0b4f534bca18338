"""One worker's life: started for a run folder, asked to end in growing earnest, spoken for if it dies silently."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from medfm_gui.base import children
from medfm_gui.domain.errors import Interrupted, MedfmError, WorkerFailed
from medfm_gui.domain.events import LAST_WORDS, Event, RunCancelled, RunFailed, RunPaused, RunStarted
from medfm_gui.domain.run import RunState
from medfm_gui.jobs import follow
from medfm_gui.jobs.log import BoundedLog
from medfm_gui.jobs.request import Request

Command = Callable[[Path], list[str]]
"""The command line of a worker for a run folder."""


def engine_worker(folder: Path) -> list[str]:
    """The engine's own worker."""
    return children.python("medfm_gui.engine.worker", str(folder))


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds of a monotonic clock.

    ``cancel_s``, ``pause_s`` (a step and a save), ``stop_s`` (a pause because the supervisor itself must
    end): for a worker to end by itself; ``term_s``: after a polite signal; ``silence_s``: without an
    event before a worker is called silent; ``watcher_s``: for a failing watcher once the run has ended.
    """

    cancel_s: float = 5.0
    pause_s: float = 30.0
    stop_s: float = 3.5
    term_s: float = 1.0
    silence_s: float = 60.0
    watcher_s: float = 10.0


class Attempt:
    """A worker at work in a run folder. A context: at its end neither worker, thread nor pipe is left.

    Raises:
        OSError: on entering, when the program cannot be started.
    """

    def __init__(self, folder: Path, command: list[str], environment: Mapping[str, str], patience: Patience) -> None:
        self._folder = folder
        self._command = command
        self._environment = environment
        self._patience = patience
        self._asked = Request.NOTHING
        self._give_up_at: float | None = None
        self._last_look = time.monotonic()
        self._ended_by_us = False
        events = folder / follow.EVENTS
        self._offset = events.stat().st_size if events.exists() else 0
        self._beginning = follow.Tail(folder, self._offset)
        self._begun = False

    def __enter__(self) -> Self:
        log = self._folder / "log.txt"
        with contextlib.suppress(OSError), log.open("ab") as handle:
            handle.write(f"--- worker started {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n".encode())
        self._process = children.spawn(
            self._command,
            environment=self._environment,
            folder=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if self._process.stdout is None:  # cannot be: we asked for a pipe
            raise OSError("no pipe")
        self._log = BoundedLog(self._process.stdout, log)
        with contextlib.suppress(OSError):  # it may have ended already
            children.lower_priority(pid=self._process.pid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        children.end_family(self._process)
        self._process.wait()
        with contextlib.suppress(OSError):  # a pipe nobody reads
            if self._process.stdin is not None:
                self._process.stdin.close()
        self._log.close()

    @property
    def pid(self) -> int:
        """The worker's process number."""
        return self._process.pid

    def runs(self) -> bool:
        """Whether the worker has not ended."""
        return self._process.poll() is None

    def press(self, request: Request, *, stopping: bool) -> None:
        """Hold the worker to what was asked, or to its own last word: time first, then TERM, then KILL."""
        now = time.monotonic()
        if request not in (Request.NOTHING, self._asked):
            self._asked = request
            grace = self._patience.cancel_s if request is Request.CANCEL else self._patience.pause_s
            self._give_up_at = now + (min(grace, self._patience.stop_s) if stopping else grace)
        if stopping and self._give_up_at is not None:
            self._give_up_at = min(self._give_up_at, now + self._patience.stop_s)
        if self._give_up_at is None:
            self._look_for_last_word(now)
        elif now >= self._give_up_at + self._patience.term_s:
            self._ended_by_us = True
            children.end_family(self._process)
        elif now >= self._give_up_at and not self._ended_by_us:
            self._ended_by_us = True
            self._process.terminate()

    def _look_for_last_word(self, now: float) -> None:
        if now - self._last_look < 1:
            return
        self._last_look = now
        if self._has_written() and isinstance(follow.last_event(self._folder), LAST_WORDS):
            self._give_up_at = now + self._patience.cancel_s  # said, but lingers: a library's exit hangs

    def has_begun(self) -> bool:
        """Whether the worker has said that it started; until then it imports, and at most beats."""
        while not self._begun and (events := self._beginning.read()):
            self._begun = any(isinstance(event, RunStarted) for event in events)
        return self._begun

    def _has_written(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return (self._folder / follow.EVENTS).stat().st_size > self._offset
        return False

    def epitaph(self, state: RunState) -> Event | None:
        """The last word to be said for a worker that ended without one; None when it said its own.

        Args:
            state: of the run after all its events.
        """
        said = follow.read_all(self._folder, self._offset)
        if any(isinstance(event, LAST_WORDS) for event in said):
            return None
        if self._asked is Request.CANCEL:
            forced = " Its worker did not end by itself and was stopped." if self._ended_by_us else ""
            return RunCancelled(time.time(), f"The run was cancelled.{forced}")
        if self._asked is Request.PAUSE and self._ended_by_us:
            return RunPaused(time.time(), state.epoch)
        resumable = follow.can_go_on(self._folder, state)
        hint = follow.resume_hint(self._folder, state) if resumable else "Start it again as a new run."
        return failed(cause("The run", self._process.returncode, hint, "log.txt"), resumable)


def failed(error: MedfmError, resumable: bool) -> RunFailed:
    """An error as the last word of a run."""
    return RunFailed(time.time(), error.kind, error.message, error.hint, resumable)


def cause(what: str, code: int, hint: str, log: str) -> MedfmError:
    """Why a worker's death stopped ``what``, from its exit status; a negative one is a signal's number (POSIX)."""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = "unnamed"
        message = f"{what} stopped unexpectedly: its worker was killed ({name}, signal {-code})."
        if name == "SIGKILL":
            message += " Most often the computer was out of memory."
            hint = f"If memory was short, choose a smaller batch_size or input_size. {hint}"
        return Interrupted(message, hint)
    return WorkerFailed(
        f"{what} stopped unexpectedly: its worker ended without a word (exit status {code}).",
        f"The end of “{log}” says more. {hint}",
    )
