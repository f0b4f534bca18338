"""A switch that stands for one setting: read when its section comes up, written when it is turned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.settings import ReadSettings, SettingsView
from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings.job import JobRow
from medfm_gui.ui.widgets.forms import disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.switch import Switch


class SwitchPanel(Panel):
    """A titled panel with the switch, words below it, and what went wrong.

    Args:
        text: what stands beside the switch.
        order: the question that writes the setting, given whether the switch is on.
        take: told of the settings whenever they were read or written; returns whether the switch is on, and why it
            cannot be turned (empty if it can).
        words: what stands below it.
    """

    def __init__(
        self,
        context: Context,
        title: str,
        text: str,
        order: Callable[[bool], Ask[SettingsView]],
        take: Callable[[SettingsView], tuple[bool, str]],
        words: Sequence[QWidget] = (),
    ) -> None:
        super().__init__(title)
        self._context, self._order, self._tell = context, order, take
        self.switch = Switch(text)
        self.switch.clicked.connect(self._choose)
        self.trouble = JobRow()
        for widget in (self.switch, *words, self.trouble):
            self.add(widget)
        disable(self.switch, "The setting is being read.")

    def refresh(self) -> None:
        """Ask how it stands."""
        self._context.desk.ask(ReadSettings(), owner=self, then=self._take, failed=self._fail)

    def _take(self, seen: SettingsView) -> None:
        is_on, locked = self._tell(seen)
        self.switch.setChecked(is_on)
        disable(self.switch, locked)

    def _choose(self) -> None:
        self.trouble.clear()
        wanted = self._order(self.switch.isChecked())
        self._context.desk.ask(wanted, owner=self, then=self._take, failed=self._refused)

    def _refused(self, error: MedfmError) -> None:
        self.trouble.end_badly(error)
        self.refresh()

    def _fail(self, error: MedfmError) -> None:
        self.trouble.end_badly(error, "Try again", self._again)

    def _again(self) -> None:
        self.trouble.clear()
        self.refresh()
