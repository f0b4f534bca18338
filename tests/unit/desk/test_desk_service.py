from __future__ import annotations

import contextlib
import errno
import io
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, get_args

import pytest

from medfm_gui.base import children
from medfm_gui.desk import service
from medfm_gui.desk.asks.data import DatasetList, ListDatasets, ListSplits
from medfm_gui.desk.client import DeskClient, Message, error_of
from medfm_gui.desk.entry import Entry, Lane, Topic
from medfm_gui.desk.protocol import Ask, Failure, Frame, Nothing, answer_type, read_frame, write_frame
from medfm_gui.desk.room import Told
from medfm_gui.desk.table import every_entry
from medfm_gui.domain.errors import (
    DiskFull,
    InputError,
    Interrupted,
    LeakError,
    MedfmError,
    NewerWorkspace,
    UsageError,
    WorkerFailed,
)
from medfm_gui.domain.split import Leak, LeakKind


class Heard:
    """Messages of a desk, and a way to wait for one."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._changed = threading.Condition()

    def __call__(self, message: Message) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def wait(self, wanted: Callable[[Message], bool], seconds: float = 20.0) -> Message:
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                found = next((message for message in self.messages if wanted(message)), None)
                if found is not None:
                    return found
                assert self._changed.wait(deadline - time.monotonic()), f"only heard {self.messages}"


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def desk(tmp_path: Path, heard: Heard) -> Iterator[DeskClient]:
    client = DeskClient(tmp_path / "w", heard)
    yield client
    client.close()


def test_a_question_is_answered_by_a_value_of_the_type_it_names(desk: DeskClient, heard: Heard) -> None:
    number = desk.ask(ListDatasets())
    assert heard.wait(lambda said: said.number == number) == Message(number, "answer", DatasetList(()), ())
    assert heard.messages[0].kind == "ready"


def test_a_desk_that_was_killed_fails_what_was_open_and_starts_again(desk: DeskClient, heard: Heard) -> None:
    first = desk.ask(ListDatasets())
    heard.wait(lambda said: said.number == first)
    assert desk._process is not None
    desk._process.kill()
    desk._process.wait()
    second = desk.ask(ListDatasets())
    assert heard.wait(lambda said: said.number == second).kind == "answer"


def test_open_questions_of_a_dead_desk_fail_by_name(tmp_path: Path, heard: Heard) -> None:
    client = DeskClient(tmp_path / "w", heard)
    try:
        number = client.ask(ListDatasets())
        while client._process is None:
            time.sleep(0.005)
        client._process.kill()
        said = heard.wait(lambda message: message.number == number)
        assert isinstance(said.value, WorkerFailed) or said.kind == "answer"
    finally:
        client.close()


def test_a_workspace_that_cannot_be_opened_is_refused_with_its_reason(tmp_path: Path, heard: Heard) -> None:
    (tmp_path / "workspace.json").write_text('{"format": 99}', encoding="utf-8")
    client = DeskClient(tmp_path, heard)
    try:
        number = client.ask(ListDatasets())
        refused = heard.wait(lambda message: message.number == 0)
        assert refused.kind == "failed"
        assert isinstance(refused.value, NewerWorkspace)
        assert isinstance(heard.wait(lambda message: message.number == number).value, NewerWorkspace)
    finally:
        client.close()


def test_every_question_names_its_answer_and_is_listed_under_one_name() -> None:
    entries = every_entry()
    names = [kind.__name__ for kind in entries]
    assert len(set(names)) == len(names)
    for kind in entries:
        assert answer_type(kind) is not None
        assert kind.__doc__


def test_every_question_of_the_asks_is_answered_by_somebody() -> None:
    def below(kind: type[Any]) -> Iterator[type[Any]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    # by name: a dataclass with slots is made anew, and its first draft stays a subclass
    asked = {kind.__name__ for kind in below(Ask) if kind.__module__.startswith("medfm_gui.desk.asks.")}
    assert asked == {kind.__name__ for kind in every_entry()}


def test_what_changes_something_writes() -> None:
    for entry in every_entry().values():
        assert all(topic in set(Topic) for topic in entry.changes)
        assert entry.writes or not set(entry.changes) - {Topic.SETTINGS, Topic.MODELS}  # those lie beside workspaces


class _Room:
    """As much of a room as the border needs."""

    def __init__(self, root: Path, is_read_only: bool = False) -> None:
        self.is_read_only = is_read_only
        self.workspace = type("W", (), {"root": root})()


def _order(entry: Entry) -> Any:
    return service._Order(1, ListDatasets(), entry, Told(lambda *_: None))


def test_a_defect_becomes_a_failure_and_leaves_frames_without_values(tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise ValueError("Doe^John 1970-01-01")

    (tmp_path / "workspace.json").touch()
    said = service._answered(_Room(tmp_path), _order(Entry(broken)))  # type: ignore[arg-type]
    assert isinstance(said, Failure)
    assert said.kind == "internal_error"
    log = (tmp_path / "logs" / "desk.log").read_text(encoding="utf-8")
    assert "ValueError" in log
    assert "Doe" not in log + said.message


def test_a_read_only_workspace_refuses_what_writes(tmp_path: Path) -> None:
    said = service._answered(_Room(tmp_path, True), _order(Entry(lambda *_: 1, writes=True)))  # type: ignore[arg-type]
    assert isinstance(said, Failure)
    assert said.kind == UsageError("").kind


def test_a_question_that_is_wanted_no_more_is_not_begun(tmp_path: Path) -> None:
    order = _order(Entry(lambda *_: 1))
    order.told.stopped.set()
    said = service._answered(_Room(tmp_path), order)  # type: ignore[arg-type]
    assert isinstance(said, Failure)
    assert said.kind == Interrupted("").kind


def test_leaks_travel_with_their_error() -> None:
    leak = Leak(LeakKind.PATIENT, "a", "b", ("train", "test"))
    error: MedfmError = error_of(service.failure_of(LeakError("two sides", "drop them", leaks=(leak,))))
    assert isinstance(error, LeakError)
    assert error.leaks == (leak,)
    assert (error.message, error.hint) == ("two sides", "drop them")


def test_frames_survive_payloads_and_a_torn_one_is_the_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    frame = Frame(7, "answer", "runs", b'{"a":1}', bytes(range(256)))
    with path.open("wb") as stream:
        write_frame(stream, frame)
        write_frame(stream, frame)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with path.open("rb") as stream:
        assert read_frame(stream) == frame
        assert read_frame(stream) is None


def test_progress_is_told_twenty_times_a_second_at_most_and_the_last_step_always() -> None:
    said: list[Any] = []
    told = Told(lambda what, value: said.append((what, value)))
    for done in range(1000):
        told.progress("Counting", done + 1, 1000)
    assert len(said) < 20
    assert said[-1][1].done == 1000


def test_the_types_of_answers_are_no_bare_builtins() -> None:
    assert all(not get_args(answer_type(kind)) for kind in every_entry())


def _instead(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Start a few lines of Python in place of the desk."""
    monkeypatch.setattr(children, "python", lambda *_: [sys.executable, "-c", code])


@pytest.mark.parametrize("code", ["", "print('no message')", "import os; os.write(1, b'{}' + bytes([10]))"])
def test_a_desk_that_never_comes_up_is_told_and_fails_what_is_open(
    tmp_path: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    _instead(monkeypatch, code)
    client = DeskClient(tmp_path / "w", heard)
    try:
        number = client.ask(ListDatasets())
        assert isinstance(heard.wait(lambda said: said.number == 0).value, WorkerFailed)
        assert isinstance(heard.wait(lambda said: said.number == number).value, WorkerFailed)
    finally:
        client.close()


def test_a_desk_that_cannot_be_started_is_told(tmp_path: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "python", lambda *_: [str(tmp_path / "no-python")])
    client = DeskClient(tmp_path / "w", heard)
    try:
        said = heard.wait(lambda message: message.number == 0)
        assert "could not be started" in said.value.message
    finally:
        client.close()


def test_whatever_keeps_a_workspace_from_opening_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(service, "open_workspace", broken)
    out = tmp_path / "answers"
    with out.open("wb") as answers:
        service.serve(tmp_path, io.BytesIO(), answers)
    with out.open("rb") as written:
        said = read_frame(written)
    assert said is not None
    assert (said.number, said.kind) == (0, "failed")
    assert b"RuntimeError" in said.body
    assert not (tmp_path / "logs").exists()


def test_an_answer_that_cannot_be_sent_is_a_failure_and_the_lane_lives(tmp_path: Path) -> None:
    said = service._answered(_Room(tmp_path), _order(Entry(lambda *_: object())))  # type: ignore[arg-type]
    assert isinstance(said, Failure)
    assert said.kind == "internal_error"


def test_errors_of_the_system_are_named_without_their_place(tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "scan.dcm"))

    kinds = []
    for answer in (full, denied):
        said = service._answered(_Room(tmp_path), _order(Entry(answer)))  # type: ignore[arg-type]
        assert isinstance(said, Failure)
        kinds.append(said.kind)
        assert str(tmp_path) not in said.message
    assert kinds == [DiskFull("").kind, InputError("").kind]


def test_new_words_are_told_at_once() -> None:
    said: list[Any] = []
    told = Told(lambda what, value: said.append(value.text))
    for text in ("Reading", "Reading", "Checking", "Writing"):
        told.progress(text)
    assert said == ["Reading", "Checking", "Writing"]


class _Wire:
    """A desk in this process: what is written to it, and what it says."""

    def __init__(self, room: Any, entries: dict[type[Ask[Any]], Entry]) -> None:
        self.said: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        outbox = type("Outbox", (), {"send": lambda _, frame: self.said.put(frame)})()
        self.desk = service._Desk(room, entries, outbox)

    def tell(self, *frames: Frame) -> list[Frame]:
        stream = io.BytesIO()
        for frame in frames:
            write_frame(stream, frame)
        stream.seek(0)
        self.desk.take_orders(stream)
        return [self.said.get() for _ in range(self.said.qsize())]


def test_questions_that_are_unknown_or_not_understood_fail_by_name(tmp_path: Path) -> None:
    wire = _Wire(_Room(tmp_path), {ListSplits: Entry(lambda *_: 1)})
    said = wire.tell(
        Frame(1, "ask", "Nobody", b"{}"), Frame(2, "ask", "ListSplits", b'{"dataset": 7}'), Frame(9, "stop")
    )
    assert [(frame.number, frame.kind) for frame in said] == [(1, "failed"), (2, "failed")]
    assert b"Nobody" in said[0].body
    assert b"ListSplits" in said[1].body


@contextlib.contextmanager
def _listening(wire: _Wire) -> Iterator[IO[bytes]]:
    """The window's end of a pipe to a desk of this process; at the end it is closed and the desk has ended."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as orders:
        desk = threading.Thread(target=wire.desk.take_orders, args=(orders,))
        desk.start()
        with os.fdopen(write_end, "wb") as window:
            yield window
        desk.join(20)


@pytest.mark.parametrize("how", ["stop", "close"])
def test_what_is_under_way_stops_when_the_window_says_so_or_goes(tmp_path: Path, how: str) -> None:
    (tmp_path / "workspace.json").touch()
    begun = threading.Event()

    def slow(_: object, ask: Any, told: Told) -> object:
        begun.set()
        assert told.stopped.wait(20)
        told.part(Nothing())  # raises, for it is wanted no more
        return Nothing()

    wire = _Wire(_Room(tmp_path), {ListDatasets: Entry(slow)})
    with _listening(wire) as window:
        write_frame(window, Frame(1, "ask", "ListDatasets", b"{}"))
        assert begun.wait(20)
        if how == "stop":
            write_frame(window, Frame(1, "stop"))
            assert wire.said.get(timeout=20).kind == "failed"
    if how == "close":
        said = wire.said.get(timeout=20)
        assert (said.number, said.kind) == (1, "failed")
        assert Interrupted("").kind.encode() in said.body


def test_parts_progress_and_payloads_travel_and_the_newest_view_comes_first(tmp_path: Path) -> None:
    (tmp_path / "workspace.json").touch()
    seen: list[str] = []
    first, go_on = threading.Event(), threading.Event()

    def look(_: object, ask: Any, told: Told) -> object:
        seen.append(ask.dataset)
        if ask.dataset == "a":
            told.progress("Decoding", 1, 2)
            told.part(Nothing())
            first.set()
            assert go_on.wait(20)
        return Nothing()

    wire = _Wire(_Room(tmp_path), {ListSplits: Entry(look, Lane.VIEW, (Topic.SPLITS,))})
    with _listening(wire) as window:
        write_frame(window, Frame(1, "ask", "ListSplits", b'{"dataset": "a"}'))
        assert first.wait(20)
        for number, name in ((2, "b"), (3, "c")):
            write_frame(window, Frame(number, "ask", "ListSplits", f'{{"dataset": "{name}"}}'.encode()))
        deadline = time.monotonic() + 20
        while len(wire.desk._orders) < 3 and time.monotonic() < deadline:
            time.sleep(0.005)
        go_on.set()
        while len(seen) < 3 and time.monotonic() < deadline:
            time.sleep(0.005)
    said = [wire.said.get() for _ in range(wire.said.qsize())]
    assert seen == ["a", "c", "b"]
    assert [(frame.number, frame.kind) for frame in said[:3]] == [(1, "progress"), (1, "part"), (1, "answer")]
    assert said[2].name == "splits"
