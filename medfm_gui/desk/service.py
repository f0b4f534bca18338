"""The desk's own process: read a question, put it into its lane, send what comes of it.

serve        opens the workspace, says ready, reads questions until the window's end of the pipe closes
_Lane        one thread that answers the questions of one lane in turn
_failure     the one border at which whatever went wrong becomes what the window can show
"""

from __future__ import annotations

import collections
import contextlib
import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from medfm_gui.base import wire
from medfm_gui.desk.entry import Entry, Lane
from medfm_gui.desk.protocol import (
    Ask,
    Failure,
    Frame,
    Kind,
    decode_ask,
    encode_value,
    read_frame,
    write_frame,
)
from medfm_gui.desk.room import Room, Told
from medfm_gui.desk.turns import Turns
from medfm_gui.domain.errors import InternalError, LeakError, MedfmError, UsageError
from medfm_gui.workspace.place import check_there, open_workspace

_JOIN_S = 3.0


def serve(
    root: Path,
    orders: IO[bytes],
    answers: IO[bytes],
    *,
    is_read_only: bool = False,
    must_be_there: bool = False,
    rebuild_first: bool = False,
) -> None:
    """Answer questions about a workspace until the pipe closes; one that ``must_be_there`` is never made.

    With ``rebuild_first`` its database, which could not be opened, is made again from the files beforehand.
    """
    outbox = _Outbox(answers)
    try:
        if must_be_there or rebuild_first:
            check_there(root)
        if rebuild_first:
            from medfm_gui.workspace.rebuild import rebuild  # imports much that a desk needs only later

            rebuild(root)
        with open_workspace(root) as workspace, Room(workspace, is_read_only=is_read_only) as room:
            from medfm_gui.desk.table import every_entry  # the answerers load rooms; the window waits for none of it

            desk = _Desk(room, every_entry(), outbox)
            outbox.send(Frame(0, "ready"))
            desk.take_orders(orders)
    except Exception as error:  # noqa: BLE001 - the border: a window that hears nothing would wait for ever
        outbox.send(Frame(0, "failed", "", wire.encode(_failure(root, "opening", error))))
    finally:
        outbox.close()


def failure_of(error: MedfmError) -> Failure:
    """An error as it travels."""
    data = ""
    if isinstance(error, LeakError) and error.leaks:
        import json

        data = json.dumps([wire.plain(leak) for leak in error.leaks])
    return Failure(error.kind, error.message, error.hint, data)


class _Outbox:
    """The pipe to the window: lanes put messages in, one thread sends them whole."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._waiting: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="desk-answers", daemon=True)
        self._thread.start()

    def send(self, frame: Frame) -> None:
        self._waiting.put(frame)

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while (frame := self._waiting.get()) is not None:
            with contextlib.suppress(OSError):  # the window is gone; the end of its pipe ends us
                write_frame(self._stream, frame)


@dataclass(slots=True)
class _Order:
    number: int
    ask: Ask[Any]
    entry: Entry
    told: Told


class _Desk:
    """Lanes and what they work on."""

    def __init__(self, room: Room, entries: Mapping[type[Ask[Any]], Entry], outbox: _Outbox) -> None:
        self._room = room
        self._kinds = {kind.__name__: (kind, entry) for kind, entry in entries.items()}
        self._outbox = outbox
        self._orders: dict[int, _Order] = {}
        self._guard = threading.Lock()
        self._turns = Turns()
        self._lanes = {lane: _Lane(lane, self._carry_out) for lane in Lane}

    def take_orders(self, stream: IO[bytes]) -> None:
        """Read messages until the pipe closes, then let every lane stop at its next step."""
        while (frame := read_frame(stream)) is not None:
            if frame.kind == "ask":
                self._accept(frame)
            elif frame.kind == "stop":
                self._stop(frame.number)
        with self._guard:
            for order in self._orders.values():
                order.told.stopped.set()
        for lane in self._lanes.values():
            lane.close()
        deadline = time.monotonic() + _JOIN_S
        for lane in self._lanes.values():
            lane.join(max(0.0, deadline - time.monotonic()))

    def _accept(self, frame: Frame) -> None:
        found = self._kinds.get(frame.name)
        try:
            if found is None:
                raise InternalError(f"The desk does not know “{frame.name}”.", "Start the program again.")
            kind, entry = found
            ask = decode_ask(kind, frame.body, frame.payload)
        except MedfmError as error:
            self._send(frame.number, "failed", failure_of(error))
            return
        told = Told(lambda what, value: self._send(frame.number, "part" if what == "part" else "progress", value))
        order = _Order(frame.number, ask, entry, told)
        with self._guard:
            self._orders[frame.number] = order
        self._lanes[entry.lane].put(order)

    def _stop(self, number: int) -> None:
        with self._guard:
            order = self._orders.get(number)
        if order is not None:
            order.told.stopped.set()

    def _carry_out(self, order: _Order) -> None:
        alone = order.entry.alone
        with self._turns.alone(order.told.stopped) if alone else self._turns.beside():
            said = _gone(self._room) or _answered(self._room, order)
        if isinstance(said, Failure):
            self._send(order.number, "failed", said)
        else:
            self._outbox.send(Frame(order.number, "answer", " ".join(order.entry.changes), *said))
        with self._guard:
            self._orders.pop(order.number, None)

    def _send(self, number: int, kind: Kind, value: Any) -> None:
        self._outbox.send(Frame(number, kind, "", *encode_value(value)))


def _gone(room: Room) -> Failure | None:
    """Why nothing is answered any more: an open database would answer on, also where its folder was deleted."""
    try:
        check_there(room.workspace.root)
    except (MedfmError, OSError) as error:
        return _failure(room.workspace.root, "", error)
    return None


def _answered(room: Room, order: _Order) -> tuple[bytes, bytes] | Failure:
    """The answer to a question, ready for the pipe, or the failure it ended in."""
    try:
        order.told.check()
        if order.entry.writes and room.is_read_only:
            raise UsageError(
                "This workspace is open read-only, because another window has it.",
                "Close the other window, then open the workspace again.",
            )
        return encode_value(order.entry.answer(room, order.ask, order.told))
    except Exception as error:  # noqa: BLE001 - the border: a defect of one answer must not end the desk
        return _failure(room.workspace.root, type(order.ask).__name__, error)


def _failure(root: Path, question: str, error: Exception) -> Failure:
    """What the window is told of an error of any kind; a defect is written down."""
    if isinstance(error, MedfmError):
        return failure_of(error)
    if isinstance(error, OSError):
        return failure_of(_from_system(error))
    _write_down(root, question, error)
    return failure_of(
        InternalError(
            f"Something went wrong inside ({type(error).__name__}).",
            "Do it again; “Save diagnostics” in Settings collects what a developer needs.",
        )
    )


def _from_system(error: OSError) -> MedfmError:
    import errno

    from medfm_gui.domain.errors import DiskFull, InputError

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull("The disk is full.", "Free some space and do it again; nothing that was complete is lost.")
    name = Path(error.filename).name if isinstance(error.filename, str) else "A file"
    return InputError(f"“{name}” could not be used ({error.strerror}).", "Check that it is there and may be read.")


def _write_down(root: Path, question: str, error: Exception) -> None:
    """Where a defect happened, frame by frame; no values, for they may be a patient's."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{question}: {type(error).__name__}"]
    lines += [f"  {Path(item.filename).name}:{item.lineno} {item.name}" for item in frames]
    with contextlib.suppress(OSError, MedfmError):
        check_there(root)  # nothing is written into a folder that is no workspace
        folder = root / "logs"
        folder.mkdir(exist_ok=True)
        with (folder / "desk.log").open("a", encoding="utf-8") as log:
            log.write("\n".join(lines) + "\n")


class _Lane:
    """One thread and the questions that wait for it; ``VIEW`` takes the newest first."""

    def __init__(self, lane: Lane, carry_out: Callable[[_Order], None]) -> None:
        self._newest_first = lane is Lane.VIEW
        self._carry_out = carry_out
        self._waiting: collections.deque[_Order] = collections.deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"desk-{lane}", daemon=True)
        self._thread.start()

    def put(self, order: _Order) -> None:
        with self._changed:
            self._waiting.append(order)
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                order = self._waiting.pop() if self._newest_first else self._waiting.popleft()
            self._carry_out(order)
