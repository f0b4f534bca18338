"""What the tabs of numbers with a chart of their own have in common: the chart, and questions asked when looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.compare import Side, SideBySide
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.ui.charts.view import ChartView
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.compare import case_layout
from medfm_gui.ui.pages.compare.look import Look
from medfm_gui.ui.widgets.states import StatePane


class ChartTab(QWidget):
    """A chart that can be exported, the runs of the comparison, and what is asked when the tab comes up.

    Subclasses lay ``view`` out and follow the runs in ``show_runs``.

    Signals:
        export_wanted(ChartView, str, str): the view of a chart, the format, a suggested name.
    """

    export_wanted = Signal(object, str, str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.sides: tuple[Side, ...] = ()
        self.view = ChartView()
        self.view.setMinimumHeight(case_layout.CHART_PX)
        self.view.export_wanted.connect(lambda kind, name: self.export_wanted.emit(self.view, kind, name))
        self._looks: list[Look] = []

    @property
    def runs(self) -> tuple[str, ...]:
        """Ids of the runs of the comparison."""
        return tuple(side.run for side in self.sides)

    def show_runs(self, found: SideBySide) -> None:
        """The runs of the comparison."""
        self.sides = found.sides

    def looks(self, pane: StatePane, doing: str, show: Callable[[Any], None]) -> Look:
        """A question that fills a pane, asked when somebody looks at the tab."""
        look = Look(self.context.desk, self, pane, doing, show)
        self._looks.append(look)
        return look

    def draw(self, chart: ChartSpec | None, slots: Mapping[str, int]) -> None:
        """Show a chart with its series in the colours of their places; without one there is no view."""
        self.view.setVisible(chart is not None)
        self.view.set_chart(chart, dict(slots) if chart is not None else None)

    def showEvent(self, event: QShowEvent) -> None:
        """Ask what was not asked while nobody looked."""
        super().showEvent(event)
        for look in self._looks:
            look.seen()
