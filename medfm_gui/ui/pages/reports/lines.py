"""The two lists at the left: written reports, and runs with a tick, a marker and who is the reference."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from medfm_gui.ui import theme as themes
from medfm_gui.ui.pages.reports.model import FAMILY, LINE, MORE, PLACE, ReportsModel, RunsModel
from medfm_gui.ui.theme import CAPTION_PX, SPACE
from medfm_gui.ui.widgets import marks

_REPORT_PX: Final = SPACE[-1] * 2
_RUN_PX: Final = SPACE[5] + SPACE[3]
_REFERENCE: Final = "Reference"

Index = QModelIndex | QPersistentModelIndex


def _small(font: QFont) -> QFont:
    small = QFont(font)
    small.setPixelSize(CAPTION_PX)
    return small


def _line(painter: QPainter, box: QRect, text: object, font: QFont, colour: str) -> None:
    metrics = QFontMetrics(font)
    painter.setFont(font)
    painter.setPen(QColor(colour))
    shortened = metrics.elidedText(str(text or ""), Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter) | Qt.TextFlag.TextSingleLine.value, shortened)


class _ReportLines(QStyledItemDelegate):
    """Draws title, date with pages, and the runs."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        self.initStyleOption(option, index)
        option.text = ""
        option.widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        theme = themes.current()
        box = option.rect.adjusted(SPACE[2], SPACE[1], -SPACE[2], -SPACE[1])
        name = QFont(option.font)
        name.setWeight(QFont.Weight.DemiBold)
        small = themes.figures_font(_small(option.font))
        painter.save()
        top = box.top()
        for role, font, colour in (
            (Qt.ItemDataRole.DisplayRole, name, theme.text),
            (LINE, small, theme.muted),
            (MORE, small, theme.muted),
        ):
            height = QFontMetrics(font).height()
            _line(painter, QRect(box.left(), top, box.width(), height), index.data(role), font, colour)
            top += height + 1
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(_REPORT_PX, _REPORT_PX)


class _RunLines(QStyledItemDelegate):
    """Draws the tick, the marker in the run's colour, title and dataset, and who is the reference."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        self.initStyleOption(option, index)
        option.text = ""
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        tick = style.subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, option, option.widget)
        theme = themes.current()
        able = bool(option.state & QStyle.StateFlag.State_Enabled)
        place = int(index.data(PLACE))
        box = option.rect.adjusted(tick.right() - option.rect.left() + SPACE[1], SPACE[0], -SPACE[2], -SPACE[0])
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = theme.series[place % len(theme.series)] if place >= 0 else theme.muted if able else theme.disabled
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ink))
        middle = QPointF(box.left() + SPACE[1], box.center().y() + 0.5)
        pierced = place >= len(theme.series)  # its colour was there before
        painter.drawPath(marks.path(str(index.data(FAMILY)), middle, SPACE[0] + 1, pierced=pierced))
        box.setLeft(box.left() + SPACE[4])
        small = _small(option.font)
        if place == 0:
            width = QFontMetrics(small).horizontalAdvance(_REFERENCE)
            _line(
                painter, QRect(box.right() - width, box.top(), width + 1, box.height()), _REFERENCE, small, theme.accent
            )
            box.setRight(box.right() - width - SPACE[1])
        half = box.height() // 2
        upper, lower = (
            QRect(box.left(), box.top(), box.width(), half),
            QRect(box.left(), box.top() + half, box.width(), half),
        )
        _line(
            painter, upper, index.data(Qt.ItemDataRole.DisplayRole), option.font, theme.text if able else theme.disabled
        )
        _line(painter, lower, index.data(LINE), small, theme.muted)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(_RUN_PX, _RUN_PX)


class ReportLines(QListView):
    """Written reports, one of them the chosen one."""

    def __init__(self, model: ReportsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(_ReportLines(self))
        self.setAccessibleName("Written reports")
        _set_up(self)


class RunLines(QListView):
    """Runs to be ticked; Space ticks the current one."""

    def __init__(self, model: RunsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs = model
        self.setModel(model)
        self.setItemDelegate(_RunLines(self))
        self.setAccessibleName("Runs of the report")
        _set_up(self)
        self.doubleClicked.connect(lambda index: self.make_reference())

    def show_chosen(self) -> None:
        """Make the reference the current run, so that it is seen among many."""
        row = self.runs.row_of(self.runs.chosen[0]) if self.runs.chosen else -1
        if row >= 0:
            self.setCurrentIndex(self.runs.index(row))
            self.scrollTo(self.runs.index(row), QListView.ScrollHint.PositionAtTop)

    def make_reference(self) -> None:
        """Put the current run first."""
        item = self.runs.item(self.currentIndex().row())
        if item is not None and not (item.row.id not in self.runs.chosen and self.runs.obstacle(item)):
            self.runs.make_reference(item.row.id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter makes the current run the reference."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.make_reference()
            return
        super().keyPressEvent(event)


def _set_up(view: QListView) -> None:
    view.setUniformItemSizes(True)
    view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
