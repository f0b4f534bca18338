"""The marker of a model family as a shape for painters: the same on chips, in legends and in charts."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath, QPolygonF

from medfm_gui.domain.cards import Family

_HOLE: Final = 0.45

_SHAPES: Final[dict[str, str]] = {
    Family.DINOV2: "circle",
    Family.DINOV3: "circle",
    Family.MAE: "square",
    Family.VMAMBA: "up",
    Family.COCA: "diamond",
    Family.SAM2: "down",
    Family.AIMV2: "star",
    Family.CLIP: "hexagon",
    Family.OPENCLIP: "hexagon",
    Family.SIGLIP2: "hexagon",
    Family.BASELINE: "cross",
}


def shape(family: str) -> str:
    """Name of the family's shape; a circle where the family is not known."""
    return _SHAPES.get(family, "circle")


def path(family: str, middle: QPointF, radius: float, *, pierced: bool = False) -> QPainterPath:
    """The family's marker, filled, about as heavy as a circle of that radius; ``pierced`` leaves a hole in it."""
    drawn = QPainterPath()
    match shape(family):
        case "circle":
            drawn.addEllipse(middle, radius, radius)
        case "square":
            drawn.addPolygon(_corners(middle, radius * 1.2, 4, 45))
        case "diamond":
            drawn.addPolygon(_corners(middle, radius * 1.2, 4, 0))
        case "up":
            drawn.addPolygon(_corners(middle + QPointF(0, radius * 0.2), radius * 1.3, 3, 90))
        case "down":
            drawn.addPolygon(_corners(middle - QPointF(0, radius * 0.2), radius * 1.3, 3, -90))
        case "hexagon":
            drawn.addPolygon(_corners(middle, radius * 1.1, 6, 90))
        case "star":
            drawn.addPolygon(_star(middle, radius * 1.4))
        case _:
            drawn.addPolygon(_cross(middle, radius * 1.1))
    drawn.closeSubpath()
    if pierced:
        drawn.addEllipse(middle, radius * _HOLE, radius * _HOLE)  # odd and even: what lies within both is empty
    return drawn


def _corners(middle: QPointF, radius: float, count: int, first_degrees: float) -> QPolygonF:
    angles = (math.radians(first_degrees + 360 * k / count) for k in range(count))
    return QPolygonF([middle + QPointF(math.cos(a), -math.sin(a)) * radius for a in angles])


def _star(middle: QPointF, radius: float) -> QPolygonF:
    spokes = ((math.radians(90 + 36 * k), radius if k % 2 == 0 else radius * 0.45) for k in range(10))
    return QPolygonF([middle + QPointF(math.cos(a), -math.sin(a)) * r for a, r in spokes])


def _cross(middle: QPointF, radius: float) -> QPolygonF:
    arm, turn = radius * 0.3, math.radians(45)
    outline = ((arm, arm), (arm, radius), (-arm, radius), (-arm, arm), (-radius, arm), (-radius, -arm))
    rest = ((-arm, -arm), (-arm, -radius), (arm, -radius), (arm, -arm), (radius, -arm), (radius, arm))
    cos, sin = math.cos(turn), math.sin(turn)
    return QPolygonF([middle + QPointF(x * cos - y * sin, x * sin + y * cos) for x, y in outline + rest])
