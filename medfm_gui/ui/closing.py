"""Closing the window while runs go on: keep them running, pause them, or cancel them; nothing stays unasked."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from medfm_gui.ui import theme
from medfm_gui.ui.widgets.text import Label, set_role

_WIDTH_PX = 520


class Leave(StrEnum):
    """What is to become of the runs."""

    STAY = "stay"
    KEEP = "keep"
    PAUSE = "pause"
    CANCEL = "cancel"


_CHOICES = (
    (Leave.KEEP, "Keep them running", "The window disappears and the program ends after the last run."),
    (Leave.PAUSE, "Pause them", "Each saves its place and can be resumed at the next start."),
    (Leave.CANCEL, "Cancel them", "They stop for good; what they learnt so far is lost."),
)


class ClosingQuestion(QDialog):
    """Asks once; ``choice`` holds the answer."""

    def __init__(self, parent: QWidget, n_runs: int) -> None:
        super().__init__(parent)
        self.choice = Leave.STAY
        self.setWindowTitle("Runs are going on")
        self.setMinimumWidth(_WIDTH_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(*([theme.SPACE[4]] * 4))
        column.setSpacing(theme.SPACE[2])
        what, them = ("One run is", "it") if n_runs == 1 else (f"{n_runs} runs are", "them")
        column.addWidget(Label(f"{what} not finished. What shall become of {them}?", "heading3"))
        for choice, title, consequence in _CHOICES:
            button = QPushButton(title)
            button.setAccessibleDescription(consequence)
            set_role(button, "danger" if choice is Leave.CANCEL else "primary" if choice is Leave.KEEP else "")
            button.clicked.connect(lambda _=False, choice=choice: self._choose(choice))
            row = QHBoxLayout()
            row.setSpacing(theme.SPACE[3])
            button.setMinimumWidth(_WIDTH_PX // 3)
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
            row.addWidget(Label(consequence, "muted"), 1)
            column.addLayout(row)
        back = QPushButton("Go back")
        set_role(back, "quiet")
        back.clicked.connect(self.reject)
        column.addSpacing(theme.SPACE[1])
        column.addWidget(back, 0, Qt.AlignmentFlag.AlignRight)

    def _choose(self, choice: Leave) -> None:
        self.choice = choice
        self.accept()
