"""One curve of a running training on its axes, thinned where it has more points than a screen shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QBrush, QColor

from medfm_gui.ui.charts.marks import MARKER_PX, line_pen, marker_path, rim
from medfm_gui.ui.charts.plot_pane import PlotPane
from medfm_gui.ui.charts.trace import Floats, thinned

_MOST_POINTS = 600
_MARKED_UP_TO = 30
"""Up to so many epochs each has its marker; a single one would otherwise not be seen at all."""


class LiveCurve:
    """A line with markers while it is short."""

    def __init__(self, pane: PlotPane, style: str) -> None:
        self.pane = pane
        self.y: Floats = np.empty(0)
        self._style = style
        self._line: Any = pg.PlotCurveItem(connect="finite", antialias=True)
        self._dots: Any = pg.ScatterPlotItem(pxMode=True, size=MARKER_PX - 1)
        pane.add(self._line, 3)
        pane.add(self._dots, 4)

    @property
    def is_shown(self) -> bool:
        """Whether it is drawn."""
        return bool(self._line.isVisible())

    @property
    def drawn(self) -> tuple[Floats, Floats]:
        """The points handed to the screen."""
        x, y = self._line.getData()
        return (np.empty(0), np.empty(0)) if x is None else (x, y)

    def set_points(self, x: Floats, y: Floats) -> None:
        """Draw these points in place of the last."""
        self.y = y
        self._line.setData(*thinned(x, y, _MOST_POINTS))
        known = np.isfinite(y) if len(x) <= _MARKED_UP_TO else np.zeros(len(x), np.bool_)
        self._dots.setData(x=x[known], y=y[known])

    def set_shown(self, shown: bool) -> None:
        """Show or hide it."""
        self._line.setVisible(shown)
        self._dots.setVisible(shown)

    def restyle(self, colour: QColor, family: str, ground: QColor) -> None:
        """Take a colour and a family's marker."""
        self._line.setPen(line_pen(colour, self._style))
        self._dots.setBrush(QBrush(colour))
        self._dots.setPen(rim(ground))
        self._dots.setSymbol(marker_path(family))
