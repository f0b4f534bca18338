"""The list of datasets at the left: a name and two quieter lines each."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from medfm_gui.ui import theme as themes
from medfm_gui.ui.pages.datasets.model import CLASSES, LINE, DatasetsModel
from medfm_gui.ui.theme import CAPTION_PX, SPACE

_ROW_PX = SPACE[-1] * 2


class _Lines(QStyledItemDelegate):
    """Draws the three lines of a dataset."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        self.initStyleOption(option, index)
        option.text = ""
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        theme = themes.current()
        box = option.rect.adjusted(SPACE[2], SPACE[1], -SPACE[2], -SPACE[1])
        name = QFont(option.font)
        name.setWeight(QFont.Weight.DemiBold)
        small = QFont(option.font)
        small.setPixelSize(CAPTION_PX)
        painter.save()
        top = box.top()
        for font, colour, text in (
            (name, theme.text, index.data(Qt.ItemDataRole.DisplayRole)),
            (themes.figures_font(small), theme.muted, index.data(LINE)),
            (small, theme.muted, index.data(CLASSES)),
        ):
            metrics = QFontMetrics(font)
            painter.setFont(font)
            painter.setPen(QColor(colour))
            line = QRect(box.left(), top, box.width(), metrics.height())
            shortened = metrics.elidedText(str(text), Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shortened)
            top += metrics.height() + 1
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(_ROW_PX, _ROW_PX)


class DatasetList(QListView):
    """Datasets, one of them the chosen one."""

    def __init__(self, model: DatasetsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(_Lines(self))
        self.setAccessibleName("Datasets")
        self.setUniformItemSizes(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
