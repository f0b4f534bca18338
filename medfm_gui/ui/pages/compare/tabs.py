"""The tabs of numbers: overview, paired tests, numbers by class."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QMenu,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.desk.asks.compare import SideBySide
from medfm_gui.ui.charts.interval_cell import IntervalDelegate
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.pages.compare.charts import ChartGrid
from medfm_gui.ui.pages.compare.cheap import CheapLine
from medfm_gui.ui.pages.compare.every_pair import EveryPair, pair_view
from medfm_gui.ui.pages.compare.model import (
    MetricTable,
    as_errors,
)
from medfm_gui.ui.pages.compare.pairs import TOGETHER, PairTable
from medfm_gui.ui.pages.compare.run_cell import RunDelegate
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.forms import choice
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.table import ROW_PX, DataTable
from medfm_gui.ui.widgets.text import Label, shown, tip
from medfm_gui.workspace.shortcuts import Baseline, ShortcutFile

_NAME_PX = SPACE[-1] * 9
_METRIC_PX = SPACE[-1] * 7
_CLASS_PX = SPACE[-1] * 6
_MOST_ROWS = 10
_LONGEST_SENTENCE = 1100
_LONGEST_TEXT = 40_000
_SENTENCE_PX = SPACE[-1] * 2
_FEWEST_ROWS = 3
_P_PX = SPACE[3] * 5


class OverviewTab(QScrollArea):
    """Numbers with intervals, what may be concluded, and four charts.

    Signals:
        order_wanted(str, int): a run is to stand at that place; -1 takes it out.
        opened(str): a run was activated.
        export_wanted(str, ChartView, str, str): a chart's key, its view, the format, a suggested name.
        drawn_wanted(ChartView, str, str): the chart of a view is wanted as it is drawn: the format, a suggested name.
        beside_wanted(bool, bool): cheap models, and readers, are to be seen in the ROC, or not.
    """

    order_wanted = Signal(str, int)
    export_wanted = Signal(str, object, str, str)
    opened = Signal(str)
    drawn_wanted = Signal(object, str, str)
    beside_wanted = Signal(bool, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = MetricTable(self)
        self._found: SideBySide | None = None
        self.table = DataTable("Metrics of the runs")
        self.table.setModel(self.model)
        self.table.setItemDelegate(IntervalDelegate(self.table))
        self.table.setItemDelegateForColumn(0, RunDelegate(self.table))
        self.table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.table.horizontalHeader().setStretchLastSection(False)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._menu)
        self.table.activated.connect(lambda index: self.opened.emit(self._run_at(index.row())))
        self.note = Label("", "caption")
        self.errors = choice((("Left out", False), ("Counted as wrong", True)))
        self.errors.setAccessibleName("Images that could not be scored")
        self.errors.currentIndexChanged.connect(lambda _: self._fill())
        self._errors_name = Label("Images that could not be scored", "muted", wrap=False)
        self._errors_name.setBuddy(self.errors)
        self.flagged = Label("", "caption")
        self.flagged.hide()
        self.cheap = CheapLine()
        self._baselines: tuple[Baseline, ...] = ()
        self.sentence = Label("", selectable=True)
        self.conclusion = _panel(self.sentence)
        self._grid = Deferred(self._make_grid)
        self._build()

    @property
    def grid(self) -> ChartGrid:
        """The four charts."""
        return self._grid.part

    def _make_grid(self, place: QWidget) -> ChartGrid:
        grid = ChartGrid(place)
        grid.export_wanted.connect(self.export_wanted)
        grid.drawn_wanted.connect(self.drawn_wanted)
        grid.beside_wanted.connect(self.beside_wanted)
        return grid

    def _build(self) -> None:
        below = QHBoxLayout()
        below.setSpacing(SPACE[1])
        below.addWidget(self.note, 1)
        below.addWidget(self._errors_name)
        below.addWidget(self.errors)
        body = QWidget()
        self.setWidget(body)  # before it is filled: it is measured and styled at once
        self.setWidgetResizable(True)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, SPACE[2], SPACE[1], SPACE[2])
        column.setSpacing(SPACE[2])
        column.addWidget(self.table)
        column.addLayout(below)
        column.addWidget(self.flagged)
        column.addWidget(self.conclusion)
        column.addWidget(self.cheap)
        column.addWidget(self._grid)
        column.addStretch(1)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_runs(self, found: SideBySide) -> None:
        """Show a comparison."""
        same = self._found is not None and self._found.sides == found.sides
        self._found = found
        if not same:
            self._baselines = ()
            self.cheap.clear()
        both = any(as_errors(row) for row in found.evaluations)
        self.errors.setVisible(both)
        self._errors_name.setVisible(both)
        self._fill()
        self.conclude(found.sentence, len(found.sides) - 1)
        if not same:
            self.grid.show_runs(found)
        self.flagged.setText(wording.flagged_line(found))
        self.flagged.setVisible(bool(found.flagged))
        self._fit()

    def show_baselines(self, baselines: Sequence[Baseline]) -> None:
        """Show the cheap models below the runs; none takes them away."""
        self._baselines = tuple(baselines)
        self._fill()
        self._fit()

    def _fit(self) -> None:
        rows = min(self.model.rowCount(), _MOST_ROWS)
        bar = self.table.horizontalScrollBar().sizeHint().height()
        self.table.setFixedHeight(self.table.horizontalHeader().sizeHint().height() + rows * ROW_PX + bar + 2)

    def conclude(self, sentence: str, n_pairs: int = 1) -> None:
        """Say what may be concluded; a long text stands with the tests."""
        if len(sentence) > _LONGEST_SENTENCE:
            sentence = f"What may be concluded of the {n_pairs} paired comparisons stands under “Tests”."
        self.sentence.setText(sentence)
        self.conclusion.setVisible(bool(sentence))

    def fit_columns(self) -> None:
        """Usual widths, where none were kept."""
        for column in range(self.model.columnCount()):
            title = self.table.horizontalHeader().sectionSizeHint(column)
            self.table.setColumnWidth(column, max(_METRIC_PX, title) if column else _NAME_PX)

    def current_run(self) -> str:
        """The run of the current row; empty where there is none."""
        return self._run_at(self.table.currentIndex().row())

    def _run_at(self, row: int) -> str:
        side = self.model.side(row)
        return side.run if side else ""

    def _fill(self) -> None:
        if self._found is None:
            return
        self.model.fill(self._found, errors=bool(self.errors.currentData()), baselines=self._baselines)
        fewer = "" if self.errors.currentData() else wording.fewer_line(self._found)
        self.note.setText(" ".join(filter(None, (wording.methods_line(self.model.shown()), fewer))))

    def _menu(self, point: QPoint) -> None:
        row = self.table.indexAt(point).row()
        if self._run_at(row):
            self.menu_for(row).popup(self.table.viewport().mapToGlobal(point))

    def menu_for(self, row: int) -> QMenu:
        """What can be done with a run of the table."""
        run, last = self._run_at(row), self.model.n_runs - 1
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for title, place, possible in (
            ("Make it the reference", 0, row > 0),
            ("Move up", row - 1, row > 0),
            ("Move down", row + 1, row < last),
            ("Remove", -1, True),
        ):
            item = menu.addAction(title)
            item.setEnabled(possible)
            item.triggered.connect(lambda _=False, place=place: self.order_wanted.emit(run, place))
        menu.addSeparator()
        menu.addAction("Show this run").triggered.connect(lambda: self.opened.emit(run))
        return menu


class TestsTab(QWidget):
    """Paired tests against the reference, and what may be concluded, in words."""

    __test__ = False

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: SideBySide | None = None
        self._every = Deferred(lambda place: EveryPair(context, place))
        self.model = PairTable(self)
        self.table = pair_view("Paired tests", self.model)
        self.table.setMinimumHeight((_FEWEST_ROWS + 2) * ROW_PX)  # with its header and the bar below
        self.head = Label("", "muted")
        self.switch = Switch("All pairs (exploratory)")
        tip(self.switch, "Every run minus every other by the headline, a look that no question named beforehand")
        self.switch.toggled.connect(self._choose)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName("What may be concluded")
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(_SENTENCE_PX)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, SPACE[2], 0, SPACE[2])
        column.setSpacing(SPACE[2])
        column.addWidget(self.switch, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._reference(), 1)
        column.addWidget(self._every, 1)
        self._every.hide()
        self.pane = StatePane(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.pane)

    def _reference(self) -> QWidget:
        """The tests that count: each run against the reference."""
        self.against = QWidget()
        column = QVBoxLayout(self.against)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        column.addWidget(self.head)
        column.addWidget(self.table, 3)
        name = Label("What may be concluded", "heading3")
        name.setBuddy(self.text)
        column.addWidget(name)
        column.addWidget(self.text, 1)
        return self.against

    @property
    def every(self) -> EveryPair:
        """Every run against every other."""
        return self._every.part

    def _choose(self, is_every: bool) -> None:
        if is_every and self._found is not None:
            self.every.show_runs(self._found)
        self.against.setVisible(not is_every)
        self._every.setVisible(is_every)

    def _follow(self, found: SideBySide) -> None:
        """Another comparison begins with the tests that count; with two runs there is no other pair."""
        same = self._found is not None and self._found.sides == found.sides
        self._found = found
        self.switch.setVisible(len(found.sides) > 2)
        if not same:
            self.switch.setChecked(False)
        elif self.switch.isChecked():
            self.every.show_runs(found)

    def show_runs(self, found: SideBySide, cheap: ShortcutFile | None = None) -> None:
        """Show the tests of a comparison that was computed, and those against the cheap models."""
        self._follow(found)
        self.model.fill(found, cheap.baselines if cheap is not None else ())
        self.table.setColumnHidden(TOGETHER, not self.model.knows_together)
        self.head.setText(wording.tests_line(found, cheap))
        said = (found.sentence, *(cheap.sentences if cheap is not None else ()))
        self.text.setPlainText(shown("\n".join(part for part in said if part), _LONGEST_TEXT))
        self.pane.show_content()


def _panel(widget: QWidget) -> QFrame:
    frame = QFrame()
    frame.setProperty("role", "banner")
    column = QVBoxLayout(frame)
    column.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
    column.addWidget(widget)
    return frame
