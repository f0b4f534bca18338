"""Reading folders in the background, one after another; what is found is told while it is found."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QObject, Signal

from medfm_gui.desk.asks.studies import IndexSource, SourceIndexed
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.bridge import Asks, Ticket


class Indexing(QObject):
    """Folders on their way into the index.

    Signals:
        told(Progress | None): how far it is; None when nothing is read any more.
        found(SourceIndexed): a part: studies that are new or grew.
        ended(SourceIndexed): a folder is read, all of it is kept.
        failed(MedfmError): it is not; nothing of it is kept.
    """

    told = Signal(object)
    found = Signal(object)
    ended = Signal(object)
    failed = Signal(object)

    def __init__(self, desk: Asks, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._waiting: deque[str] = deque()
        self._ticket: Ticket | None = None
        self.path = ""

    @property
    def is_busy(self) -> bool:
        """Whether a folder is being read."""
        return self._ticket is not None

    def start(self, path: str) -> None:
        """Read a folder or a file, after those that wait."""
        if path != self.path and path not in self._waiting:
            self._waiting.append(path)
        self._next()

    def cancel(self) -> None:
        """Read no more."""
        self._waiting.clear()
        if self._ticket is not None:
            self._ticket.cancel()

    def _next(self) -> None:
        if self._ticket is not None or not self._waiting:
            return
        self.path = self._waiting.popleft()
        self.told.emit(Progress("Looking through the folder"))
        self._ticket = self._desk.ask(
            IndexSource(self.path),
            owner=self,
            part=self.found.emit,
            progress=self.told.emit,
            then=self._end,
            failed=self._fail,
        )

    def _end(self, answer: SourceIndexed) -> None:
        self._over()
        self.ended.emit(answer)

    def _fail(self, error: MedfmError) -> None:
        self._over()
        self.failed.emit(error)

    def _over(self) -> None:
        self._ticket = None
        self.path = ""
        self.told.emit(None)
        self._next()
