"""Privacy: whose names are shown, what is kept of them, and what never leaves."""

from __future__ import annotations

from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.text import Label

IDENTITY = "identity.shown"

_KEPT = (
    (
        "Datasets from DICOM",
        "patients are named by pseudonyms, made with a secret key of this workspace. The same patient has the same "
        "pseudonym within a workspace and another one elsewhere. The key is never exported.",
    ),
    (
        "Datasets from tables",
        "a column with names of persons becomes pseudonyms as well; patient numbers stay as your table has them.",
    ),
    (
        "Studies",
        "the list of studies keeps the identity that the files hold, in this workspace alone. The files stay where "
        "they are and are never changed.",
    ),
    ("This window", "what it remembers between starts holds nothing of a patient."),
    ("Diagnostics", "hold no names, no values of images and no paths of data: you see them before you save them."),
)


class PrivacySection(Section):
    """A switch and plain words."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "Privacy", "Patients' data stay on this computer.", is_long=True)
        self.switch = Switch("Hide patient identity when the window opens")
        self.switch.clicked.connect(lambda: context.memory.put(IDENTITY, not self.switch.isChecked()))
        shown = Panel("On the screen")
        shown.add(self.switch)
        shown.add(Label("Identity in studies stays hidden until you show it on the Studies page.", "muted"))
        kept = Panel("What is kept of patients")
        kept.add(Facts(_KEPT))
        never = Panel("Telemetry")
        never.add(Label("There is none. MedFM Studio counts nothing, reports nothing and calls nobody."))
        for panel in (shown, kept, never):
            self.body.addWidget(panel)
        self.body.addStretch(1)

    def refresh(self) -> None:
        """Show what is remembered."""
        self.switch.setChecked(self.context.memory.get(IDENTITY, False) is not True)
