"""What stands beside predictions besides the probabilities: sets of classes, off until somebody wants them."""

from __future__ import annotations

from medfm_gui.desk.asks.settings import OfferClassSets
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.pages.settings.setting_switch import SwitchPanel
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
        self.panel = SwitchPanel(
            context,
            "Sets of classes",
            "Offer sets of classes",
            OfferClassSets,
            lambda seen: (seen.class_sets, ""),
            (Label(_WHAT, "muted"), Label(_WHERE, "muted")),
        )
        self.switch, self.trouble = self.panel.switch, self.panel.trouble
        self.body.addWidget(self.panel)
        self.body.addStretch(1)

    def refresh(self) -> None:
        """Ask how it stands."""
        self.panel.refresh()
