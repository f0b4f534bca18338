"""A worker's voice: events as JSON lines to a file or a pipe, at a bearable rate, with a beat in silence.

No torch here, so that the first beat is heard while torch is still being imported.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from medfm_gui.base import wire
from medfm_gui.domain import events as ev

_PROGRESS_INTERVAL_S = 0.1
_SILENCE_S = 1.0
_DURABLE = (ev.EpochFinished, ev.FileWritten, *ev.LAST_WORDS)


class EventLog:
    """Writes events to a descriptor; a context manager that beats once a second of silence.

    Args:
        descriptor: where the lines go; closed at the end if ``owned``.
        durable: fsync after words that must not be lost (a file, not a pipe).
    """

    def __init__(self, descriptor: int, *, owned: bool, durable: bool) -> None:
        self._descriptor = descriptor
        self._owned = owned
        self._durable = durable
        self._lock = threading.Lock()
        self._silent_since = time.monotonic()
        self._progress_at = float("-inf")
        self._stage = ""
        self._over = threading.Event()
        self._beats = threading.Thread(target=self._beat, name="beats", daemon=True)

    @classmethod
    def in_folder(cls, folder: Path) -> EventLog:
        """The log of a run folder, gone on with; a last line that was cut off by a kill is ended first."""
        path = folder / "events.jsonl"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
        if (size := os.fstat(descriptor).st_size) and _byte_at(descriptor, size - 1) != b"\n":
            os.write(descriptor, b"\n")
        return cls(descriptor, owned=True, durable=True)

    def say(self, event: ev.Event) -> None:
        """Write an event. Of progress, at most ten a second are written, and the last of each stage."""
        with self._lock:
            now = time.monotonic()
            if isinstance(event, ev.Progressed) and not self._due(event, now):
                return
            _write(self._descriptor, wire.encode_event(event))
            if self._durable and isinstance(event, _DURABLE):
                os.fsync(self._descriptor)
            self._silent_since = now

    def __enter__(self) -> Self:
        self._beats.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._beats.join()
        if self._owned:
            os.close(self._descriptor)

    def _due(self, event: ev.Progressed, now: float) -> bool:
        complete = event.done >= event.total
        if event.stage == self._stage and not complete and now - self._progress_at < _PROGRESS_INTERVAL_S:
            return False
        self._stage, self._progress_at = event.stage, now
        return True

    def _beat(self) -> None:
        while not self._over.wait(_SILENCE_S / 4):
            if time.monotonic() - self._silent_since >= _SILENCE_S:
                with contextlib.suppress(OSError):  # the disk is full or nobody listens: the job will notice
                    self.say(ev.Beat(time.time()))


def _write(descriptor: int, line: bytes) -> None:
    view = memoryview(line)
    while view:
        view = view[os.write(descriptor, view) :]


def _byte_at(descriptor: int, offset: int) -> bytes:
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, 1)
