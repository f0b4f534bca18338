"""Grey bars where rows will be; a slow shimmer runs over them where motion is allowed."""

from __future__ import annotations

from PySide6.QtCore import QBasicTimer, QRectF, Qt, QTimerEvent
from PySide6.QtGui import QColor, QHideEvent, QLinearGradient, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from medfm_gui.ui import theme as themes
from medfm_gui.ui.theme import RADIUS, SPACE

_FRAME_MS = 50
_ROUND_FRAMES = 36
_SHARES = (0.62, 0.94, 0.81, 0.88, 0.55, 0.74)


class Skeleton(QWidget):
    """What a page looks like before its content is there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._timer = QBasicTimer()
        self._frame = 0
        self.setMinimumHeight(SPACE[-1])

    @property
    def moving(self) -> bool:
        """The shimmer is running."""
        return self._timer.isActive()

    def showEvent(self, event: QShowEvent) -> None:
        """Shimmer while it is seen."""
        super().showEvent(event)
        if themes.motion_allowed():
            self._timer.start(_FRAME_MS, self)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stand still while it is not seen."""
        super().hideEvent(event)
        self._timer.stop()

    def timerEvent(self, event: QTimerEvent) -> None:
        """The next frame of the shimmer."""
        self._frame = (self._frame + 1) % _ROUND_FRAMES
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bars of uneven length from the top to the bottom."""
        theme = themes.current()
        ground, gleam = QColor(theme.raised if theme.dark else theme.line), QColor(theme.line)
        if not theme.dark:
            gleam = QColor(themes.mix(theme.line, theme.panel, 0.5))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle = self.width() * (self._frame / _ROUND_FRAMES * 1.6 - 0.3)
        shine = QLinearGradient(middle - self.width() * 0.25, 0, middle + self.width() * 0.25, 0)
        shine.setColorAt(0, ground)
        shine.setColorAt(0.5, gleam if self._timer.isActive() else ground)
        shine.setColorAt(1, ground)
        painter.setBrush(shine)
        step = SPACE[4] + SPACE[1]
        for row in range(max(1, self.height() // step)):
            width = self.width() * _SHARES[row % len(_SHARES)]
            painter.drawRoundedRect(QRectF(0, row * step, width, SPACE[3]), RADIUS / 2, RADIUS / 2)
