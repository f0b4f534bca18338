"""The demonstration: what it does, how far it is, and what it left to look at."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.home import Overview
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui import icons
from medfm_gui.ui.pages.home import model
from medfm_gui.ui.pages.home.computer import ProblemCard
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.steps import Step, StepList, StepState
from medfm_gui.ui.widgets.text import Label, set_role
from medfm_gui.workspace.doctor import Problem

_ABOUT = (
    "The whole way on simulated patients: import, split by patient, two models, a sealed test, one study with a heat "
    "map, a report. About a minute or two; nothing leaves this computer."
)


class DemoPanel(Panel):
    """The demonstration in its own workspace.

    Signals:
        started(): run it.
        cancelled(): stop it.
        chosen(str): the page of that key is wanted, with what the demonstration left.
    """

    started = Signal()
    cancelled = Signal()
    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Demonstration", parent=parent)
        self._about = Label(_ABOUT, "muted")
        self._busy = ProgressRow()
        self._busy.on_cancel(self.cancelled.emit)
        self._steps = StepList()
        self._trouble: ProblemCard | None = None
        self.start_button = action("Run the demonstration", "play", "primary")
        self.start_button.clicked.connect(self.started)
        self.links = {
            "runs": action("The runs", "runs"),
            "compare": action("Their comparison", "compare"),
            "studies": action("The study with its heat map", "studies"),
            "reports": action("The report", "reports"),
        }
        self._found = QWidget()
        flow = FlowLayout(self._found, SPACE[1])
        for key, button in self.links.items():
            button.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            flow.addWidget(button)
        start = QWidget()
        FlowLayout(start).addWidget(self.start_button)
        for widget in (self._about, self._busy, self._steps, self._found, start):
            self.add(widget)
        self._start = start
        self._at = -1
        self._stop()

    @property
    def is_running(self) -> bool:
        """It runs now."""
        return not self._busy.isHidden()

    def tell(self, seen: Overview, *, is_read_only: bool) -> None:
        """Show what there is of it in this workspace."""
        reason = "This workspace is open read-only." if is_read_only else ""
        if not self.is_running:
            disable(self.start_button, reason)
        is_made = bool(seen.newest_runs) and seen.reports > 0
        self._found.setVisible(is_made and not self.is_running)
        for key, button in self.links.items():
            button.setVisible(key != "studies" or bool(seen.study))
        if is_made and not self.is_running:
            self._about.setText("It is done. Everything below is real output of this computer, on simulated patients.")
            self.start_button.setText("Run it again")
            icons.put(self.start_button, "play")
            set_role(self.start_button, "")
        self._start.setVisible(not self.is_running)

    def begin(self) -> None:
        """It was started."""
        self._forget_trouble()
        self._at = -1
        self._about.setText(_ABOUT)
        self._busy.tell("Starting")
        self._busy.on_cancel(self.cancelled.emit)
        self._busy.show()
        self._found.hide()
        self._start.hide()
        self._show_steps()

    def tell_progress(self, progress: Progress) -> None:
        """Show how far it is."""
        at = model.demo_step(progress.text)
        self._busy.tell(progress.text, progress.total, progress.done, progress.seconds_left)
        if at >= 0 and at != self._at:
            self._at = at
            self._show_steps()

    def end(self, error: MedfmError | None = None) -> None:
        """It is over; an error is read here."""
        self._stop()
        self._start.show()
        if error is not None:
            self._forget_trouble()
            role = "warning" if isinstance(error, Interrupted) else "bad"
            self._trouble = ProblemCard(Problem(error.message, error.hint), role)
            self.body.insertWidget(2, self._trouble)

    def _stop(self) -> None:
        self._busy.hide()
        self._steps.hide()
        self._found.hide()

    def _forget_trouble(self) -> None:
        if self._trouble is not None:
            self.body.removeWidget(self._trouble)
            self._trouble.hide()
            self._trouble.deleteLater()
            self._trouble = None

    def _show_steps(self) -> None:
        def state(at: int) -> StepState:
            return StepState.DONE if at < self._at else StepState.CURRENT if at == self._at else StepState.AHEAD

        self._steps.set_steps([Step(title, state(at)) for at, (_, title) in enumerate(model.DEMO_STEPS)])
        self._steps.show()
