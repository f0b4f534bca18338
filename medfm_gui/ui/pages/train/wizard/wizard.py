"""The wizard: steps at the left, the open step in the middle, the plan at the right, Back and Next below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget, QWizard, QWizardPage

from medfm_gui.desk.asks.data import UnitsOf
from medfm_gui.desk.asks.train import CreateRuns, RunsMade, ThresholdRulesOf
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.train import operating, rules
from medfm_gui.ui.pages.train.model import PlanState, learn_units
from medfm_gui.ui.pages.train.rules import TITLES, At
from medfm_gui.ui.pages.train.wizard.adaptation import AdaptationStep
from medfm_gui.ui.pages.train.wizard.data import DataStep
from medfm_gui.ui.pages.train.wizard.models import ModelsStep
from medfm_gui.ui.pages.train.wizard.recipe import RecipeStep
from medfm_gui.ui.pages.train.wizard.review import ReviewStep
from medfm_gui.ui.pages.train.wizard.split import SplitStep
from medfm_gui.ui.pages.train.wizard.step import Step
from medfm_gui.ui.pages.train.wizard.summary import Summary
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets import steps
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.text import Label

S = TypeVar("S", bound=Step)
_STEPS_PX = SPACE[-1] * 5 + SPACE[3]
_READ_ONLY = "This workspace is open read-only, because another window has it."


class _Pages(QWizard):
    """Qt's wizard inside a page: it has no buttons of its own, and Escape does not close it."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setWizardStyle(QWizard.WizardStyle.ModernStyle)
        self.setOption(QWizard.WizardOption.IndependentPages)
        self.setOption(QWizard.WizardOption.NoDefaultButton)
        self.setOption(QWizard.WizardOption.NoCancelButton)
        self.setButtonLayout([])

    def add(self, number: int, step: QWidget) -> None:
        """The next page."""
        page = QWizardPage()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(step)
        # else Qt gives the height that a page does not ask for to an empty place below it
        page.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setPage(number, page)

    def strip(self) -> None:
        """Take away the ground, the rule and the margin that its style has around a page."""
        frame = self.page(0).parentWidget()
        holder = frame.parentWidget() if frame is not None else None
        if not isinstance(frame, QFrame) or holder is None:
            return
        frame.setAutoFillBackground(False)
        frame.setFrameShape(QFrame.Shape.NoFrame)
        for child in holder.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if type(child) is QWidget:
                child.setFixedHeight(0)
        for row in holder.findChildren(QHBoxLayout):
            row.setContentsMargins(0, 0, 0, 0)  # of the buttons that there are none of

    def reject(self) -> None:
        """Nothing is lost by a slip on Escape."""

    def accept(self) -> None:
        """Start is a button of its own."""


class _Units(QObject):
    """Asks what numbers of the chosen dataset can count, once for each dataset (``of`` is the last)."""

    def __init__(self, context: Context, state: PlanState, owner: QObject) -> None:
        super().__init__(owner)
        self.of = ""
        self._context = context
        self._state = state

    def learn(self) -> None:
        """Ask, where another dataset was chosen; a failure leaves every unit to choose from."""
        chosen = self._state.plan.dataset
        if chosen is None or chosen.id == self.of:
            return
        name = self.of = chosen.id
        self._context.desk.ask(
            UnitsOf(name), owner=self, then=lambda found: learn_units(self._state, name, found.units),
            failed=lambda _: None,
        )  # fmt: skip


class TrainWizard(QWidget):
    """The six steps around one plan.

    Signals:
        started(tuple[str, ...]): these runs were made and are being started.
        closed(): the person leaves; the plan is kept.
    """

    started = Signal(object)
    closed = Signal()

    def __init__(self, context: Context, state: PlanState, parent: QWidget) -> None:
        super().__init__(parent)
        self.context = context
        self.state = state
        self._data: Deferred[DataStep] = self._place(DataStep)
        self._split: Deferred[SplitStep] = self._place(SplitStep)
        self._review: Deferred[ReviewStep] = self._place(ReviewStep)
        others = self._place(ModelsStep), self._place(AdaptationStep), self._place(RecipeStep)
        self._places: list[Deferred[Any]] = [self._data, self._split, *others, self._review]
        self._is_starting = False
        self._is_moving = False
        self._rules_of = ("", "")
        self._units = _Units(context, state, self)
        self._pages = _Pages()
        self._list = steps.StepList()
        self._list.setFixedWidth(_STEPS_PX)
        self._list.chosen.connect(self.go_to)
        self._summary = Summary(state)
        self._summary.stand_beside(self)
        self._lay_out()
        for number, place in enumerate(self._places):
            self._pages.add(number, place)
        self._pages.restart()
        self._pages.strip()
        self._pages.currentIdChanged.connect(self._moved)
        state.changed.connect(self._show_plan)
        state.changed.connect(self._units.learn)
        state.changed.connect(self._learn_rules)
        self._show_plan()
        self._units.learn()
        self._learn_rules()

    def _place(self, kind: Callable[[Context, PlanState], S]) -> Deferred[S]:
        def make(_: QWidget) -> S:
            step = kind(self.context, self.state)
            step.onward.connect(self.forward)
            if isinstance(step, SplitStep):
                step.planning.connect(lambda is_planning: self._summary.set_wanted(not is_planning))
            if isinstance(step, ReviewStep):
                step.sent_back.connect(self.go_to)
            return step

        return Deferred(make)

    @property
    def data(self) -> DataStep:
        """The first step."""
        return self._data.part

    @property
    def split(self) -> SplitStep:
        """The second step."""
        return self._split.part

    @property
    def review(self) -> ReviewStep:
        """The last step."""
        return self._review.part

    @property
    def at(self) -> int:
        """The open step."""
        return self._pages.currentId()

    @property
    def step(self) -> Step:
        """The open step's page."""
        step: Step = self._places[self.at].part
        return step

    def refresh(self) -> None:
        """Ask again for what the open step shows."""
        self._rules_of, self._units.of = ("", ""), ""
        self._units.learn()
        self._learn_rules()
        self.step.show_plan()
        self.step.entered()

    def go_to(self, step: int) -> None:
        """Open a step: an earlier one always, a later one as far as nothing is missing before it."""
        gap = rules.first_gap(self.state)
        step = max(0, min(step, int(At.REVIEW), gap[0] if gap and gap[0] < step else step))
        before = self.at
        if step == before:
            return
        self._is_moving = True  # Qt's wizard keeps a history, so it is led through the steps between
        while self.at < step:
            self._pages.next()
        while self.at > step:
            self._pages.back()
        self._is_moving = False
        self._moved(before)

    def forward(self) -> None:
        """Next, or Start on the last step."""
        if self.at == At.REVIEW:
            self.start()
        elif self._next.isEnabled():
            self.go_to(self.at + 1)

    def back(self) -> None:
        """The step before."""
        self.go_to(self.at - 1)

    def start(self) -> None:
        """Make the runs and have them started."""
        requests = self.state.requests()
        if self._is_starting or self.context.is_read_only or not requests or self.at != At.REVIEW:
            return
        if rules.first_gap(self.state) is not None:
            return
        self._is_starting = True
        self.leave_review()
        self._show_plan()
        self.context.desk.ask(CreateRuns(requests), owner=self, then=self._made, failed=self._not_made)

    def leave_review(self) -> None:
        """What the last step measures is wanted no more."""
        if self._review.made is not None:
            self._review.made.left()

    def _learn_rules(self) -> None:
        """Ask which threshold rules are known for these data; where that fails, the person chooses without."""
        dataset, split = self.state.plan.dataset, self.state.plan.split
        wanted = (dataset.id, split.id) if dataset and split and operating.concerns(self.state) else ("", "")
        if wanted != self._rules_of:
            self._rules_of = wanted
            if all(wanted):
                ask = ThresholdRulesOf(*wanted)
                self.context.desk.ask(ask, owner=self, then=self.state.learn_rules, failed=lambda _: None)

    def _made(self, answer: RunsMade) -> None:
        self._is_starting = False
        self.context.start_runs(answer.runs)
        self.started.emit(answer.runs)
        self._show_plan()

    def _not_made(self, error: MedfmError) -> None:
        self._is_starting = False
        self.review.show_error(error)
        self._show_plan()

    def _moved(self, _: int) -> None:
        if self._is_moving or self.at < 0:
            return
        if self.at != At.REVIEW:
            self.leave_review()
        self.step.show_plan()
        self.step.entered()
        self._show_plan()
        (self._next if self._next.isEnabled() else self.step.first).setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_plan(self) -> None:
        """Steps, buttons, and why Next is disabled."""
        at, gap = self.at, rules.first_gap(self.state)
        shown = [self._step_now(number, gap) for number in range(len(TITLES))]
        self._list.set_steps(shown)
        self._back.setVisible(at > 0)
        why = rules.missing(self.state, at)
        if at == At.REVIEW:
            why = _READ_ONLY if self.context.is_read_only else "The runs are being made." if self._is_starting else ""
            why = why or (gap[1] if gap else "")
            self._next.setText(f"Start {counted(self.state.n_runs, 'run')}")
        else:
            self._next.setText(f"Next: {TITLES[at + 1]}")
        disable(self._next, why)
        self._why.setText(why)
        if not why and self._close.hasFocus():  # it fell there from a list that was not filled yet
            self._next.setFocus(Qt.FocusReason.OtherFocusReason)

    def _step_now(self, number: int, gap: tuple[int, str] | None) -> steps.Step:
        if gap is not None and gap[0] < number and number != self.at:
            return steps.Step(TITLES[number], steps.StepState.BLOCKED)
        note = rules.chosen(self.state, number)
        done = steps.StepState.DONE if note else steps.StepState.AHEAD
        return steps.Step(TITLES[number], steps.StepState.CURRENT if number == self.at else done, note)

    def _lay_out(self) -> None:
        self._close = action("Close", role="quiet")
        self._close.clicked.connect(self.closed)
        self._why = Label("", "muted")
        self._why.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._back = action("Back", "chevron-left")
        self._back.clicked.connect(self.back)
        self._next = action("Next", role="primary")
        self._next.clicked.connect(self.forward)
        footer = QHBoxLayout()
        footer.setContentsMargins(SPACE[4], SPACE[2], SPACE[4], SPACE[2])
        footer.setSpacing(SPACE[2])
        footer.addWidget(self._close)
        footer.addWidget(self._why, 1)
        footer.addWidget(self._back)
        footer.addWidget(self._next)
        self._pages.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        middle = QHBoxLayout()
        middle.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[3])
        middle.setSpacing(SPACE[3])
        middle.addWidget(self._list)
        middle.addWidget(self._pages, 1)
        middle.addWidget(self._summary)
        rule = QFrame()
        rule.setFrameShape(QFrame.Shape.HLine)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(middle, 1)
        column.addWidget(rule)
        column.addLayout(footer)
