"""Step 4: how the models are adapted: the ladder with its rungs, shots and seeds, and the grid of models by ways."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.train import rules
from medfm_gui.ui.pages.train.grid import CellTable
from medfm_gui.ui.pages.train.model import PlanState, factors, obstacle
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.ways import RUNGS, WAYS, Way
from medfm_gui.ui.pages.train.wizard.axes import AxesPanel
from medfm_gui.ui.pages.train.wizard.step import Step
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.scrolling import scrolled
from medfm_gui.ui.widgets.table import ROW_PX, DataTable
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, tip
from medfm_gui.workspace.models import Model

_LEAST_ROWS = 4
_SCRATCH = Way("full", from_scratch=True)
_NARROW_PX = SPACE[-1] + SPACE[2]


class AdaptationStep(Step):
    """Ways switch a whole stack of the grid; the grid's marks are single pairs."""

    def __init__(self, context: Context, state: PlanState) -> None:
        super().__init__(
            context,
            state,
            At.ADAPTATION,
            "Adaptation",
            "The ladder from frozen features to every weight. Each ticked pair becomes a run on the same frozen split.",
        )
        inside = QWidget()
        inside.setProperty("role", "page")
        self.body.addWidget(scrolled(inside), 1)
        stack = QVBoxLayout(inside)
        stack.setContentsMargins(0, 0, SPACE[1], 0)
        stack.setSpacing(SPACE[2])
        self._ladder = _Ladder(state)
        stack.addWidget(self._ladder)
        self._axes = AxesPanel(state)
        stack.addWidget(self._axes)
        self._model = CellTable(state, self)
        self._table = DataTable("Models by ways")
        self._table.setModel(self._model)
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._table.setMinimumHeight(_LEAST_ROWS * ROW_PX)
        header = self._table.horizontalHeader()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(_NARROW_PX)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, way in enumerate(WAYS, 1):
            self._table.setColumnWidth(column, header.fontMetrics().horizontalAdvance(way.short) + SPACE[3])
        self._table.setTextElideMode(Qt.TextElideMode.ElideRight)
        stack.addWidget(self._table, 1)
        self._runs = Label("")
        self._reasons = Label("", "caption")
        words = QVBoxLayout()
        words.setSpacing(SPACE[0])
        words.addWidget(self._runs)
        words.addWidget(self._reasons)
        self._weights = action("Get weights …", "download")
        self._weights.clicked.connect(lambda: context.go("settings", tab="weights"))
        row = QHBoxLayout()
        row.setSpacing(SPACE[2])
        row.addLayout(words, 1)
        row.addWidget(self._weights)
        self.body.addLayout(row)

    @property
    def first(self) -> QWidget:
        """See ``Step``."""
        return self._ladder.first

    def show_plan(self) -> None:
        """Tick what is chosen, say what is impossible and how many runs it makes."""
        self._model.show_plan()
        self._ladder.show_plan()
        self._axes.show_plan()
        self._runs.setText(factors(self.state) if self.state.cells() else "")
        lacks = rules.lacks_attention_blocks(self.state)
        reasons = [text for text in (self._model.reasons(), rules.ATTENTION_NEEDS if lacks else "") if text]
        self._reasons.setText(" ".join(text[:1].upper() + text[1:] for text in reasons))
        self._reasons.setVisible(bool(reasons))
        self._weights.setVisible(lacks or any(not one.weights.is_here for one in self.state.chosen_models))


class _Ladder(Panel):
    """A line a way, the rungs' names at the left."""

    def __init__(self, state: PlanState) -> None:
        super().__init__()
        self._state = state
        self.setAccessibleName("Ways of adapting")
        self._boxes: dict[Way, QCheckBox] = {}
        self._counts: dict[Way, Label] = {}
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[3])
        grid.setVerticalSpacing(SPACE[0])
        grid.setColumnStretch(2, 1)
        line = 0
        for rung in RUNGS:
            grid.addWidget(Label(rung.title, "caption", wrap=False), line, 0)
            for way in rung.ways:
                self._add(way, grid, line)
                line += 1
        self.add(inside)

    @property
    def first(self) -> QWidget:
        """The lowest rung that can be taken."""
        return next((box for box in self._boxes.values() if box.isEnabled()), self)

    def show_plan(self) -> None:
        """Tick the ways; one that no model can take says why."""
        models, cells = self._state.chosen_models, self._state.cells()
        for way, box in self._boxes.items():
            on = sum(other == way for _, other in cells)
            possible = sum(not obstacle(model, way) for model in models)
            whole = Qt.CheckState.Checked if on == possible else Qt.CheckState.PartiallyChecked
            box.setCheckState(whole if on else Qt.CheckState.Unchecked)
            why = "" if possible else _why_none(models, way)
            disable(box, why)
            if possible:
                tip(box, way.summary)
            self._counts[way].setText(why or (f"{on} of {len(models)}" if on else ""))

    def _add(self, way: Way, grid: QGridLayout, line: int) -> None:
        box = QCheckBox(escape_mnemonic("Full, from scratch" if way == _SCRATCH else way.title))
        box.setAccessibleName(way.title)
        box.setAccessibleDescription(way.summary)
        box.clicked.connect(partial(self._turn, way))
        gist = Label(way.gist, "muted", elide=Qt.TextElideMode.ElideRight)
        number = Label("", "caption", wrap=False)
        number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for column, widget in enumerate((box, gist, number), 1):
            grid.addWidget(widget, line, column)
        self._boxes[way], self._counts[way] = box, number

    def _turn(self, way: Way) -> None:
        """A way that some pairs are ticked of gets all of them first."""
        ticked = sum(other == way for _, other in self._state.cells())
        possible = sum(not obstacle(model, way) for model in self._state.chosen_models)
        self._state.toggle_way(way, ticked < possible)
        self.show_plan()  # Qt has ticked the box by itself already


def _why_none(models: tuple[Model, ...], way: Way) -> str:
    """Why no model can take this way."""
    if not models:
        return "choose a model first"
    return ", ".join(dict.fromkeys(obstacle(model, way) for model in models))
