"""The adaptation ladder: the metric against what the runs cost, and against the labels they used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medfm_gui.desk.asks.compare import LADDER, LADDER_OF_ALL, Drawing, Side, SideBySide
from medfm_gui.domain.ladder import Cost
from medfm_gui.ui.charts.view import ChartView
from medfm_gui.ui.pages.compare.charts import slots_of
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import choice, fields_in_a_row
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label

_LABELS = "label-efficiency"
_SCOPES = (("Compared runs", LADDER), ("All finished runs of this split", LADDER_OF_ALL))
_AXES = (
    *((cost.words.capitalize(), f"ladder-{cost}") for cost in Cost),
    ("Labels, few-shot curves", _LABELS),
)

_FIELD_LETTERS = 28


class LadderTab(QWidget):
    """One chart as large as the page, with a choice of runs and of what it is drawn against.

    Signals:
        export_wanted(str, ChartView, str, str): a chart's key, its view, the format, a suggested name.
    """

    export_wanted = Signal(str, object, str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sides: tuple[Side, ...] = ()
        self._drawings: Mapping[str, Drawing] = {}
        self.scope = choice(_SCOPES)
        self.scope.setAccessibleName("Runs of the ladder")
        self.scope.currentIndexChanged.connect(lambda _: self._offer())
        self.axis = choice(())
        self.axis.setAccessibleName("What the ladder is drawn against")
        self.axis.currentIndexChanged.connect(lambda _: self._show())
        self._scope_name = Label("Runs", "muted", wrap=False)
        axis_name = Label("Against", "muted", wrap=False)
        self.view = ChartView()
        self.view.export_wanted.connect(self._export)
        for field in (self.axis, self.scope):
            field.setMinimumContentsLength(_FIELD_LETTERS)
        head = fields_in_a_row((axis_name, self.axis), (self._scope_name, self.scope))
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, SPACE[2], 0, SPACE[2])
        column.setSpacing(SPACE[2])
        column.addLayout(head)
        column.addWidget(self.view, 1)
        self.pane = StatePane(body)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.pane)

    def show_runs(self, found: SideBySide) -> None:
        """The runs whose ladder will come."""
        self._sides = found.sides

    def draw(self, drawings: Sequence[Drawing]) -> None:
        """Offer these charts; what was chosen stays chosen where it is still there."""
        self._drawings = {one.key: one for one in drawings if one.key.partition(":")[0] in (LADDER, LADDER_OF_ALL)}
        scopes = {key.partition(":")[0] for key in self._drawings}
        if not scopes:
            self.pane.show_empty(
                "No ladder of these runs",
                "The ladder shows what each way of adapting a model costs and how good it becomes: trained parameters, "
                "minutes, labels. Compare two runs or more whose costs are known and differ.",
                icon="compare",
            )
            return
        several = len(scopes) > 1
        self.scope.setVisible(several)
        self._scope_name.setVisible(several)
        if not several:
            self.scope.blockSignals(True)
            self.scope.setCurrentIndex(self.scope.findData(next(iter(scopes))))
            self.scope.blockSignals(False)
        self.pane.show_content()
        self._offer()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what was chosen while nobody looked."""
        super().showEvent(event)
        self._show()

    def _offer(self) -> None:
        """Offer the axes that the chosen runs have."""
        before = self.axis.currentData()
        self.axis.blockSignals(True)
        self.axis.clear()
        for name, chart in _AXES:
            if f"{self.scope.currentData()}:{chart}" in self._drawings:
                self.axis.addItem(name, chart)
        self.axis.setCurrentIndex(max(0, self.axis.findData(before)) if self.axis.count() else -1)
        self.axis.blockSignals(False)
        self._show()

    @property
    def key(self) -> str:
        """The key of the chart that is shown."""
        return f"{self.scope.currentData()}:{self.axis.currentData()}"

    def _show(self) -> None:
        if not self.isVisible():
            return
        drawing = self._drawings.get(self.key)
        chart = drawing.chart if drawing else None
        if self.view.chart is not chart:
            self.view.set_chart(chart, slots_of(chart, self._sides) if chart else None)

    def _export(self, kind: str, name: str) -> None:
        self.export_wanted.emit(self.key, self.view, kind, name)
