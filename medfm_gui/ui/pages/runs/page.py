"""Runs: the table above, one run below, and everything that can be done with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from medfm_gui.desk.asks.runs import ListRuns, RunItem, RunList, RunsAsked
from medfm_gui.desk.entry import Topic
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.run import Phase
from medfm_gui.ui.actions import Action
from medfm_gui.ui.bridge import Batch
from medfm_gui.ui.context import Context
from medfm_gui.ui.later import Later
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages.runs import deeds
from medfm_gui.ui.pages.runs.board import RunBoard
from medfm_gui.ui.pages.runs.details import RunPane
from medfm_gui.ui.pages.runs.errands import Errands
from medfm_gui.ui.pages.runs.model import RunTable
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.states import StatePane

_SPLIT = "runs.split"
_DETAILS = "runs.details"
_TAB = "runs.tab"
_REFRESH_MS = 250
_SIZES = (300, 400)
"""Heights of table and details at first, in proportion."""


class RunsPage(Page):
    """Queue and history of the workspace's runs, live."""

    key: ClassVar[str] = "runs"
    title: ClassVar[str] = "Runs"
    icon: ClassVar[str] = "runs"
    topics: ClassVar[tuple[Topic, ...]] = (Topic.RUNS, Topic.RESULTS, Topic.DATASETS)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.table = RunTable(self)
        self.board = RunBoard(context, self.table)
        self.pane = RunPane(context)
        self.notice = Notice()
        self.work = ProgressRow()
        self.errands = Errands(context, self)
        self._wish: tuple[str, ...] = ()
        self._told: tuple[object, ...] = ()
        self._again = Later(self.refresh, _REFRESH_MS, self)
        self._build()
        self._connect()
        context.actions.add(self, *self._actions())
        self.board.tell_deeds()
        self.setFocusProxy(self.board.table)
        self.pane.show_run(None)
        self.state.show_busy("Reading the runs")

    def _build(self) -> None:
        self.work.hide()
        self.split = QSplitter(Qt.Orientation.Vertical)
        body = QWidget()
        self.state = StatePane(body)
        whole = QVBoxLayout(self)  # outermost first: each new parent costs a styling of all that lies in it
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.state)
        column = QVBoxLayout(body)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[3])
        column.setSpacing(SPACE[2])
        column.addWidget(self.notice)
        column.addWidget(self.work)
        column.addWidget(self.split, 1)
        self.split.addWidget(self.board)
        self.split.addWidget(self.pane)
        self.split.setChildrenCollapsible(False)
        self.split.setStretchFactor(0, 2)
        self.split.setStretchFactor(1, 3)
        self.split.setSizes(list(_SIZES))
        for name, splitter in ((_SPLIT, self.split), (_DETAILS, self.pane.split)):
            _restore(splitter, self.context.memory.get(name))
        tab = self.context.memory.get(_TAB, 0)
        self.pane.tabs.setCurrentIndex(tab if isinstance(tab, int) else 0)

    def _connect(self) -> None:
        memory = self.context.memory
        self.split.splitterMoved.connect(lambda *_: memory.put(_SPLIT, _kept(self.split)))
        self.pane.split.splitterMoved.connect(lambda *_: memory.put(_DETAILS, _kept(self.pane.split)))
        self.pane.tabs.currentChanged.connect(lambda at: memory.put(_TAB, at))
        self.board.chosen.connect(self._chosen)
        self.board.wanted.connect(self.do)
        self.pane.wanted.connect(self._do_shown)
        self.errands.renewed.connect(self._renewed)
        self.errands.noted.connect(self.table.note)
        self.errands.refused.connect(self.notice.tell)
        self.errands.opening.connect(self._opening)
        self.work.on_cancel(self.errands.stop_opening)
        self.context.runs.batch.connect(self._take)
        self.context.runs.left.connect(self._left)

    def _actions(self) -> tuple[Action, ...]:
        made = [
            Action(f"runs.{deed.verb}", deed.title, partial(self.do, deed.verb), deed.keys, "Runs", self._test(deed))
            for deed in deeds.DEEDS
        ]
        find = Action("runs.find", "Filter runs", self.board.search.setFocus, "Ctrl+F", "Runs")
        new = Action("runs.new", "New training", self.board.new.click, "Ctrl+N", "Runs")
        return (*made, find, new)

    def _test(self, deed: deeds.Deed) -> Callable[[], bool]:
        return lambda: not deeds.obstacle(deed, self.board.chosen_runs(), is_read_only=self.context.is_read_only)

    def do(self, verb: str) -> None:
        """Do something with the chosen runs."""
        self.notice.hide()
        self.errands.do(verb, self.board.chosen_runs())

    def _do_shown(self, verb: str) -> None:
        """A button of the details means the run that is shown, whatever else is chosen."""
        item = self.table.item(self.pane.run)
        if item is not None:
            self.notice.hide()
            self.errands.do(verb, (item,))

    def refresh(self) -> None:
        """Ask for the list."""
        self.context.desk.ask(ListRuns(), owner=self, then=self._fill, failed=self._failed)

    def visit(self, **wish: Any) -> None:
        """``run=ID`` or ``runs=(ID, …)``: choose these, now or when they are listed."""
        runs = wish.get("runs") or ((wish["run"],) if wish.get("run") else ())
        self._wish = tuple(str(run) for run in runs)
        self._grant()

    def _grant(self) -> None:
        if self._wish and self.board.choose(self._wish):
            self._wish = ()

    def _fill(self, answer: RunList) -> None:
        if not answer.runs:
            self.table.fill(())
            can = not self.context.is_read_only
            self.state.show_empty(
                "No runs yet",
                "A run adapts one model to one dataset in one way. The wizard plans them, says what they cost, "
                "and starts them here.",
                "New training" if can else "",
                (lambda: self.context.go("train")) if can else None,
                icon="train",
            )
            return
        self.table.fill(answer.runs)
        self.state.show_content()
        self._grant()
        self.board.choose_first()
        self._chosen()

    def _failed(self, error: MedfmError) -> None:
        if self.state.state == "content":
            self.notice.tell(error.message, error.hint, role="bad", deeds=[("Try again", self.refresh)])
        else:
            self.state.show_error(error, "Try again", self._retry)

    def _retry(self) -> None:
        self.state.show_busy("Reading the runs")
        self.refresh()

    def _chosen(self) -> None:
        """Other rows are chosen, or the chosen ones changed."""
        self.board.tell_deeds()
        current = self.board.current_run()
        if current is None or current.row.id != self.pane.run:
            self.pane.show_run(current)
        else:
            self.pane.update_run(current)

    def _renewed(self, answer: RunsAsked) -> None:
        self.table.renew(answer.runs)
        new = tuple(run for run in answer.done if self.table.item(run) is None)
        if new:
            self._wish = new
        self._changed_runs(tuple(item.row.id for item in answer.runs))

    def _take(self, batch: Batch) -> None:
        """News of a run."""
        if not self.table.take(batch):
            self._again.again()  # a run that was made elsewhere
            return
        self._changed_runs((batch.run,))

    def _changed_runs(self, runs: tuple[str, ...]) -> None:
        shown = self.table.item(self.pane.run)
        if shown is not None and shown.row.id in runs:
            self.pane.update_run(shown)
        chosen = tuple((item.row.id, *_possible(item)) for item in self.board.chosen_runs())
        if chosen != self._told:
            self._told = chosen
            self.board.tell_deeds()

    def _left(self, run: str) -> None:
        """Nobody looks after a run any more: how does it stand?"""
        self.context.desk.ask(ListRuns(runs=(run,)), owner=self, then=self._looked, failed=self._failed)

    def _looked(self, answer: RunList) -> None:
        self.table.renew(answer.runs)
        runs = tuple(item.row.id for item in answer.runs)
        self.table.note(runs, "")
        self._changed_runs(runs)

    def _opening(self, progress: Progress | None) -> None:
        self.work.setVisible(progress is not None)
        if progress is not None:
            self.work.tell(progress.text, progress.total, progress.done, progress.seconds_left)
        else:
            self.work.on_cancel(self.errands.stop_opening)


def _possible(item: RunItem) -> tuple[Phase, bool, bool, bool]:
    """What the enabled buttons depend on."""
    return item.row.state.phase, item.is_supervised, item.is_opened, item.row.state.resumable


def _kept(splitter: QSplitter) -> str:
    return bytes(splitter.saveState().data()).hex()


def _restore(splitter: QSplitter, kept: object) -> None:
    if isinstance(kept, str):
        splitter.restoreState(QByteArray.fromHex(kept.encode("ascii", "ignore")))
