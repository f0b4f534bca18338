"""The database made again while the desk is open: it lets go, and what it knows afterwards is what the files say."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from medfm_gui.base.settings import Settings
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.desk.answers.upkeep import rebuild_database
from medfm_gui.desk.asks.data import ListDatasets
from medfm_gui.desk.asks.upkeep import DatabaseRebuilt, RebuildDatabase
from medfm_gui.desk.client import DeskClient, Message
from medfm_gui.desk.room import Room, Told
from medfm_gui.desk.table import every_entry
from medfm_gui.desk.turns import Turns
from medfm_gui.domain.errors import InputError, Interrupted, UsageError, WorkspaceBusy
from medfm_gui.jobs import owner
from medfm_gui.store import queries
from medfm_gui.workspace import data
from medfm_gui.workspace.place import open_workspace
from tests.fixtures.hostile import class_folders

Say = Callable[[str, object], None]


def nobody(kind: str, value: object) -> None:
    """Hears nothing."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace that lists one dataset and holds the files of two."""
    source = class_folders(tmp_path / "two", {"a": 4, "b": 4})
    for name in ("here", "there"):
        with open_workspace(tmp_path / name, settings=Settings()) as workspace:
            data.import_dataset(workspace, "folder", source, ImportOptions(), name=f"from {name}")
    shutil.copytree(tmp_path / "there" / "datasets", tmp_path / "here" / "datasets", dirs_exist_ok=True)
    return tmp_path / "here"


@pytest.fixture
def room(root: Path) -> Iterator[Room]:
    with open_workspace(root, settings=Settings()) as workspace, Room(workspace) as room:
        yield room


def listed(room: Room) -> list[str]:
    with room.workspace.store.reading() as reader:
        return [row.id for row in queries.datasets(reader)]


def databases(root: Path) -> list[str]:
    """The database, and whatever else of it lies there."""
    return sorted(path.name for path in root.glob("medfm.sqlite*") if not path.name.endswith(("-wal", "-shm")))


def files(root: Path) -> dict[str, bytes]:
    """Everything but the database."""
    found = [path for path in root.rglob("*") if path.is_file() and "medfm.sqlite" not in path.name]
    return {str(path): path.read_bytes() for path in found}


def test_files_that_the_database_did_not_know_are_listed_afterwards(room: Room, root: Path) -> None:
    before = files(root)
    assert listed(room) == ["from-here"]
    said: list[tuple[str, object]] = []
    made = rebuild_database(room, RebuildDatabase(), Told(lambda kind, value: said.append((kind, value))))
    assert made == DatabaseRebuilt(2, 0, 0, 0, 0, 0, 0, "medfm.sqlite.old1")
    assert listed(room) == ["from-here", "from-there"]
    assert (root / made.previous).is_file()
    assert files(root) == before
    assert {getattr(value, "text", "") for kind, value in said if kind == "progress"} == {
        "Reading datasets",
        "Reading the journal",
    }
    data.import_dataset(
        room.workspace, "folder", root.parent / "two", ImportOptions(), name="later"
    )  # it can be written as before
    assert listed(room) == ["from-here", "from-there", "later"]


def test_a_damaged_file_is_named_and_the_present_database_stays(room: Room, root: Path) -> None:
    (root / "datasets" / "from-there" / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="manifest"):
        rebuild_database(room, RebuildDatabase(), Told(nobody))
    assert listed(room) == ["from-here"]
    assert databases(root) == ["medfm.sqlite"]


def test_a_cancel_leaves_the_present_database(room: Room, root: Path) -> None:
    told = Told(lambda kind, value: told.stopped.set())
    with pytest.raises(Interrupted):
        rebuild_database(room, RebuildDatabase(), told)
    assert listed(room) == ["from-here"]
    assert databases(root) == ["medfm.sqlite"]


def test_while_a_run_is_at_work_it_is_refused_by_name(room: Room, root: Path) -> None:
    run = root / "runs" / "r0001"
    run.mkdir()
    (run / "spec.json").write_text("{}", encoding="utf-8")
    owner.claim(run)
    with pytest.raises(WorkspaceBusy, match="r0001 is at work"):
        rebuild_database(room, RebuildDatabase(), Told(nobody))
    assert listed(room) == ["from-here"]


def test_it_writes_and_works_alone_and_makes_every_list_stale() -> None:
    entry = every_entry()[RebuildDatabase]
    assert entry.alone and entry.writes
    assert [kind.__name__ for kind, other in every_entry().items() if other.alone] == ["RebuildDatabase"]
    stale = {topic for other in every_entry().values() for topic in other.changes if other.writes}
    assert set(entry.changes) == stale


def _heard(messages: list[Message], number: int) -> Message:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for message in list(messages):
            if message.number == number and message.kind in ("answer", "failed"):
                return message
        time.sleep(0.01)
    raise AssertionError(f"no answer to {number}: {messages}")


def test_a_desk_answers_from_the_new_database_what_was_asked_meanwhile(root: Path) -> None:
    messages: list[Message] = []
    client = DeskClient(root, messages.append)
    try:
        numbers = [client.ask(ListDatasets()) for _ in range(5)]
        rebuilt = client.ask(RebuildDatabase())
        numbers += [client.ask(ListDatasets()) for _ in range(40)]
        answer = _heard(messages, rebuilt)
        assert answer.kind == "answer", answer
        said = [_heard(messages, number) for number in numbers]
        assert all(one.kind == "answer" for one in said)
        assert {len(one.value.datasets) for one in said} <= {1, 2}
        assert len(_heard(messages, client.ask(ListDatasets())).value.datasets) == 2
    finally:
        client.close()


def test_a_workspace_that_is_open_read_only_refuses(root: Path) -> None:
    messages: list[Message] = []
    client = DeskClient(root, messages.append, is_read_only=True)
    try:
        refused = _heard(messages, client.ask(RebuildDatabase()))
        assert isinstance(refused.value, UsageError)
        assert "read-only" in str(refused.value)
        assert databases(root) == ["medfm.sqlite"]
    finally:
        client.close()


def test_who_works_alone_waits_for_the_others_and_they_for_it() -> None:
    turns, order, inside = Turns(), list[str](), threading.Event()

    def alone() -> None:
        with turns.alone(threading.Event()):
            order.append("alone")
            inside.set()
            time.sleep(0.05)
            order.append("alone no more")

    with turns.beside():
        thread = threading.Thread(target=alone)
        thread.start()
        time.sleep(0.05)
        with turns.beside():
            order.append("beside")
    assert inside.wait(5)
    with turns.beside():
        order.append("beside again")
    thread.join()
    assert order == ["beside", "alone", "alone no more", "beside again"]


def test_who_waits_to_work_alone_and_is_wanted_no_more_does_not_wait_on() -> None:
    turns, stopped = Turns(), threading.Event()
    stopped.set()
    with turns.beside(), turns.alone(stopped), turns.beside():
        pass
    with turns.alone(threading.Event()):
        pass
