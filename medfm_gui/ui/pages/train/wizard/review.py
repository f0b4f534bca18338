"""Step 6: the runs, what they cost, measured on this computer, the equal command line, and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from medfm_gui.desk.asks.train import Preflight
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError, NotFound, SplitError, UsageError, WeightsError
from medfm_gui.domain.units import counted
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.train import recipes
from medfm_gui.ui.pages.train.costs import WIDTHS, Column, CostTable
from medfm_gui.ui.pages.train.model import PlanState, command
from medfm_gui.ui.pages.train.rules import TITLES, At
from medfm_gui.ui.pages.train.wizard.step import Step
from medfm_gui.ui.pages.train.words import duration, size
from medfm_gui.ui.theme import SPACE, code_font
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label, set_role, shown
from medfm_gui.workspace.planning import PlanCost
from medfm_gui.workspace.training import TrainRequest

_MEMORY_RULE = (
    "Where memory does not suffice, a batch is halved and twice as many are accumulated: the effective batch stays, "
    "and the run says so."
)
_COMMAND_PX = SPACE[-1] * 2


class ReviewStep(Step):
    """What Start will do.

    Signals:
        sent_back(int): something is to be changed at that step.
    """

    sent_back = Signal(int)

    def __init__(self, context: Context, state: PlanState) -> None:
        super().__init__(
            context,
            state,
            At.REVIEW,
            "Review",
            "A few batches of each kind of work are run now to see what all of it costs. Start need not wait for that.",
        )
        self._ticket: Ticket | None = None
        self._asked: tuple[TrainRequest, ...] = ()
        self._failed: MedfmError | None = None
        self.error = _ErrorStrip(self._go_where_it_helps)
        self.error.hide()
        self.body.addWidget(self.error)
        self._model = CostTable()
        self._table = DataTable("Runs of this plan")
        self._table.setModel(self._model)
        for column, width in enumerate(WIDTHS):
            self._table.setColumnWidth(column, width)
        self.body.addWidget(self._table, 1)
        self._progress = ProgressRow()
        self.body.addWidget(self._progress)
        self._said = Label("", "muted")
        self._again = action("Measure", "clock")
        self._again.clicked.connect(self._measure)
        row = QHBoxLayout()
        row.setSpacing(SPACE[2])
        row.addWidget(self._said, 1)
        row.addWidget(self._again)
        self.body.addLayout(row)
        self._commands = QPlainTextEdit()
        self._commands.setReadOnly(True)
        self._commands.setAccessibleName("Equal command line")
        self._commands.setFont(code_font())
        self._commands.setFixedHeight(_COMMAND_PX)
        self._commands.setTabChangesFocus(True)
        copy = action("Copy", "copy", "quiet")
        copy.setAccessibleName("Copy the command line")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.command_line()))
        panel = Panel("The equal command line")
        panel.add_to_corner(copy)
        panel.add(self._commands)
        self.body.addWidget(panel)
        state.cost_changed.connect(self._show_cost)

    @property
    def first(self) -> QWidget:
        """See ``Step``."""
        return self._table

    def entered(self) -> None:
        """Measure what is not measured yet."""
        self.error.hide()
        self.show_plan()
        if self.state.requests() != self._asked or self._failed is not None:
            self._measure()

    def left(self) -> None:
        """Somebody goes elsewhere: measuring would slow down what they do."""
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket, self._asked = None, ()
            self._show_cost()

    def show_plan(self) -> None:
        """Show the command lines."""
        text = shown(self.command_line(), 20_000)
        if self._commands.toPlainText() != text:
            self._commands.setPlainText(text)
        self._show_cost()

    def command_line(self) -> str:
        """The commands that do the same, one a line."""
        return "\n".join(command(request, str(self.context.root)) for request in self.state.requests())

    def show_error(self, error: MedfmError) -> None:
        """What stands in the way of Start, with the button that leads to where it is mended."""
        self.error.show_error(error, _remedy(error)[0])
        self.error.show()

    def _measure(self) -> None:
        requests = self.state.requests()
        if not requests:
            return
        self.left()
        self._asked, self._failed = requests, None
        self.state.take_cost(None)
        self._ticket = self.context.desk.ask(
            Preflight(requests, self.state.measured),
            owner=self,
            then=lambda cost: self._done(requests, cost),
            failed=lambda error: self._fail(requests, error),
            progress=lambda progress: self._tell(requests, progress),
            part=lambda cost: self._part(requests, cost),
        )
        self._tell(requests, Progress("Looking at the plan"))

    def _tell(self, requests: tuple[TrainRequest, ...], progress: Progress) -> None:
        if requests == self._asked:
            self._progress.tell(progress.text, progress.total, progress.done, progress.seconds_left)
            self._progress.on_cancel(self._ticket.cancel if self._ticket else None)
            self._progress.show()
            self._show_cost()

    def _part(self, requests: tuple[TrainRequest, ...], cost: PlanCost) -> None:
        if requests == self._asked:
            self.state.take_cost(cost)

    def _done(self, requests: tuple[TrainRequest, ...], cost: PlanCost) -> None:
        if requests == self._asked:
            self._ticket = None
            self.state.take_cost(cost)

    def _fail(self, requests: tuple[TrainRequest, ...], error: MedfmError) -> None:
        if requests == self._asked:
            self._ticket, self._failed = None, error
            if not isinstance(error, Interrupted):
                self.show_error(error)
            self._show_cost()

    def _show_cost(self) -> None:
        cost = self.state.cost
        self._model.fill(cost)
        for column in Column:
            self._table.setColumnHidden(column, not self._model.tells(column))
        measuring = self._ticket is not None
        self._progress.setVisible(measuring)
        self._again.setVisible(not measuring and (cost is None or not cost.is_measured or _has_problem(cost)))
        self._said.setText(_sentence(cost, measuring))
        set_role(self._said, "muted")

    def _go_where_it_helps(self) -> None:
        step, page = _remedy(self.error.error)[1:]
        if page:
            self.context.go(page, tab="weights")
        elif step is not None:
            self.sent_back.emit(int(step))
        else:
            self.entered()


class _ErrorStrip(QFrame):
    """An error in one strip with a button."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self.error = MedfmError("")
        self.setProperty("role", "bad")
        self._message = Label("")
        self._hint = Label("", "muted")
        self.button = action("", "")
        self.button.clicked.connect(act)
        words = QVBoxLayout()
        words.setSpacing(SPACE[0])
        words.addWidget(self._message)
        words.addWidget(self._hint)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        row.setSpacing(SPACE[3])
        row.addLayout(words, 1)
        row.addWidget(self.button)

    def show_error(self, error: MedfmError, button: str) -> None:
        """Show what happened and what to do."""
        self.error = error
        self._message.setText(error.message)
        self._hint.setText(error.hint)
        self._hint.setVisible(bool(error.hint))
        self.button.setText(button)


def _remedy(error: MedfmError) -> tuple[str, At | None, str]:
    """The button's words, and the step or the page where the error is mended."""
    if isinstance(error, WeightsError):
        return "Get weights …", None, "settings"
    for kind, step in ((SplitError, At.SPLIT), (UsageError, At.RECIPE), (NotFound, At.DATA)):
        if isinstance(error, kind):
            return f"Back to {TITLES[step]}", step, ""
    return "Try again", None, ""


def _has_problem(cost: PlanCost) -> bool:
    return any(run.problem for run in cost.runs)


def _sentence(cost: PlanCost | None, measuring: bool) -> str:
    if cost is None:
        return "" if measuring else "Nothing was measured."
    known = [run for run in cost.runs if run.images_known]
    spared = f" {counted(len(known), 'run')} can use features that are there, or will be by then." if known else ""
    images = sum(need.images for need in cost.pixels)
    if images:
        side = max(need.side for need in cost.pixels)
        spared += f" First {counted(images, 'image')} will be decoded at {side} pixels, once for all of these runs."
    if not cost.is_measured:
        return f"Sizes on the disk are estimated from the models’ cards.{spared}"
    seconds, memory = cost.seconds, cost.memory_bytes
    if seconds is None or memory is None:
        failed = sum(1 for run in cost.runs if run.problem)
        return f"{counted(failed, 'run')} could not be measured; the note says why.{spared}"
    device = next((one.device for one in cost.measurements if one.device), "")
    tuned = any(run.parts > 1 for run in cost.runs) or any(recipes.is_by_gradient(run.adapt) for run in cost.runs)
    rule = f" {_MEMORY_RULE}" if tuned else ""
    busy = " Another run was at work meanwhile, so they may take less." if cost.was_busy else ""
    return (
        f"Measured on this computer just now ({device}): {duration(seconds)} in all, at most {size(memory)} of memory; "
        f"estimated: up to {size(cost.disk_bytes)} on the disk, of which {size(cost.disk_free_bytes)} are free."
        f"{busy}{spared}{rule}"
    )
