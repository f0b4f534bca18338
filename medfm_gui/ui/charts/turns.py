"""Drawing that may wait a moment, in steps that each get a frame of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer

_GATHER_MS = 250
_BETWEEN_MS = 30


class Turns(QObject):
    """Carries out steps one after another, a moment apart, so that no frame paints all of them.

    What is asked for while the steps are under way is carried out by another round.
    """

    def __init__(self, steps: Sequence[Callable[[], None]], parent: QObject) -> None:
        super().__init__(parent)
        self._steps = tuple(steps)
        self._next = 0
        self._again = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._step)

    def begin(self) -> None:
        """Carry out every step from a quarter of a second on; asking again meanwhile costs nothing."""
        if not self._timer.isActive():
            self._timer.start(_GATHER_MS)
        elif self._next:
            self._again = True

    def stop(self) -> None:
        """Forget what was asked for: somebody has drawn everything."""
        self._timer.stop()
        self._next, self._again = 0, False

    def _step(self) -> None:
        step = self._steps[self._next]
        self._next = (self._next + 1) % len(self._steps)
        step()
        if self._next:
            self._timer.start(_BETWEEN_MS)
        elif self._again:
            self._again = False
            self._timer.start(_GATHER_MS)
