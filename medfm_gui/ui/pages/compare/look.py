"""A question of a tab: asked when somebody looks at it, and again when it is another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from medfm_gui.desk.protocol import Ask, Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui.bridge import Asks
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.widgets.states import StatePane


class Look(QObject):
    """Fills the pane of a tab from one question at a time.

    The tab calls ``seen`` when it is shown; until then nothing is asked, for some answers take their time.
    """

    def __init__(self, desk: Asks, tab: QWidget, pane: StatePane, doing: str, show: Callable[[Any], None]) -> None:
        super().__init__(tab)
        self._asking = Newest(desk, tab)
        self._tab, self._pane, self._doing, self._show = tab, pane, doing, show
        self._wanted: Ask[Any] | None = None
        self._asked: Ask[Any] | None = None

    def want(self, ask: Ask[Any] | None) -> None:
        """This is the question now; None: there is none, and what was asked is given up."""
        if ask is None:
            self._asking.cancel()
            self._asked = None
        self._wanted = ask
        if self._tab.isVisible():
            self.seen()

    def again(self) -> None:
        """The answer may be another one now."""
        self._asked = None
        if self._tab.isVisible():
            self.seen()

    def seen(self) -> None:
        """Ask what was not asked yet."""
        if self._wanted is None or self._wanted == self._asked:
            return
        self._asked = self._wanted
        self._pane.show_busy(self._doing, on_cancel=self._stop)
        self._asking.ask(self._asked, self._answered, self._failed, self._progress)

    def _answered(self, answer: Any) -> None:
        self._pane.show_content()
        self._show(answer)

    def _progress(self, news: Progress) -> None:
        self._pane.show_busy(news.text, news.total, news.done, news.seconds_left, self._stop)

    def _failed(self, error: MedfmError) -> None:
        self._pane.show_error(error, "Try again", self.again)

    def _stop(self) -> None:
        self._asking.cancel()
        self._failed(Interrupted("It was cancelled.", "Start it again when you like."))
