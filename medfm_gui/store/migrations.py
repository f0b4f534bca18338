"""From an empty or older database to the one this version knows: named steps, each whole or not at all.

``PRAGMA user_version`` counts the steps taken. An older database is copied first (``VACUUM INTO``), a newer
one is refused before a byte of it changes. To change the tables, add a function and name it in ``MIGRATIONS``.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlite_utils import Database

from medfm_gui.base.atomic import atomic_file
from medfm_gui.domain.errors import InternalError
from medfm_gui.store import headers
from medfm_gui.store.connection import begin_immediate, damaged, roll_back
from medfm_gui.store.schema import APPLICATION_ID, INDEXES, TABLES

Migration = Callable[[Database], None]

_PATIENCE_S = 60.0  # a second window that migrates at the same moment is waited for


def first_tables(db: Database) -> None:
    """Version 1: every table of the first release, and the mark that the file is ours."""
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in (*TABLES, *INDEXES):
        db.execute(statement)


def cost_of_runs(db: Database) -> None:
    """Version 2: what a run needed besides time (labels, memory), and what else was decided on its way."""
    for column in (
        "labels_used INTEGER NOT NULL DEFAULT 0",
        "peak_memory_bytes INTEGER NOT NULL DEFAULT 0",
        "facts TEXT NOT NULL DEFAULT '{}'",
    ):
        db.execute(f"ALTER TABLE runs ADD COLUMN {column}")


def headers_of_files(db: Database) -> None:
    """Version 3: headers that were read for the index of studies, to be read no second time."""
    db.execute(headers.TABLE)


def units_of_samples(db: Database) -> None:
    """Version 4: whether the samples of a dataset are images, volumes or slices, and how many slices a volume has."""
    db.execute("ALTER TABLE datasets ADD COLUMN unit TEXT NOT NULL DEFAULT 'image'")
    db.execute("ALTER TABLE samples ADD COLUMN slices INTEGER NOT NULL DEFAULT 0")


def simultaneous_intervals(db: Database) -> None:
    """Version 5: of a paired comparison also the interval that holds together with those of its family."""
    for column in ("low_simultaneous REAL", "high_simultaneous REAL", "simultaneous_method TEXT NOT NULL DEFAULT ''"):
        db.execute(f"ALTER TABLE comparisons ADD COLUMN {column}")


MIGRATIONS: tuple[Migration, ...] = (
    first_tables,
    cost_of_runs,
    headers_of_files,
    units_of_samples,
    simultaneous_intervals,
)
VERSION = len(MIGRATIONS)


def version_of(db: Database) -> int:
    """How many steps the database has behind it; 0 when it is new."""
    return int(db.conn.execute("PRAGMA user_version").fetchone()[0])


def migrate(db: Database, path: Path, *, steps: Sequence[Migration] = MIGRATIONS) -> None:
    """Take the steps that are missing; a kill at any moment leaves the state before or after one of them.

    Args:
        db: a connection with foreign keys off, so that a step may make a table again.

    Raises:
        DatabaseBusy, DatabaseDamaged: as they say.
        sqlite3.Error: translate it with ``named``.
    """
    version = version_of(db)
    if version >= len(steps):
        return
    if version:
        back_up(db, path, version)
    for number, step in enumerate(steps[version:], start=version + 1):
        _take(db, path, number, step)
    finding = quick_check(db)
    if finding:
        raise damaged(path, finding)


def _take(db: Database, path: Path, number: int, step: Migration) -> None:
    begin_immediate(db, path, limit_s=_PATIENCE_S)
    try:
        if version_of(db) < number:  # else another process took it while this one waited
            step(db)
            orphan = db.conn.execute("PRAGMA foreign_key_check").fetchone()
            if orphan:
                raise InternalError(
                    f"Step {number} of the database would leave rows of “{orphan[0]}” without their parents.",
                    "The database is as it was; “medfm rebuild” makes it again from the files.",
                )
            db.execute(f"PRAGMA user_version = {number}")
        db.conn.execute("COMMIT")
    except BaseException:
        roll_back(db)
        raise


def back_up(db: Database, path: Path, version: int) -> Path:
    """Copy the whole database beside itself, durably; returns the copy, ``<name>.backup-v<version>``.

    Raises:
        DiskFull: there is no room for it.
        sqlite3.Error: translate it with ``named``.
    """
    target, number = path.with_name(f"{path.name}.backup-v{version}"), 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.backup-v{version}-{number}")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=path.parent) as folder:
        copy = Path(folder) / "copy"
        db.execute("VACUUM INTO ?", [copy.absolute().as_uri()])
        with copy.open("rb") as source, atomic_file(target, expected_bytes=copy.stat().st_size) as handle:
            shutil.copyfileobj(source, handle)
    return target


def quick_check(db: Database) -> str:
    """SQLite's first finding about the whole file (0.24 s a million rows); empty when all is well."""
    found = str(db.conn.execute("PRAGMA quick_check(1)").fetchone()[0])
    return "" if found == "ok" else found.replace("\n", " ")[:200]
