"""What is said when the last session did not end as it should."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from medfm_gui.ui import icons
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.text import Label, tip


class CrashBanner(QFrame):
    """A line with two ways on.

    Signals:
        diagnostics(): they are to be saved.
        dismissed(): it was read.
    """

    diagnostics = Signal()
    dismissed = Signal()

    def __init__(self, is_shown: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "warning")
        self.setAccessibleName("The last session ended unexpectedly")
        words = QVBoxLayout()
        words.setSpacing(SPACE[0])
        words.addWidget(Label("The last session ended unexpectedly."))
        words.addWidget(Label("Nothing that was saved is lost. Runs that were interrupted can be resumed.", "muted"))
        self.save_button = action("Save diagnostics …", "shield")
        self.save_button.clicked.connect(self.diagnostics)
        self.close_button = QToolButton()
        self.close_button.setProperty("role", "quiet")
        self.close_button.setIcon(icons.icon("close", "muted"))
        self.close_button.setAccessibleName("Do not show this any more")
        tip(self.close_button, "Do not show this any more")
        self.close_button.clicked.connect(self._dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[3], SPACE[2], SPACE[2], SPACE[2])
        row.setSpacing(SPACE[3])
        row.addLayout(words, 1)
        row.addWidget(self.save_button, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setVisible(is_shown)

    def _dismiss(self) -> None:
        self.hide()
        self.dismissed.emit()
