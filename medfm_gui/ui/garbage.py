"""Python's garbage is collected on the window's thread alone, in small portions, while the window is open.

Python collects on whichever thread happens to make the object that is one too many. A Qt object in a cycle would then
die on a thread that reads answers, with its timers and painters, and take the program along. And what is there once the
pages are built stays: it is set aside, so that later collections do not walk through all of it.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 1000
_FEW = 700
_SECOND = 8
_THIRD = 64


class Garbage(QObject):
    """Collects from its making until ``close``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._turns = 0
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect)
        self._timer.start(_EVERY_MS)

    def set_aside(self) -> None:
        """What is there now will stay: collect no more in it. What was set aside before may be garbage by now."""
        if gc.get_freeze_count():
            gc.unfreeze()
            gc.collect()
        gc.freeze()

    def close(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def _collect(self) -> None:
        if gc.get_count()[0] < _FEW:
            return
        self._turns += 1
        gc.collect(2 if self._turns % _THIRD == 0 else 1 if self._turns % _SECOND == 0 else 0)
