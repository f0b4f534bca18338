"""Cheap models and readers in the ROC of a comparison: asked for when a switch says so."""

from __future__ import annotations

from PySide6.QtCore import QObject

from medfm_gui.desk.asks.compare import Drawing, SideBySide
from medfm_gui.desk.asks.compare_outside import ListReads, ReadRocBeside, ReadsList
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.compare.board import Board


class RocBeside(QObject):
    """Fills the ROC of a board's overview with what stands beside the runs."""

    def __init__(self, context: Context, board: Board) -> None:
        super().__init__(board)
        self._board = board
        self._runs: tuple[str, ...] = ()
        self._reads, self._reference = "", "dataset"
        self._looking, self._drawing = Newest(context.desk, self), Newest(context.desk, self)
        board.beside_wanted.connect(self._want)
        board.reads_known.connect(self._known)

    def look(self, found: SideBySide) -> None:
        """Other runs, or more reads: look whether there are reads for them."""
        runs = tuple(side.run for side in found.sides)
        if runs != self._runs:
            self._reads, self._reference = "", "dataset"
            self._drawing.cancel()
        self._runs = runs
        if found.task is Task.BINARY:
            self._looking.ask(ListReads(runs), self._listed, self._refused)

    def _listed(self, answer: ReadsList) -> None:
        known = {one.id for one in answer.reads}
        if self._reads not in known:
            self._reads = answer.reads[0].id if answer.reads else ""
            self._reference = "dataset"
        self._board.overview.grid.offer_readers(bool(known))

    def _known(self, reads: str, reference: str) -> None:
        """The tab of the readers shows these now."""
        if (reads, reference) == (self._reads, self._reference):
            return
        self._reads, self._reference = reads, reference or "dataset"
        grid = self._board.overview.grid
        grid.offer_readers(bool(reads))
        if grid.readers.isChecked():
            self._want(grid.baselines.isChecked(), True)

    def _want(self, baselines: bool, readers: bool) -> None:
        reads = self._reads if readers else ""
        if not (baselines or reads):
            self._drawing.cancel()
            self._board.overview.grid.draw_beside(None)
            return
        ask = ReadRocBeside(self._runs, baselines, reads, self._reference if reads else "dataset")
        self._drawing.ask(ask, self._draw, self._refused)

    def _draw(self, drawing: Drawing) -> None:
        self._board.overview.grid.draw_beside(drawing)

    def _refused(self, error: MedfmError) -> None:
        self._board.notice.tell(error.message, error.hint, role="bad")
