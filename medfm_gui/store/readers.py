"""Reading connections: as many as read at the same time, kept for the next reader, none able to write."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from medfm_gui.domain.errors import StoreError
from medfm_gui.store.connection import connect, named, sqlite3


@dataclass(frozen=True, slots=True)
class Reader:
    """A reading connection inside a transaction: all queries made with it see the same moment.

    ``root`` is the folder that stored paths are relative to.
    """

    db: Database
    root: Path


class Readers:
    """Reading connections to one database.

    Args:
        file: the database, or the private copy of it.
        root: the folder of the database itself.
    """

    def __init__(self, file: Path, root: Path) -> None:
        self._file = file
        self._root = root
        self._idle: list[Database] = []
        self._gate = threading.Lock()
        self._is_closed = False

    @contextlib.contextmanager
    def reading(self) -> Iterator[Reader]:
        """A reader for the block, in any thread.

        Raises:
            StoreError: the database is closed, damaged or gone.
        """
        db = self._take()
        try:
            db.conn.execute("BEGIN")
            yield Reader(db, self._root)
        except sqlite3.Error as error:
            raise named(error, self._file) from error
        finally:
            self._give_back(db)

    def close(self) -> None:
        """Close all that are idle; one in use is closed when it is given back."""
        with self._gate:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    def _take(self) -> Database:
        with self._gate:
            if self._is_closed:
                raise StoreError("The database is closed.", "Open the workspace again.")
            if self._idle:
                return self._idle.pop()
        try:
            return connect(self._file, mode="ro")
        except sqlite3.Error as error:
            raise named(error, self._file) from error

    def _give_back(self, db: Database) -> None:
        with contextlib.suppress(sqlite3.Error):
            db.conn.execute("COMMIT")
        with self._gate:
            if not self._is_closed and not db.conn.in_transaction:
                self._idle.append(db)
                return
        db.close()
