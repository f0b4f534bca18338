"""What stands beside predictions besides the probabilities: sets of classes, off until somebody wants them."""

from __future__ import annotations

from medfm_gui.desk.asks.settings import OfferClassSets, ReadSettings, SettingsView
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings.job import JobRow
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.widgets.forms import disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.text import Label

_WHAT = (
    "For tasks with three classes or more: beside the most probable class, all those that cannot be left out. Their "
    "limits come from the calibration images. A set holds the true class in 90 % of the cases of each class; that "
    "holds on average per class for cases like the calibration set, not for this patient."
)
_WHERE = (
    "The Studies page then offers a switch beside “Predict”; Compare (Per class) and reports tell how often the sets "
    "held the true class on the opened test."
)


class PredictionsSection(Section):
    """The switch for sets of classes."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "Predictions", "What may stand beside the probabilities.", is_long=True)
        self.switch = Switch("Offer sets of classes")
        self.switch.clicked.connect(self._choose)
        self.trouble = JobRow()
        panel = Panel("Sets of classes")
        for widget in (self.switch, Label(_WHAT, "muted"), Label(_WHERE, "muted"), self.trouble):
            panel.add(widget)
        self.body.addWidget(panel)
        self.body.addStretch(1)
        disable(self.switch, "The setting is being read.")

    def refresh(self) -> None:
        """Ask how it stands."""
        self.context.desk.ask(ReadSettings(), owner=self, then=self._take, failed=self._fail)

    def _take(self, seen: SettingsView) -> None:
        self.switch.setChecked(seen.class_sets)
        disable(self.switch, "")

    def _choose(self) -> None:
        self.trouble.clear()
        wanted = OfferClassSets(self.switch.isChecked())
        self.context.desk.ask(wanted, owner=self, then=self._take, failed=self._refused)

    def _refused(self, error: MedfmError) -> None:
        self.trouble.end_badly(error)
        self.refresh()

    def _fail(self, error: MedfmError) -> None:
        self.trouble.end_badly(error, "Try again", self._again)

    def _again(self) -> None:
        self.trouble.clear()
        self.refresh()
