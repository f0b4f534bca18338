"""The network: off until somebody allows it, and what would use it."""

from __future__ import annotations

from medfm_gui.desk.asks.settings import AllowNetwork, SettingsView
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.pages.settings.setting_switch import SwitchPanel
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.panel import Panel
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
        self._state = Label("", "muted")
        self.panel = SwitchPanel(
            context,
            "Offline mode",
            "Offline: use no network",
            lambda is_offline: AllowNetwork(not is_offline),
            self._tell,
            (self._state,),
        )
        self.switch, self.trouble = self.panel.switch, self.panel.trouble
        self.switch.setChecked(True)
        uses = Panel("What uses the network")
        uses.add(Facts(_USES))
        self.body.addWidget(self.panel)
        self.body.addWidget(uses)
        self.body.addStretch(1)

    def refresh(self) -> None:
        """Ask how it stands."""
        self.panel.refresh()

    def _tell(self, seen: SettingsView) -> tuple[bool, str]:
        locked = "MEDFM_OFFLINE is set for this computer: the network stays off." if seen.is_offline_locked else ""
        if locked:
            words = f"{locked} Only whoever set it can change that."
        elif seen.is_offline:
            words = "Fetching weights is refused. Files can be imported from a disk."
        else:
            words = "Weights may be fetched when you ask for it."
        self._state.setText(words)
        return seen.is_offline, locked
