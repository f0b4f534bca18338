"""Usefulness: calibration as numbers, and net benefit between two thresholds that a person names."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from medfm_gui.desk.asks.compare import SideBySide
from medfm_gui.desk.asks.compare_cases import ReadSampling, ReadUsefulness
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.units import unit_title
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import case_layout, wording
from medfm_gui.ui.pages.compare.cells import Cell, CellTable
from medfm_gui.ui.pages.compare.chart_tab import ChartTab
from medfm_gui.ui.pages.compare.charts import slots_of
from medfm_gui.ui.pages.compare.events import EventField
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import action, real_number
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.usefulness import BRIER_AT, ECE, IN_THE_LARGE, NPV, PPV, SCALE, SLOPE, Sampling, UsefulnessFile

_TITLES = (
    "Run",
    "Calibration-in-the-large (0)",
    "Calibration slope (1)",
    "ECE",
    "Brier score",
    "PPV",
    "NPV",
    "Probabilities",
)
_WIDTHS = (case_layout.NAME_PX, *(SPACE[-1] * 8,) * 2, case_layout.COUNT_PX, *(SPACE[-1] * 8,) * 3, case_layout.NAME_PX)
_KEPT = "compare.thresholds"
_NOT_NAMED = 0.0


class UsefulnessTab(ChartTab):
    """Fields for the range and the prevalence, a table, a chart."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._memory = context.memory
        self._is_named = False
        self.low = real_number(0.05, 0.001, 0.998, "", 3, 0.05)
        self.high = real_number(0.4, 0.002, 0.999, "", 3, 0.05)
        self.prevalence = real_number(_NOT_NAMED, 0.0, 0.999, "", 4, 0.01)
        self.prevalence.setSpecialValueText("as the dataset states")
        self.low.setAccessibleName("Lowest threshold probability")
        self.high.setAccessibleName("Highest threshold probability")
        self.prevalence.setAccessibleName("Prevalence in the intended population")
        self.prevalence.setMinimumWidth(SPACE[-1] * 5)
        self.one_event = EventField(self._other_event)
        self.button = action("Show net benefit", "chart", "primary")
        self.button.clicked.connect(self.ask)
        self.stated = Label("", "caption")
        self.model = CellTable(_TITLES, (3,), self)
        self.table = case_layout.bar_table("Calibration of the runs", self.model, _WIDTHS)
        self.notice = Notice()
        self.note = Label("", "caption")
        inner = QWidget()
        parts = ((self.notice, 0), (self.table, 0), (self.view, 1), (self.note, 0))
        self.inner = case_layout.stack(inner, *parts, inside=True, scrolls=True)
        self.pane = case_layout.stack(self, (self._head(), 0), (self.stated, 0), (inner, 1))
        self._sampling = self.looks(self.pane, "Reading the dataset", self._tell_sampling)
        self._numbers = self.looks(self.inner, "Reading the predictions", self._show)
        self._recall()

    def _head(self) -> FlowLayout:
        """The fields, in lines that wrap where the window is narrow."""
        row = FlowLayout()
        prevalence = "Intended prevalence"
        self._event = _together(self.one_event.name, self.one_event)
        self._event.hide()  # until there are several
        row.addWidget(self._event)
        row.addWidget(_together(_named("Thresholds from", self.low), self.low, _named("to", self.high), self.high))
        row.addWidget(_together(_named(prevalence, self.prevalence), self.prevalence, self.button))
        return row

    def _recall(self) -> None:
        kept = self._memory.get(_KEPT)
        if isinstance(kept, list) and len(kept) == 2 and all(isinstance(one, float) for one in kept):
            self.low.setValue(kept[0])
            self.high.setValue(kept[1])

    def show_runs(self, found: SideBySide) -> None:
        """The runs of the comparison; the range has to be named anew for others."""
        same = self.sides == found.sides
        super().show_runs(found)
        self.one_event.offer(found.events)
        self._event.setVisible(bool(found.events))
        if found.task is not Task.BINARY and not found.events:
            self._sampling.want(None)
            self._numbers.want(None)
            self.pane.show_empty(
                "Net benefit weighs one decision",
                "It is told of a case that has an event or not; this task has no such event.",
                icon="chart",
            )
            return
        self._sampling.want(ReadSampling(self.runs, self.one_event.named()))
        if not same or not self._is_named:
            self._ask_range()

    def _ask_range(self) -> None:
        self._is_named = False
        self._numbers.want(None)
        self.inner.show_empty(
            "Name a range of thresholds",
            "A threshold probability says how many false alarms one found case is worth: at 0.10 nine. Name the "
            "range within which people would act, before looking at the curve.",
            icon="chart",
        )

    def _other_event(self) -> None:
        """Another event has another range and another prevalence."""
        self.prevalence.setValue(_NOT_NAMED)
        self._sampling.want(ReadSampling(self.runs, self.one_event.named()))
        self._ask_range()

    def ask(self) -> None:
        """Show calibration and net benefit for what is in the fields."""
        self._is_named = True
        self._memory.put(_KEPT, [self.low.value(), self.high.value()])
        prevalence = self.prevalence.value() or None
        between = round(self.low.value(), 3), round(self.high.value(), 3)
        self._numbers.want(ReadUsefulness(self.runs, *between, prevalence, self.one_event.named()))

    def _tell_sampling(self, said: Sampling) -> None:
        how = said.sampling or "not stated"
        share = "not stated" if said.prevalence is None else f"{100 * said.prevalence:g} %"
        self.stated.setText(f"Dataset: sampling {how}, intended prevalence {share}.")

    def _show(self, file: UsefulnessFile) -> None:
        by = {(row.run, row.metric): row for row in file.rows}
        rows = []
        for slot, side in enumerate(self.sides):
            cells = [
                case_layout.number_cell(
                    by.get((side.run, metric)), case_layout.ends_of(metric, file.rows), slot, side.family
                )
                for metric in (IN_THE_LARGE, SLOPE, ECE, BRIER_AT, PPV, NPV)
            ]
            is_right = any(row.run == side.run and row.parameters.get(SCALE) for row in file.rows)
            as_is = "distorted by balanced training" if side.run in file.distorted else "not calibrated"
            shifted = "calibrated" if is_right else as_is
            rows.append([case_layout.run_cell(self.sides, side.run), *cells, Cell(shifted)])
        self.model.fill(rows)
        case_layout.fit_height(self.table, 5)
        chart = file.charts[0] if file.charts else None
        self.draw(chart, slots_of(chart, self.sides) if chart else {})
        self._warn(file)
        held = [row.note for row in file.rows if row.value is None and row.note.startswith("withheld")]
        words = ["Intervals: 95 %." if any(row.low is not None for row in file.rows) else ""]
        at = next((row.parameters["prevalence"] for row in file.rows if row.metric == BRIER_AT and row.parameters), "")
        words += [
            f"Brier score, PPV and NPV: at a prevalence of {at}; the last two at the locked threshold." if at else ""
        ]
        words += [f"Dashes are {held[0]}."] if held else []
        self.note.setText(" ".join(filter(None, (*words, f"By {unit_title(file.unit)}. ECE is no headline."))))

    def _warn(self, file: UsefulnessFile) -> None:
        said = file.withheld
        more = ""
        if file.distorted:
            runs = wording.listed(file.distorted)
            more = (
                f"{runs}: balanced sampling or class weights in training shifted the probabilities; recalibrate "
                "before they are acted on."
            )
        if said or more:
            self.notice.tell(said or more, more if said else "", role="warning")
        else:
            self.notice.hide()


def _named(text: str, field: QWidget) -> Label:
    name = Label(text, "muted", wrap=False)
    name.setBuddy(field)
    return name


def _together(*parts: QWidget) -> QWidget:
    """Parts that stay side by side."""
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, SPACE[2], 0)
    row.setSpacing(SPACE[1])
    for part in parts:
        row.addWidget(part)
    return whole
