"""A line over the table for what was refused or failed: it stays until it is read and put away."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from medfm_gui.ui import icons
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label, set_role


class Notice(QFrame):
    """What happened and what to do, with a cross."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "warning")
        self.setAccessibleName("Notice")
        self.message = Label()
        self.hint = Label("", "muted")
        self.way_on = QPushButton("Try again")
        self.way_on.clicked.connect(self._go_on)
        self._act: Callable[[], object] | None = None
        self.close_button = QToolButton()
        self.close_button.setIcon(icons.icon("close", "muted"))
        self.close_button.setIconSize(QSize(SPACE[3], SPACE[3]))
        self.close_button.setProperty("role", "quiet")
        self.close_button.setAccessibleName("Put this notice away")
        self.close_button.clicked.connect(self.hide)
        words = QVBoxLayout()
        words.setSpacing(SPACE[0])
        words.addWidget(self.message)
        words.addWidget(self.hint)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[3], SPACE[1], SPACE[1], SPACE[1])
        row.addLayout(words, 1)
        row.addWidget(self.way_on, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def tell(
        self, message: str, hint: str = "", *, role: str = "warning", again: Callable[[], object] | None = None
    ) -> None:
        """Show it; ``again`` does once more what failed."""
        self._act = again
        self.way_on.setVisible(again is not None)
        set_role(self, role)
        self.message.setText(message)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.show()

    def _go_on(self) -> None:
        self.hide()
        if self._act is not None:
            self._act()
