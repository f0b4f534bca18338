"""Reading a run folder: its events as they come, and how far the run has come.

Reading never writes. A last line without its newline is still being written and is held back; a
whole line that is no event (damage, a newer version) is told as ``Warned`` and the rest goes on.
"""

from __future__ import annotations

import errno
import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.domain.errors import DiskFull, Interrupted
from medfm_gui.domain.events import Event, Warned
from medfm_gui.domain.run import Phase, RunState, fold
from medfm_gui.jobs.owner import alive, read_owner

EVENTS = "events.jsonl"
BATCH = 64
"""Most events in one batch: what a reader can take in without a stall."""
INTERVAL_S = 0.05
"""Time between two batches: twenty a second."""
BREATH_S = 0.002
"""Time between two batches while more than a full one is waiting."""

_BLOCK_BYTES = 1 << 16
_ENDED = (Phase.PAUSED, Phase.FINISHED, Phase.FAILED, Phase.CANCELLED)


class Tail:
    """The events of one run folder from a place on, each exactly once and in order.

    Args:
        offset: where to begin, in bytes; the start of a line.
    """

    def __init__(self, folder: Path, offset: int = 0) -> None:
        self._path = folder / EVENTS
        self._offset = offset
        self._lines: deque[bytes] = deque()
        self._last_at = 0.0

    def read(self, limit: int = BATCH) -> list[Event]:
        """The next events, at most ``limit``; an empty list when nothing new is complete."""
        if not self._lines:
            self._load()
        return [self._event(self._lines.popleft()) for _ in range(min(limit, len(self._lines)))]

    def _load(self) -> None:
        try:
            with self._path.open("rb") as handle:
                handle.seek(self._offset)
                block = handle.read(_BLOCK_BYTES)
                while block and b"\n" not in block and (more := handle.read(len(block))):
                    block += more
        except FileNotFoundError:
            return
        whole = block[: block.rfind(b"\n") + 1]
        self._offset += len(whole)
        self._lines.extend(whole.split(b"\n")[:-1])

    def _event(self, line: bytes) -> Event:
        try:
            event = wire.decode_event(line)
        except ValueError:
            return Warned(self._last_at, f"A line of “{EVENTS}” could not be read and was left out.")
        self._last_at = event.at
        return event


def read_all(folder: Path, offset: int = 0) -> list[Event]:
    """All complete events of a run, from byte ``offset`` on; empty where there is no file yet."""
    tail = Tail(folder, offset)
    return list(itertools.chain.from_iterable(iter(tail.read, [])))


def told(folder: Path) -> RunState:
    """The state as the events tell it, whoever lives or does not."""
    return fold(RunState(), read_all(folder))


def last_event(folder: Path) -> Event | None:
    """The newest complete event, read from the end of the file."""
    try:
        with (folder / EVENTS).open("rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            reach = _BLOCK_BYTES
            while True:
                handle.seek(max(0, size - reach))
                lines = handle.read(min(size, reach)).split(b"\n")[:-1]  # what follows the last newline is torn
                if len(lines) > 1 or reach >= size:
                    break
                reach *= 4
        return wire.decode_event(lines[-1]) if lines else None
    except (FileNotFoundError, ValueError):
        return None


def follow(folder: Path, *, over: Callable[[], bool], interval_s: float = INTERVAL_S) -> Iterator[list[Event]]:
    """Batches of new events until ``over`` says that none will come and the last are out.

    At most twenty batches a second of at most 64 events; while more than a full batch waits, only a
    breath lies between two. For those who look on: a supervisor delivers through ``Delivery``.
    """
    tail = Tail(folder)
    while True:
        finished = over()  # asked first, so that what came before the answer is still read
        events = tail.read()
        if events:
            yield events
        elif finished:
            return
        time.sleep(BREATH_S if len(events) == BATCH else interval_s)


def state_of(folder: Path) -> RunState:
    """How far a run has come, by its files alone.

    A run that was queued or running when its supervisor died reads as failed, ``interrupted``;
    nothing of that is written down.
    """
    while True:
        owner = read_owner(folder)  # before the events: an owner who is gone by now adds none
        lives = owner is not None and alive(owner)
        state = told(folder)
        if lives and owner is not None:
            return queued(state, owner.waits_for) if owner.waits_for and _may_go_on(state) else state
        if state.phase in _ENDED:
            return state
        if read_owner(folder) != owner:
            continue  # somebody took it over while we read
        if owner is None and state.phase is Phase.QUEUED:
            return queued(state, "Nobody has started it yet.")
        return interrupted(folder, state)


def queued(state: RunState, why: str) -> RunState:
    """The state of a run that stands in line; ``why`` says what it waits for."""
    return replace(state, phase=Phase.QUEUED, message=why, hint="", error_kind="")


def _may_go_on(state: RunState) -> bool:
    return state.phase not in (Phase.FINISHED, Phase.CANCELLED)


def interrupted(folder: Path, state: RunState) -> RunState:
    """The state of a run whose processes are gone without a last word."""
    resumable = can_go_on(folder, state)
    error = Interrupted(
        "The run was interrupted: the program that supervised it is gone (ended, crashed, or the computer went down).",
        resume_hint(folder, state) if resumable else "Start it again as a new run.",
    )
    return replace(
        state,
        phase=Phase.FAILED,
        error_kind=error.kind,
        message=error.message,
        hint=error.hint,
        resumable=resumable,
        seconds_left=None,
    )


def can_go_on(folder: Path, state: RunState) -> bool:
    """Whether a resume loses nothing that was finished: there is a checkpoint, or no epoch was done yet."""
    return has_checkpoint(folder) or not state.curve


def has_checkpoint(folder: Path) -> bool:
    """Whether a whole checkpoint lies in the run folder (a temporary file is none)."""
    try:
        return any(not path.name.startswith(".") for path in (folder / "checkpoint").iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return False


def resume_hint(folder: Path, state: RunState) -> str:
    """How to go on, and from where."""
    place = f"after epoch {state.epoch}" if has_checkpoint(folder) and state.epoch else "from the beginning"
    return f"“medfm resume {folder.name}” goes on {place}."


def wait_for_end(folder: Path, *, timeout_s: float) -> RunState:
    """The state once the run neither waits nor runs, or whatever it is after ``timeout_s`` seconds."""
    deadline = time.monotonic() + timeout_s
    while (state := state_of(folder)).phase not in _ENDED and time.monotonic() < deadline:
        time.sleep(INTERVAL_S)
    return state


def append_events(folder: Path, events: Sequence[Event]) -> None:
    """Write events durably at the end, after a torn line is cut. Only for the owner of a run whose worker is gone.

    Raises:
        DiskFull: there is no space; what was written of them is cut at the next start.
    """
    cut_torn_line(folder)
    data = b"".join(wire.encode_event(event) for event in events)
    try:
        with (folder / EVENTS).open("ab", buffering=0) as handle:
            while data:
                data = data[handle.write(data) :]
            os.fsync(handle.fileno())
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(
            f"The disk is full, so the end of the run “{folder.name}” could not be written down.",
            "Free some space; until then the run reads as interrupted.",
        ) from error


def cut_torn_line(folder: Path) -> int:
    """Cut what follows the last newline; returns how many bytes went. Only for the owner, while no worker writes."""
    try:
        with (folder / EVENTS).open("r+b") as handle:
            size = place = handle.seek(0, os.SEEK_END)
            while place:
                start = max(0, place - _BLOCK_BYTES)
                handle.seek(start)
                newline = handle.read(place - start).rfind(b"\n")
                place = start if newline < 0 else start + newline + 1
                if newline >= 0:
                    break
            if place < size:
                handle.truncate(place)
                os.fsync(handle.fileno())
            return size - place
    except FileNotFoundError:
        return 0
