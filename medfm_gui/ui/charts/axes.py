"""A box for curves with an axis at its left and one below, on a view of its own.

What pyqtgraph's own plot item adds to that, a context menu of ninety controls that nobody here can open, takes longer
to make than all of the rest.
"""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtWidgets import QGraphicsGridLayout, QGraphicsItem, QSizePolicy

from medfm_gui.ui.theme import SPACE

_BEFORE_GRID = 0.5


class Axes:
    """``view`` is the widget, ``box`` takes the items, ``sides`` are the axes ``left`` and ``bottom``."""

    def __init__(self) -> None:
        self.view: Any = pg.GraphicsView()
        self.view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.view.enableMouse(False)
        whole: Any = pg.GraphicsWidget()
        whole.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.box: Any = pg.ViewBox(parent=whole, enableMenu=False)
        self.sides: dict[str, Any] = {side: pg.AxisItem(orientation=side, parent=whole) for side in ("left", "bottom")}
        grid = QGraphicsGridLayout(whole)
        grid.setContentsMargins(0, SPACE[1], SPACE[2], 0)
        grid.setSpacing(0)
        grid.addItem(self.box, 0, 1)
        for axis, row, column in ((self.sides["left"], 0, 0), (self.sides["bottom"], 1, 1)):
            axis.linkToView(self.box)
            axis.setZValue(_BEFORE_GRID)
            axis.setFlag(QGraphicsItem.GraphicsItemFlag.ItemNegativeZStacksBehindParent)
            grid.addItem(axis, row, column)
        grid.setRowStretchFactor(0, 100)
        grid.setColumnStretchFactor(1, 100)
        self.view.setCentralItem(whole)
