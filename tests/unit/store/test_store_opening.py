from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from sqlite_utils import Database

from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.errors import DatabaseDamaged, NewerWorkspace, NotFound, StoreError
from medfm_gui.domain.run import RunState
from medfm_gui.store import opening, queries
from medfm_gui.store.connection import sqlite3
from medfm_gui.store.migrations import VERSION
from medfm_gui.store.store import Store

if TYPE_CHECKING:
    from tests.unit.store.conftest import Facts


def change(path: Path, *statements: str) -> None:
    """What another program might do to the file."""
    with closing(sqlite3.connect(str(path), isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def names_in(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_a_new_database_is_empty_private_and_leaves_one_file(path: Path) -> None:
    with Store.open(path) as store, store.reading() as reader:
        assert queries.datasets(reader) == ()
    assert names_in(path.parent) == {path.name}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_put_is_there_when_opened_again(path: Path, facts: Facts) -> None:
    with Store.open(path) as store:
        store.put_dataset(facts.dataset(), path.parent / "datasets" / "skin")
    with Store.open(path) as store, store.reading() as reader:
        assert [row.id for row in queries.datasets(reader)] == ["skin"]


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()
    Store.open(path).close()
    assert path.stat().st_size > 0


def test_a_newer_version_is_refused_and_unchanged(path: Path) -> None:
    Store.open(path).close()
    change(path, "PRAGMA user_version = 999")
    before = sha256_file(path)
    for read_only in (False, True):
        with pytest.raises(NewerWorkspace, match=rf"tables 999; this one knows {VERSION}.*Update MedFM Studio"):
            Store.open(path, read_only=read_only)
    assert sha256_file(path) == before


def test_a_newer_version_that_crashed_keeps_its_log(path: Path, child: list[str]) -> None:
    Store.open(path).close()
    program = (
        "import os, signal, sys; from sqlite_utils.utils import sqlite3\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA user_version = 999'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([*child, program, str(path)], check=False, timeout=60)
    log = path.with_name(path.name + "-wal")
    before = sha256_file(path), sha256_file(log)
    with pytest.raises(NewerWorkspace):
        Store.open(path)
    assert (sha256_file(path), sha256_file(log)) == before


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER x AFTER INSERT ON runs BEGIN DELETE FROM journal; END",
        "CREATE VIEW x AS SELECT * FROM studies",
    ],
)
def test_a_strange_trigger_or_view_is_refused(path: Path, statement: str) -> None:
    Store.open(path).close()
    change(path, statement)
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"trigger or a view that this program never makes .“x”"):
            Store.open(path, read_only=read_only)


def test_another_programs_database_is_refused_and_unchanged(path: Path) -> None:
    change(path, "CREATE TABLE bookmarks (url)")
    before = sha256_file(path)
    with pytest.raises(StoreError, match="a database of another program"):
        Store.open(path)
    assert sha256_file(path) == before


def test_random_damage_is_found_and_the_file_is_kept(path: Path, facts: Facts) -> None:
    with Store.open(path) as store:
        store.put_dataset(facts.dataset(n=2000), path.parent)
    backup = path.with_name(path.name + ".backup-v1")
    backup.write_bytes(path.read_bytes())
    with path.open("r+b") as handle:
        handle.seek(40_960)
        handle.write(os.urandom(500))
    before = sha256_file(path)
    for read_only in (False, True):
        with pytest.raises(DatabaseDamaged) as told:
            Store.open(path, read_only=read_only)
        assert str(path) in told.value.message
        assert "medfm rebuild" in told.value.hint and str(backup) in told.value.hint
    assert sha256_file(path) == before


@pytest.mark.parametrize("contents", [b"<html>not a database</html>" * 200, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_database_is_called_damaged(path: Path, contents: bytes) -> None:
    path.write_bytes(contents)
    with pytest.raises(DatabaseDamaged):
        Store.open(path)
    assert path.read_bytes() == contents


def test_half_a_database_is_called_damaged(path: Path, facts: Facts) -> None:
    with Store.open(path) as store:
        store.put_dataset(facts.dataset(n=500), path.parent)
    contents = path.read_bytes()
    path.write_bytes(contents[: len(contents) // 8192 * 4096])
    with pytest.raises(DatabaseDamaged):
        Store.open(path)


def test_places_where_sqlite_cannot_work_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no folder"):
        Store.open(tmp_path / "gone" / "medfm.sqlite")
    deep = tmp_path.joinpath(*["d" * 200] * 3)
    deep.mkdir(parents=True)
    with pytest.raises(StoreError, match=r"bytes long; SQLite takes 480.*shorter path"):
        Store.open(deep / "medfm.sqlite")
    with pytest.raises(StoreError, match="is a folder"):
        Store.open(tmp_path)


@pytest.mark.parametrize("name", ["a b?c#d%41.sqlite", "überß.sqlite", "caf\udce9.sqlite", "x;ATTACH'y.sqlite"])
def test_hostile_file_names_are_only_names(tmp_path: Path, name: str, facts: Facts) -> None:
    path = tmp_path / name
    with Store.open(path) as store:
        store.put_run(facts.spec(), tmp_path)
    with Store.open(path, read_only=True) as store, store.reading() as reader:
        assert queries.run(reader, "r0001").folder == str(tmp_path)
    assert name in names_in(tmp_path) <= {name, f"{name}-wal", f"{name}-shm"}


def test_a_disk_without_a_write_ahead_log_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_memory(path: Path, *, mode: Literal["ro", "rw"], foreign_keys: bool) -> Database:
        return Database(sqlite3.connect(":memory:", isolation_level=None), execute_plugins=False)

    monkeypatch.setattr(opening, "connect", in_memory)
    with pytest.raises(StoreError, match="does not allow a write-ahead log"):
        Store.open(path)


def test_several_processes_may_make_it_at_the_same_moment(path: Path, child: list[str]) -> None:
    program = (
        "import sys, time; from pathlib import Path; from medfm_gui.store.store import Store\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "with Store.open(Path(sys.argv[1])) as store: store.journal('now', 'opened', sys.argv[2], {})"
    )
    pipe = subprocess.PIPE
    children = [
        subprocess.Popen([*child, program, str(path), str(number)], stdin=pipe, stdout=pipe) for number in range(3)
    ]
    for one in children:
        assert one.stdout and one.stdout.readline() == b"ready\n"
    for one in children:
        one.communicate(b"go\n", timeout=60)
    assert [one.returncode for one in children] == [0, 0, 0]
    with Store.open(path) as store, store.reading() as reader:
        assert {row.subject for row in queries.journal(reader)} == {"0", "1", "2"}


class TestReadOnly:
    def test_it_sees_what_a_writer_commits_meanwhile(self, path: Path, store: Store) -> None:
        with Store.open(path, read_only=True) as onlooker:
            store.journal("now", "done", "x", {})
            with onlooker.reading() as reader:
                assert len(queries.journal(reader)) == 1

    def test_it_cannot_be_written_through(self, path: Path) -> None:
        Store.open(path).close()
        with Store.open(path, read_only=True) as onlooker:
            with pytest.raises(StoreError, match="for reading only"):
                onlooker.journal("now", "done", "x", {})
            with pytest.raises(StoreError, match="for reading only"):
                onlooker.record_events("r0001", (), RunState())
            onlooker.flush()
            with pytest.raises(StoreError), onlooker.reading() as reader:
                reader.db.conn.execute("DELETE FROM journal")

    def test_a_closed_workspace_in_a_folder_that_cannot_be_written(
        self, locked_folder: Path, as_reader: Callable[[], None], scratch: Path, facts: Facts
    ) -> None:
        path = locked_folder / "medfm.sqlite"
        with Store.open(path) as store:
            facts.fill(store, locked_folder)
        before = sha256_file(path)
        as_reader()
        with pytest.raises(StoreError, match="cannot be opened"):
            Store.open(path)
        with Store.open(path, read_only=True) as store, store.reading() as reader:
            assert queries.run(reader, "r0001").folder == str(locked_folder / "runs" / "r0001")
        assert list(scratch.iterdir()) == []
        assert sha256_file(path) == before
        assert names_in(locked_folder) == {path.name}

    def test_a_workspace_that_was_never_closed_is_read_with_its_log(
        self, locked_folder: Path, as_reader: Callable[[], None], tmp_path: Path, facts: Facts
    ) -> None:
        path = tmp_path / "medfm.sqlite"
        with Store.open(path) as store:
            facts.fill(store, tmp_path)
            for suffix in ("", "-wal"):  # a copy on a medium, taken while the log was full
                shutil.copy(f"{path}{suffix}", locked_folder / f"{path.name}{suffix}")
        assert (locked_folder / "medfm.sqlite-wal").stat().st_size > 0
        as_reader()
        with Store.open(locked_folder / path.name, read_only=True) as store, store.reading() as reader:
            assert [row.id for row in queries.runs(reader)] == ["r0001"]

    def test_an_older_version_is_brought_up_to_date_in_a_copy(self, path: Path, scratch: Path) -> None:
        change(path, "PRAGMA journal_mode = WAL", "PRAGMA user_version = 0")
        before = sha256_file(path)
        store = Store.open(path, read_only=True)
        with store.reading() as reader:
            assert queries.runs(reader) == ()
        assert len(list(scratch.iterdir())) == 1
        store.close()
        assert list(scratch.iterdir()) == []
        assert sha256_file(path) == before

    def test_a_damaged_copy_leaves_nothing_behind(
        self, path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path.write_bytes(b"nonsense" * 600)
        monkeypatch.setattr(opening, "network_filesystem", lambda folder: "nfs")
        with pytest.raises(DatabaseDamaged):
            Store.open(path, read_only=True)
        assert list(scratch.iterdir()) == []

    def test_a_folder_holds_none(self, tmp_path: Path) -> None:
        with pytest.raises(NotFound):
            Store.open(tmp_path, read_only=True)


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch, locked_folder: Path) -> Path:
    """Where private copies go."""
    folder = locked_folder.parent / "scratch"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def locked_folder() -> Iterator[Path]:
    """A folder below /tmp that ``as_reader`` makes unwritable."""
    if os.name != "posix":
        pytest.skip("folders are locked in another way on this system")
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "medium"
        folder.mkdir()
        yield folder
        folder.chmod(0o755)


@pytest.fixture
def as_reader(locked_folder: Path) -> Iterator[Callable[[], None]]:
    """Become a user who may read the folder and not write it; root may always write, so root becomes nobody."""
    is_root = os.geteuid() == 0

    def become() -> None:
        for file in locked_folder.iterdir():
            file.chmod(0o444)
        locked_folder.chmod(0o555)
        if is_root:
            os.seteuid(65534)

    yield become
    if is_root:
        os.seteuid(0)
