"""A plain question before what cannot be undone; it names the thing and what will happen to it."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QPushButton, QVBoxLayout, QWidget

from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.dialog import WordsDialog, end_row
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, one_line, shown

_WIDTH_PX = SPACE[-1] * 14
_LONGEST = 800


class Question(WordsDialog):
    """Two buttons: the action by its name, and Cancel, which Enter and Escape choose where the action is a danger."""

    def __init__(self, parent: QWidget | None, title: str, text: str, action: str, *, danger: bool = False) -> None:
        super().__init__(parent)
        self.setWindowTitle(one_line(title, 120))
        self.setModal(True)
        self.setFixedWidth(_WIDTH_PX)
        heading = Label(one_line(title, 200), "heading3")
        self.setAccessibleName(heading.text())
        self.setAccessibleDescription(shown(text, _LONGEST))
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self.reject)
        self.act = QPushButton(escape_mnemonic(action))
        self.act.setProperty("role", "danger" if danger else "primary")
        self.act.clicked.connect(self.accept)
        for button in (self.cancel, self.act):
            button.setAutoDefault(False)
        (self.cancel if danger else self.act).setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[3])
        column.setSpacing(SPACE[2])
        column.addWidget(heading)
        column.addWidget(Label(shown(text, _LONGEST), "muted"))
        column.addSpacing(SPACE[2])
        column.addLayout(end_row(self.cancel, self.act))
        (self.cancel if danger else self.act).setFocus()


def ask(parent: QWidget | None, title: str, text: str, action: str, danger: bool = False) -> bool:
    """Ask, and wait for the answer: True if the action was chosen."""
    question = Question(parent, title, text, action, danger=danger)
    try:
        return question.exec() == QDialog.DialogCode.Accepted
    finally:
        question.deleteLater()
