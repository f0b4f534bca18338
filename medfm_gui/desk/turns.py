"""Who may work at one moment: many lanes beside one another, or one question all alone."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

_LOOK_S = 0.1


class Turns:
    """Shared and exclusive turns. Questions that work alone wait for a moment in which nobody else does."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._working = 0
        self._is_alone = False

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        """Work beside others, once nobody works alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_alone)
            self._working += 1
        try:
            yield
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self, stopped: threading.Event) -> Iterator[None]:
        """Work while nobody else does; entered at once, for nothing, when ``stopped`` is set meanwhile."""
        with self._changed:
            while (self._working or self._is_alone) and not stopped.is_set():
                self._changed.wait(_LOOK_S)
            is_mine = not self._working and not self._is_alone
            self._is_alone = self._is_alone or is_mine
        try:
            yield
        finally:
            with self._changed:
                if is_mine:
                    self._is_alone = False
                self._changed.notify_all()
