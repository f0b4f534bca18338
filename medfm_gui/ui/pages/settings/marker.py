"""The marker of a model family as a small picture in the present theme's text colour, for cells of tables."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPixmap

from medfm_gui.ui import theme as themes
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets import marks


def marker(family: str) -> QPixmap:
    """Draw it."""
    side = SPACE[3]
    screen = QGuiApplication.primaryScreen()
    ratio = screen.devicePixelRatio() if screen is not None else 1.0
    picture = QPixmap(round(side * ratio), round(side * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(themes.current().muted))
    painter.drawPath(marks.path(family, QPointF(side / 2, side / 2), side * 0.3))
    painter.end()
    return picture
