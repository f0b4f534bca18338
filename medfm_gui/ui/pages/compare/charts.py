"""The charts of a comparison: the first ones side by side, and any of them large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.desk.asks.compare import Drawing, Side, SideBySide
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.ui.charts.view import ChartView
from medfm_gui.ui.pages.compare import wording
from medfm_gui.ui.pages.compare.model import NO_RUN, metrics_of, name_of
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import choice, fields_in_a_row
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.table import PlainDelegate
from medfm_gui.ui.widgets.text import Label, one_line, tip_text

_CHART_PX = SPACE[-1] * 11
_LIST_PX = SPACE[-1] * 11
_FIELD_LETTERS = 22
_METRIC_PX = SPACE[-1] * 10
_CHEAP, _BESIDE = "baseline", "roc-beside"
_NO_RUNS = ("treat all", "treat none")
_PLACES = ("roc", "precision-recall", "calibration", "distribution", "confusion", "intervals", "differences")


def slots_of(chart: ChartSpec, sides: Sequence[Side]) -> dict[str, int]:
    """Place of the colour of each series that is named after a run (its id stands first), is of no run, or a reader."""
    places = {side.run: place for place, side in enumerate(sides)}
    found: dict[str, int] = {}
    readers = 0
    for series in chart.series:
        run = series.name.partition(" ")[0]
        if run in places:
            found[series.name] = places[run]
        elif series.style == _CHEAP or series.name in _NO_RUNS:
            found[series.name] = NO_RUN
        elif series.name.startswith("reader ") and not series.joined:
            found[series.name] = len(sides) + readers
            readers += 1
    return found


class ChartGrid(QWidget):
    """ROC and precision, calibration and probabilities, a confusion matrix, estimates and paired differences.

    Signals:
        export_wanted(str, ChartView, str, str): a chart's key, its view, the format, a suggested name.
        drawn_wanted(ChartView, str, str): the chart of a view is wanted as it is drawn: the format, a suggested name.
        beside_wanted(bool, bool): cheap models, and readers, are to be seen in the ROC, or not.
    """

    export_wanted = Signal(str, object, str, str)
    drawn_wanted = Signal(object, str, str)
    beside_wanted = Signal(bool, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sides: tuple[Side, ...] = ()
        self._drawings: Mapping[str, Drawing] = {}
        self._keys: dict[str, str] = {}
        self._waiting: list[str] = []
        self._turn = QTimer(self)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._draw_next)
        self.metric_field = choice(())
        self.metric_field.setAccessibleName("Metric of the charts")
        self.metric_field.currentIndexChanged.connect(lambda _: self._draw())
        self.run_field = choice(())
        self.run_field.setAccessibleName("Run of the confusion matrix and of the probabilities")
        self.run_field.currentIndexChanged.connect(lambda _: self._draw())
        for field in (self.metric_field, self.run_field):
            field.setMinimumContentsLength(_FIELD_LETTERS)
        self.metric_field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.metric_field.setMaximumWidth(_METRIC_PX)
        self.views = {place: ChartView(self) for place in _PLACES}
        self._beside: Drawing | None = None
        self.baselines = Switch("Cheap models in the ROC")
        self.readers = Switch("Readers in the ROC")
        for switch in (self.baselines, self.readers):
            switch.hide()
            switch.toggled.connect(lambda _: self._wish())
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(SPACE[3])
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        for place, view in self.views.items():
            view.hide()  # until there is something to draw
            view.setMinimumHeight(_CHART_PX)
            view.export_wanted.connect(lambda kind, name, place=place: self._export(place, kind, name))
        self._run_name = Label("Run", "muted", wrap=False)
        name = Label("Metric", "muted", wrap=False)
        head = fields_in_a_row((name, self.metric_field), (self._run_name, self.run_field))
        for switch in (self.baselines, self.readers):
            head.addWidget(switch)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        column.addLayout(head)
        column.addLayout(self._grid)

    def offer_baselines(self, there: bool) -> None:
        """Whether the cheap models can be drawn."""
        _offer_switch(self.baselines, there)

    def offer_readers(self, there: bool) -> None:
        """Whether there are readers to draw."""
        _offer_switch(self.readers, there)

    def draw_beside(self, drawing: Drawing | None) -> None:
        """Show this ROC for the plain one; None: the plain one again."""
        self._beside = drawing
        self._draw()

    def _wish(self) -> None:
        self.beside_wanted.emit(self.baselines.isChecked(), self.readers.isChecked())

    def show_runs(self, found: SideBySide) -> None:
        """Offer the metrics and runs of a comparison."""
        if found.sides != self._sides:
            self._beside = None
            self.offer_baselines(False)
            self.offer_readers(False)
        self._sides = found.sides
        _offer(self.metric_field, [(wording.heading(name).removesuffix(" ↓"), name) for name in metrics_of(found)])
        _offer(self.run_field, [(name_of(side), side.run) for side in found.sides])
        self.draw(())

    def draw(self, drawings: Sequence[Drawing]) -> None:
        """Show these charts."""
        self._drawings = {one.key: one for one in drawings}
        self._draw()

    def _draw(self) -> None:
        metric, run = self.metric_field.currentData(), self.run_field.currentData()
        self._keys = {
            "roc": self._shared_or_own("roc", run),
            "precision-recall": self._shared_or_own("precision-recall", run),
            "intervals": f"intervals:{metric}",
            "calibration": self._shared_or_own("calibration", run),
            "distribution": f"distribution:{run}",
            "differences": f"differences:{metric}",
            "confusion": f"confusion:{run}",
        }
        if self._beside is not None and self._keys["roc"] in self._drawings:
            self._keys["roc"] = _BESIDE
            self._drawings = {**self._drawings, _BESIDE: self._beside}
        shown = [place for place in _PLACES if self._keys[place] in self._drawings]
        for place, view in self.views.items():
            drawing = self._drawings.get(self._keys[place])
            self._grid.removeWidget(view)
            view.setVisible(drawing is not None)
            if drawing is not None:
                at = shown.index(place)
                last_alone = at == len(shown) - 1 and at % 2 == 0 and at > 0
                self._grid.addWidget(view, at // 2, at % 2, 1, 2 if last_alone else 1)
        self._waiting = shown
        self._turn.start()
        of_run = any(one.run for one in self._drawings.values()) and len(self._sides) > 1
        self._run_name.setVisible(of_run)
        self.run_field.setVisible(of_run)

    def _shared_or_own(self, kind: str, run: str) -> str:
        return kind if kind in self._drawings else f"{kind}:{run}"

    def _draw_next(self) -> None:
        """One chart a turn of the event loop: many curves take their time."""
        while self._waiting:
            place = self._waiting.pop(0)
            chart = self._drawings[self._keys[place]].chart
            if self.views[place].chart is not chart:
                self.views[place].set_chart(chart, slots_of(chart, self._sides))
                return
        self._turn.stop()

    def _export(self, place: str, kind: str, name: str) -> None:
        if self._keys[place] == _BESIDE:
            self.drawn_wanted.emit(self.views[place], kind, name)
            return
        self.export_wanted.emit(self._keys[place], self.views[place], kind, name)


class LargeCharts(QWidget):
    """A list of all charts and one of them, as large as the page.

    Signals:
        export_wanted(str, ChartView, str, str): a chart's key, its view, the format, a suggested name.
    """

    export_wanted = Signal(str, object, str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sides: tuple[Side, ...] = ()
        self._drawings: tuple[Drawing, ...] = ()
        self.list = QListWidget()
        self.list.setAccessibleName("Charts")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(self._show)
        self.list.setItemDelegate(PlainDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.view = ChartView()
        self.view.export_wanted.connect(self._export)
        self.list.setMaximumWidth(_LIST_PX)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, SPACE[2], 0, SPACE[2])
        row.setSpacing(SPACE[3])
        row.addWidget(self.list, 1)
        row.addWidget(self.view, 2)

    def show_runs(self, found: SideBySide) -> None:
        """The runs whose charts will come."""
        self._sides = found.sides

    def draw(self, drawings: Sequence[Drawing]) -> None:
        """List these charts; the one that was shown stays."""
        kept = self._drawings[self.list.currentRow()].key if 0 <= self.list.currentRow() < len(self._drawings) else ""
        self._drawings = tuple(drawings)
        self.list.blockSignals(True)
        self.list.clear()
        for one in drawings:
            item = QListWidgetItem(one_line(one.name, 200))
            item.setToolTip(tip_text(one.name))
            self.list.addItem(item)
        self.list.blockSignals(False)
        place = next((at for at, one in enumerate(drawings) if one.key == kept), 0)
        if drawings:
            self.list.setCurrentRow(place)
        self._show(place if drawings else -1)

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what was chosen while nobody looked."""
        super().showEvent(event)
        self._show(self.list.currentRow())

    def _show(self, row: int) -> None:
        if not self.isVisible():
            return
        drawing = self._drawings[row] if 0 <= row < len(self._drawings) else None
        if drawing is None:
            self.view.set_chart(None)
        elif self.view.chart is not drawing.chart:
            self.view.set_chart(drawing.chart, slots_of(drawing.chart, self._sides))

    def _export(self, kind: str, name: str) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self._drawings):
            self.export_wanted.emit(self._drawings[row].key, self.view, kind, name)


def _offer_switch(switch: Switch, there: bool) -> None:
    switch.setVisible(there)
    if not there:
        switch.blockSignals(True)
        switch.setChecked(False)
        switch.blockSignals(False)


def _offer(field: QComboBox, options: Sequence[tuple[str, str]]) -> None:
    """Other options in a field; what was chosen stays chosen where it is still there."""
    before = field.currentData()
    field.blockSignals(True)
    field.clear()
    for text, value in options:
        field.addItem(one_line(text, 160), value)
    field.setCurrentIndex(max(0, field.findData(before)) if options else -1)
    field.blockSignals(False)
