"""Reads what is stored of the chosen runs, and has their paired tests computed where that was never done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from medfm_gui.desk.asks.compare import CompareRuns, DrawingList, ReadDrawings, ReadSideBySide, SideBySide
from medfm_gui.desk.asks.compare_outside import Baselines, ReadBaselines
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.compare.beside import RocBeside
from medfm_gui.ui.pages.compare.board import Board

_READ_ONLY = "The workspace is open for reading only, and the paired tests of these runs were not computed before."
_ONE = (
    "Paired tests tell whether two runs differ on the same test images, with an interval and a p value that is "
    "adjusted for the number of comparisons."
)


class Results(QObject):
    """Fills a board.

    Signals:
        shown(): the numbers of the runs are on the board.
        failed(MedfmError): they could not be read.
    """

    shown = Signal()
    failed = Signal(object)

    def __init__(self, context: Context, board: Board, choose: Callable[[], None]) -> None:
        super().__init__(board)
        self._is_read_only = context.is_read_only
        self._board = board
        self._choose = choose
        self._runs: tuple[str, ...] = ()
        self._reading, self._comparing = Newest(context.desk, self), Newest(context.desk, self)
        self._drawing, self._cheap = Newest(context.desk, self), Newest(context.desk, self)
        self._beside = RocBeside(context, board)
        self._found: SideBySide | None = None
        self._made: Baselines | None = None
        self._is_cheap_wanted = True

    def read(self, runs: Sequence[str]) -> None:
        """Show these runs; a comparison of others that is being computed is given up."""
        if tuple(runs) != self._runs:
            self._comparing.cancel()
            self._drawing.cancel()
            self._cheap.cancel()
            self._made, self._is_cheap_wanted = None, True
        self._runs = tuple(runs)
        self._reading.ask(ReadSideBySide(self._runs), self._show, self.failed.emit)

    def compute(self) -> None:
        """Have the paired tests of these runs computed."""
        self._board.tests.pane.show_busy("Comparing the runs in pairs", on_cancel=self.stop)
        self._board.overview.conclude("Comparing the runs in pairs …")
        self._comparing.ask(CompareRuns(self._runs), self._computed, self._not_computed, self._progress)

    def stop(self) -> None:
        """Give the paired tests up."""
        self._comparing.cancel()
        self._not_computed(Interrupted("It was cancelled.", "Start it again when you like."))

    def _show(self, found: SideBySide) -> None:
        self._found = found
        self._board.show_runs(found)
        self.shown.emit()
        self._ask_charts()
        self._beside.look(found)
        self._ask_cheap()
        if found.is_compared or len(found.sides) < 2:
            self._show_tests(found)
        elif self._is_read_only:
            self._board.tests.pane.show_empty("No paired tests", _READ_ONLY, icon="compare")
        elif not self._comparing.is_waiting:
            self.compute()

    def _show_tests(self, found: SideBySide) -> None:
        if len(found.sides) < 2:
            pane = self._board.tests.pane
            pane.show_empty(
                "One run has nothing to be compared with", _ONE, "Choose runs …", self._choose, icon="compare"
            )
        else:
            self._found = found
            self._board.tests.show_runs(found, self._made.file if self._made is not None else None)

    def _ask_cheap(self) -> None:
        """The cheap models of these runs: once, and behind everything that was asked before."""
        if self._made is not None:
            self._tell_cheap(self._made)
        elif self._is_cheap_wanted and not self._cheap.is_waiting:
            self.make_cheap()

    def make_cheap(self) -> None:
        """Have the cheap models of these runs made, or read."""
        self._is_cheap_wanted = True
        line = self._board.overview.cheap
        line.wait(self._stop_cheap)
        self._cheap.ask(ReadBaselines(self._runs), self._tell_cheap, self._no_cheap, line.progress)

    def _stop_cheap(self) -> None:
        self._cheap.cancel()
        self._no_cheap(Interrupted("It was cancelled.", "Start it again when you like."))

    def _no_cheap(self, error: MedfmError) -> None:
        self._is_cheap_wanted = False  # not by themselves; the button makes them
        self._board.overview.cheap.fail(error, self.make_cheap)

    def _tell_cheap(self, answer: Baselines) -> None:
        self._made = answer
        overview = self._board.overview
        overview.show_baselines(answer.file.baselines)
        overview.cheap.tell(answer)
        made = [one for one in answer.file.baselines if one.predictions is not None]
        overview.grid.offer_baselines(bool(made))
        if self._found is not None and self._found.is_compared:
            self._board.tests.show_runs(self._found, answer.file)

    def _progress(self, news: Progress) -> None:
        self._board.tests.pane.show_busy(news.text, news.total, news.done, news.seconds_left, self.stop)

    def _computed(self, found: SideBySide) -> None:
        self._board.overview.conclude(found.sentence, len(found.sides) - 1)
        self._show_tests(found)
        self._ask_charts()

    def _not_computed(self, error: MedfmError) -> None:
        pane = self._board.tests.pane
        self._board.overview.conclude("")
        if isinstance(error, Interrupted):
            pane.show_empty(
                "The comparison was stopped",
                "No paired test was computed.",
                "Compute paired tests",
                self.compute,
                icon="compare",
            )
        else:
            pane.show_error(error, "Try again", self.compute)

    def _ask_charts(self) -> None:
        self._drawing.ask(ReadDrawings(self._runs), self._draw, self._not_drawn)

    def _draw(self, answer: DrawingList) -> None:
        self._board.draw(answer)

    def _not_drawn(self, error: MedfmError) -> None:
        self._board.notice.tell(error.message, error.hint, role="bad")
