from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.errors import DatabaseDamaged, DiskFull, InternalError
from medfm_gui.store import headers, migrations
from medfm_gui.store.connection import backups_of, begin_immediate, connect, named, sqlite3
from medfm_gui.store.migrations import MIGRATIONS, VERSION, first_tables, migrate, quick_check, version_of
from medfm_gui.store.schema import TABLES
from medfm_gui.store.store import Store


def add_scanner(db: Database) -> None:
    db.execute("ALTER TABLE studies ADD COLUMN scanner TEXT NOT NULL DEFAULT ''")


def make_journal_again(db: Database) -> None:
    db.table("journal").transform(rename={"what": "deed"})


LATER = (*MIGRATIONS, add_scanner, make_journal_again)


@pytest.fixture
def old(path: Path) -> Iterator[Database]:
    """A database of this version with a line in its journal."""
    with Store.open(path) as store:
        store.journal("now", "done", "x", {})
    with closing(connect(path, mode="rw", foreign_keys=False)) as db:
        yield db


def columns(db: Database, table: str) -> list[str]:
    return [row[1] for row in db.conn.execute(f"PRAGMA table_info({table})")]


def test_missing_steps_are_taken_in_order_after_a_backup(old: Database, path: Path) -> None:
    assert version_of(old) == VERSION == len(MIGRATIONS)
    migrate(old, path, steps=LATER)
    assert version_of(old) == VERSION + 2
    assert "scanner" in columns(old, "studies") and "deed" in columns(old, "journal")
    (backup,) = backups_of(path)
    assert backup.name == f"medfm.sqlite.backup-v{VERSION}"
    with closing(connect(backup, mode="ro")) as copy:
        assert version_of(copy) == VERSION and "what" in columns(copy, "journal")
        assert copy.conn.execute("SELECT count(*) FROM journal").fetchone() == (1,)
        assert quick_check(copy) == ""
    migrate(old, path, steps=LATER)
    assert backups_of(path) == [backup], "nothing to do makes no backup"


def test_runs_of_the_first_version_get_columns_for_what_they_cost(path: Path) -> None:
    path.touch()
    with closing(connect(path, mode="rw", foreign_keys=False)) as db:
        migrate(db, path, steps=(first_tables,))
        db.execute(
            "INSERT INTO runs (id, folder, dataset, dataset_fingerprint, split, split_fingerprint, task, model, family,"
            " adapt, seed, preset, recipe, from_scratch, created, code_version)"
            " VALUES ('r1','','','','','','binary','m','f','knn','0','','{}',0,'','')"
        )
        migrate(db, path)
        row = db.execute("SELECT labels_used, peak_memory_bytes, facts FROM runs").fetchone()
    assert row == (0, 0, "{}")


def test_a_backup_never_overwrites_another(old: Database, path: Path) -> None:
    names = [migrations.back_up(old, path, 1).name for _ in range(3)]
    assert names == [f"medfm.sqlite.backup-v1{suffix}" for suffix in ("", "-2", "-3")]
    assert {entry.name for entry in path.parent.iterdir()} <= {
        *names,
        path.name,
        f"{path.name}-wal",
        f"{path.name}-shm",
    }


def test_a_step_that_fails_leaves_the_version_before_it(old: Database, path: Path) -> None:
    def fail(db: Database) -> None:
        db.execute("DROP TABLE charts")
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        migrate(old, path, steps=(*MIGRATIONS, add_scanner, fail))
    assert version_of(old) == VERSION + 1
    assert "scanner" in columns(old, "studies") and columns(old, "charts")
    assert not old.conn.in_transaction


def test_a_step_may_not_leave_orphans(old: Database, path: Path) -> None:
    def orphan(db: Database) -> None:
        db.execute("INSERT INTO epochs (run, epoch, epochs, best) VALUES ('nobody', 1, 1, 0)")

    with pytest.raises(InternalError, match="rows of “epochs” without their parents"):
        migrate(old, path, steps=(*MIGRATIONS, orphan))
    assert version_of(old) == VERSION
    assert old.conn.execute("SELECT count(*) FROM epochs").fetchone() == (0,)


def test_a_step_that_another_process_took_is_not_taken_again(old: Database, path: Path) -> None:
    with closing(connect(path, mode="rw", foreign_keys=False)) as other:

        def late(db: Database) -> None:
            raise AssertionError("taken twice")

        def overtaken(*_: object, **__: object) -> None:
            monkeypatch.undo()
            migrate(other, path, steps=(*MIGRATIONS, add_scanner))
            begin(old, path, limit_s=1.0)

        monkeypatch = pytest.MonkeyPatch()
        begin = begin_immediate
        monkeypatch.setattr(migrations, "begin_immediate", overtaken)
        migrate(old, path, steps=(*MIGRATIONS, late))
    assert version_of(old) == VERSION + 1


def test_damage_after_the_steps_is_told(old: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "quick_check", lambda db: "Tree 5 page 7: free space corruption")
    with pytest.raises(DatabaseDamaged, match=rf"free space corruption.*backup-v{VERSION}"):
        migrate(old, path, steps=LATER)


def test_no_room_for_the_backup_changes_nothing(old: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise DiskFull("full")

    before = sha256_file(path)
    monkeypatch.setattr(migrations, "atomic_file", no_room)
    with pytest.raises(DiskFull):
        migrate(old, path, steps=LATER)
    assert version_of(old) == VERSION and sha256_file(path) == before
    assert backups_of(path) == []


@pytest.mark.parametrize("moment", ["step(db)", "PRAGMA user_version", "COMMIT"])
def test_a_kill_during_a_step_leaves_old_or_new(path: Path, child: list[str], moment: str) -> None:
    Store.open(path).close()
    program = f"""
import os, signal, sys
from pathlib import Path
from medfm_gui.store.connection import connect
from medfm_gui.store.migrations import MIGRATIONS, migrate

class Deadly:
    def __init__(self, conn): self.conn = conn
    def __getattr__(self, name): return getattr(self.conn, name)
    def execute(self, sql, *rest):
        if {moment!r} in sql and self.conn.in_transaction: os.kill(os.getpid(), signal.SIGKILL)
        return self.conn.execute(sql, *rest)

def grow(db):
    for number in range(50): db.execute(f"CREATE TABLE extra{{number}} (x)")
    if {moment!r} == "step(db)": os.kill(os.getpid(), signal.SIGKILL)

path = Path(sys.argv[1])
db = connect(path, mode="rw", foreign_keys=False)
db.conn = Deadly(db.conn)
migrate(db, path, steps=(*MIGRATIONS, grow))
"""
    done = subprocess.run([*child, program, str(path)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(backups_of(path)) == 1
    with Store.open(path) as store, store.reading() as reader:
        tables = {name for (name,) in reader.db.conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        assert len(tables) == len((*TABLES, headers.TABLE))


def test_a_table_that_is_too_large_for_the_disk_is_a_full_disk(old: Database, path: Path) -> None:
    def fill(db: Database) -> None:
        (pages,) = db.conn.execute("PRAGMA page_count").fetchone()
        db.conn.execute(f"PRAGMA max_page_count = {pages}")
        db.execute("CREATE TABLE large AS SELECT randomblob(100000)")

    take: Callable[[], None] = lambda: migrate(old, path, steps=(*MIGRATIONS, fill))  # noqa: E731
    with pytest.raises(sqlite3.Error) as told:
        take()
    assert isinstance(named(told.value, path), DiskFull)
    assert version_of(old) == VERSION
