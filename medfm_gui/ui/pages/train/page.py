"""Train: what a training is, and the wizard that plans one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import DatasetList, ListDatasets
from medfm_gui.desk.asks.train import ListModels, RunOrder, RunSpecOf
from medfm_gui.desk.entry import Topic
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.actions import Action
from medfm_gui.ui.context import Context
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages.train.model import WAYS, PlanState
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.wizard.wizard import TrainWizard
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label

_WIDEST_PX = SPACE[-1] * 30


class TrainPage(Page):
    """An introduction, then the wizard; the plan stays when one leaves the page."""

    key = "train"
    title = "Train"
    icon = "train"
    topics = (Topic.DATASETS, Topic.SPLITS, Topic.MODELS)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        content = QWidget()
        self.pane = StatePane(content)
        column = QVBoxLayout(self)  # outermost first: each new parent costs a styling of all that lies in it
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pane)
        self._intro = _Intro(self.begin, self._resume)
        self._stack = QStackedLayout(content)
        self._stack.addWidget(self._intro)
        self.state = PlanState(self)
        self.wizard = TrainWizard(context, self.state)
        self.wizard.closed.connect(self._close)
        self.wizard.started.connect(self._started)
        self._stack.addWidget(self.wizard)
        group = self.title
        context.actions.add(
            self,
            Action("train.new", "New training", self.begin, "Ctrl+N", group),
            Action("train.next", "Next step", self._forward, "Alt+Right", group, lambda: self.is_planning),
            Action("train.back", "Step before", self.wizard.back, "Alt+Left", group, lambda: self.is_planning),
            Action("train.start", "Start the runs", self.wizard.start, "Ctrl+Return", group, lambda: self.is_planning),
        )

    @property
    def is_planning(self) -> bool:
        """Whether the wizard is open."""
        return self._stack.currentWidget() is self.wizard

    def refresh(self) -> None:
        """Ask again for what the open step shows."""
        if self.is_planning:
            self.wizard.refresh()

    def visit(self, **wish: Any) -> None:
        """``dataset=``, ``split=`` or ``clone=`` (a run) fill the wizard in."""
        if clone := str(wish.get("clone") or ""):
            self.pane.show_busy("Reading the run’s order")
            self.context.desk.ask(
                RunSpecOf(clone), owner=self, then=self._read, failed=lambda error: self._fail(error, wish)
            )
        elif dataset := str(wish.get("dataset") or ""):
            self.state.restart()
            self._fill(dataset, str(wish.get("split") or ""))

    def begin(self) -> None:
        """An empty plan at its first step."""
        self.state.restart()
        self._open(At.DATA)

    def _fill(self, dataset: str, split: str, order: RunOrder | None = None) -> None:
        def found(answer: DatasetList) -> None:
            self.pane.show_content()
            row = next((one for one in answer.datasets if one.id == dataset), None)
            if row is None:
                self.context.say(f"There is no dataset “{dataset}” in this workspace any more.", "warning")
                self._open(At.DATA)
                return
            self.wizard.split.wanted = split
            if order is not None:
                self.state.repeat(order, row)
            else:
                self.state.put(dataset=row)
            self._open(At.SPLIT)

        failed = lambda error: self._fail(error, {"dataset": dataset, "split": split})  # noqa: E731
        self.context.desk.ask(ListDatasets(), owner=self, then=found, failed=failed)

    def _read(self, order: RunOrder) -> None:
        self.state.restart()
        self._fill(order.dataset, order.split, order)

    def _fail(self, error: MedfmError, wish: dict[str, Any]) -> None:
        self.pane.show_error(error, "Try again", lambda: self.visit(**wish))

    def _open(self, step: At) -> None:
        self.pane.show_content()
        self._stack.setCurrentWidget(self.wizard)
        self._learn_models()
        before = self.wizard.at
        self.wizard.go_to(step)
        if self.wizard.at == before:
            self.wizard.refresh()
        self.wizard.step.first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _learn_models(self) -> None:
        """A plan that was filled in can be reviewed at once, which needs the models; their own step tells of errors."""
        self.context.desk.ask(
            ListModels(), owner=self, then=lambda answer: self.state.offer_models(answer.models), failed=lambda _: None
        )

    def _resume(self) -> None:
        self._stack.setCurrentWidget(self.wizard)
        self.wizard.refresh()

    def _forward(self) -> None:
        if self.wizard.at < At.REVIEW:
            self.wizard.forward()

    def _close(self) -> None:
        self.wizard.review.left()
        self._intro.offer_to_resume(self.state.plan.dataset is not None)
        self._stack.setCurrentWidget(self._intro)

    def _started(self, runs: tuple[str, ...]) -> None:
        self.state.restart()
        self.wizard.go_to(At.DATA)
        self._intro.offer_to_resume(False)
        self._stack.setCurrentWidget(self._intro)
        if runs:
            self.context.go("runs", run=runs[0])


class _Intro(QWidget):
    """What a training is, in a few sentences, and the ladder of ways."""

    def __init__(self, begin: Callable[[], None], resume: Callable[[], None]) -> None:
        super().__init__()
        inside = QWidget()
        inside.setMaximumWidth(_WIDEST_PX)
        column = QVBoxLayout(inside)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[4])
        column.setSpacing(SPACE[3])
        column.addWidget(Label("Train", "heading1"))
        column.addWidget(
            Label(
                "Choose images, a split, foundation models and ways to adapt them. Every combination becomes a run on "
                "the same frozen split, so that differences can be tested. The test side stays sealed until opened.",
                "muted",
            )
        )
        new = action("New training", "plus", "primary")
        new.clicked.connect(begin)
        self._resume = action("Go on with the plan", "chevron-right")
        self._resume.clicked.connect(resume)
        self._resume.hide()
        row = QHBoxLayout()
        row.setSpacing(SPACE[2])
        row.addWidget(new)
        row.addWidget(self._resume)
        row.addStretch(1)
        column.addLayout(row)
        column.addSpacing(SPACE[3])
        column.addWidget(Label("The ladder of adaptation", "heading3"))
        ladder = QHBoxLayout()
        ladder.setSpacing(SPACE[2])
        for way in WAYS:
            card = Panel()
            card.add(Label(way.title, "heading3"))
            card.add(Label(way.summary, "muted"))
            card.body.addStretch(1)
            ladder.addWidget(card, 1)
        column.addLayout(ladder)
        column.addStretch(1)
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.addWidget(inside, _WIDEST_PX, Qt.AlignmentFlag.AlignTop)
        across.addStretch(1)  # beyond its width it stays at the left, as every page
        new.setFocus()

    def offer_to_resume(self, possible: bool) -> None:
        """Whether a plan was begun."""
        self._resume.setVisible(possible)
