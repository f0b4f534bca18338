from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from medfm_gui.base import wire
from medfm_gui.desk.asks.data import DatasetList, ListDatasets, ListSplits
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.events import EpochFinished, Event, RunFinished, RunStarted
from medfm_gui.domain.run import Phase
from medfm_gui.jobs import owner
from medfm_gui.jobs.follow import append_events
from medfm_gui.ui import bridge
from medfm_gui.ui.bridge import Batch, Chores, Desk, Mailbox, RunWatch, Supervisors


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot) -> Iterator[Desk]:
    one = Desk(tmp_path / "w")
    yield one
    one.close()


def test_an_answer_reaches_the_windows_thread(desk: Desk, qtbot: QtBot) -> None:
    got: list[tuple[DatasetList, str]] = []
    desk.ask(ListDatasets(), owner=desk, then=lambda said: got.append((said, threading.current_thread().name)))
    assert desk.open_questions == 1
    qtbot.waitUntil(lambda: bool(got), timeout=20_000)
    assert got == [(DatasetList(()), "MainThread")]
    assert desk.open_questions == 0


def test_an_owner_that_is_gone_is_told_nothing(desk: Desk, qtbot: QtBot) -> None:
    got: list[object] = []
    owner_ = QObject()
    desk.ask(ListDatasets(), owner=owner_, then=got.append)
    shiboken6.delete(owner_)
    done: list[object] = []
    desk.ask(ListSplits(), owner=desk, then=done.append)
    qtbot.waitUntil(lambda: bool(done), timeout=20_000)
    assert got == []


def test_a_workspace_that_is_none_is_refused(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "thing.txt").write_text("mine", encoding="utf-8")
    desk = Desk(tmp_path)
    try:
        with qtbot.waitSignal(desk.refused, timeout=20_000) as refusal:
            pass
        assert isinstance(refusal.args[0], MedfmError)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["thing.txt"]
    finally:
        desk.close()


def test_a_flood_of_letters_is_taken_in_turns_that_leave_time_for_the_window(qtbot: QtBot) -> None:
    taken: list[int] = []
    place = QObject()

    def slow(letter: int) -> None:
        taken.append(letter)
        time.sleep(0.001)

    box = Mailbox(slow, place)
    for number in range(300):
        box.put(number)
    longest, last = 0.0, time.monotonic()
    while len(taken) < 300:
        qtbot.wait(1)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert taken == list(range(300))
    assert longest < 0.25


def test_a_defect_in_the_reader_of_one_letter_keeps_no_other_waiting(qtbot: QtBot) -> None:
    taken: list[int] = []
    place = QObject()

    def reader(letter: int) -> None:
        if letter == 3:
            raise ValueError("a defect")
        taken.append(letter)

    with qtbot.captureExceptions() as caught:
        box = Mailbox(reader, place)
        for number in range(10):
            box.put(number)
        qtbot.waitUntil(lambda: len(taken) == 9, timeout=5_000)
    assert [kind.__name__ for kind, _, _ in caught] == ["ValueError"]


def _run(root: Path, name: str) -> Path:
    folder = root / "runs" / name
    folder.mkdir(parents=True)
    owner.claim(folder)
    return folder


def _epochs(first: int, last: int) -> list[Event]:
    return [EpochFinished(time.time(), n, 1000, {"auc": 0.5}) for n in range(first, last + 1)]


def test_a_run_is_followed_to_its_end_and_nothing_is_lost(tmp_path: Path, qtbot: QtBot) -> None:
    folder = _run(tmp_path, "r0001")
    watch = RunWatch(tmp_path)
    heard: list[Batch] = []
    left: list[str] = []
    watch.batch.connect(heard.append)
    watch.left.connect(left.append)
    try:
        append_events(folder, [RunStarted(time.time(), "cpu"), *_epochs(1, 700)])
        qtbot.waitUntil(lambda: bool(heard) and heard[-1].state.epoch == 700, timeout=10_000)
        append_events(folder, [RunFinished(time.time(), {"auc": 0.9}, 1.0)])
        with owner.guarded(folder):
            owner.disown(folder)
        qtbot.waitUntil(lambda: bool(left), timeout=10_000)
    finally:
        watch.close()
    assert left == ["r0001"]
    assert heard[-1].state.phase is Phase.FINISHED
    assert len(heard[-1].state.curve) == 700
    assert all(len(batch.events) <= 512 for batch in heard)


def test_batches_come_twenty_times_a_second_at_most(tmp_path: Path, qtbot: QtBot) -> None:
    folder = _run(tmp_path, "r0001")
    watch = RunWatch(tmp_path)
    heard: list[float] = []
    watch.batch.connect(lambda _: heard.append(time.monotonic()))
    try:
        append_events(folder, [RunStarted(time.time(), "cpu")])
        end = time.monotonic() + 1.0
        number = 0
        while time.monotonic() < end:
            number += 1
            append_events(folder, _epochs(number, number))
            qtbot.wait(2)
    finally:
        watch.close()
        with owner.guarded(folder):
            owner.disown(folder)
    assert 1 <= len(heard) <= 22


def test_a_run_whose_supervisor_died_reads_as_interrupted(tmp_path: Path, qtbot: QtBot) -> None:
    folder = tmp_path / "runs" / "r0001"
    folder.mkdir(parents=True)
    append_events(folder, [RunStarted(time.time(), "cpu")])
    wire.write(folder / "owner.json", owner.Owner(2**22 + 1, "gone", "0", True, ""))
    watch = RunWatch(tmp_path)
    heard: list[Batch] = []
    watch.batch.connect(heard.append)
    try:
        with qtbot.waitSignal(watch.left, timeout=10_000):
            pass
    finally:
        watch.close()
    assert heard[-1].state.error_kind == "interrupted"


def test_a_supervisor_that_cannot_work_says_why(tmp_path: Path, qtbot: QtBot) -> None:
    supervisors = Supervisors(tmp_path / "w")
    with qtbot.waitSignal(supervisors.ended, timeout=30_000) as ended:
        supervisors.start(["r0404"])
        at_work = [supervisors.runs]
    supervisors.close()
    at_work.append(supervisors.runs)
    runs, error = ended.args
    assert runs == ("r0404",)
    assert error.kind == "not_found"
    assert at_work == [("r0404",), ()]


def test_chores_are_done_away_from_the_windows_thread(qtbot: QtBot) -> None:
    chores = Chores()
    came: list[tuple[str, str]] = []
    chores.do(
        lambda: threading.current_thread().name, lambda name: came.append((name, threading.current_thread().name))
    )
    qtbot.waitUntil(lambda: bool(came), timeout=5_000)
    chores.close()
    assert came == [("chores", "MainThread")]


def test_a_mailbox_that_was_closed_hands_out_nothing_more(qtbot: QtBot) -> None:
    taken: list[int] = []
    place = QObject()
    box = Mailbox(taken.append, place)
    box.put(1)
    box.close()
    box.put(2)
    qtbot.wait(20)
    assert taken == []


def test_a_desk_that_was_left_says_nothing_more(tmp_path: Path, qtbot: QtBot) -> None:
    desk = Desk(tmp_path / "w")
    heard: list[object] = []
    desk.ready.connect(lambda: heard.append("ready"))
    desk.refused.connect(heard.append)
    deadline = time.monotonic() + 20
    while not desk._client._was_ready and time.monotonic() < deadline:
        time.sleep(0.01)  # the word is in the mailbox, for no event is let through
    desk.close()
    qtbot.wait(20)
    assert heard == []


def test_a_watch_goes_on_after_a_disk_that_stumbled(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _run(tmp_path, "r0001")
    append_events(folder, [RunStarted(time.time(), "cpu")])
    stumbles = [OSError("stale handle"), OSError("stale handle")]
    news = bridge._Followed.news

    def stumbling(followed: bridge._Followed) -> object:
        if stumbles:
            raise stumbles.pop()
        return news(followed)

    monkeypatch.setattr(bridge._Followed, "news", stumbling)
    watch = RunWatch(tmp_path)
    try:
        with qtbot.waitSignal(watch.batch, timeout=10_000) as told:
            pass
        assert told.args[0].run == "r0001"
        assert not stumbles
    finally:
        watch.close()
        with owner.guarded(folder):
            owner.disown(folder)


def test_a_chore_with_a_defect_is_told_and_the_next_one_is_done(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, *_: told.append(kind.__name__))
    chores = Chores()
    came: list[int] = []
    chores.do(lambda: 1 // 0)
    chores.do(lambda: 7, came.append)
    qtbot.waitUntil(lambda: bool(came), timeout=5_000)
    chores.close()
    assert told == ["ZeroDivisionError"]
    assert came == [7]
