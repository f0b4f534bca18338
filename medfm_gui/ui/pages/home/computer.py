"""What this computer can do, as it was seen when it was last examined, and what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from medfm_gui.desk.asks.home import Examination
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.pages.home import model
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.doctor import Problem


class ProblemCard(QFrame):
    """Something in the way and what to do about it."""

    def __init__(self, problem: Problem, role: str = "warning", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", role)
        self.setAccessibleName(problem.message)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[2], SPACE[1], SPACE[2], SPACE[1])
        column.setSpacing(SPACE[0])
        column.addWidget(Label(problem.message))
        if problem.hint:
            column.addWidget(Label(problem.hint, "muted"))


class ComputerPanel(Panel):
    """Devices, memory, disk, weights, network, and problems.

    Signals:
        again(): examine it anew.
        weights(): the list of weights is wanted.
    """

    again = Signal()
    weights = Signal()

    def __init__(self, title: str = "This computer", parent: QWidget | None = None) -> None:
        super().__init__(title, parent=parent)
        self.again_button = action("Examine", "retry")
        self.again_button.setAccessibleName("Examine this computer again")
        self.again_button.clicked.connect(self.again)
        self._busy = ProgressRow()
        self._busy.hide()
        self._facts = Facts()
        self._nothing = Label("It has not been examined yet.", "muted")
        self._problems = QVBoxLayout()
        self._problems.setSpacing(SPACE[1])
        self._cards: list[ProblemCard] = []
        self.weights_button = action("Weights of models", "download")
        self.weights_button.clicked.connect(self.weights)
        self.add(self._busy)
        self.body.addLayout(self._problems)
        self.add(self._nothing)
        self.add(self._facts)
        foot = QWidget()
        buttons = FlowLayout(foot)  # beside the title there is no room in a narrow column
        buttons.addWidget(self.again_button)
        buttons.addWidget(self.weights_button)
        self.add(foot)

    @property
    def is_busy(self) -> bool:
        """It is being examined."""
        return not self._busy.isHidden()

    def tell(self, seen: Examination, now: datetime) -> None:
        """Show what was seen."""
        rows = model.facts(seen, now)
        self._facts.set_facts(rows)
        self._facts.setVisible(bool(rows))
        self._nothing.setVisible(not rows)
        self._show_problems(seen.diagnosis.problems if seen.diagnosis else ())

    def tell_progress(self, progress: Progress) -> None:
        """Show how far the examination is; what was seen before stays."""
        self._busy.tell(progress.text, progress.total, progress.done, progress.seconds_left)
        self._busy.show()
        self._nothing.hide()
        self.again_button.setEnabled(False)

    def end(self, error: MedfmError | None = None) -> None:
        """It is over; an error is read here."""
        self._busy.hide()
        self.again_button.setEnabled(True)
        if error is not None:
            self._show_problems((Problem(error.message, error.hint),), role="bad")

    def _show_problems(self, problems: Sequence[Problem], role: str = "warning") -> None:
        for card in self._cards:
            self._problems.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards = [ProblemCard(problem, role) for problem in problems]
        for card in self._cards:
            self._problems.addWidget(card)
