"""A line within the page about what did not work, or what a reader must know; it can be put away."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QPushButton, QToolButton

from medfm_gui.ui import icons
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, set_role


class Notice(QFrame):
    """Says what happened and what to do, with at most one button."""

    def __init__(self) -> None:
        super().__init__()
        self.message = Label("", selectable=True)
        self.hint = Label("", "muted", selectable=True)
        self.button = QPushButton("Try again")
        self.button.clicked.connect(self._click)
        self._act: Callable[[], object] | None = None
        self._close = QToolButton()
        self._close.setProperty("role", "small")
        self._close.setIcon(icons.icon("close", "muted"))
        self._close.setIconSize(QSize(SPACE[2], SPACE[2]))
        self._close.setAccessibleName("Put this notice away")
        self._close.clicked.connect(self.hide)
        grid = QGridLayout(self)
        grid.setContentsMargins(SPACE[2], SPACE[1], SPACE[1], SPACE[1])
        grid.setSpacing(SPACE[0])
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.message, 0, 0)
        grid.addWidget(self._close, 0, 1, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.hint, 1, 0, 1, 2)
        grid.addWidget(self.button, 2, 0, 1, 2, Qt.AlignmentFlag.AlignLeft)
        self.hide()

    def tell(
        self, message: str, hint: str = "", role: str = "bad", button: str = "", act: Callable[[], object] | None = None
    ) -> None:
        """Say it; ``role`` is bad or warning."""
        self.message.setText(message)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self._act = act
        self.button.setText(escape_mnemonic(button or "Try again"))
        self.button.setVisible(act is not None and bool(button))
        set_role(self, role)
        self.setAccessibleName(f"{message} {hint}"[:400])
        self.show()

    def _click(self) -> None:
        self.hide()
        if self._act is not None:
            self._act()
