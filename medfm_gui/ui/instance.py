"""One window a workspace: a lock in the workspace, and a way to call the window that has it to the front.

The lock names process and computer. It is never taken from one that lives, also on another computer:
Qt's habit of taking a lock after thirty seconds is switched off.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_WAIT_MS = 300


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the workspace open: process number and computer."""

    pid: int
    host: str


class Instance(QObject):
    """The hold on a workspace.

    Signals:
        called(): another start of the program asks this window to show itself.
    """

    called = Signal()

    def __init__(self, root: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = QLockFile(str(root / "locks" / "window.lock"))
        self._lock.setStaleLockTime(0)
        # short, for the path of a local socket must stay below 107 characters
        self._name = "medfm-" + hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._server: QLocalServer | None = None

    def take(self) -> Holder | None:
        """Take the workspace; who has it, if somebody does."""
        if self._lock.tryLock(0):
            self._listen()
            return None
        # PySide returns what C++ fills in, in some versions after whether it could: pid, computer, program
        pid, host, _ = self._lock.getLockInfo()[-3:]
        return Holder(int(pid), str(host))

    def call_other(self) -> bool:
        """Ask the window that has the workspace to show itself; False if it does not answer."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        reached = socket.waitForConnected(_WAIT_MS)
        socket.abort()
        return reached

    def release(self) -> None:
        """Give the workspace up."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._lock.isLocked():
            self._lock.unlock()

    def _listen(self) -> None:
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(self._name)  # one that a killed window left; the lock says that it is ours now
        if server.listen(self._name):
            server.newConnection.connect(self._answer)
            self._server = server

    def _answer(self) -> None:
        if self._server is None:
            return
        while self._server.hasPendingConnections():
            connection = self._server.nextPendingConnection()
            connection.abort()
            connection.deleteLater()
        self.called.emit()
