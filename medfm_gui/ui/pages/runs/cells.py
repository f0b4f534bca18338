"""How the runs table draws: a state with its icon, a model with its family's marker, progress with a bar below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QStyle, QStyleOptionViewItem, QWidget

from medfm_gui.desk.asks.runs import RunItem
from medfm_gui.domain.run import Phase
from medfm_gui.ui import icons, theme
from medfm_gui.ui.pages.runs import wording
from medfm_gui.ui.pages.runs.model import ITEM
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets import marks
from medfm_gui.ui.widgets.badge import LOOKS
from medfm_gui.ui.widgets.table import PlainDelegate

_Index = QModelIndex | QPersistentModelIndex
_MARK_PX: Final = SPACE[3]
_BAR_PX: Final = SPACE[0]
_BARS: Final = (Phase.RUNNING, Phase.PAUSED)


Drawing = Callable[[QPainter, QStyleOptionViewItem, RunItem, str], None]
"""Draws the content of a cell: a painter, where and how, the run, the cell's text."""


class RunCell(PlainDelegate):
    """A cell whose ground (selection, hover) is the style's and whose content one of the functions below draws."""

    def __init__(self, draw: Drawing, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._draw = draw

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw ground and content."""
        drawn = QStyleOptionViewItem(option)
        self.initStyleOption(drawn, index)
        text, drawn.text = drawn.text, ""
        widget: QWidget | None = drawn.widget
        style = widget.style() if widget is not None else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, drawn, painter, widget)
        item = index.data(ITEM)
        if isinstance(item, RunItem):
            painter.save()
            painter.setFont(drawn.font)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw(painter, drawn, item, text)
            painter.restore()


def draw_state(painter: QPainter, option: QStyleOptionViewItem, item: RunItem, text: str) -> None:
    """Icon and word of a state."""
    icon, role, word = LOOKS[item.row.state.phase]
    area = _inner(option.rect)
    ratio = painter.device().devicePixelRatioF()
    picture = icons.pixmap(icon, role, _MARK_PX, ratio)
    painter.drawPixmap(QPointF(area.left(), area.center().y() - _MARK_PX / 2 + 1), picture)
    _write(painter, option, area.adjusted(_MARK_PX + SPACE[1], 0, 0, 0), word, getattr(theme.current(), role))


def draw_model(painter: QPainter, option: QStyleOptionViewItem, item: RunItem, text: str) -> None:
    """The family's marker before the model's name."""
    area = _inner(option.rect)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.current().muted))
    painter.drawPath(
        marks.path(item.row.family, QPointF(area.left() + _MARK_PX / 2, area.center().y() + 1), _MARK_PX * 0.3)
    )
    _write(painter, option, area.adjusted(_MARK_PX + SPACE[1], 0, 0, 0), text)


def draw_progress(painter: QPainter, option: QStyleOptionViewItem, item: RunItem, text: str) -> None:
    """What a run is at, and below it how far where something is under way."""
    area, phase = _inner(option.rect), item.row.state.phase
    now = theme.current()
    share = wording.share(item) if phase in _BARS else None
    colour = {Phase.FAILED: now.bad, Phase.RUNNING: now.text}.get(phase, now.muted)
    if share is None:
        _write(painter, option, area, text, colour)
        return
    words = area.adjusted(0, 0, 0, -_BAR_PX - SPACE[0])
    _write(painter, option, words, text, colour)
    groove = QRectF(area.left(), area.bottom() - _BAR_PX - SPACE[0], area.width(), _BAR_PX)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(now.line))
    painter.drawRoundedRect(groove, _BAR_PX / 2, _BAR_PX / 2)
    if share > 0:
        painter.setBrush(QColor(now.accent if phase is Phase.RUNNING else now.warn))
        filled = QRectF(groove.left(), groove.top(), max(groove.width() * share, _BAR_PX), _BAR_PX)
        painter.drawRoundedRect(filled, _BAR_PX / 2, _BAR_PX / 2)


def draw_test(painter: QPainter, option: QStyleOptionViewItem, item: RunItem, text: str) -> None:
    """Whether the test is sealed or open: a closed or an open lock; the word is the cell's text and its tip."""
    area, now = _inner(option.rect), theme.current()
    if item.row.state.phase is not Phase.FINISHED:
        _write(painter, option, area, text, now.muted)
        return
    name, role = ("unlock", "text") if item.is_opened else ("lock", "muted")
    ratio = painter.device().devicePixelRatioF()
    picture = icons.pixmap(name, role, _MARK_PX, ratio)
    painter.drawPixmap(QPointF(area.left(), area.center().y() - _MARK_PX / 2 + 1), picture)


def _inner(area: QRect) -> QRect:
    return area.adjusted(SPACE[1], 0, -SPACE[1], 0)


def _write(painter: QPainter, option: QStyleOptionViewItem, area: QRect, text: str, colour: str = "") -> None:
    area = area.adjusted(0, 0, 0, -1)  # on the baseline of the cells that Qt draws
    ink = QColor(colour) if colour else option.palette.color(QPalette.ColorRole.Text)
    painter.setPen(ink)
    shown = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(
        area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown
    )
