"""The dialog before a sealed test is opened: what it means, who looked before, and the reason that is kept."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from medfm_gui.desk.asks.runs import SealFacts
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.pages.runs import wording
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.dialog import WordsDialog, end_row
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.forms import disable
from medfm_gui.ui.widgets.text import Label, one_line

_WIDTH_PX = SPACE[-1] * 17
_FIELD_PX = SPACE[-1] * 2
_MOST_LOOKS = 4
_LONGEST_REASON = 2000

_EXPLAINED = (
    "Nothing was computed on the test images so far. Opening scores them once with the finished model and the "
    "threshold that is fixed already. It cannot be taken back: the look is written down with your reason, counted, "
    "and printed in every report. Choose models and settings by validation, not by the test."
)


class SealDialog(WordsDialog):
    """Asks for the reason to open a test.

    Signals:
        confirmed(str): the reason, when the test is to be opened.
    """

    confirmed = Signal(str)

    def __init__(self, runs: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModal(True)
        self.setFixedWidth(_WIDTH_PX)
        named = _named(runs)
        self.setWindowTitle("Open the sealed test")
        heading = Label(f"Open the sealed test of {named}?", "heading3")
        self.setAccessibleName(heading.text())
        self.facts = Facts((("Earlier looks", "Counting …"),))
        label = Label("Reason (kept and printed)")
        self.reason = QPlainTextEdit()
        self.reason.setPlaceholderText("For example: final evaluation as laid down in the protocol")
        self.reason.setTabChangesFocus(True)
        self.reason.setFixedHeight(_FIELD_PX)
        self.reason.setAccessibleName("Reason for opening the test")
        label.setBuddy(self.reason)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self.reject)
        self.act = QPushButton("Open test")
        self.act.setProperty("role", "primary")
        self.act.clicked.connect(self._confirm)
        self.reason.textChanged.connect(self._judge)
        self._build(heading, label)
        self._judge()
        self.reason.setFocus()

    def _build(self, heading: Label, label: Label) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[3])
        column.setSpacing(SPACE[2])
        column.addWidget(heading)
        column.addWidget(Label(_EXPLAINED, "muted"))
        column.addWidget(self.facts)
        column.addSpacing(SPACE[1])
        column.addWidget(label)
        column.addWidget(self.reason)
        column.addSpacing(SPACE[1])
        column.addLayout(end_row(self.cancel, self.act))

    def tell(self, seal: SealFacts) -> None:
        """Say how many images it is about and who opened them before."""
        self.facts.set_facts((("Test images", f"{seal.images:,}"), ("Earlier looks", _looks(seal))))

    def fail(self, error: MedfmError) -> None:
        """Say that earlier looks could not be counted; opening counts them again."""
        self.facts.set_facts((("Earlier looks", f"not known: {error.message}"),))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+Enter opens; Escape cancels."""
        chord = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if chord and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._confirm()
            return
        super().keyPressEvent(event)

    def _judge(self) -> None:
        missing = "" if self.reason.toPlainText().strip() else "Write down why the test is opened."
        disable(self.act, missing)

    def _confirm(self) -> None:
        reason = " ".join(self.reason.toPlainText().split())[:_LONGEST_REASON]
        if reason:
            self.accept()
            self.confirmed.emit(reason)


def _named(runs: Sequence[str]) -> str:
    return one_line(runs[0]) if len(runs) == 1 else f"{len(runs)} runs"


def _looks(seal: SealFacts) -> str:
    if not seal.earlier:
        return "none: these images were never opened in this workspace"
    count = len(seal.earlier)
    lines = [f"{wording.when(look.at)}, {look.run}: “{one_line(look.reason, 120)}”" for look in seal.earlier]
    kept = lines[-_MOST_LOOKS:]
    more = [f"and {count - len(kept)} before"] if count > len(kept) else []
    return "\n".join([f"{count}, by these runs:" if count > 1 else "1:", *kept, *more])
