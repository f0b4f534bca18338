"""Compare: chosen runs as chips, their numbers with intervals, paired tests, charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from medfm_gui.desk.asks.compare import (
    Candidate,
    CandidateList,
    CompareRuns,
    DrawingList,
    ListCandidates,
    ReadDrawings,
    ReadSideBySide,
    SideBySide,
)
from medfm_gui.desk.entry import Topic
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui.actions import Action
from medfm_gui.ui.charts.view import ChartView
from medfm_gui.ui.context import Context
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages.compare import emptiness, wording
from medfm_gui.ui.pages.compare.candidates import usual_choice
from medfm_gui.ui.pages.compare.charts import LargeCharts
from medfm_gui.ui.pages.compare.chooser import RunChooser
from medfm_gui.ui.pages.compare.exporting import Exports
from medfm_gui.ui.pages.compare.run_bar import RunBar
from medfm_gui.ui.pages.compare.tabs import ClassesTab, OverviewTab, TestsTab
from medfm_gui.ui.pages.datasets.newest import Newest
from medfm_gui.ui.pages.runs.notice import Notice
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label

_RUNS = "compare.runs"
_TAB = "compare.tab"
_WIDTHS = "compare.widths"
_READ_ONLY = "The workspace is open for reading only, and paired tests of these runs were not computed before."


class ComparePage(Page):
    """Runs side by side on one opened test."""

    key: ClassVar[str] = "compare"
    title: ClassVar[str] = "Compare"
    icon: ClassVar[str] = "compare"
    topics: ClassVar[tuple[Topic, ...]] = (Topic.RUNS, Topic.RESULTS, Topic.DATASETS)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._runs: tuple[str, ...] = ()
        self._wish: tuple[str, ...] = self._remembered()
        self._found: SideBySide | None = None
        self._listing, self._reading = Newest(context.desk, self), Newest(context.desk, self)
        self._comparing, self._drawing = Newest(context.desk, self), Newest(context.desk, self)
        self.exports = Exports(context, self)
        self._build()
        self._connect()
        context.actions.add(self, *self._actions())
        self.state.show_busy("Reading the runs")

    def _build(self) -> None:
        self.bar = RunBar()
        self.about = Label("", "caption", elide=Qt.TextElideMode.ElideRight)
        self.csv = action("Export numbers", "export")
        self.report = action("Report …", "reports", "primary")
        self.notice = Notice()
        self.overview, self.tests = OverviewTab(), TestsTab()
        self.classes, self.large = ClassesTab(), LargeCharts()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("The comparison")
        for tab, name in (
            (self.overview, "Overview"),
            (self.tests, "Tests"),
            (self.classes, "Per class"),
            (self.large, "Charts"),
        ):
            self.tabs.addTab(tab, name)
        kept = self.context.memory.get(_TAB)
        self.tabs.setCurrentIndex(kept if isinstance(kept, int) and 0 <= kept < self.tabs.count() else 0)
        head = QHBoxLayout()
        head.setSpacing(SPACE[1])
        head.addWidget(Label("Compare", "heading2", wrap=False))
        head.addSpacing(SPACE[1])
        head.addWidget(self.about, 1)
        head.addWidget(self.csv)
        head.addWidget(self.report)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(SPACE[4], SPACE[3], SPACE[4], SPACE[2])
        column.setSpacing(SPACE[2])
        column.addLayout(head)
        column.addWidget(self.bar)
        column.addWidget(self.notice)
        column.addWidget(self.tabs, 1)
        self.state = StatePane(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.state)

    def _connect(self) -> None:
        self.bar.reordered.connect(self.set_runs)
        self.bar.choose_wanted.connect(self.choose)
        self.csv.clicked.connect(self.export_numbers)
        self.report.clicked.connect(self.make_report)
        self.tabs.currentChanged.connect(lambda at: self.context.memory.put(_TAB, at))
        self.overview.order_wanted.connect(self._put)
        self.overview.opened.connect(lambda run: self.context.go("runs", run=run))
        self.overview.table.horizontalHeader().sectionResized.connect(self._keep_widths)
        self.exports.failed.connect(self._tell)
        for charts in (self.overview.grid, self.large):
            charts.export_wanted.connect(self._export)

    def _actions(self) -> tuple[Action, ...]:
        def has_runs() -> bool:
            return bool(self._runs)

        def has_row() -> bool:
            return bool(self.overview.current_run())

        def first() -> None:
            self._put(self.overview.current_run(), 0)

        def out() -> None:
            self._put(self.overview.current_run(), -1)

        return (
            Action("compare.choose", "Choose runs to compare", self.choose, "Ctrl+O", self.title),
            Action("compare.reference", "Make the run the reference", first, "Ctrl+Home", self.title, has_row),
            Action("compare.remove", "Take the run out", out, "Ctrl+Backspace", self.title, has_row),
            Action("compare.export", "Export the numbers", self.export_numbers, "Ctrl+E", self.title, has_runs),
            Action("compare.report", "Report of these runs", self.make_report, "Ctrl+R", self.title, has_runs),
        )

    def visit(self, **wish: Any) -> None:
        """``runs=(ID, …)``: compare these; the first is the reference."""
        runs = tuple(dict.fromkeys(str(run) for run in wish.get("runs") or ()))
        if runs:
            self._wish = runs
            self._runs = ()
            self.refresh()

    def refresh(self) -> None:
        """Ask which runs there are, then for what is stored of the chosen ones."""
        first = (self._runs or self._wish or ("",))[0]
        self._listing.ask(ListCandidates(first), self._listed, self._failed)

    def set_runs(self, runs: Sequence[str]) -> None:
        """Compare these; none asks for others."""
        self.notice.hide()
        self._runs, self._wish = tuple(runs), ()
        self._remember()
        self.refresh()

    def choose(self) -> None:
        """Open the list of runs."""
        chooser = RunChooser(self.context, self._runs, self)
        chooser.chosen.connect(self.set_runs)
        chooser.finished.connect(chooser.deleteLater)
        chooser.open()

    def make_report(self) -> None:
        """Go on with a report of these runs."""
        if self._runs:
            self.context.go("reports", runs=self._runs)

    def export_numbers(self) -> None:
        """Write the numbers of these runs to a file."""
        if self._runs:
            self.exports.numbers(self._runs)

    def _listed(self, answer: CandidateList) -> None:
        known = {one.run: one for one in answer.runs}
        wanted = self._runs or self._wish
        if wanted and answer.reference and not _is_open(known.get(wanted[0])):
            opened = tuple(run for run in wanted if _is_open(known.get(run)))
            if opened:  # judge the others by the first that is open
                self._leave_out(tuple(run for run in wanted if run not in opened), known)
                self._runs, self._wish = opened, ()
                self.refresh()
                return
        fine = tuple(run for run in wanted if _is_open(known.get(run)) and not known[run].obstacle)
        self._leave_out(tuple(run for run in wanted if run not in fine), known)
        if not wanted:
            fine = usual_choice(answer.runs)
        if not fine:
            emptiness.show(self.state, answer, wanted, context=self.context, choose=self.choose)
            self._runs = ()
            return
        self._runs, self._wish = fine, ()
        self._remember()
        self._reading.ask(ReadSideBySide(fine), self._show, self._failed)

    def _leave_out(self, runs: Sequence[str], known: dict[str, Candidate]) -> None:
        if not runs:
            return
        sealed = [run for run in runs if run in known and not known[run].is_opened]
        if sealed:
            self.notice.tell(
                f"The test of {wording.listed(sealed)} is sealed, so there is nothing to compare yet.",
                "“Choose runs …” opens it, with a reason that is kept.",
            )
            return
        reason = next((known[run].obstacle for run in runs if run in known and known[run].obstacle), "")
        self.notice.tell(f"{wording.listed(runs)} cannot stand beside the others.", reason or "No finished run.")

    def _show(self, found: SideBySide) -> None:
        same_runs = self._found is not None and self._found.sides == found.sides
        self._found = found
        self.bar.set_runs(found.sides)
        self.about.setText(f"{wording.test_line(found)} · {wording.openings_line(found.openings)}")
        self.overview.show_runs(found)
        self.classes.show_runs(found)
        self.large.show_runs(found)
        if not same_runs:
            self.large.draw(())
            self._restore_widths()
        self.state.show_content()
        if found.is_compared or len(found.sides) < 2:
            self._show_tests(found)
            self._ask_charts()
        elif self.context.is_read_only:
            self.tests.pane.show_empty("No paired tests", _READ_ONLY, icon="compare")
            self._ask_charts()
        else:
            self.compute()

    def compute(self) -> None:
        """Have the paired tests of these runs computed."""
        self.tests.pane.show_busy("Comparing the runs in pairs", on_cancel=self._comparing_stop)
        self._comparing.ask(CompareRuns(self._runs), self._computed, self._not_computed, self._progress)

    def _comparing_stop(self) -> None:
        self._comparing.cancel()
        self._not_computed(Interrupted("It was cancelled."))

    def _progress(self, news: Progress) -> None:
        self.tests.pane.show_busy(news.text, news.total, news.done, news.seconds_left, self._comparing_stop)

    def _computed(self, found: SideBySide) -> None:
        self._found = found
        self.overview.tell(found)
        self._show_tests(found)
        self._ask_charts()

    def _not_computed(self, error: MedfmError) -> None:
        if isinstance(error, Interrupted):
            self.tests.pane.show_empty(
                "The comparison was stopped", "No paired test was computed.", "Compute paired tests", self.compute
            )
        else:
            self.tests.pane.show_error(error, "Try again", self.compute)
        self._ask_charts()

    def _show_tests(self, found: SideBySide) -> None:
        if len(found.sides) < 2:
            self.tests.pane.show_empty(
                "One run has nothing to be compared with",
                "Paired tests tell whether two runs differ on the same test images, with an interval and a p value "
                "that is adjusted for the number of comparisons.",
                "Choose runs …",
                self.choose,
                icon="compare",
            )
        else:
            self.tests.show_runs(found)

    def _ask_charts(self) -> None:
        self._drawing.ask(ReadDrawings(self._runs), self._draw, self._tell)

    def _draw(self, answer: DrawingList) -> None:
        self.overview.grid.draw(answer.drawings)
        self.large.draw(answer.drawings)

    def _failed(self, error: MedfmError) -> None:
        self.state.show_error(error, "Try again", self._retry)

    def _retry(self) -> None:
        self.state.show_busy("Reading the runs")
        self.refresh()

    def _tell(self, error: MedfmError) -> None:
        self.notice.tell(error.message, error.hint, role="bad")

    def _put(self, run: str, place: int) -> None:
        if not run:
            return
        if place < 0:
            self.bar.remove(run)
        else:
            self.bar.put(run, place)

    def _export(self, key: str, view: ChartView, kind: str, name: str) -> None:
        self.exports.chart(self._runs, key, view, kind, name)
