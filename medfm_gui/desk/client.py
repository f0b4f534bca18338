"""The window's side of the desk: starts the process, sends questions, hands on what comes back.

No method blocks: one thread starts the process and writes, one reads and decodes. A desk that died
fails every question that it was sent by name; the next question starts another. One that never came up
says why under number 0, so that nobody waits for it, and fails all that are open.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from medfm_gui.base import children, wire
from medfm_gui.desk.protocol import (
    Ask,
    Failure,
    Frame,
    Kind,
    Progress,
    answer_type,
    decode_answer,
    encode_value,
    read_frame,
    write_frame,
)
from medfm_gui.domain.errors import InternalError, LeakError, MedfmError, WorkerFailed, error_from_wire
from medfm_gui.domain.split import Leak

_CLOSE_S = 10.0


@dataclass(frozen=True, slots=True)
class Message:
    """One word of the desk: an ``answer``, a ``part`` of one, ``progress``, a ``failed`` error, or ``ready``.

    ``number`` is that of the question (0: the desk itself); ``changes`` the topics an answer made stale.
    """

    number: int
    kind: Kind
    value: Any
    changes: tuple[str, ...] = ()


class DeskClient:
    """A desk for one workspace.

    Args:
        workspace: the folder; made where there is none.
        on_message: called on a thread of the client's own with each message.
        is_read_only: refuse whatever would change the workspace.
        rebuild_first: make the database again from the files before it is opened.
    """

    def __init__(
        self,
        workspace: Path,
        on_message: Callable[[Message], None],
        *,
        is_read_only: bool = False,
        rebuild_first: bool = False,
    ) -> None:
        self._workspace = workspace
        self._on_message = on_message
        self._is_read_only = is_read_only
        self._rebuild_first = rebuild_first
        self._numbers = itertools.count(1)
        self._types: dict[int, Any] = {}
        self._outbox: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._asked_of: dict[int, int] = {}
        """Which desk, counted from 1, an open question was sent to."""
        self._desks = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._was_ready = False
        self._ready_desk = 0
        self._writer = threading.Thread(target=self._write, name="desk-orders", daemon=True)
        self._reader: threading.Thread | None = None
        self._writer.start()

    def ask(self, ask: Ask[Any]) -> int:
        """Send a question; its number."""
        number = next(self._numbers)
        self._types[number] = answer_type(type(ask))
        self._outbox.put(Frame(number, "ask", type(ask).__name__, *encode_value(ask)))
        return number

    def stop(self, number: int) -> None:
        """Say that an answer is wanted no more; it may still come, or fail as interrupted."""
        self._outbox.put(Frame(number, "stop"))

    def close(self, *, wait: bool = True) -> None:
        """End the desk. Waiting takes as long as its lanes need to stop, ten seconds at most."""
        if not self._closed:
            self._closed = True
            self._outbox.put(None)
        if wait:
            self._writer.join()
            if self._reader is not None:
                self._reader.join(_CLOSE_S)

    def _write(self) -> None:
        self._start(0)
        while (frame := self._outbox.get()) is not None:
            if not self._sent(frame):
                self._sent(frame)  # the desk died under it: a new one gets it once more
        self._end()

    def _sent(self, frame: Frame) -> bool:
        """Send a message, to a new desk where the old one has died; False if it died meanwhile."""
        if frame.kind == "ask" and frame.number not in self._types:
            return True  # it has failed already, with the desk that it was first sent to
        is_down = self._process is None or self._process.poll() is not None
        if is_down and (frame.kind == "stop" or not self._start(frame.number)):
            return True
        if frame.kind == "ask":
            self._asked_of[frame.number] = self._desks
        try:
            write_frame(self._process.stdin, frame)  # type: ignore[arg-type, union-attr]
        except OSError:
            self._end()  # it no longer listens
            return False
        return True

    def _start(self, number: int) -> bool:
        self._end()  # of the one that died, only pipes and threads are left
        if self._reader is not None:
            self._reader.join(_CLOSE_S)
        flags = ["--read-only"] if self._is_read_only else []
        if self._was_ready:  # a workspace that was deleted meanwhile is not made anew
            flags.append("--there")
        elif self._rebuild_first:
            flags.append("--rebuild")
        try:
            self._process = children.spawn(
                children.python("medfm_gui.desk", str(self._workspace), *flags),
                environment=children.clean_environment({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}),
                folder=Path(tempfile.gettempdir()),
                stdout=subprocess.PIPE,
            )
        except OSError as error:
            reason = WorkerFailed(f"The desk could not be started ({error.strerror}).", "Install MedFM Studio again.")
            self._settled(number)
            self._on_message(Message(number, "failed", reason))
            return False
        stream: IO[bytes] = self._process.stdout  # type: ignore[assignment]  # a pipe, as asked for
        self._desks += 1
        reader = threading.Thread(target=self._read, args=(stream, self._desks), name="desk-answers", daemon=True)
        self._reader = reader
        self._reader.start()
        return True

    def _end(self) -> None:
        process = self._process
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        self._process = None
        try:
            process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            children.end_family(process)
            process.wait()

    def _read(self, stream: IO[bytes], desk: int) -> None:
        refused: MedfmError | None = None
        with stream, contextlib.suppress(ValueError, KeyError, OSError):  # what is no message is as good as the end
            while (frame := read_frame(stream)) is not None:
                message = self._message(frame)
                if frame.kind == "ready":
                    self._was_ready, self._ready_desk = True, desk
                if message.number == 0 and message.kind == "failed":
                    refused = message.value
                else:
                    self._on_message(message)
        if self._closed:
            return
        reason = refused or WorkerFailed("The desk process ended unexpectedly.", "Do it again; it starts anew.")
        lost = [number for number, asked in list(self._asked_of.items()) if asked <= desk]
        if self._ready_desk != desk:
            self._on_message(Message(0, "failed", reason))
            lost = list(self._types)  # another would come up no better
        for number in lost:
            if self._settled(number) is not None:
                self._on_message(Message(number, "failed", reason))

    def _settled(self, number: int) -> Any:
        """A question is open no more; the type of its answer, None where it was not open."""
        self._asked_of.pop(number, None)
        return self._types.pop(number, None)

    def _message(self, frame: Frame) -> Message:
        try:
            return self._decoded(frame)
        except (MedfmError, ValueError) as error:
            self._settled(frame.number)
            reason = InternalError(f"An answer of the desk could not be read ({error}).", "Start the program again.")
            return Message(frame.number, "failed", reason)

    def _decoded(self, frame: Frame) -> Message:
        if frame.kind == "ready":
            return Message(0, "ready", None)
        if frame.kind == "progress":
            return Message(frame.number, "progress", wire.decode(Progress, frame.body))
        if frame.kind == "failed":
            self._settled(frame.number)
            return Message(frame.number, "failed", error_of(wire.decode(Failure, frame.body)))
        kind = self._settled(frame.number) if frame.kind == "answer" else self._types.get(frame.number)
        if kind is None:
            raise ValueError("an answer to no question")
        value = decode_answer(kind, frame.body, frame.payload)
        return Message(frame.number, frame.kind, value, tuple(frame.name.split()))


def error_of(failure: Failure) -> MedfmError:
    """The error of the tree that a failure names."""
    if failure.data:
        leaks = tuple(Leak(**{**row, "partitions": tuple(row["partitions"])}) for row in json.loads(failure.data))
        return LeakError(failure.message, failure.hint, leaks=leaks)
    return error_from_wire(failure.kind, failure.message, failure.hint)
