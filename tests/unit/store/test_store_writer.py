from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from medfm_gui.domain.errors import DatabaseBusy, DatabaseDamaged, DiskFull, InternalError, MedfmError, StoreError
from medfm_gui.store import writer as writing
from medfm_gui.store.connection import connect, named, sqlite3
from medfm_gui.store.store import Store
from medfm_gui.store.writer import Writer


def line(text: str) -> writing.Change[None]:
    """A row of the journal."""

    def change(db: Database) -> None:
        db.conn.execute("INSERT INTO journal (at, what, subject, details) VALUES ('now', 'done', ?, '{}')", [text])

    return change


def nowhere(db: Database) -> None:
    """What SQLite refuses."""
    db.conn.execute("INSERT INTO nowhere VALUES (1)")


def defect(db: Database) -> None:
    """A mistake of the caller, after half of its work."""
    line("half")(db)
    raise ZeroDivisionError("a defect stays what it is")


def lines(path: Path) -> list[str]:
    """What another connection sees: committed rows only, in order."""
    with closing(connect(path, mode="ro")) as db:
        return [subject for (subject,) in db.conn.execute("SELECT subject FROM journal ORDER BY number")]


@pytest.fixture
def made(path: Path) -> Path:
    """An empty database."""
    Store.open(path).close()
    return path


@pytest.fixture
def writer(made: Path) -> Iterator[Writer]:
    opened = Writer(made)
    yield opened
    opened.close()


@pytest.fixture
def other(made: Path) -> Iterator[Database]:
    """Another program with the database open."""
    with closing(connect(made, mode="rw")) as db:
        yield db


def no_room(db: Database) -> None:
    """From here on the file cannot grow: what a full disk looks like to SQLite."""
    (pages,) = db.conn.execute("PRAGMA page_count").fetchone()
    db.conn.execute(f"PRAGMA max_page_count = {pages}")


def room(db: Database) -> None:
    db.conn.execute("PRAGMA max_page_count = 1000000")


def wait_for(condition: str, path: Path, wanted: list[str], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while lines(path) != wanted:
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)


class TestFacts:
    def test_a_fact_is_committed_when_it_returns_and_gives_back_its_value(self, writer: Writer, made: Path) -> None:
        def change(db: Database) -> int:
            line("a")(db)
            return 7

        assert writer.write(change) == 7
        assert lines(made) == ["a"]

    def test_a_fact_that_fails_leaves_nothing_and_the_writer_goes_on(self, writer: Writer, made: Path) -> None:
        with pytest.raises(ZeroDivisionError):
            writer.write(defect)
        with pytest.raises(InternalError, match="could not do what was asked") as told:
            writer.write(nowhere)
        assert isinstance(told.value.__cause__, sqlite3.Error)
        writer.write(line("b"))
        assert lines(made) == ["b"]

    def test_facts_of_many_threads_are_all_written(self, writer: Writer, made: Path) -> None:
        def work(name: str) -> None:
            for number in range(20):
                writer.write(line(f"{name}{number}"))

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = lines(made)
        assert len(found) == 80
        assert [name for name in found if name[0] == "c"] == [f"c{number}" for number in range(20)]

    def test_a_closed_writer_says_so(self, made: Path) -> None:
        writer = Writer(made)
        writer.close()
        writer.close()
        with pytest.raises(StoreError, match="closed"):
            writer.write(line("a"))
        with pytest.raises(StoreError, match="closed"):
            writer.later(line("a"))

    def test_a_database_that_is_gone_is_told_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="cannot be opened"):
            Writer(tmp_path / "gone.sqlite")
        assert not [thread for thread in threading.enumerate() if thread.name == "database"]


class TestPoints:
    def test_they_are_committed_together_after_half_a_second(self, writer: Writer, made: Path) -> None:
        started = time.monotonic()
        for number in range(3):
            writer.later(line(str(number)))
        assert lines(made) == []
        wait_for("committed by the clock", made, ["0", "1", "2"])
        assert 0.4 < time.monotonic() - started < 2.0

    def test_a_hundred_are_committed_at_once(self, writer: Writer, made: Path) -> None:
        writer.later(line("a"), 99)
        writer.later(line("b"), 1)
        wait_for("committed by their number", made, ["a", "b"], seconds=0.4)

    def test_order_is_kept(self, writer: Writer, made: Path) -> None:
        writer.later(line("first"))
        writer.write(line("second"))
        assert lines(made) == ["first", "second"]

    def test_flush_and_close_wait_for_them(self, made: Path) -> None:
        writer = Writer(made)
        writer.later(line("a"))
        writer.flush()
        assert lines(made) == ["a"]
        writer.later(line("b"))
        writer.close()
        assert lines(made) == ["a", "b"]

    def test_one_that_can_never_be_written_does_not_hold_up_the_others(self, writer: Writer, made: Path) -> None:
        writer.later(line("a"))
        writer.later(defect)
        writer.later(nowhere)
        writer.later(line("b"))
        with pytest.raises(InternalError):
            writer.flush()
        assert lines(made) == ["a", "b"]
        writer.flush()

    def test_close_tells_of_one_that_was_lost(self, made: Path) -> None:
        writer = Writer(made)
        writer.later(nowhere)
        with pytest.raises(InternalError):
            writer.close()
        assert not [thread for thread in threading.enumerate() if thread.name == "database"]


class TestBusy:
    def test_a_fact_waits_for_another_program_and_says_so(
        self, made: Path, other: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "TOLD_AFTER_S", 0.3)
        told: list[float] = []
        writer = Writer(made, on_waiting=told.append)
        other.conn.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.9, lambda: other.conn.execute("COMMIT"))
        release.start()
        writer.write(line("a"))
        release.join()
        assert lines(made) == ["a"]
        assert len(told) == 1 and 0.3 <= told[0] < 0.9
        writer.close()

    def test_a_fact_is_given_up_after_the_limit(self, made: Path, other: Database) -> None:
        writer = Writer(made, busy_limit_s=0.3)
        other.conn.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy, match="Another program held the database"):
            writer.write(line("a"))
        other.conn.execute("COMMIT")
        writer.write(line("b"))
        writer.close()
        assert lines(made) == ["b"]

    def test_points_are_kept_and_tried_again(
        self, made: Path, other: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {"_BRIEF_S": 0.1, "_RETRY_S": 0.1, "TOLD_AFTER_S": 0.5}.items():
            monkeypatch.setattr(writing, name, value)
        told: list[float] = []
        writer = Writer(made, on_waiting=told.append, busy_limit_s=0.2)
        other.conn.execute("BEGIN IMMEDIATE")
        for number in range(5):
            writer.later(line(str(number)), 60)
        with pytest.raises(DatabaseBusy):
            writer.flush()
        time.sleep(0.8)
        other.conn.execute("COMMIT")
        wait_for("written once the other program let go", made, ["0", "1", "2", "3", "4"])
        assert len(told) == 1, "told once, though it took several attempts"
        writer.close()

    def test_close_tells_of_points_that_could_not_be_written(self, made: Path, other: Database) -> None:
        writer = Writer(made, busy_limit_s=0.1)
        other.conn.execute("BEGIN IMMEDIATE")
        writer.later(line("a"))
        with pytest.raises(DatabaseBusy):
            writer.close()
        assert not [thread for thread in threading.enumerate() if thread.name == "database"]

    def test_a_listener_that_fails_does_not_end_the_writer(
        self, made: Path, other: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "TOLD_AFTER_S", 0.0)

        def listener(_: float) -> None:
            raise RuntimeError("window is gone")

        writer = Writer(made, on_waiting=listener)
        other.conn.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.4, lambda: other.conn.execute("COMMIT"))
        release.start()
        writer.write(line("a"))
        release.join()
        assert lines(made) == ["a"]
        with pytest.raises(InternalError, match="window is gone"):
            writer.close()


class TestFullDisk:
    def test_a_fact_is_refused_whole_and_the_database_is_well(self, writer: Writer, made: Path) -> None:
        writer.write(no_room)

        def large(db: Database) -> None:
            line("half")(db)
            line("x" * 200_000)(db)

        with pytest.raises(DiskFull, match="what was complete before is still there"):
            writer.write(large)
        writer.write(room)
        assert lines(made) == []
        writer.write(line("a"))
        with closing(connect(made, mode="ro")) as db:
            assert db.conn.execute("PRAGMA quick_check").fetchone() == ("ok",)
        assert lines(made) == ["a"]

    def test_points_are_kept_until_there_is_room(
        self, writer: Writer, made: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "_RETRY_S", 0.1)
        large = "x" * 200_000
        writer.write(no_room)
        writer.later(line("a"))
        writer.later(line(large))
        with pytest.raises(DiskFull):
            writer.flush()
        assert lines(made) == []
        with pytest.raises(DiskFull):
            writer.write(line("a fact behind them is not written either"))
        writer._orders.put(writing._Points(line("b"), 100))  # more of them wait without a storm of attempts
        room(writer._db)
        wait_for("written once there was room", made, ["a", large, "b"])


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SQLITE_BUSY", DatabaseBusy),
        ("SQLITE_LOCKED", DatabaseBusy),
        ("SQLITE_FULL", DiskFull),
        ("SQLITE_CORRUPT", DatabaseDamaged),
        ("SQLITE_NOTADB", DatabaseDamaged),
        ("SQLITE_READONLY", StoreError),
        ("SQLITE_CANTOPEN", StoreError),
        ("SQLITE_IOERR", StoreError),
        ("SQLITE_CONSTRAINT", InternalError),
    ],
)
def test_errors_are_named_by_their_code(code: str, kind: type[MedfmError], tmp_path: Path) -> None:
    error = sqlite3.OperationalError("text that decides nothing")
    error.sqlite_errorcode = getattr(sqlite3, code) | 3 << 8
    made = named(error, tmp_path / "x.sqlite")
    assert type(made) is kind
    assert made.message and made.hint


def test_an_input_error_on_a_full_disk_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 10}))
    assert isinstance(named(error, tmp_path / "x"), DiskFull)
    assert isinstance(named(error, tmp_path / "gone" / "x"), DiskFull)
    monkeypatch.undo()
    assert type(named(error, tmp_path / "gone" / "x")) is StoreError
    error.sqlite_errorcode = 4874  # the shared memory could not grow
    assert isinstance(named(error, tmp_path / "x"), DiskFull)


def test_an_error_in_the_block_is_not_hidden_by_points_that_were_lost(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Store.open(path, busy_limit_s=0.1) as store:
        store._writer.later(nowhere)
        raise ZeroDivisionError
    with pytest.raises(InternalError), Store.open(path) as store:
        store._writer.later(nowhere)
