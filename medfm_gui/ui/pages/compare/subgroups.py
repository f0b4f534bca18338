"""Subgroups: the numbers of each run in parts of the test, by a covariate that is chosen."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.compare import SideBySide
from medfm_gui.desk.asks.compare_cases import CovariateList, ListTestCovariates, ReadSubgroups
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.units import unit_title
from medfm_gui.metrics.names import method_title
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import case_layout, wording
from medfm_gui.ui.pages.compare.cells import Cell, CellTable
from medfm_gui.ui.pages.compare.chart_tab import ChartTab
from medfm_gui.ui.pages.compare.charts import slots_of
from medfm_gui.ui.pages.compare.events import EventField
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import choice, fields_in_a_row
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label, one_line
from medfm_gui.workspace.subgrouping import Interaction, SubgroupFile

_TITLES = ("Value", "Run", "n", "Events", "ROC-AUC", "Sensitivity", "Specificity")
_WIDTHS = (SPACE[-1] * 4, SPACE[3] * 13, SPACE[-1] * 2, SPACE[-1] * 2, *(SPACE[3] * 13 + SPACE[1],) * 3)
_FIELD_LETTERS = 28
_KEPT = "compare.covariate"


class SubgroupsTab(ChartTab):
    """A table of values, and the same as a forest."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._memory = context.memory
        self._task = Task.BINARY
        self.covariate = choice(())
        self.covariate.setAccessibleName("Covariate")
        self.covariate.setMinimumContentsLength(_FIELD_LETTERS)
        self.covariate.currentIndexChanged.connect(lambda _: self._chosen())
        self.one_event = EventField(self._ask)
        self.model = CellTable(_TITLES, (2, 3), self)
        self.table = case_layout.bar_table("Numbers by subgroup", self.model, _WIDTHS, runs_in=1)
        self.table.horizontalHeader().setStretchLastSection(False)  # the bars of all columns stay equally long
        self.note = Label("", "caption")
        inner = QWidget()
        head = fields_in_a_row(
            (Label("Covariate", "muted", wrap=False), self.covariate), (self.one_event.name, self.one_event)
        )
        self.pane: StatePane = case_layout.stack(self, (head, 0), (inner, 1))  # inner is filled where it lies
        self.inner = case_layout.stack(
            inner, (self.table, 3), (self.view, 4), (self.note, 0), inside=True, scrolls=True
        )
        self._covariates = self.looks(self.pane, "Looking for covariates", self._offer)
        self._numbers = self.looks(self.inner, "Reading the predictions", self._show)

    def show_runs(self, found: SideBySide) -> None:
        """The runs of the comparison."""
        super().show_runs(found)
        self._task = found.task
        self._numbers.want(None)
        self.one_event.offer(found.events)
        if found.task is not Task.BINARY and not found.events:
            self._covariates.want(None)
            self.pane.show_empty(
                "No subgroups of this task",
                "Subgroups are told of a case that has an event or not; this task has no such event.",
                icon="table",
            )
            return
        self._covariates.want(ListTestCovariates(self.runs))

    def _offer(self, answer: CovariateList) -> None:
        if not answer.covariates:
            self.pane.show_empty(
                "Nothing parts these test images",
                "Covariates come with the import: columns of a table, and facts of DICOM headers such as sex, "
                "manufacturer and view. This dataset has none with two values.",
                icon="filter",
            )
            return
        before = self.covariate.currentData() or self._memory.get(_KEPT)
        self.covariate.blockSignals(True)
        self.covariate.clear()
        for one in answer.covariates:
            missing = f", {one.n_missing:,} not recorded" if one.n_missing else ""
            self.covariate.addItem(one_line(f"{one.name} ({one.n_values:,} values{missing})", 160), one.name)
        self.covariate.setCurrentIndex(max(0, self.covariate.findData(before)))
        self.covariate.blockSignals(False)
        self._ask()

    def _chosen(self) -> None:
        self._memory.put(_KEPT, self.covariate.currentData())
        self._ask()

    def _ask(self) -> None:
        name = self.covariate.currentData()
        if isinstance(name, str):
            self._numbers.want(ReadSubgroups(self.runs, name, self.one_event.named()))

    def _show(self, file: SubgroupFile) -> None:
        ends = {name: case_layout.ends_of(name, file.rows) for name in ("auc", "sensitivity", "specificity")}
        by = {(row.label, row.run, row.metric): row for row in file.rows}
        rows = []
        for value in file.values:
            for slot, side in enumerate(self.sides):
                first = by.get((value, side.run, "auc"))
                if first is None:
                    continue
                cells = [
                    case_layout.number_cell(by.get((value, side.run, name)), ends[name], slot, side.family)
                    for name in ends
                ]
                if first.value is None:
                    cells[0] = Cell("fewer than 20 of a class", first.note)
                    cells[1:] = [Cell("–", first.note)] * (len(cells) - 1)
                counts = [f"{first.n:,}", "" if first.n_events is None else f"{first.n_events:,}"]
                rows.append([Cell(value), case_layout.run_cell(self.sides, side.run), *map(Cell, counts), *cells])
        self.model.fill(rows)
        case_layout.fit_height(self.table, 6, least=True)
        self.view.setVisible(bool(file.chart.series))  # parts that are all too small have no chart
        self.view.set_chart(file.chart, slots_of(file.chart, self.sides))
        said = [_interaction(one) for one in file.interactions]
        self.note.setText("\n".join((f"By {unit_title(file.unit)}. {file.note}", *said)))


def _interaction(one: Interaction) -> str:
    """The one test that a protocol promised: whether a run's discrimination differs between the parts."""
    if one.p is None:
        return f"{one.run}: no interaction test: {one.note}."
    p = wording.p_value(one.p)
    told = f"p {p}" if p.startswith("<") else f"p = {p}"
    more = f" {one.note}" if one.note else ""
    return f"{one.run}: {method_title(one.method)}, n = {one.n:,}: {told}.{more}"
