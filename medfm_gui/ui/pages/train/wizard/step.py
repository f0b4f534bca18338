"""What the steps of the wizard share: a title, a sentence, a body."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medfm_gui.desk.asks.train import ListDevices
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.train import rules
from medfm_gui.ui.pages.train.model import PlanState
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label


class Step(QWidget):
    """One step. Subclasses fill ``body`` in ``__init__`` and show the plan in ``show_plan``, called at each change
    while the step is in front and when it comes to the front.

    Signals:
        onward(): the choice was made with Enter or a double click; go on.
    """

    onward = Signal()

    def __init__(self, context: Context, state: PlanState, at: rules.At, title: str, sentence: str) -> None:
        super().__init__()
        self.context = context
        self.state = state
        self.at = at
        self.setAccessibleName(title)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(SPACE[2])
        self.body.addWidget(Label(title, "heading2"))
        self.body.addWidget(Label(sentence, "muted"))
        self.body.addSpacing(SPACE[0])
        state.changed.connect(self._changed)

    @property
    def first(self) -> QWidget:
        """What has the focus where one cannot go on yet."""
        return self

    def show_plan(self) -> None:
        """Show the plan as it is now."""

    def entered(self) -> None:
        """The step came to the front: ask the desk for what it needs."""

    def _changed(self) -> None:
        if self.isVisible():
            self.show_plan()


def learn_devices(context: Context, state: PlanState, owner: QObject) -> None:
    """Ask which devices there are, where that is not known yet; a failure leaves what there was to choose from."""
    if not state.devices:
        context.desk.ask(
            ListDevices(),
            owner=owner,
            then=lambda answer: state.offer_devices(answer.devices),
            failed=lambda _: None,
        )
