"""A strip within a page: what was done, what went wrong or must be known, with what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui import icons
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.sign import Sign
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, one_line, set_role

Deed = tuple[str, Callable[[], object]]
"""The words of a button and what it does."""

_SIGNS: Final = {"good": ("check", "good"), "warning": ("warning", "warn"), "bad": ("error", "bad")}
_LONGEST_NAME: Final = 400


class Notice(QFrame):
    """Words, buttons and a cross; hidden until there is something to say, and again after something was done."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "warning")
        self.message = Label("", selectable=True)
        self.hint = Label("", "muted", selectable=True)
        self.buttons: list[QPushButton] = []
        self._sign = Sign(*_SIGNS["warning"], SPACE[3])
        self.close_button = QToolButton()
        self.close_button.setIcon(icons.icon("close", "muted"))
        self.close_button.setIconSize(QSize(SPACE[2], SPACE[2]))
        self.close_button.setProperty("role", "small")
        self.close_button.setAccessibleName("Put this notice away")
        self.close_button.clicked.connect(self.hide)
        self._deeds = QWidget()
        self._flow = FlowLayout(self._deeds)
        words = QVBoxLayout()
        words.setSpacing(SPACE[0])
        words.setContentsMargins(0, SPACE[0], 0, SPACE[0])  # the first line at the height of the cross
        for part in (self.message, self.hint, self._deeds):
            words.addWidget(part)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[2], SPACE[1], SPACE[1], SPACE[1])
        row.setSpacing(SPACE[1])
        top = Qt.AlignmentFlag.AlignTop
        beside = QVBoxLayout()
        beside.setContentsMargins(0, SPACE[0], 0, 0)
        beside.addWidget(self._sign, 0, top)
        row.addLayout(beside)
        row.addLayout(words, 1)
        row.addWidget(self.close_button, 0, top)
        self.hide()

    def tell(self, message: str, hint: str = "", *, role: str = "warning", deeds: Sequence[Deed] = ()) -> None:
        """Say something; ``role`` is ``good``, ``warning`` or ``bad``. What was done well stays after a deed."""
        set_role(self, role)
        self.setAccessibleName(one_line(f"{message} {hint}".strip(), _LONGEST_NAME))
        self._sign.set_icon(*_SIGNS[role])
        self.message.setText(message)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self._flow.clear()
        self.buttons = [self._button(text, act, stays=role == "good") for text, act in deeds]
        self._deeds.setVisible(bool(deeds))
        self.show()

    def tell_failure(self, error: MedfmError, stopped: str, kept: str) -> None:
        """What went wrong; where the person ended it themselves, that it was ``stopped`` and what was ``kept``."""
        if isinstance(error, Interrupted):
            self.tell(stopped, kept)
        else:
            self.tell(error.message, error.hint, role="bad")

    def _button(self, text: str, act: Callable[[], object], *, stays: bool) -> QPushButton:
        def press() -> None:
            if not stays:
                self.hide()
            act()

        button = QPushButton(escape_mnemonic(text))
        button.clicked.connect(press)
        self._flow.addWidget(button)
        return button
