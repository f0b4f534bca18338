"""Train: what a training is, and the wizard that plans one."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import DatasetList, ListDatasets
from medfm_gui.desk.asks.train import ListModels, RunOrder, RunSpecOf
from medfm_gui.desk.entry import Topic
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.actions import Action
from medfm_gui.ui.context import Context
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages.train.intro import Introduction
from medfm_gui.ui.pages.train.model import PlanState
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.wizard.wizard import TrainWizard
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.states import StatePane


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
        self._intro = Introduction(self.begin, self._resume)
        self._stack = QStackedLayout(content)
        self._stack.addWidget(self._intro)
        self.state = PlanState(self)
        self._wizard = Deferred(self._make_wizard)
        self._stack.addWidget(self._wizard)
        group = self.title
        context.actions.add(
            self,
            Action("train.new", "New training", self.begin, "Ctrl+N", group),
            Action("train.next", "Next step", self._forward, "Alt+Right", group, lambda: self.is_planning),
            Action(
                "train.back", "Step before", lambda: self.wizard.back(), "Alt+Left", group, lambda: self.is_planning
            ),
            Action(
                "train.start",
                "Start the runs",
                lambda: self.wizard.start(),
                "Ctrl+Return",
                group,
                lambda: self.is_planning,
            ),
        )

    @property
    def wizard(self) -> TrainWizard:
        """What plans a training."""
        return self._wizard.part

    @property
    def is_planning(self) -> bool:
        """Whether the wizard is open."""
        return self._stack.currentWidget() is self._wizard

    def _make_wizard(self, place: QWidget) -> TrainWizard:
        wizard = TrainWizard(self.context, self.state, place)
        wizard.closed.connect(self._close)
        wizard.started.connect(self._started)
        return wizard

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
        self._stack.setCurrentWidget(self._wizard)
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
        self._stack.setCurrentWidget(self._wizard)
        self.wizard.refresh()

    def _forward(self) -> None:
        if self.wizard.at < At.REVIEW:
            self.wizard.forward()

    def _close(self) -> None:
        self.wizard.leave_review()
        self._intro.offer_to_resume(self.state.plan.dataset is not None)
        self._stack.setCurrentWidget(self._intro)

    def _started(self, runs: tuple[str, ...]) -> None:
        self.state.restart()
        self.wizard.go_to(At.DATA)
        self._intro.offer_to_resume(False)
        self._stack.setCurrentWidget(self._intro)
        if runs:
            self.context.go("runs", run=runs[0])
