"""Looking before opening: a database is inspected by a reading connection, then brought up to date.

Nothing is written to a file that is newer than this program, damaged, or not ours. A database that this
user cannot write (a read-only medium, a share) is read from a private copy, since a write-ahead log needs
a folder that can be written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from medfm_gui.domain.errors import NewerWorkspace, NotFound, StoreError
from medfm_gui.store.connection import cannot_open, check_place, connect, damaged, full, named, sqlite3
from medfm_gui.store.filesystem import network_filesystem
from medfm_gui.store.migrations import VERSION, migrate, quick_check, version_of
from medfm_gui.store.schema import APPLICATION_ID


@dataclass(frozen=True, slots=True)
class Place:
    """Where the database is read: the file itself, or a private copy in ``scratch``, which is removed at close."""

    file: Path
    scratch: Path | None = None

    def discard(self) -> None:
        """Remove the private copy, if there is one."""
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)


def prepare_for_writing(path: Path) -> Place:
    """Make the database, or check it and bring it up to date.

    Raises:
        NewerWorkspace, DatabaseDamaged, DatabaseBusy, DiskFull: as they say.
        StoreError: it is not ours, holds foreign triggers, lies on a network share, or cannot be written.
    """
    check_place(path)
    share = network_filesystem(path.parent)
    if share:
        raise StoreError(
            f"The folder “{path.parent}” lies on a network file system ({share}), where a database that several "
            "programs write would be damaged sooner or later.",
            "Choose a workspace on a disk of this computer; images may stay on the network.",
        )
    _check_writable(path)
    try:
        if path.exists() and path.stat().st_size:
            with contextlib.closing(connect(path, mode="ro")) as db:
                inspect(db, path)
        else:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        with contextlib.closing(connect(path, mode="rw", foreign_keys=False)) as db:
            _use_write_ahead_log(db, path)
            migrate(db, path)
    except (sqlite3.Error, OSError) as error:
        raise _explained(error, path) from error
    return Place(path)


def prepare_for_reading(path: Path) -> Place:
    """Check the database and find how it can be read without changing it.

    Raises:
        NotFound: there is none.
        NewerWorkspace, DatabaseDamaged, StoreError: as ``prepare_for_writing``.
    """
    if not path.is_file():
        raise NotFound(f"There is no database “{path}”.", "Check the workspace, or run “medfm rebuild”.")
    check_place(path)
    try:
        if not network_filesystem(path.parent) and _is_current(path):
            return Place(path)
        return _copied(path)
    except (sqlite3.Error, OSError) as error:
        raise _explained(error, path) from error


def inspect(db: Database, path: Path) -> None:
    """Refuse a database that is newer, foreign, tampered with or damaged.

    Raises:
        NewerWorkspace, StoreError, DatabaseDamaged: as they say.
        sqlite3.Error: translate it with ``named``.
    """
    version = version_of(db)
    if version > VERSION:
        raise NewerWorkspace(
            f"The database “{path}” was written by a newer version (tables {version}; this one knows {VERSION}).",
            "Update MedFM Studio, or choose another workspace.",
        )
    mark = int(db.conn.execute("PRAGMA application_id").fetchone()[0])
    objects = [(str(kind), str(name)) for kind, name in db.conn.execute("SELECT type, name FROM sqlite_schema")]
    if objects and mark != APPLICATION_ID:
        raise StoreError(
            f"The file “{path}” is a database of another program.", "Choose an empty folder for the workspace."
        )
    strange = [name for kind, name in objects if kind in ("trigger", "view")]
    if strange:
        raise StoreError(
            f"The database “{path}” holds a trigger or a view that this program never makes (“{strange[0][:80]}”); "
            "it could change what is stored.",
            "“medfm rebuild” makes the database again from the workspace's files.",
        )
    finding = quick_check(db)
    if finding:
        raise damaged(path, finding)


def _check_writable(path: Path) -> None:
    """SQLite would open a file that it cannot write for reading, and say so only at the first write."""
    as_effective_user = os.access in os.supports_effective_ids
    for place in (path.parent, path):
        if place.exists() and not os.access(place, os.W_OK, effective_ids=as_effective_user):
            raise StoreError(
                f"“{place}” cannot be written, so the database cannot be opened for writing.",
                "Check that you may write to the folder, or open the workspace for reading only.",
            )


def _use_write_ahead_log(db: Database, path: Path) -> None:
    (mode,) = db.conn.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(
            f"The folder “{path.parent}” does not allow a write-ahead log (the disk offers “{mode}”).",
            "Choose a workspace on a disk of this computer.",
        )


def _is_current(path: Path) -> bool:
    """Whether the file can be read where it is, at this version; otherwise a copy is needed."""
    try:
        with contextlib.closing(connect(path, mode="ro")) as db:
            inspect(db, path)
            return version_of(db) == VERSION
    except sqlite3.Error as error:
        if cannot_open(error):
            return False
        raise


def _copied(path: Path) -> Place:
    """A private copy with its write-ahead log, brought up to date."""
    place = Place(Path(tempfile.mkdtemp(prefix="medfm-read-")) / "copy.sqlite")
    place = Place(place.file, place.file.parent)
    try:
        for suffix in ("", "-wal"):
            source = path.with_name(path.name + suffix)
            if source.exists():
                shutil.copyfile(source, place.file.with_name(place.file.name + suffix))
        with contextlib.closing(connect(place.file, mode="rw", foreign_keys=False)) as db:
            inspect(db, path)
            migrate(db, place.file)
    except BaseException:
        place.discard()
        raise
    return place


def _explained(error: sqlite3.Error | OSError, path: Path) -> Exception:
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return full(path)
        return StoreError(
            f"The database “{path}” cannot be opened ({error.strerror}).",
            "Check that you may write to the folder, or open the workspace for reading only.",
        )
    return named(error, path)
