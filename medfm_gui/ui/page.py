"""What every page is: a widget that asks the desk for what it shows, when it is shown and when that became stale."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from medfm_gui.desk.entry import Topic
from medfm_gui.ui.context import Context


class Page(QWidget):
    """A page of the window. Subclasses lay out in ``__init__`` and fill in ``refresh``.

    Class attributes: ``key`` names it for navigation, ``title`` and ``icon`` for the rail, ``topics`` what it shows:
    an answer that changes one of them makes the page ask again (at once if it is visible, else when it is shown).
    """

    key: ClassVar[str] = ""
    title: ClassVar[str] = ""
    icon: ClassVar[str] = ""
    topics: ClassVar[tuple[Topic, ...]] = ()

    def __init__(self, context: Context) -> None:
        # a child of where it will be shown from the start: a new parent costs a styling of all that lies in it
        super().__init__(context.parent if isinstance(context.parent, QWidget) else None)
        self.context = context
        self.setAccessibleName(self.title)
        self._is_stale = True

    def refresh(self) -> None:
        """Ask the desk for everything that is shown. Keeps what is there until the answer comes."""

    def visit(self, **wish: Any) -> None:
        """Somebody was sent here: show what is wished (``runs=…``, ``dataset=…``); called after the page is shown."""

    def mark_stale(self, topic: str) -> None:
        """Something changed; ask again now or when next shown."""
        if topic in self.topics:
            if self.isVisible():
                self.refresh()
            else:
                self._is_stale = True

    def showEvent(self, event: QShowEvent) -> None:
        """Fill a page that was never shown or became stale."""
        super().showEvent(event)
        if self._is_stale:
            self._is_stale = False
            self.refresh()
