"""Toasts: short notes in the corner on what finished elsewhere; they go by themselves and never take the focus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from medfm_gui.ui import icons
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.sign import Sign
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, shown

MOST: Final = 3
SHORT_MS: Final = 6_000
LONG_MS: Final = 12_000
"""How long a toast stays that offers something to do, or tells of a failure."""

_WIDTH_PX: Final = SPACE[-1] * 11
_LONGEST: Final = 240
_TONES: Final = {
    "info": ("info", "accent", "toast"),
    "good": ("check", "good", "toast-good"),
    "warning": ("warning", "warn", "toast-warning"),
    "bad": ("error", "bad", "toast-bad"),
}


class ToastStack(QWidget):
    """Up to three toasts at the bottom right of a parent; the oldest leaves for a fourth."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE[1])
        self._column.addStretch(1)
        self._toasts: list[Toast] = []
        self.setFixedWidth(_WIDTH_PX)
        self.hide()
        parent.installEventFilter(self)

    @property
    def toasts(self) -> tuple[Toast, ...]:
        """What is shown now, oldest first."""
        return tuple(self._toasts)

    def say(
        self, text: str, tone: str = "info", action: str = "", on_action: Callable[[], object] | None = None
    ) -> None:
        """Show a note; ``tone`` is ``info``, ``good``, ``warning`` or ``bad``; screen readers speak it."""
        while len(self._toasts) >= MOST:
            self._leave(self._toasts[0])
        toast = Toast(text, tone, action, on_action, self._leave, self)
        self._toasts.append(toast)
        self._column.addWidget(toast)
        self.show()
        self._place()
        self.raise_()
        announcement = QAccessibleAnnouncementEvent(self, toast.spoken)
        urgent = tone in ("warning", "bad")
        politeness = QAccessible.AnnouncementPoliteness
        announcement.setPoliteness(politeness.Assertive if urgent else politeness.Polite)
        QAccessible.updateAccessibility(announcement)

    def clear(self) -> None:
        """Take all toasts away."""
        for toast in self.toasts:
            self._leave(toast)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the parent's corner."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show) and self._toasts:
            self._place()
        return super().eventFilter(watched, event)

    def _leave(self, toast: Toast) -> None:
        if toast in self._toasts:
            self._toasts.remove(toast)
            toast.stop()
            self._column.removeWidget(toast)
            toast.hide()
            toast.deleteLater()
        self.setVisible(bool(self._toasts))
        if self._toasts:
            self._place()

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is None:
            return
        for toast in self._toasts:
            wrapped = toast.heightForWidth(_WIDTH_PX)  # -1 where there are no words to wrap
            toast.setFixedHeight(wrapped if wrapped > 0 else toast.sizeHint().height())
        height = sum(toast.height() for toast in self._toasts) + SPACE[1] * (len(self._toasts) - 1)
        self.resize(_WIDTH_PX, height)
        margin, status = SPACE[3], SPACE[5]
        self.move(parent.width() - _WIDTH_PX - margin, parent.height() - height - margin - status)


class Toast(QFrame):
    """One note: an icon, words, at most one thing to do, and a cross."""

    def __init__(
        self,
        text: str,
        tone: str,
        action: str,
        on_action: Callable[[], object] | None,
        leave: Callable[[Toast], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        icon, colour, role = _TONES.get(tone, _TONES["info"])
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedWidth(_WIDTH_PX)
        self.spoken = shown(text, _LONGEST)
        self.setAccessibleName(self.spoken)
        self._gone = leave
        self._act = on_action
        self._close = QToolButton()
        self._close.setProperty("role", "small")
        self._close.setIcon(icons.icon("close", "muted"))
        self._close.setAccessibleName("Close this note")
        self._close.clicked.connect(self._end)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[2], SPACE[2], SPACE[1], SPACE[2])
        row.setSpacing(SPACE[1])
        row.addWidget(Sign(icon, colour), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setContentsMargins(0, 2, 0, 0)
        words.setSpacing(SPACE[1])
        words.addWidget(Label(self.spoken))
        if action and on_action is not None:
            button = QPushButton(escape_mnemonic(action))
            button.clicked.connect(self._do)
            words.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        row.addLayout(words, 1)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._end)
        self._timer.start(LONG_MS if action or tone in ("warning", "bad") else SHORT_MS)

    def stop(self) -> None:
        """Do not leave by itself any more."""
        self._timer.stop()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Wait while somebody reads."""
        super().enterEvent(event)
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Leave soon after the reader is done."""
        super().leaveEvent(event)
        self._timer.start(SHORT_MS)

    def _do(self) -> None:
        act = self._act
        self._end()
        if act is not None:
            act()

    def _end(self) -> None:
        self._gone(self)
