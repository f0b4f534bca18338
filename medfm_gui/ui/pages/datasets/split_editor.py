"""Making a split: the wish at the left, at the right what it would give and what the leak gate says, then freeze."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import CheckQuality, MakeSplit, PlanSplit, SplitMade
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import LeakError, MedfmError
from medfm_gui.store.rows import DatasetRow
from medfm_gui.ui.context import Context
from medfm_gui.ui.later import Later
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.advice import in_window
from medfm_gui.ui.pages.datasets.combo import fill
from medfm_gui.ui.pages.datasets.counts import CountRow, CountsTable
from medfm_gui.ui.pages.datasets.gate import Gate
from medfm_gui.ui.pages.datasets.notes import Notes
from medfm_gui.ui.pages.datasets.split_form import SplitForm
from medfm_gui.ui.pages.datasets.wording import PARTITIONS
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.forms import action, choice, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.scrolling import scrolled
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.cohort import LeakLine, PlannedFold, Quality, SplitPlan, SplitWish

_PATIENCE_MS = 120
_FORM_PX = SPACE[-1] * 9
READ_ONLY = "This workspace is open read-only, because another window has it."


def _form_in(place: QWidget, on_change: Callable[[], None]) -> SplitForm:
    form = SplitForm(place)
    form.changed.connect(on_change)
    return form


class SplitEditor(QWidget):
    """Plans a split of one dataset and freezes it.

    Signals:
        made(SplitMade): a split is frozen.
        closed(): the person goes back.
    """

    made = Signal(object)
    closed = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._dataset: DatasetRow | None = None
        self._has_patients = False
        self._plan: SplitPlan | None = None
        self._planning = Newest(context.desk, self)
        self._looking = Newest(context.desk, self)
        self._making = Newest(context.desk, self)
        self._slow = Later(self._say_busy, _PATIENCE_MS, self)
        self._form = Deferred(lambda place: _form_in(place, self._changed))
        self.gate = Gate()
        self.gate.decided.connect(self._ask)
        self.gate.declined.connect(self._decline)
        self.make = action("Make split", "seal", "primary")
        self.make.clicked.connect(self._make)
        self.back = action("Back to the splits", "chevron-left", "quiet")
        self.back.clicked.connect(self.closed)
        self._why = Label("", "caption", wrap=False)
        self._build()

    @property
    def form(self) -> SplitForm:
        """What is wished for."""
        return self._form.part

    def _build(self) -> None:
        self.fold: QComboBox = choice([("Fold 1", 0)])
        self.fold.setAccessibleName("Fold")
        self.fold.currentIndexChanged.connect(self._show_fold)
        self.table = CountsTable("Images of each class by partition", has_shares=False)
        self.notes = Notes()
        content = QWidget()
        content.setProperty("role", "page")
        scroll = QScrollArea()
        self.pane = StatePane(scroll)
        left = Panel("New split", "Frozen when made; runs that share a split can be compared.")
        row = QHBoxLayout(self)  # outermost first: each new parent costs a styling of all that lies in it
        row.setContentsMargins(0, SPACE[3], 0, 0)
        row.setSpacing(SPACE[3])
        row.addWidget(left)
        left.setFixedWidth(_FORM_PX)
        inside = QWidget()
        fields = scrolled(inside)  # they are more than a small window is high
        fields.setAccessibleName("How to divide")
        inside.setAutoFillBackground(False)  # the panel's ground shows
        left.body.addWidget(fields, 1)
        down = QVBoxLayout(inside)
        down.setContentsMargins(0, 0, SPACE[1], 0)
        down.addWidget(self._form)
        down.addStretch(1)
        right = QVBoxLayout()
        right.setSpacing(SPACE[3])
        row.addLayout(right, 1)
        right.addWidget(self.pane, 1)
        scroll.setWidget(content)
        scroll.setWidgetResizable(True)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, SPACE[1], 0)
        column.setSpacing(SPACE[3])
        for widget in (self.gate, self.fold, self.table, self.notes):
            column.addWidget(widget)
        column.addStretch(1)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("What the split would be")
        ending = QHBoxLayout()
        ending.setSpacing(SPACE[2])
        right.addLayout(ending)
        ending.addWidget(self.back)
        ending.addStretch(1)
        ending.addWidget(self._why)
        ending.addWidget(self.make)

    def begin(self, dataset: DatasetRow) -> None:
        """Plan a split of a dataset, beginning with the usual shares."""
        self._dataset = dataset
        self._plan = None
        self.gate.forget()
        self._settle()
        self.pane.show_busy("Looking at the dataset")
        self._looking.ask(CheckQuality(dataset.id), self._offer, self._refused)
        self.form.method.setFocus()

    def _offer(self, found: Quality) -> None:
        self._has_patients = found.has_patients
        self.form.offer(found)
        self.form.begin()

    def _changed(self) -> None:
        self.gate.forget()
        self._ask()

    def _ask(self) -> None:
        if self._dataset is None or self._looking.is_waiting:
            return
        self._plan = None
        self._settle()
        if self.form.problem:
            self._planning.cancel()
            return
        self._slow.again()
        self._planning.ask(PlanSplit(self._dataset.id, self._wish()), self._take, self._refused)

    def _say_busy(self) -> None:
        """A plan that comes at once does not flicker; one that takes its time is seen to."""
        if self._planning.is_waiting:
            self.pane.show_busy("Dividing")

    def _wish(self) -> SplitWish:
        return replace(self.form.wish(), accept=self.gate.accepts, drop=self.gate.drops, move=self.gate.moves)

    def _take(self, plan: SplitPlan) -> None:
        self._plan = plan
        self.gate.show_plan(plan, self._has_patients)
        self.notes.set_notes(plan.warnings)
        several = len(plan.folds) > 1
        fill(self.fold, [(f"Fold {number + 1} of {len(plan.folds)}", number) for number in range(len(plan.folds))], 0)
        self.fold.setVisible(several)
        self.table.setVisible(bool(plan.folds))
        self._show_fold()
        self.pane.show_content()
        self._settle()

    def _show_fold(self) -> None:
        plan, number = self._plan, max(0, self.fold.currentIndex())
        if plan is not None and number < len(plan.folds):
            self.table.fill("Class", [PARTITIONS[name] for name in plan.columns], fold_rows(plan, plan.folds[number]))
            self.table.setFixedHeight(self.table.natural_height(14))

    def _settle(self) -> None:
        """Say why no split can be made yet."""
        why = ""
        if self._context.is_read_only:
            why = READ_ONLY
        elif self.form.problem:
            why = self.form.problem
        elif self._plan is None or self._making.is_waiting:
            why = "The division is worked out."
        elif not self._plan.folds:
            why = "Decide about the leaks first."
        disable(self.make, why)
        self._why.setText("" if why.startswith("The division") else why)

    def _make(self) -> None:
        if self._dataset is None or self._plan is None:
            return
        self._making.ask(MakeSplit(self._dataset.id, self._wish()), self._done, self._not_made, self._told)
        self._settle()

    def _told(self, news: Progress) -> None:
        """The look for near-duplicates takes its time, and can be stopped."""
        self.pane.show_busy(news.text, news.total, news.done, news.seconds_left, on_cancel=self._stop)

    def _stop(self) -> None:
        self._making.cancel()
        self.pane.show_content()
        self._settle()

    def _done(self, made: SplitMade) -> None:
        self.pane.show_content()
        self._settle()
        self.made.emit(made)

    def _not_made(self, error: MedfmError) -> None:
        if isinstance(error, LeakError) and error.leaks:
            lines = tuple(LeakLine(leak, leak.a, leak.b) for leak in error.leaks[:500])
            drop = len({leak.a for leak in error.leaks})
            self._take(SplitPlan(leaks=lines, n_leaks=len(error.leaks), n_drop=drop, message=error.message))
            return
        self._refused(error)

    def _refused(self, error: MedfmError) -> None:
        self._plan = None
        self._settle()
        self.pane.show_error(in_window(error), "Try again", self._again)

    def _again(self) -> None:
        if self._dataset is not None:
            self.pane.show_busy("Dividing")
            self._looking.ask(CheckQuality(self._dataset.id), self._offer, self._refused)

    def _decline(self) -> None:
        self.form.method.setFocus()
        self._ask()


def fold_rows(plan: SplitPlan, fold: PlannedFold) -> list[CountRow]:
    """Images a partition in all, then by class."""
    whole = tuple(fold.sizes.get(name, 0) for name in plan.columns)
    together = (sum(whole),) * len(whole)
    of = fold.wholes or whole
    lines = (CountRow(line.name, line.counts, of, nothing="hidden") for line in fold.lines)
    return [CountRow("Images", whole, together), *lines]
