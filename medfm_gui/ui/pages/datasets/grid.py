"""A grid of small pictures that draws only what is seen: 250,000 samples scroll like 250."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from medfm_gui.domain.dataset import Sample
from medfm_gui.ui import theme as themes
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.datasets.samples import SampleSource
from medfm_gui.ui.theme import CAPTION_PX, FOCUS, RADIUS, SPACE
from medfm_gui.ui.widgets.text import one_line

PICTURE_PX: Final = 112
_PAD = SPACE[1]
_CAPTION_PX = CAPTION_PX + SPACE[1]
_CELL_WIDTH = PICTURE_PX + 2 * _PAD
_CELL_HEIGHT = PICTURE_PX + _CAPTION_PX + 2 * _PAD
_SETTLE_MS = 40
_LONGEST = 80


class ThumbnailGrid(QAbstractScrollArea):
    """Pictures of samples with a caption; one of them is the current one.

    Signals:
        chosen(int): another row is the current one.
    """

    chosen = Signal(int)

    def __init__(self, source: SampleSource, caption: Callable[[Sample], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._caption = caption
        self._current = -1
        self._settled = Later(self._ask, _SETTLE_MS, self)
        self.setAccessibleName("Images of the dataset")
        self.setProperty("role", "panel")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(_CELL_HEIGHT // 3)
        self.verticalScrollBar().valueChanged.connect(self._again)
        source.restarted.connect(self._restart)
        source.counted.connect(self._measure)
        source.arrived.connect(self._again)

    @property
    def current(self) -> int:
        """The current row; -1 before one was chosen."""
        return self._current

    @property
    def columns(self) -> int:
        """How many pictures stand in a line."""
        return max(1, (self.viewport().width() - _PAD) // _CELL_WIDTH)

    def set_current(self, row: int) -> None:
        """Choose a row and scroll to it."""
        row = max(-1, min(row, self._source.total - 1))
        if row == self._current:
            return
        self._current = row
        if row >= 0:
            self._reveal(row)
            self._tell(row)
        self.viewport().update()
        self.chosen.emit(row)

    def row_at(self, place: QPoint) -> int:
        """The row below a place of the viewport; -1 between pictures."""
        line, top = divmod(place.y() + self.verticalScrollBar().value() - _PAD, _CELL_HEIGHT)
        step = self._step()
        column, left = divmod(place.x() - _PAD, step)
        row = line * self.columns + column
        inside = 0 <= column < self.columns and left < _CELL_WIDTH and 0 <= top < _CELL_HEIGHT
        return row if inside and 0 <= row < self._source.total else -1

    def cell(self, row: int) -> QRect:
        """Where a row is drawn in the viewport."""
        line, column = divmod(row, self.columns)
        top = _PAD + line * _CELL_HEIGHT - self.verticalScrollBar().value()
        return QRect(_PAD + column * self._step(), top, _CELL_WIDTH, _CELL_HEIGHT)

    def visible_rows(self) -> tuple[int, int]:
        """The first and the last row that are seen, whether they exist or not."""
        top = self.verticalScrollBar().value() - _PAD
        first = max(0, top // _CELL_HEIGHT) * self.columns
        last = (max(0, top + self.viewport().height()) // _CELL_HEIGHT + 1) * self.columns - 1
        return first, last

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the cells that are seen."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        font = self.font()
        font.setPixelSize(CAPTION_PX)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        first, last = self.visible_rows()
        for row in range(first, min(last, self._source.total - 1) + 1):
            sample = self._source.sample(row)
            picture = self._source.picture(sample.id) if sample is not None else None
            words = one_line(self._caption(sample), _LONGEST) if sample is not None else ""
            draw_cell(painter, metrics, self.cell(row), picture, words)
            if row == self._current:
                draw_ring(painter, self.cell(row), has_focus=self.hasFocus())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, page keys, Home and End move the current picture."""
        lines = max(1, self.viewport().height() // _CELL_HEIGHT)
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self.columns,
            Qt.Key.Key_Down: self.columns,
            Qt.Key.Key_PageUp: -self.columns * lines,
            Qt.Key.Key_PageDown: self.columns * lines,
            Qt.Key.Key_Home: -self._source.total,
            Qt.Key.Key_End: self._source.total,
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None or not self._source.total:
            super().keyPressEvent(event)
            return
        start = self._current if self._current >= 0 else (0 if step > 0 else self._source.total)
        wanted = start + step if self._current >= 0 else 0
        if abs(step) == self.columns and not 0 <= wanted < self._source.total:
            wanted = self._current  # no line above the first, none below the last
        self.set_current(max(0, min(wanted, self._source.total - 1)))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the picture below the pointer."""
        row = self.row_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and row >= 0:
            self.set_current(row)
        super().mousePressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another number of columns; the current picture stays in sight."""
        super().resizeEvent(event)
        self._measure()
        if self._current >= 0:
            self._reveal(self._current)

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what is seen now."""
        super().showEvent(event)
        self._source.set_side(round(PICTURE_PX * self.devicePixelRatioF()))
        self._settled.again()

    def changeEvent(self, event: QEvent) -> None:
        """Draw in the new colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.viewport().update()

    def _step(self) -> int:
        """Distance between columns: the width is shared evenly."""
        return max(_CELL_WIDTH, (self.viewport().width() - _PAD) // self.columns)

    def _restart(self) -> None:
        self._current = -1
        self.verticalScrollBar().setValue(0)
        self._measure()

    def _measure(self) -> None:
        lines = -(-self._source.total // self.columns)
        bar = self.verticalScrollBar()
        bar.setPageStep(max(1, self.viewport().height()))
        bar.setRange(0, max(0, lines * _CELL_HEIGHT + 2 * _PAD - self.viewport().height()))
        self.setAccessibleDescription(f"{self._source.total:,} images")
        self.viewport().update()
        self._settled.again()

    def _again(self) -> None:
        """Something moved or came."""
        self.viewport().update()
        self._settled.again()

    def _ask(self) -> None:
        if self.isVisible():
            self._source.want(*self.visible_rows())

    def _reveal(self, row: int) -> None:
        cell = self.cell(row)
        bar = self.verticalScrollBar()
        if cell.top() < 0:
            bar.setValue(bar.value() + cell.top() - _PAD)
        elif cell.bottom() > self.viewport().height():
            bar.setValue(bar.value() + cell.bottom() - self.viewport().height() + _PAD)

    def _tell(self, row: int) -> None:
        sample = self._source.sample(row)
        words = f"Image {row + 1:,} of {self._source.total:,}"
        if sample is not None:
            words += f": {one_line(self._caption(sample), _LONGEST)}"
        self.setAccessibleDescription(words)


def _box(cell: QRect) -> QRect:
    """Where the picture of a cell lies."""
    return QRect(cell.left() + _PAD // 2, cell.top(), PICTURE_PX + _PAD, PICTURE_PX + _PAD)


def draw_cell(painter: QPainter, metrics: QFontMetrics, cell: QRect, picture: QImage | None, words: str) -> None:
    """A picture on its black ground and its caption; grey ground where the picture has not come yet."""
    theme = themes.current()
    box = _box(cell)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.image if picture is not None else themes.mix(theme.panel, theme.text, 0.06)))
    painter.drawRoundedRect(box, RADIUS - 2, RADIUS - 2)
    if picture is not None and not picture.isNull():
        place = QRect(QPoint(0, 0), picture.size().scaled(PICTURE_PX, PICTURE_PX, Qt.AspectRatioMode.KeepAspectRatio))
        place.moveCenter(box.center())
        painter.drawImage(place, picture)
    elif picture is not None:
        painter.setPen(QColor(theme.muted if theme.dark else theme.disabled))  # legible on black in both
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "no pixels")
    below = QRect(box.left(), box.bottom() + 1, box.width(), _CAPTION_PX)
    painter.setPen(QColor(theme.muted))
    shortened = metrics.elidedText(words, Qt.TextElideMode.ElideRight, below.width())
    painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, shortened)


def draw_ring(painter: QPainter, cell: QRect, *, has_focus: bool) -> None:
    """The mark of the current picture."""
    theme = themes.current()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(theme.accent if has_focus else theme.muted), FOCUS))
    painter.drawRoundedRect(QRectF(_box(cell)).adjusted(-1, -1, 1, 1), RADIUS - 1, RADIUS - 1)
