"""How a run looks on screen: the theme's colour, its family's marker, its adaptation's line.

Dashes come from the paper's palette, markers from the widgets, so that charts, chips and paper read the same.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from medfm_gui.reports import palette
from medfm_gui.ui.theme import Theme
from medfm_gui.ui.widgets import marks

LINE_PX: Final = 1.8
MARKER_PX: Final = 8.0


def series_colour(theme: Theme, slot: int) -> QColor:
    """Colour of the run in that place of a comparison; beyond the last they begin again, with pierced markers.

    Below zero: no run, grey.
    """
    if slot < 0:
        return QColor(theme.muted)
    return QColor(theme.series[slot % len(theme.series)])


def is_repeated(theme: Theme, slot: int) -> bool:
    """Whether the colour of that place was there before, so that its marker has to tell the two apart."""
    return slot >= len(theme.series)


def line_pen(colour: QColor, style: str = "", width: float = LINE_PX) -> QPen:
    """Pen for an adaptation's line, in pixels whatever the zoom."""
    pen = QPen(colour, width)
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    dashes = palette.dashes(style)
    if not isinstance(dashes, str):
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern(list(dashes[1]))
    return pen


def marker_path(family: str, *, pierced: bool = False) -> QPainterPath:
    """Outline of a family's marker around (0, 0), about as heavy as a circle of diameter 1."""
    return marks.path(family, QPointF(0, 0), 0.5, pierced=pierced)


def draw_marker(
    painter: QPainter,
    family: str,
    centre: QPointF,
    colour: QColor,
    ground: QColor,
    px: float = MARKER_PX,
    *,
    hollow: bool = False,
    pierced: bool = False,
) -> None:
    """Paint one marker of ``px`` pixels with a thin rim in the ground's colour; a hollow one is an outline."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(centre)
    painter.scale(px, px)
    painter.setBrush(ground if hollow else colour)
    painter.setPen(line_pen(colour, width=1.5) if hollow else rim(ground))
    painter.drawPath(marker_path(family, pierced=pierced))
    painter.restore()


def draw_sample(painter: QPainter, area: QRectF, colour: QColor, style: str) -> None:
    """Paint a short piece of line through the middle of ``area``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(line_pen(colour, style))
    middle = area.center().y()
    painter.drawLine(QPointF(area.left(), middle), QPointF(area.right(), middle))
    painter.restore()


def rim(ground: QColor) -> QPen:
    """Thin pen that sets a marker off its own line."""
    pen = QPen(ground, 0.8)
    pen.setCosmetic(True)
    return pen
