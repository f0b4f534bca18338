"""The one thread of a process that writes to the database.

A *fact* is acknowledged only after it is committed. *Points* (progress, curves) are gathered for half a
second or a hundred of them and committed together; when that fails because another program holds the
database or the disk is full they stay here and are tried again. Order is kept: points that came before a
fact are written before it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlite_utils import Database

from medfm_gui.domain.errors import DatabaseBusy, DatabaseDamaged, DiskFull, MedfmError, StoreError
from medfm_gui.store.connection import BUSY_SLICE_MS, begin_immediate, connect, named, roll_back, sqlite3

T = TypeVar("T")
Change = Callable[[Database], T]

BATCH_POINTS = 100
BATCH_SECONDS = 0.5
BUSY_LIMIT_S = 30.0
TOLD_AFTER_S = 2.0

_BRIEF_S = 1.0  # how long points may hold up the facts behind them
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class _Fact(Generic[T]):
    change: Change[T]
    answer: Future[T]


@dataclass(frozen=True, slots=True)
class _Points:
    change: Change[None]
    count: int


@dataclass(frozen=True, slots=True)
class _End:
    answer: Future[None]


class NoWriter:
    """Stands where the writer is in a database that is open for reading only: every write is refused."""

    def write(self, change: Change[T]) -> T:
        """Refuse.

        Raises:
            StoreError: always.
        """
        raise StoreError("The workspace is open for reading only.", "Open it again for writing.")

    def later(self, change: Change[None], count: int = 1) -> None:
        """Refuse, as ``write``."""
        self.write(change)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""


class Writer:
    """Owns the writing connection. Every method may be called from any thread.

    Args:
        path: an existing database at this version.
        on_waiting: called once, from the writing thread, with the seconds waited, when another program
            has held the database for ``TOLD_AFTER_S``.
        busy_limit_s: after so long a fact is given up with ``DatabaseBusy``.
    """

    def __init__(
        self, path: Path, *, on_waiting: Callable[[float], None] | None = None, busy_limit_s: float = BUSY_LIMIT_S
    ) -> None:
        self._path = path
        self._on_waiting = on_waiting
        self._busy_limit_s = busy_limit_s
        self._orders: queue.SimpleQueue[_Fact[Any] | _Points | _End] = queue.SimpleQueue()
        self._points: list[_Points] = []
        self._due = float("inf")
        self._blocked_until = 0.0
        self._busy_since: float | None = None
        self._was_told = False
        self._lost: MedfmError | None = None
        self._gate = threading.Lock()
        self._is_closed = False
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._serve, args=(started,), name="database", daemon=True)
        self._thread.start()
        started.result()

    def write(self, change: Change[T]) -> T:
        """Carry out a change in a transaction of its own; it is durable when this returns.

        Raises:
            DatabaseBusy, DiskFull, StoreError: nothing of it was written.
        """
        answer: Future[T] = Future()
        self._order(_Fact(change, answer))
        return answer.result()

    def later(self, change: Change[None], count: int = 1) -> None:
        """Carry out a change of ``count`` points with the next batch."""
        self._order(_Points(change, count))

    def flush(self) -> None:
        """Wait until every point given so far is committed.

        Raises:
            DatabaseBusy, DiskFull: they could not be written yet; they are kept and tried again.
            MedfmError: one of them could never be written.
        """
        self.write(self._report)

    def close(self) -> None:
        """Write what is left, fold the write-ahead log into the file and end the thread. Does nothing when closed.

        Raises:
            MedfmError: points that could not be written; the events' files still have them.
        """
        with self._gate:
            if self._is_closed:
                return
            self._is_closed = True
            answer: Future[None] = Future()
            self._orders.put(_End(answer))
        self._thread.join()
        answer.result()

    def _order(self, order: _Fact[Any] | _Points) -> None:
        with self._gate:
            if self._is_closed:
                raise StoreError("The database is closed.", "Open the workspace again.")
            self._orders.put(order)

    def _serve(self, started: Future[None]) -> None:
        try:
            self._db = connect(self._path, mode="rw", wait_ms=BUSY_SLICE_MS)
        except sqlite3.Error as error:
            started.set_exception(named(error, self._path))
            return
        started.set_result(None)
        while True:
            match self._next():
                case _Points() as points:
                    self._keep(points)
                case _Fact() as fact:
                    self._answer(fact)
                case _End() as end:
                    self._finish(end)
                    return
                case None:
                    self._try_points()

    def _next(self) -> _Fact[Any] | _Points | _End | None:
        """The next order, or None when the points are due first."""
        if self._due == float("inf"):
            return self._orders.get()
        try:
            return self._orders.get(timeout=max(0.0, self._due - time.monotonic()))
        except queue.Empty:
            return None

    def _keep(self, points: _Points) -> None:
        now = time.monotonic()
        self._points.append(points)
        self._due = max(min(self._due, now + BATCH_SECONDS), self._blocked_until)
        if now >= self._blocked_until and sum(kept.count for kept in self._points) >= BATCH_POINTS:
            self._try_points()

    def _answer(self, fact: _Fact[Any]) -> None:
        try:
            self._commit_points(self._busy_limit_s)
            done = self._transaction(fact.change, self._busy_limit_s)
        except Exception as error:  # noqa: BLE001 - handed to the thread that asked, whatever it is
            fact.answer.set_exception(self._cause(error))
        else:
            fact.answer.set_result(done)

    def _try_points(self) -> None:
        try:
            self._commit_points(_BRIEF_S)
        except Exception as error:  # noqa: BLE001 - nobody waits for it: kept, tried again, and told at the next flush
            if not isinstance(error, DatabaseBusy | DiskFull):
                self._lost = named(error, self._path)
            self._due = self._blocked_until = time.monotonic() + _RETRY_S

    def _finish(self, end: _End) -> None:
        try:
            self._commit_points(self._busy_limit_s)
            self._report(self._db)
        except Exception as error:  # noqa: BLE001 - handed to the thread that closes
            end.answer.set_exception(self._cause(error))
        else:
            end.answer.set_result(None)
        finally:
            self._close_connection()

    def _report(self, _: Database) -> None:
        lost, self._lost = self._lost, None
        if lost:
            raise lost

    def _close_connection(self) -> None:
        try:
            self._db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            pass  # another reader or a full disk: the log keeps everything until the next close
        finally:
            self._db.close()

    def _commit_points(self, limit_s: float) -> None:
        if not self._points:
            return
        kept = self._points
        try:
            self._transaction(lambda db: self._apply(db, kept), limit_s)
        except sqlite3.Error as error:
            raise named(error, self._path) from error
        self._points, self._due, self._blocked_until = [], float("inf"), 0.0

    def _apply(self, db: Database, kept: list[_Points]) -> None:
        """Each point in a savepoint: one that can never be written is reported and does not hold up the others."""
        for points in kept:
            try:
                with db.atomic():
                    points.change(db)
            except Exception as error:
                cause = named(error, self._path)
                if isinstance(cause, DatabaseBusy | DiskFull | DatabaseDamaged) or not db.conn.in_transaction:
                    raise
                self._lost = cause

    def _transaction(self, change: Change[T], limit_s: float) -> T:
        begin_immediate(self._db, self._path, limit_s=limit_s, on_busy=self._tell)
        self._busy_since, self._was_told = None, False
        try:
            done = change(self._db)
            self._db.conn.execute("COMMIT")
        except BaseException:
            roll_back(self._db)
            raise
        return done

    def _tell(self, waited_s: float) -> None:
        """Remember how long the database has been held, over all attempts, and say so once."""
        now = time.monotonic()
        if self._busy_since is None:
            self._busy_since = now - waited_s
        held_s = now - self._busy_since
        if self._on_waiting and held_s >= TOLD_AFTER_S and not self._was_told:
            self._was_told = True
            try:
                self._on_waiting(held_s)
            except Exception as error:  # noqa: BLE001 - a listener that fails must not undo a write; told at the next flush
                self._lost = named(error, self._path)

    def _cause(self, error: Exception) -> Exception:
        """The error to hand over; a defect of the caller's change stays what it is."""
        if not isinstance(error, sqlite3.Error):
            return error
        cause = named(error, self._path)
        cause.__cause__ = error
        return cause
