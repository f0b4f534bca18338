"""Crosshair and readout over the stacked plots of a training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from medfm_gui.ui.charts.epochs import Epochs, reading
from medfm_gui.ui.charts.marks import line_pen
from medfm_gui.ui.charts.plot_pane import PlotPane
from medfm_gui.ui.charts.readout import Readout
from medfm_gui.ui.theme import Theme


class EpochPointer:
    """Reads the epoch under the mouse in all plots at once; the arrow keys go from epoch to epoch."""

    def __init__(self, ground: QWidget, panes: Sequence[PlotPane]) -> None:
        self.readout = Readout(ground)
        self._ground = ground
        self._epochs, self._metric = Epochs(), ""
        self._number = -1.0
        self._crosses: list[Any] = []
        for pane in panes:
            cross = pg.InfiniteLine(angle=90, movable=False)
            cross.hide()
            pane.add(cross, 5)
            self._crosses.append(cross)
            pane.hovered.connect(partial(self.point_at, pane))
            pane.left.connect(self.put_away)
            pane.stepped.connect(partial(self._step, pane))

    def set_epochs(self, epochs: Epochs, metric: str) -> None:
        """Read from these epochs."""
        self._epochs, self._metric = epochs, metric

    def point_at(self, pane: PlotPane, x: float, y: float) -> None:
        """Read the epoch nearest to a place in one of the plots."""
        if len(self._epochs):
            place = int(abs(self._epochs.numbers - x).argmin())
            self._show(pane, place, pane.place_of(x, y))

    def put_away(self) -> None:
        """Hide crosshair and readout."""
        self.readout.hide()
        for cross in self._crosses:
            cross.hide()

    def restyle(self, now: Theme) -> None:
        """Take a theme's colours."""
        for cross in self._crosses:
            cross.setPen(line_pen(QColor(now.muted), width=1))

    def _step(self, pane: PlotPane, by: int) -> None:
        last = len(self._epochs) - 1
        if last < 0:
            return
        start = 0 if by > 0 else last
        if self.readout.isVisible():
            start = int(self._epochs.numbers.searchsorted(self._number)) + by
        place = min(max(start, 0), last)
        at = pane.place_of(float(self._epochs.numbers[place]), 0.0)
        self._show(pane, place, QPointF(at.x(), pane.rect().center().y()))
        pane.setAccessibleDescription(self.readout.reading.text)

    def _show(self, pane: PlotPane, place: int, at: QPointF) -> None:
        self._number = float(self._epochs.numbers[place])
        for cross in self._crosses:
            cross.setPos(self._number)
            cross.show()
        self.readout.show_at(reading(self._epochs, place, self._metric), at + QPointF(pane.pos()))
