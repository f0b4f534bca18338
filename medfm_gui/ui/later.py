"""Waiting until a person has finished typing or dragging."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Later(QTimer):
    """Calls a function once, some milliseconds after the last ``again``: for what a person is still typing."""

    def __init__(self, call: Callable[[], None], delay_ms: int, parent: QObject) -> None:
        super().__init__(parent)
        self.setSingleShot(True)
        self.setInterval(delay_ms)
        self.timeout.connect(call)

    def again(self) -> None:
        """Begin the wait anew."""
        self.start()
