"""Opening SQLite the one way this program opens it, and saying what went wrong in words.

The library is the one that sqlite-utils found (pysqlite3): the system's own may be too old for a
write-ahead log with two writers, and one process must hold one library.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3 as sqlite3  # type: ignore[attr-defined]  # the rest of this room takes it from here

from medfm_gui.domain.errors import DatabaseBusy, DatabaseDamaged, DiskFull, InternalError, MedfmError, StoreError

BUSY_SLICE_MS = 200
"""How long one attempt to write waits inside SQLite; longer waits are repeated attempts, so that they can be told."""

PATIENCE_MS = 10_000
"""How long the others wait, e.g. while another process folds its log into the file and closes it."""

_LONGEST_PATH_BYTES = 480
_JOURNAL_LIMIT_BYTES = 64 << 20
_LITTLE_SPACE_BYTES = 1 << 20
_PRIMARY = 0xFF  # the low byte of an extended result code is the primary one
_IOERR_SHMSIZE = 4874  # the shared-memory file could not grow

OnBusy = Callable[[float], None]


def connect(
    path: Path, *, mode: Literal["ro", "rw"], foreign_keys: bool = True, wait_ms: int = PATIENCE_MS
) -> Database:
    """A connection in autocommit mode with every safeguard on; it may be handed from thread to thread.

    Raises:
        sqlite3.Error: translate it with ``named``.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=wait_ms / 1000,
    )
    try:
        for pragma in (
            "trusted_schema = OFF",
            "cell_size_check = ON",
            f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
            "synchronous = FULL",
            f"journal_size_limit = {_JOURNAL_LIMIT_BYTES}",
            f"query_only = {'ON' if mode == 'ro' else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return Database(connection, execute_plugins=False, recursive_triggers=False)
    except BaseException:
        connection.close()
        raise


def begin_immediate(db: Database, path: Path, *, limit_s: float, on_busy: OnBusy | None = None) -> None:
    """Start a writing transaction, waiting for other programs up to ``limit_s`` seconds.

    Args:
        on_busy: told the seconds waited after each attempt, a few times a second.

    Raises:
        DatabaseBusy: another program held the database all that time.
        sqlite3.Error: anything else.
    """
    started = time.monotonic()
    while True:
        try:
            db.conn.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            waited = time.monotonic() - started
            if on_busy:
                on_busy(waited)
            if waited >= limit_s:
                raise busy(path, waited) from error
        else:
            return


def roll_back(db: Database) -> None:
    """Undo the open transaction, if SQLite has not done so itself."""
    if db.conn.in_transaction:
        db.conn.execute("ROLLBACK")


def is_busy(error: Exception) -> bool:
    """Whether another connection holds what this one needs."""
    return _code(error) & _PRIMARY in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def cannot_open(error: Exception) -> bool:
    """Whether the place forbids it: a folder that cannot be written, a medium that is read-only."""
    return _code(error) & _PRIMARY in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


def named(error: Exception, path: Path) -> MedfmError:
    """The error of our tree for an error of SQLite; decided by its code."""
    if isinstance(error, MedfmError):
        return error
    code = _code(error)
    primary = code & _PRIMARY
    if primary == sqlite3.SQLITE_FULL or code == _IOERR_SHMSIZE:
        return full(path)
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path, str(error))
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return busy(path, BUSY_SLICE_MS / 1000)
    if cannot_open(error):
        return StoreError(
            f"The database “{path}” cannot be opened for this ({error}).",
            "Check that you may write to the folder, or open the workspace for reading only.",
        )
    if primary == sqlite3.SQLITE_IOERR:
        if _space_left(path) < _LITTLE_SPACE_BYTES:
            return full(path)
        return StoreError(
            f"The disk failed while the database “{path}” was used ({error}).",
            "Check the disk and its connection, then do it again.",
        )
    return InternalError(
        f"The database could not do what was asked of it ({type(error).__name__}: {error}).",
        "The files of the workspace are complete; “medfm rebuild” makes the database again.",
    )


def damaged(path: Path, finding: str) -> DatabaseDamaged:
    """The error for a corrupt file, naming the newest backup."""
    backups = sorted(backups_of(path), key=lambda backup: backup.stat().st_mtime_ns)
    last = f" The last backup is “{backups[-1]}”." if backups else ""
    return DatabaseDamaged(
        f"The database “{path}” is damaged ({finding}).",
        f"“medfm rebuild” makes a new one from the workspace's files and keeps the damaged one.{last}",
    )


def busy(path: Path, waited_s: float) -> DatabaseBusy:
    """The error for a database that another program holds."""
    return DatabaseBusy(
        f"Another program held the database “{path}” for {waited_s:.0f} seconds, so nothing was written to it.",
        "Close the program that uses it (a database browser, a backup) and do it again.",
    )


def full(path: Path) -> DiskFull:
    """The error for a full disk."""
    return DiskFull(
        f"The disk that holds the database “{path}” is full.",
        "Free some space and do it again; what was complete before is still there.",
    )


def backups_of(path: Path) -> list[Path]:
    """Copies that were made before the database was changed to a newer version."""
    prefix = f"{path.name}.backup-"
    return [entry for entry in path.parent.iterdir() if entry.name.startswith(prefix)] if path.parent.is_dir() else []


def check_place(path: Path) -> None:
    """Refuse a place where SQLite cannot work.

    Raises:
        StoreError: there is no such folder, something else has the name, or the path is too long for SQLite.
    """
    if not path.parent.is_dir():
        raise StoreError(f"There is no folder “{path.parent}” for the database.", "Choose a folder that exists.")
    if path.is_dir():
        raise StoreError(f"“{path}” is a folder, where the database should be.", "Move it away or rename it.")
    length = len(os.fsencode(path.absolute()))
    if length > _LONGEST_PATH_BYTES:
        raise StoreError(
            f"The path of the database is {length} bytes long; SQLite takes {_LONGEST_PATH_BYTES}.",
            "Move the workspace to a folder with a shorter path.",
        )


def _space_left(path: Path) -> int:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return _LITTLE_SPACE_BYTES


def _code(error: Exception) -> int:
    """SQLite's extended result code; 0 where the error is none of SQLite's."""
    return int(getattr(error, "sqlite_errorcode", 0))
