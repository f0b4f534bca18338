"""A table cell that names a run: its marker, then the text."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QSize
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from medfm_gui.ui import theme
from medfm_gui.ui.charts.marks import MARKER_PX, draw_marker, is_repeated, series_colour
from medfm_gui.ui.pages.compare.model import RUN_ROLE, RunMark

_ROOM_PX = theme.SPACE[2] + theme.SPACE[0]


class RunDelegate(QStyledItemDelegate):
    """Draws the marker of a run left of its name."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw one cell; one without a run is drawn as usual."""
        mark = index.data(RUN_ROLE)
        super().paint(painter, option, index)
        if isinstance(mark, RunMark):
            now = theme.current()
            middle = QPointF(option.rect.left() + theme.SPACE[2], option.rect.center().y() + 0.5)
            colour, pierced = series_colour(now, mark.slot), is_repeated(now, mark.slot)
            ground, px = QColor(now.panel), MARKER_PX + 2
            draw_marker(painter, mark.family, middle, colour, ground, px, hollow=mark.hollow, pierced=pierced)

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Leave room for the marker."""
        super().initStyleOption(option, index)
        if isinstance(index.data(RUN_ROLE), RunMark):
            option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
            option.decorationSize = QSize(_ROOM_PX, theme.SPACE[2])
