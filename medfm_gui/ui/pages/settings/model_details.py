"""The chosen model: what is known of its weights, what can be done about them, and the licence where it asks."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.desk.asks.settings import SettingsView
from medfm_gui.domain.cards import WeightsState
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.models import Model

_NARROWEST_PX = SPACE[-1] * 7
OFFLINE = "The network is switched off: weights can be imported from a file, not fetched."


class ModelDetails(QScrollArea):
    """A panel that scrolls.

    Signals:
        accepted(Model): a person accepts the licence of its weights, and wants them.
    """

    accepted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._model: Model | None = None
        self._asked_of: Model | None = None
        self.panel = Panel("Chosen model")
        self._nothing = Label("Choose a model at the left.", "muted")
        self._facts = Facts()
        self.import_button = action("Import a file …", "import")
        self.pull_button = action("Fetch from the hub", "download")
        self.note = Label("", "caption")
        self.terms = Label("", selectable=True)
        self.accept_button = action("Accept and fetch", "check", "primary")
        self.decline_button = action("Not now")
        self._licence = self._licence_box()
        self._build()

    def _build(self) -> None:
        self.setWidget(self.panel)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("The chosen model")
        self.setMinimumWidth(_NARROWEST_PX)
        for widget in (self._nothing, _flow(self.import_button, self.pull_button), self.note, self._licence):
            self.panel.add(widget)
        self.panel.add(self._facts)
        self.panel.body.addStretch(1)
        self.accept_button.clicked.connect(self._accept)
        self.decline_button.clicked.connect(self._decline)

    def _licence_box(self) -> QFrame:
        box = QFrame()
        box.setProperty("role", "warning")
        box.setAccessibleName("Licence of the weights")
        column = QVBoxLayout(box)
        column.setContentsMargins(SPACE[2], SPACE[1], SPACE[2], SPACE[2])
        column.setSpacing(SPACE[1])
        column.addWidget(self.terms)
        column.addWidget(_flow(self.accept_button, self.decline_button))
        box.hide()
        return box

    @property
    def asks_for_licence(self) -> bool:
        """Whether the licence is shown and waits for a word."""
        return not self._licence.isHidden()

    def ask_for_licence(self, one: Model, then: str) -> None:
        """Show the licence of the chosen model's weights; ``then`` is what follows only when it is accepted."""
        self._asked_of = one
        self.accept_button.setText(f"Accept and {then}")
        self.terms.setText(model.terms(one))
        self._licence.show()
        self.ensureWidgetVisible(self._licence)
        self.accept_button.setFocus()

    def tell(self, one: Model | None, seen: SettingsView | None, *, is_busy: bool) -> None:
        """Show another model, or the same one anew."""
        self._model = one
        if one is None or self._asked_of is None or one.card.name != self._asked_of.card.name or is_busy:
            self._decline()
        self._nothing.setVisible(one is None)
        self._facts.setVisible(one is not None)
        self._facts.set_facts(model.about(one, seen.licences if seen else ()) if one is not None else ())
        self.panel.set_title(one.card.title if one is not None else "Chosen model")
        self._tell_deeds(one, seen, is_busy=is_busy)

    def _tell_deeds(self, one: Model | None, seen: SettingsView | None, *, is_busy: bool) -> None:
        for button in (self.import_button, self.pull_button):
            button.setVisible(one is not None)
        reason = "Choose a model first." if one is None else ""
        if is_busy:
            reason = "Other weights are being worked on."
        if one is not None and not reason and one.weights.state is WeightsState.IMPORTING:
            reason = "These weights are being brought in already."
        disable(self.import_button, reason)
        if one is not None and not reason and one.weights.state is WeightsState.BUNDLED:
            reason = "These weights are part of the program."
        if one is not None and not reason and not model.can_be_fetched(one):
            reason = "The hub has no weights of this model."
        disable(self.pull_button, reason)
        is_offline = one is not None and not reason and seen is not None and seen.is_offline
        if reason and one is not None and not is_busy:
            self.note.setText(reason)
        else:
            self.note.setText(OFFLINE if is_offline else "")
        self.note.setVisible(bool(self.note.text()))

    def _accept(self) -> None:
        one, self._asked_of = self._asked_of, None
        self._licence.hide()
        if one is not None:
            self.accepted.emit(one)

    def _decline(self) -> None:
        self._asked_of = None
        self._licence.hide()


def _flow(*widgets: QWidget) -> QWidget:
    row = QWidget()
    flow = FlowLayout(row, SPACE[1])
    for widget in widgets:
        flow.addWidget(widget)
    return row
