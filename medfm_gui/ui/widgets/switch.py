"""A switch for what takes effect at once; for a choice that waits for a button use a check box."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from medfm_gui.ui import theme as themes
from medfm_gui.ui.theme import CONTROL_PX, FOCUS, SPACE
from medfm_gui.ui.widgets.text import escape_mnemonic, one_line

_TRACK = QSize(SPACE[5], SPACE[3] + 2)


class Switch(QAbstractButton):
    """On or off, with words at its right. ``toggled(bool)`` as of every button."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setText(escape_mnemonic(text))
        self.setAccessibleName(one_line(text, 200))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """Track, gap and words."""
        # one more: the advance is rounded, and words that are a fraction of a pixel too long would be shortened
        words = self.fontMetrics().horizontalAdvance(self._words()) + 1 + SPACE[1] if self.text() else 0
        return QSize(_TRACK.width() + words, CONTROL_PX)

    def minimumSizeHint(self) -> QSize:
        """The track alone; the words are shortened."""
        return QSize(_TRACK.width(), CONTROL_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Track, knob, words, and a ring when it has the focus."""
        theme = themes.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(0, (self.height() - _TRACK.height()) / 2, _TRACK.width(), _TRACK.height())
        on, able = self.isChecked(), self.isEnabled()
        fill = theme.accent if on else themes.mix(theme.panel, theme.text, 0.12)
        edge = theme.accent if on else themes.mix(theme.panel, theme.text, 0.4)
        if not able:
            fill, edge = theme.panel, theme.disabled
        painter.setPen(QPen(QColor(edge), 1))
        painter.setBrush(QColor(fill))
        painter.drawRoundedRect(track.adjusted(0.5, 0.5, -0.5, -0.5), track.height() / 2, track.height() / 2)
        knob = track.height() - 6
        x = track.right() - knob - 3 if on else track.left() + 3
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.disabled if not able else theme.on_accent if on else theme.text))
        painter.drawEllipse(QRectF(x, track.top() + 3, knob, knob))
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.text if on else theme.accent), FOCUS))  # as of a primary button
            painter.setBrush(Qt.BrushStyle.NoBrush)
            half = FOCUS / 2
            ring = track.adjusted(half, half, -half, -half)
            painter.drawRoundedRect(ring, ring.height() / 2, ring.height() / 2)
        left = int(track.right()) + SPACE[1]
        room = self.rect().adjusted(left, 0, 0, 0)
        words = self.fontMetrics().elidedText(self._words(), Qt.TextElideMode.ElideRight, room.width())
        painter.setPen(QColor(theme.text if able else theme.disabled))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter) | Qt.TextFlag.TextSingleLine.value, words)

    def _words(self) -> str:
        return self.text().replace("&&", "&")
