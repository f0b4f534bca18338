"""The network: off until somebody allows it, and what would use it."""

from __future__ import annotations

from medfm_gui.desk.asks.settings import AllowNetwork, ReadSettings, SettingsView
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings.job import JobRow
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.forms import disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.text import Label

_USES = (
    (
        "Fetching weights",
        "from huggingface.co when you press “Fetch from the hub”; only the name of the file goes out.",
    ),
    ("Anything else", "never. No telemetry, no update check, no account; images and results stay on this computer."),
)


class NetworkSection(Section):
    """The switch."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "Network", "MedFM Studio works without a network.", is_long=True)
        self.switch = Switch("Offline: use no network")
        self.switch.setChecked(True)
        self.switch.clicked.connect(self._choose)
        self._state = Label("", "muted")
        self.trouble = JobRow()
        panel = Panel("Offline mode")
        for widget in (self.switch, self._state, self.trouble):
            panel.add(widget)
        uses = Panel("What uses the network")
        uses.add(Facts(_USES))
        self.body.addWidget(panel)
        self.body.addWidget(uses)
        self.body.addStretch(1)
        disable(self.switch, "The setting is being read.")

    def refresh(self) -> None:
        """Ask how it stands."""
        self.context.desk.ask(ReadSettings(), owner=self, then=self._take, failed=self._fail)

    def _take(self, seen: SettingsView) -> None:
        self.switch.setChecked(seen.is_offline)
        locked = "MEDFM_OFFLINE is set for this computer: the network stays off."
        disable(self.switch, locked if seen.is_offline_locked else "")
        if seen.is_offline_locked:
            words = f"{locked} Only whoever set it can change that."
        elif seen.is_offline:
            words = "Fetching weights is refused. Files can be imported from a disk."
        else:
            words = "Weights may be fetched when you ask for it."
        self._state.setText(words)

    def _choose(self) -> None:
        self.trouble.clear()
        self.context.desk.ask(
            AllowNetwork(not self.switch.isChecked()), owner=self, then=self._take, failed=self._refused
        )

    def _refused(self, error: MedfmError) -> None:
        self.trouble.end_badly(error)
        self.refresh()

    def _fail(self, error: MedfmError) -> None:
        self.trouble.end_badly(error, "Try again", self._again)

    def _again(self) -> None:
        self.trouble.clear()
        self.refresh()
