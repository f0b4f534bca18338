"""The steps of a wizard as a list: what is done, where one is, what comes, what cannot be reached yet and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from medfm_gui.ui import icons
from medfm_gui.ui import theme as themes
from medfm_gui.ui.theme import CAPTION_PX, FOCUS, RADIUS, SPACE
from medfm_gui.ui.widgets.text import one_line, tip

_DISC_PX = SPACE[4] - 2
_HEIGHT_PX = SPACE[5] + SPACE[1]
"""Of every row, with a note or without, so that the list stands still while one chooses."""


class StepState(StrEnum):
    """How far a step is."""

    DONE = "done"
    CURRENT = "current"
    AHEAD = "ahead"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its title, how far it is, and in a few words what was chosen or why it is blocked."""

    title: str
    state: StepState = StepState.AHEAD
    note: str = ""


class StepList(QWidget):
    """The steps below one another; arrow keys move between them, Enter goes there.

    Signals:
        chosen(int): a step that is not blocked was chosen.
    """

    chosen = Signal(int)

    def __init__(self, steps: Sequence[Step] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[_Row] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE[0])
        self._column.addStretch(1)
        self.setAccessibleName("Steps")
        self.set_steps(steps)

    def set_steps(self, steps: Sequence[Step]) -> None:
        """Show these steps instead."""
        while len(self._rows) > len(steps):
            row = self._rows.pop()
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        while len(self._rows) < len(steps):
            at = len(self._rows)
            row = _Row(at + 1)
            row.clicked.connect(lambda _=False, at=at: self.chosen.emit(at))
            self._column.insertWidget(at, row)
            self._rows.append(row)
        for row, step in zip(self._rows, steps, strict=True):
            row.tell(step)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down move the focus."""
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        at = next((k for k, row in enumerate(self._rows) if row.hasFocus()), None)
        if step == 0 or at is None:
            super().keyPressEvent(event)
            return
        at += step
        while 0 <= at < len(self._rows) and not self._rows[at].isEnabled():
            at += step
        if 0 <= at < len(self._rows):
            self._rows[at].setFocus(Qt.FocusReason.TabFocusReason)


class _Row(QAbstractButton):
    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self._step = Step("")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def tell(self, step: Step) -> None:
        self._step = step
        blocked = step.state is StepState.BLOCKED
        self.setEnabled(not blocked)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus if blocked else Qt.FocusPolicy.StrongFocus)
        words = {StepState.DONE: "done", StepState.CURRENT: "current", StepState.AHEAD: "to do"}
        state = words.get(step.state, "not available yet")
        self.setAccessibleName(f"Step {self._number}, {one_line(step.title, 100)}, {state}")
        tip(self, step.note)
        self.update()

    def sizeHint(self) -> QSize:
        words = self.fontMetrics().horizontalAdvance(one_line(self._step.title, 100))
        return QSize(_DISC_PX + words + SPACE[3] * 2 + SPACE[1], _HEIGHT_PX)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            event.ignore()  # the list moves the focus
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = themes.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        current = self._step.state is StepState.CURRENT
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(QColor(theme.accent), FOCUS) if self.hasFocus() else Qt.PenStyle.NoPen)
        under = self.underMouse() and self.isEnabled()
        ground = themes.mix(theme.window, theme.accent, 0.14 if current else 0.07 if under else 0)
        painter.setBrush(QColor(ground) if current or under else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(frame, RADIUS, RADIUS)
        self._disc(painter)
        self._words(painter)

    def _disc(self, painter: QPainter) -> None:
        theme, state = themes.current(), self._step.state
        disc = QRectF(SPACE[1], (self.height() - _DISC_PX) / 2, _DISC_PX, _DISC_PX)
        current, done = state is StepState.CURRENT, state is StepState.DONE
        edge = theme.disabled if state is StepState.BLOCKED else theme.accent if current or done else theme.muted
        painter.setPen(QPen(QColor(edge), 1.5))
        painter.setBrush(QColor(theme.accent) if current else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(disc.adjusted(1, 1, -1, -1))
        if done:
            side = SPACE[3] - 2
            picture = icons.pixmap("check", "accent", side, self.devicePixelRatioF())
            painter.drawPixmap(
                disc.center().toPoint().x() - side // 2, disc.center().toPoint().y() - side // 2, picture
            )
            return
        font = QFont(self.font())
        font.setPixelSize(CAPTION_PX)
        painter.setFont(font)
        painter.setPen(QColor(theme.on_accent if current else edge))
        painter.drawText(disc, int(Qt.AlignmentFlag.AlignCenter), str(self._number))

    def _words(self, painter: QPainter) -> None:
        theme, state = themes.current(), self._step.state
        room = self.rect().adjusted(SPACE[1] + _DISC_PX + SPACE[1], 0, -SPACE[1], 0)
        font = QFont(self.font())
        font.setBold(state is StepState.CURRENT)
        painter.setFont(font)
        blocked = state is StepState.BLOCKED
        painter.setPen(QColor(theme.disabled if blocked else theme.muted if state is StepState.AHEAD else theme.text))
        note = one_line(self._step.note, 200)
        middle = int(Qt.AlignmentFlag.AlignVCenter) | Qt.TextFlag.TextSingleLine.value
        title = painter.fontMetrics().elidedText(one_line(self._step.title), Qt.TextElideMode.ElideRight, room.width())
        if not note:
            painter.drawText(room, middle, title)
            return
        half = room.height() // 2
        below = int(Qt.AlignmentFlag.AlignTop) | Qt.TextFlag.TextSingleLine.value
        above = int(Qt.AlignmentFlag.AlignBottom) | Qt.TextFlag.TextSingleLine.value
        painter.drawText(room.adjusted(0, 0, 0, -half), above, title)
        font.setBold(False)
        font.setPixelSize(CAPTION_PX)
        painter.setFont(font)
        painter.setPen(QColor(theme.disabled if blocked else theme.muted))
        text = painter.fontMetrics().elidedText(note, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room.adjusted(0, half, 0, 0), below, text)
