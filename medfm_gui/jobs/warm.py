"""A worker that stays up with its last models loaded, so that the next answer costs a forward pass.

One job folder a line goes down its standard input; event lines come up a pipe, a last word ends each
answer. A crash or a time-out is the named failure of that one job; the next job gets a new worker.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from medfm_gui.base import children, wire
from medfm_gui.domain.errors import InputError, MedfmError, WorkerFailed
from medfm_gui.domain.events import LAST_WORDS, Event
from medfm_gui.jobs import request
from medfm_gui.jobs.attempt import cause, failed
from medfm_gui.jobs.log import BoundedLog
from medfm_gui.jobs.request import Request

_ABANDON_S = 2.0
_CLOSE_S = 2.0


def engine_serving() -> list[str]:
    """The engine's own worker, staying up."""
    return children.python("medfm_gui.engine.worker", "--serve")


class WarmWorker:
    """Answers jobs one at a time, whichever thread asks. A context; ``close`` ends the worker.

    It stands in no device's line: an answer is short, and a person waits for it.

    Args:
        log: the file for what its libraries print, bounded.
        command: its command line.
        network: whether its libraries may download.
    """

    def __init__(self, log: Path, *, command: Callable[[], list[str]] = engine_serving, network: bool = False) -> None:
        self._log = log
        self._command = command
        self._network = network
        self._one_at_a_time = threading.Lock()
        self._up: _Serving | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, job_folder: Path, *, timeout_s: float = 600.0) -> Iterator[Event]:
        """The events of a job as they come, a last word at the end; read it to the end.

        Whoever stops reading early has the job cancelled, and the worker ended if it does not listen.

        Args:
            job_folder: holds ``spec.json``.
            timeout_s: seconds for the whole answer; then the worker is ended and the job has failed.

        Raises:
            InputError: the folder's name cannot be sent.
            WorkerFailed: the worker cannot be started, or was closed.
        """
        line = os.fsencode(job_folder.absolute())
        if b"\n" in line or b"\r" in line:
            raise InputError("The job folder's name holds a line break.", "Choose a workspace without one.")
        with self._one_at_a_time:
            request.forget(job_folder)
            deadline = time.monotonic() + timeout_s
            serving = self._serving()
            serving.send(line)
            answered = False
            try:
                for event in serving.answer(deadline):
                    answered = isinstance(event, LAST_WORDS)
                    yield event
                if not answered:
                    answered = True
                    yield self._obituary(job_folder, serving, timeout_s)
            finally:
                if not answered:
                    self._abandon(job_folder, serving)

    def close(self) -> None:
        """End the worker; an answer that is under way ends as a failure. ``ask`` refuses from now on."""
        self._closed = True
        serving = self._up
        if serving is not None:
            serving.end(_CLOSE_S)
            self._up = None

    def _serving(self) -> _Serving:
        if self._closed:
            raise _closed()
        if self._up is not None and not self._up.runs():
            self._up.end(0)
            self._up = None
        if self._up is None:
            try:
                self._up = _Serving(self._command(), self._log, network=self._network)
            except OSError as error:
                raise WorkerFailed(
                    f"The prediction worker could not be started ({error.strerror}).", "Install MedFM Studio again."
                ) from error
        return self._up

    def _obituary(self, job_folder: Path, serving: _Serving, timeout_s: float) -> Event:
        late = serving.runs()
        code = serving.end(0)
        self._up = None
        error: MedfmError
        if self._closed:
            error = _closed()
        elif late:
            error = WorkerFailed(
                f"The prediction worker gave no answer within {timeout_s:.0f} seconds and was ended.",
                "Do it again with fewer images or a smaller model.",
            )
        else:
            error = cause("The prediction", code, "Do it again; a new worker will start.", self._log.name)
        return failed(error, resumable=False)

    def _abandon(self, job_folder: Path, serving: _Serving) -> None:
        with contextlib.suppress(OSError, MedfmError):
            request.ask(job_folder, Request.CANCEL)
        last: Event | None = None
        for event in serving.answer(time.monotonic() + _ABANDON_S):
            last = event
        if not isinstance(last, LAST_WORDS):
            serving.end(0)
            self._up = None
        request.forget(job_folder)


def _closed() -> WorkerFailed:
    return WorkerFailed("The prediction worker was closed.", "Open the workspace again.")


class _Serving:
    """One process that serves, and the thread that reads its answers."""

    def __init__(self, command: list[str], log: Path, *, network: bool) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._process = children.spawn(
            command,
            environment=children.clean_environment(children.compute_environment(network=network)),
            folder=log.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if self._process.stdin is None or self._process.stdout is None or self._process.stderr is None:
            raise OSError("no pipe")  # cannot be: we asked for them
        self._orders: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        self._log = BoundedLog(self._process.stderr, log)
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="warm-answers", daemon=True)
        self._reader.start()

    def runs(self) -> bool:
        return self._process.poll() is None

    def send(self, line: bytes) -> None:
        with contextlib.suppress(OSError):  # it has just ended: the missing answer tells
            self._orders.write(line + b"\n")
            self._orders.flush()

    def answer(self, deadline: float) -> Iterator[Event]:
        """Events up to a last word, the end of the worker, or the deadline (monotonic seconds)."""
        while True:
            try:
                event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return
            if event is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_CLOSE_S)  # its pipe is closed, so it is ending
                return
            yield event
            if isinstance(event, LAST_WORDS):
                return

    def end(self, patience_s: float) -> int:
        """End the process and its threads, politely for ``patience_s`` seconds; returns its exit status."""
        with contextlib.suppress(OSError):
            self._orders.close()  # a worker that serves ends at the end of its orders
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience_s)
        children.end_family(self._process)
        code = self._process.wait()
        self._reader.join(_CLOSE_S)
        if not self._reader.is_alive():  # else a stranger's child still holds the pipe
            self._answers.close()
        self._log.close()
        return code

    def _read(self) -> None:
        for line in self._answers:
            with contextlib.suppress(ValueError):  # a library wrote here before the worker moved the pipe away
                self._events.put(wire.decode_event(line))
        self._events.put(None)
