"""One question at a time: where a newer one is asked, nobody hears the answer to the older."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject

from medfm_gui.desk.protocol import Ask, Progress
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.bridge import Asks, Ticket

T = TypeVar("T")


class Newest(QObject):
    """Asks for one owner; a newer question cancels the older one."""

    def __init__(self, desk: Asks, owner: QObject) -> None:
        super().__init__(owner)
        self._desk = desk
        self._ticket: Ticket | None = None
        self._number = 0

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is awaited."""
        return self._ticket is not None

    def ask(
        self,
        ask: Ask[T],
        then: Callable[[T], None],
        failed: Callable[[MedfmError], None],
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Ask, and forget what was asked before."""
        self.cancel()
        number = self._number

        def answered(value: T) -> None:
            if number == self._number:
                self._ticket = None
                then(value)

        def refused(error: MedfmError) -> None:
            if number == self._number:
                self._ticket = None
                failed(error)

        def told(news: Progress) -> None:
            if number == self._number and progress is not None:
                progress(news)

        self._ticket = self._desk.ask(ask, owner=self, then=answered, failed=refused, progress=told)

    def cancel(self) -> None:
        """The answer is wanted no more."""
        self._number += 1
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None
