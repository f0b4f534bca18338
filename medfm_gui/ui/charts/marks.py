"""How a run looks on screen: the theme's colour, its family's marker, its adaptation's line.

Markers and dashes come from the paper's palette, so that a chart and its printed copy read the same.
"""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from medfm_gui.reports import palette
from medfm_gui.ui.theme import Theme

LINE_PX: Final = 1.8
MARKER_PX: Final = 8.0


def series_colour(theme: Theme, slot: int) -> QColor:
    """Colour of the run in that place of a comparison; beyond the last they begin again."""
    return QColor(theme.series[slot % len(theme.series)])


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


def marker_path(family: str) -> QPainterPath:
    """Outline of a family's marker around (0, 0), as large as a circle of diameter 1 looks."""
    path = QPainterPath()
    code, size = palette.marker(family), palette.marker_size(family, 1.0)
    if code == "o":
        path.addEllipse(QRectF(-size / 2, -size / 2, size, size))
        return path
    polygon = QPolygonF([QPointF(x * size, y * size) for x, y in _CORNERS[code]])
    path.addPolygon(polygon)
    path.closeSubpath()
    return path


def draw_marker(
    painter: QPainter, family: str, centre: QPointF, colour: QColor, ground: QColor, px: float = MARKER_PX
) -> None:
    """Paint one marker of ``px`` pixels with a thin rim in the ground's colour."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(centre)
    painter.scale(px, px)
    painter.setBrush(colour)
    painter.setPen(rim(ground))
    painter.drawPath(marker_path(family))
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


def _around(corners: int, radius: float, start: float) -> list[tuple[float, float]]:
    steps = (start + 2 * math.pi * corner / corners for corner in range(corners))
    return [(radius * math.cos(angle), radius * math.sin(angle)) for angle in steps]


def _star() -> list[tuple[float, float]]:
    outer, inner = _around(5, 0.5, -math.pi / 2), _around(5, 0.19, -math.pi / 2 + math.pi / 5)
    return [corner for pair in zip(outer, inner, strict=True) for corner in pair]


def _cross(arm: float = 0.5, waist: float = 0.25) -> list[tuple[float, float]]:
    # a thick x: corners of the four arms and the notches between them
    top = [(-waist, -arm), (0.0, -waist), (waist, -arm), (arm, -waist), (waist, 0.0), (arm, waist)]
    bottom = [(waist, arm), (0.0, waist), (-waist, arm), (-arm, waist), (-waist, 0.0), (-arm, -waist)]
    return top + bottom


_CORNERS: Final[dict[str, list[tuple[float, float]]]] = {
    "s": [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)],
    "^": [(0.0, -0.5), (0.5, 0.5), (-0.5, 0.5)],
    "v": [(0.0, 0.5), (0.5, -0.5), (-0.5, -0.5)],
    "D": _around(4, math.sqrt(0.5), -math.pi / 2),
    "*": _star(),
    "h": _around(6, 0.5, -math.pi / 2),
    "X": _cross(),
}
