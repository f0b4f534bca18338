"""A line over the pages: what was written, or what could not be done, with what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from medfm_gui.ui import icons
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.sign import Sign
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, set_role

_ICONS = {"good": ("check", "good"), "warning": ("warning", "warn"), "bad": ("error", "bad")}

Deed = tuple[str, Callable[[], object]]


class Notice(QFrame):
    """Words, buttons and a cross; hidden until there is something to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Notice")
        self.message = Label("", selectable=True)
        self.hint = Label("", "muted", selectable=True)
        self.buttons: list[QPushButton] = []
        self._sign = Sign()
        close = QToolButton()
        close.setIcon(icons.icon("close", "muted"))
        close.setIconSize(QSize(SPACE[3], SPACE[3]))
        close.setProperty("role", "quiet")
        close.setAccessibleName("Put this notice away")
        close.clicked.connect(self.hide)
        words = QVBoxLayout()
        words.setSpacing(SPACE[0])
        words.addWidget(self.message)
        words.addWidget(self.hint)
        self._deeds = QHBoxLayout()
        self._deeds.setSpacing(SPACE[1])
        words.addLayout(self._deeds)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[3], SPACE[2], SPACE[1], SPACE[2])
        row.setSpacing(SPACE[2])
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def tell(self, message: str, hint: str = "", *, role: str = "warning", deeds: Sequence[Deed] = ()) -> None:
        """Say something; ``role`` is ``good``, ``warning`` or ``bad``."""
        set_role(self, role)
        self._sign.set_icon(*_ICONS[role])
        self.message.setText(message)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        while (item := self._deeds.takeAt(0)) is not None:
            gone = item.widget()
            if gone is not None:
                gone.hide()
                gone.deleteLater()
        self.buttons = []
        for text, act in deeds:
            button = QPushButton(escape_mnemonic(text))
            button.clicked.connect(lambda _=False, act=act: act())
            self._deeds.addWidget(button)
            self.buttons.append(button)
        if deeds:
            self._deeds.addStretch(1)
        self.show()
