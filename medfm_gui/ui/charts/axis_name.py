"""The name beside an axis: plain text, elided, upright for the vertical axis."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from medfm_gui.ui import theme
from medfm_gui.ui.charts.wording import line


class AxisName(QWidget):
    """One line of muted text; ``upright`` reads from bottom to top."""

    def __init__(self, upright: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._upright = upright
        self._text = ""
        fixed, free = QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Ignored
        self.setSizePolicy(*((fixed, free) if upright else (free, fixed)))
        self.setFont(small_font(self.font()))
        self.hide()

    @property
    def text(self) -> str:
        """What is shown, before it is elided."""
        return self._text

    def set_text(self, text: str) -> None:
        """Show this name; without a name there is no room taken."""
        self._text = line(text)
        self.setVisible(bool(self._text))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """A line's height across."""
        across = self.fontMetrics().height() + theme.SPACE[0]
        return QSize(across, 0) if self._upright else QSize(0, across)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the name in the middle."""
        painter = QPainter(self)
        painter.setPen(QColor(theme.current().muted))
        painter.setFont(self.font())
        area = QRect(0, 0, self.width(), self.height())
        if self._upright:
            painter.translate(0, self.height())
            painter.rotate(-90)
            area = QRect(0, 0, self.height(), self.width())
        shown = self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine, shown)

    def changeEvent(self, event: QEvent) -> None:
        """Repaint in the new theme's colour."""
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)


def small_font(font: QFont) -> QFont:
    """The caption's size, figures of equal width."""
    return _sized(font, theme.CAPTION_PX)


def body_font(font: QFont) -> QFont:
    """The body's size, figures of equal width."""
    return _sized(font, theme.BODY_PX)


def _sized(font: QFont, px: int) -> QFont:
    figures = theme.figures_font(font)
    figures.setPixelSize(px)
    return figures
