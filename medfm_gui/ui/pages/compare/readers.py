"""Readers: human readers beside the runs, how far they agree, and the cases that they see differently."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from medfm_gui.desk.asks.compare import SideBySide
from medfm_gui.desk.asks.compare_outside import ListReads, ReadReaders, ReadsList
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import Comparison, Evaluation
from medfm_gui.domain.units import counted, plural
from medfm_gui.metrics.names import method_title
from medfm_gui.ui.charts.interval_cell import IntervalCell
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import case_layout, wording
from medfm_gui.ui.pages.compare.cells import Cell, CellTable
from medfm_gui.ui.pages.compare.chart_tab import ChartTab
from medfm_gui.ui.pages.compare.charts import slots_of
from medfm_gui.ui.pages.compare.difference_cell import DifferenceDelegate
from medfm_gui.ui.pages.compare.model import RunMark
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, choice, disable
from medfm_gui.ui.widgets.text import Label, one_line
from medfm_gui.workspace.beside import ReaderBoard
from medfm_gui.workspace.disagreements import Case

_READERS = ("Reader", "n", "Events", "Sensitivity", "Specificity", "Intervals")
_AGREEMENT = ("Agreement", "n", "Estimate", "Method")
_PAIRS = ("Run", "Reader", "Specificity, reader's and run's", "p, Holm", "n", "Sensitivity, run minus reader", "Test")
_CASES = ("Case", "Reference")
_NUMBER_PX = SPACE[-1] * 2
_WIDTHS = (SPACE[-1] * 5, _NUMBER_PX, _NUMBER_PX + SPACE[2], *(SPACE[-1] * 8,) * 2)
_AGREEMENT_WIDTHS = (SPACE[-1] * 9, _NUMBER_PX, SPACE[-1] * 9, SPACE[-1] * 9)
_PAIR_WIDTHS = (case_layout.NAME_PX, SPACE[-1] * 4, SPACE[-1] * 7, SPACE[3] * 5, _NUMBER_PX, SPACE[-1] * 10)
_CASE_WIDTHS = (SPACE[-1] * 6, SPACE[-1] * 4, SPACE[-1] * 10, SPACE[-1] * 10)
_RULES = (("the dataset's labels", "dataset"), ("the readers' majority", "majority"))
_READ_ONLY = "The workspace is open for reading only."
_FOR = (
    "Reads of the same test images (a decision, or a rating from 1 to 5) stand as points in the ROC; each run is set "
    "to a reader's own specificity and compared there."
)


class ReadersTab(ChartTab):
    """Fields, a chart with points, three tables, and a list of cases.

    Signals:
        opened(Case, tuple of run ids): a case is to be shown with the heat maps of these runs.
        import_wanted(): a table of reads is to be brought in.
        reads_known(str, str): which reads, judged against what, are looked at; empty: there are none.
    """

    opened = Signal(object, object)
    import_wanted = Signal()
    reads_known = Signal(str, str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._can_import = not context.is_read_only
        self._cases: tuple[Case, ...] = ()
        self._names: dict[str, tuple[str, ...]] = {}
        self._positive = ""
        self.reads = choice(())
        self.reads.setAccessibleName("Reads")
        self.reads.setMinimumContentsLength(26)
        self.reads.currentIndexChanged.connect(lambda _: self._chosen())
        self.reference = choice(_RULES)
        self.reference.setAccessibleName("What readers are judged against")
        self.reference.setMinimumContentsLength(20)
        self.reference.currentIndexChanged.connect(lambda _: self._ask())
        self.button = action("Import reads …", "plus")
        disable(self.button, "" if self._can_import else _READ_ONLY)
        self.button.clicked.connect(self.import_wanted)
        self.model = CellTable(_READERS, (1, 2), self)
        self.table = case_layout.bar_table("Readers", self.model, _WIDTHS)
        self.agreement_model = CellTable(_AGREEMENT, (1,), self)
        self.agreement = case_layout.bar_table(
            "Agreement of the readers", self.agreement_model, _AGREEMENT_WIDTHS, runs_in=None
        )
        self.pair_model = CellTable(_PAIRS, (2, 3, 4), self)
        self.pairs = case_layout.bar_table("Runs at the readers' specificity", self.pair_model, _PAIR_WIDTHS)
        self.pairs.setItemDelegateForColumn(5, DifferenceDelegate(self.pairs))
        self.case_model = CellTable((*_CASES, "Positive by", "Negative by"), (), self)
        self.cases = case_layout.bar_table("Cases that are seen differently", self.case_model, _CASE_WIDTHS, None)
        self.cases.activated.connect(lambda _: self._open())
        self._build()

    def _build(self) -> None:
        self.note = Label("", "caption")
        self.count = Label("", "heading3")
        self.open_button = action("Open the study", "studies")
        self.open_button.clicked.connect(self._open)
        below = QHBoxLayout()
        below.addWidget(self.count, 1)
        below.addWidget(self.open_button)
        self._pairs_name = Label("Runs at each reader's own specificity", "heading3")
        self._agreement_name = Label("Agreement between the readers", "heading3")
        inner = QWidget()
        self.inner = case_layout.stack(
            inner, (self.table, 0), (self.view, 3), (self._pairs_name, 0), (self.pairs, 0), (self._agreement_name, 0),
            (self.agreement, 0), (self.note, 0), (below, 0), (self.cases, 2), inside=True, scrolls=True,
        )  # fmt: skip
        self.pane = case_layout.stack(self, (self._head(), 0), (inner, 1))
        self._list = self.looks(self.pane, "Looking for reads", self._offer)
        self._numbers = self.looks(self.inner, "Comparing runs with readers", self._show)

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        for text, field in (("Reads", self.reads), ("Judged against", self.reference)):
            name = Label(text, "muted", wrap=False)
            name.setBuddy(field)
            row.addWidget(name)
            row.addWidget(field)
            row.addSpacing(SPACE[2])
        row.addStretch(1)
        row.addWidget(self.button)
        return row

    def show_runs(self, found: SideBySide) -> None:
        """The runs of the comparison."""
        super().show_runs(found)
        self._positive = found.positive or ""
        self._numbers.want(None)
        if found.task is not Task.BINARY:
            self._list.want(None)
            self.pane.show_empty(
                "Readers are compared on two classes",
                "A reader's sensitivity and specificity are those of one decision; this task asks for more.",
                icon="info",
            )
            return
        self._list.want(ListReads(self.runs))
        self._list.again()  # a table may have come in since

    def _offer(self, answer: ReadsList) -> None:
        if not answer.reads:
            self.reads_known.emit("", "")
            wanted = "Import reads …" if self._can_import else ""
            self.pane.show_empty(
                "No human readers yet", _FOR, wanted, self.import_wanted.emit if wanted else None, icon="plus"
            )
            return
        before = self.reads.currentData()
        self.reads.blockSignals(True)
        self.reads.clear()
        for one in answer.reads:
            text = f"{counted(len(one.readers), 'reader')}, {counted(one.images, 'image')} ({one.imported[:10]})"
            self.reads.addItem(one_line(text, 160), one.id)
        self.reads.setCurrentIndex(max(0, self.reads.findData(before)))
        self.reads.blockSignals(False)
        self._names = {one.id: one.readers for one in answer.reads}
        self._chosen()

    def _chosen(self) -> None:
        """Other reads: the readers of these may be the reference too."""
        before = self.reference.currentData()
        names = self._names.get(str(self.reads.currentData()), ())
        self.reference.blockSignals(True)
        self.reference.clear()
        adjudicators = [(f"reader {one_line(name, 60)}", name) for name in names] if len(names) > 1 else []
        for text, value in (*_RULES[: 2 if len(names) > 1 else 1], *adjudicators):
            self.reference.addItem(text, value)
        self.reference.setCurrentIndex(max(0, self.reference.findData(before)))
        self.reference.blockSignals(False)
        self._ask()

    def _ask(self) -> None:
        reads, reference = self.reads.currentData(), self.reference.currentData()
        if isinstance(reads, str) and isinstance(reference, str):
            self._numbers.want(ReadReaders(reads, self.runs, reference))
            self.reads_known.emit(reads, reference)

    def _show(self, board: ReaderBoard) -> None:
        table = board.table
        self._cases = board.cases
        by = {(row.run, row.metric): row for row in table.evaluations}
        judged = dict.fromkeys(row.run for row in table.evaluations)
        self.model.fill([self._reader(run, by, len(self.sides) + at) for at, run in enumerate(judged)])
        self.agreement_model.fill([_agreed(row) for row in table.agreement])
        self.pair_model.fill([self._pair(pair, _reach(table.pairs)) for pair in table.pairs])
        words = [f"Read as {one_line(self._positive, 40)} by", "Read as something else by"]
        rows = [_case(case, board.readers, self._positive) for case in board.cases]
        self.case_model.fill(rows, (*_CASES, *words))
        for part, there in (
            (self.agreement, table.agreement), (self._agreement_name, table.agreement),
            (self.pairs, table.pairs), (self._pairs_name, table.pairs), (self.cases, board.cases),
        ):  # fmt: skip
            part.setVisible(bool(there))
        case_layout.fit_height(self.table, 6)
        case_layout.fit_height(self.agreement, 4)
        case_layout.fit_height(self.pairs, 6)
        case_layout.fit_height(self.cases, 6, least=True)
        self.draw(table.chart, slots_of(table.chart, self.sides))
        self.note.setText(table.note)
        self.note.setVisible(bool(table.note))
        shown = f", the first {len(board.cases):,} shown" if board.n_found > len(board.cases) else ""
        self.count.setText(f"Seen differently: {board.n_found:,} of {board.n_units:,} {plural(board.unit)}{shown}")
        self.open_button.setEnabled(bool(board.cases))
        if board.cases:
            self.cases.selectRow(0)

    def _reader(self, run: str, by: dict[tuple[str, str], Evaluation], slot: int) -> list[Cell]:
        """A reader in the colour of his point in the ROC."""
        cells = [
            case_layout.number_cell(by.get((run, metric)), (0.0, 1.0), slot)
            for metric in ("sensitivity", "specificity")
        ]
        name = run.removeprefix("reader:")
        positive, negative = by.get((run, "sensitivity")), by.get((run, "specificity"))
        total = (positive.n if positive else 0) + (negative.n if negative else 0)
        counts = [Cell(f"{total:,}"), Cell(f"{positive.n if positive else 0:,}")]
        methods = dict.fromkeys(method_title(row.method) for row in (positive, negative) if row is not None)
        return [Cell(name, name, RunMark("", slot)), *counts, *cells, Cell("; ".join(methods))]

    def _pair(self, pair: Comparison, reach: float) -> list[Cell]:
        place = next((at for at, side in enumerate(self.sides) if side.run == pair.a), 0)
        family = self.sides[place].family if self.sides else ""
        cell = IntervalCell(pair.difference, pair.low, pair.high, -reach, reach, place, family, signed=True)
        own, run = (_told(pair.parameters.get(name, "")) for name in ("at_specificity", "run_specificity"))
        return [
            case_layout.run_cell(self.sides, pair.a),
            Cell(pair.b.removeprefix("reader:")),
            Cell(f"{own}, {run}"),
            Cell(wording.p_value(pair.p_adjusted if pair.p_adjusted is not None else pair.p)),
            Cell(f"{pair.n:,}"),
            Cell(cell.text, wording.pair_tip(pair), interval=cell),
            Cell(method_title(pair.test)),
        ]

    def _open(self) -> None:
        row = self.cases.currentIndex().row()
        if 0 <= row < len(self._cases):
            self.opened.emit(self._cases[row], self.runs)


def _agreed(row: Evaluation) -> list[Cell]:
    cell = case_layout.number_cell(row, (-1.0, 1.0))
    return [Cell(wording.heading(row.metric)), Cell(f"{row.n:,}"), cell, Cell(method_title(row.method))]


def _case(case: Case, readers: tuple[str, ...], positive: str) -> list[Cell]:
    said = [(name, word) for name, word in zip(readers, case.decided, strict=True) if word]
    yes = ", ".join(name for name, word in said if word == positive)
    no = ", ".join(name for name, word in said if word != positive)
    tip = f"{case.place or 'its file is not known'}\nDouble click opens it"
    return [Cell(case.unit, tip), Cell(case.reference or wording.NONE), Cell(yes, yes), Cell(no, no)]


def _told(text: str) -> str:
    try:
        return f"{float(text):.3f}"
    except ValueError:
        return wording.NONE


def _reach(pairs: tuple[Comparison, ...]) -> float:
    ends = [abs(end) for pair in pairs for end in (pair.difference, pair.low, pair.high) if end is not None]
    return max(0.05, *ends) if ends else 0.05
