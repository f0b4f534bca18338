"""Compare: chosen runs as chips, their numbers with intervals, paired tests, charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from PySide6.QtWidgets import QVBoxLayout, QWidget

from medfm_gui.desk.asks.compare import Candidate, CandidateList, DrawingList, ListCandidates, ReadLadder
from medfm_gui.desk.asks.compare_outside import TableImported
from medfm_gui.desk.entry import Topic
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.actions import Action
from medfm_gui.ui.charts.view import ChartView
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.page import Page
from medfm_gui.ui.pages.compare import emptiness, wording
from medfm_gui.ui.pages.compare.board import Board
from medfm_gui.ui.pages.compare.candidates import usual_choice
from medfm_gui.ui.pages.compare.chooser import RunChooser
from medfm_gui.ui.pages.compare.exporting import Exports
from medfm_gui.ui.pages.compare.imports import Imports
from medfm_gui.ui.pages.compare.kept import remember_runs, remembered_runs
from medfm_gui.ui.pages.compare.ladder import LadderTab
from medfm_gui.ui.pages.compare.opening import CaseOpener
from medfm_gui.ui.pages.compare.results import Results
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.forms import disable
from medfm_gui.ui.widgets.states import StatePane


class ComparePage(Page):
    """Runs side by side on one opened test."""

    key: ClassVar[str] = "compare"
    title: ClassVar[str] = "Compare"
    icon: ClassVar[str] = "compare"
    topics: ClassVar[tuple[Topic, ...]] = (Topic.RUNS, Topic.RESULTS, Topic.DATASETS, Topic.SETTINGS)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.board = Board(context)
        self.results = Results(context, self.board, self.choose)
        self.exports = Exports(context, self)
        self.imports = Imports(context, self, lambda: self._runs[0] if self._runs else "")
        self.opener = CaseOpener(context, self)
        self.state = StatePane(self.board)
        self.sealed = Deferred(self._make_ladder)
        self.sealed.hide()
        self._listing, self._sealed = Newest(context.desk, self), Newest(context.desk, self)
        self._sealed_run = ""
        self._runs = remembered_runs(context.memory, context.root)
        self._is_wish = False
        self._is_chosen = bool(self._runs)
        self._awaited: frozenset[str] = frozenset()
        self._seen: frozenset[str] | None = None
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.state, 1)
        whole.addWidget(self.sealed, 2)
        self._connect()
        context.actions.add(self, *self._actions())
        self.setFocusProxy(self.board.overview.table)
        self.state.show_busy("Reading the runs")

    def _connect(self) -> None:
        board = self.board
        board.bar.reordered.connect(self.set_runs)
        board.choose.clicked.connect(self.choose)
        board.csv.clicked.connect(self.export_numbers)
        board.report.clicked.connect(self.make_report)
        board.overview.order_wanted.connect(self.put)
        board.overview.opened.connect(lambda run: self.context.go("runs", run=run))
        self.results.shown.connect(self.state.show_content)
        self.results.failed.connect(self._failed)
        self.exports.failed.connect(lambda error: board.notice.tell(error.message, error.hint, role="bad"))
        self.opener.failed.connect(lambda error: board.notice.tell(error.message, error.hint, role="bad"))
        board.export_wanted.connect(self._export)
        board.drawn_wanted.connect(self.exports.drawn)
        board.case_wanted.connect(self.opener.open)
        board.import_wanted.connect(lambda reads: self.imports.ask(reads=reads))
        self.imports.brought_in.connect(self._brought_in)
        disable(board.bring_in, "The workspace is open for reading only." if self.context.is_read_only else "")

    def _actions(self) -> tuple[Action, ...]:
        row = self.board.overview.current_run

        def shown() -> bool:
            return self.state.state == "content"

        def has_row() -> bool:
            return shown() and bool(row())

        def writes() -> bool:
            return not self.context.is_read_only

        first = Action("compare.reference", "Make the run the reference", lambda: self.put(row(), 0), "Ctrl+Home")
        out = Action("compare.remove", "Take the run out", lambda: self.put(row(), -1), "Ctrl+Backspace")
        return (
            Action("compare.choose", "Choose runs to compare", self.choose, "Ctrl+O", self.title),
            Action(first.id, first.title, first.call, first.keys, self.title, has_row),
            Action(out.id, out.title, out.call, out.keys, self.title, has_row),
            Action("compare.export", "Export the numbers", self.export_numbers, "Ctrl+E", self.title, shown),
            Action(
                "compare.predictions",
                "Import predictions of another system",
                self.imports.predictions,
                "",
                self.title,
                writes,
            ),
            Action("compare.reads", "Import reads of human readers", self.imports.reads, "", self.title, writes),
            Action("compare.report", "Report of these runs", self.make_report, "Ctrl+R", self.title, shown),
        )

    def visit(self, **wish: Any) -> None:
        """``runs=(ID, …)``: compare these; the first is the reference."""
        runs = tuple(dict.fromkeys(str(run) for run in wish.get("runs") or ()))
        if runs:
            self.set_runs(runs)

    def refresh(self) -> None:
        """Ask which runs there are, then for what is stored of the chosen ones."""
        reference = self._runs[0] if self._runs else ""
        self._listing.ask(ListCandidates(reference), self._listed, self._failed)

    def set_runs(self, runs: Sequence[str]) -> None:
        """Compare these; the first is the reference."""
        self.board.notice.hide()
        self._runs, self._is_wish, self._is_chosen = tuple(runs), True, True
        self._awaited = frozenset()
        if not runs:
            remember_runs(self.context.memory, self.context.root, ())
        self.refresh()

    def put(self, run: str, place: int) -> None:
        """Put a run in another place of the order; -1 takes it out."""
        if place < 0:
            self.board.bar.remove(run)
        else:
            self.board.bar.put(run, place)

    def choose(self) -> None:
        """Open the list of runs."""
        chooser = RunChooser(self.context, self._runs, self)
        chooser.chosen.connect(self.set_runs)
        chooser.finished.connect(chooser.deleteLater)
        chooser.open()

    def _brought_in(self, answer: TableImported, reads: bool) -> None:
        more = "; ".join(answer.remarks)
        said = f"{'The reads were' if reads else f'{answer.id} was'} imported{': ' + more if more else ''}."
        if reads:
            self.context.say(said, "good")
            self.refresh()
            return
        self.set_runs((*(run for run in self._runs if run != answer.id), answer.id))
        self.board.notice.tell(said, role="good")

    def make_report(self) -> None:
        """Go on with a report of these runs."""
        self.context.go("reports", runs=self._runs)

    def export_numbers(self) -> None:
        """Write the numbers of these runs to a file."""
        self.exports.numbers(self._runs)

    def _listed(self, answer: CandidateList) -> None:
        known = {one.run: one for one in answer.runs}
        opened = tuple(run for run in self._runs if run in known and known[run].is_opened)
        if opened and opened[0] != answer.reference:  # judge the others by the first whose test is open
            self._leave_out(tuple(run for run in self._runs if run not in opened), known)
            self._runs = opened
            self.refresh()
            return
        fine = tuple(run for run in opened if not known[run].obstacle)
        self._leave_out(tuple(run for run in self._runs if run not in fine), known)
        if not fine and not self._is_wish:
            fine = usual_choice(answer.runs)
        if not fine:
            emptiness.show(self.state, answer, self._runs, context=self.context, choose=self.choose)
            self._ask_ladder(answer)
            return
        self._sealed.cancel()
        self.sealed.hide()
        self._runs = fine + self._take_late(answer, fine)
        if self._is_chosen:  # what nobody chose is chosen anew at the next start, from what is open then
            remember_runs(self.context.memory, self.context.root, self._runs)
        self.results.read(self._runs)

    def _ask_ladder(self, answer: CandidateList) -> None:
        """While no test is open, validation shows which way of adapting is worth one."""
        if len(answer.runs) < 2:
            self.sealed.hide()
            return
        self._sealed_run = answer.runs[-1].run
        self._sealed.ask(ReadLadder((self._sealed_run,)), self._draw_ladder, self._failed)

    def _draw_ladder(self, answer: DrawingList) -> None:
        if answer.drawings:
            self.sealed.part.draw(answer.drawings)
        self.sealed.setVisible(bool(answer.drawings))

    def _make_ladder(self, place: QWidget) -> LadderTab:
        tab = LadderTab(place)
        tab.setContentsMargins(SPACE[4], 0, SPACE[4], SPACE[2])
        tab.export_wanted.connect(
            lambda key, view, kind, name: self.exports.chart((self._sealed_run,), key, view, kind, name)
        )
        return tab

    def _take_late(self, answer: CandidateList, shown: Sequence[str]) -> tuple[str, ...]:
        """Runs whose test was opened since the last look: those that were wanted come in, others are offered."""
        seen, self._seen = self._seen, frozenset(one.run for one in answer.runs if one.is_opened)
        fits = (one.run for one in answer.runs if one.is_opened and not one.obstacle and one.run not in shown)
        late = tuple(run for run in fits if seen is not None and run not in seen)
        wanted = tuple(run for run in late if run in self._awaited or not self._is_chosen)
        self._awaited -= frozenset(wanted)
        others = tuple(run for run in late if run not in wanted)
        if others:
            more = (*shown, *wanted, *others)
            self.board.notice.tell(
                f"The test of {wording.listed(others)} is open now and can stand beside these runs.",
                role="good",
                deeds=[("Add to the comparison", lambda: self.set_runs(more))],
            )
        elif wanted:
            self.board.notice.hide()
        return wanted

    def _leave_out(self, runs: Sequence[str], known: Mapping[str, Candidate]) -> None:
        """Say which runs are not shown, and why."""
        if not runs or not self._is_wish:
            return
        sealed = [run for run in runs if run in known and not known[run].is_opened]
        if sealed:
            self._awaited |= frozenset(sealed)
            self.board.notice.tell(
                f"The test of {wording.listed(sealed)} is sealed, so there is nothing to compare yet.",
                "“Choose runs …” opens it, with a reason that is kept.",
            )
            return
        reason = next((known[run].obstacle for run in runs if run in known and known[run].obstacle), "")
        said = reason or f"{wording.listed(runs)}: no finished run of that name."
        self.board.notice.tell(f"{wording.listed(runs)} cannot stand beside the others.", said)

    def _failed(self, error: MedfmError) -> None:
        self.state.show_error(error, "Try again", self._retry)

    def _retry(self) -> None:
        self.state.show_busy("Reading the runs")
        self.refresh()

    def _export(self, key: str, view: ChartView, kind: str, name: str) -> None:
        self.exports.chart(self._runs, key, view, kind, name)
