"""One piece of work on weights, seen in place: how far it is, Cancel, and why it failed with a way on."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui import icons
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, set_role, tip

_MB = 1_000_000


class JobRow(QWidget):
    """Nothing, a progress with Cancel, or the outcome of the last work."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._busy = ProgressRow()
        self._outcome = QFrame()
        self._message, self._hint = Label("", selectable=True), Label("", "muted")
        self.way_on = action("")
        self.way_on.clicked.connect(self._go_on)
        self._act: Callable[[], object] | None = None
        self.close_button = QToolButton()
        self.close_button.setProperty("role", "quiet")
        self.close_button.setIcon(icons.icon("close", "muted"))
        self.close_button.setAccessibleName("Close this note")
        tip(self.close_button, "Close this note")
        self.close_button.clicked.connect(self.clear)
        words = QVBoxLayout()
        words.setSpacing(SPACE[0])
        words.addWidget(self._message)
        words.addWidget(self._hint)
        row = QHBoxLayout(self._outcome)
        row.setContentsMargins(SPACE[3], SPACE[1], SPACE[1], SPACE[1])
        row.setSpacing(SPACE[2])
        row.addLayout(words, 1)
        row.addWidget(self.way_on, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._busy)
        column.addWidget(self._outcome)
        self.clear()

    @property
    def message(self) -> str:
        """What the last work came to; empty while it goes on or when there was none."""
        return self._message.text() if not self._outcome.isHidden() else ""

    @property
    def is_busy(self) -> bool:
        """Work goes on."""
        return not self._busy.isHidden()

    def clear(self) -> None:
        """Show nothing."""
        self._busy.hide()
        self._outcome.hide()
        self.hide()

    def begin(self, text: str, cancel: Callable[[], object]) -> None:
        """Work was asked for."""
        self._outcome.hide()
        self._busy.tell(text)
        self._busy.on_cancel(cancel)
        self._busy.show()
        self.show()

    def tell(self, progress: Progress, prefix: str = "") -> None:
        """How far it is; a download in bytes is told in megabytes."""
        total, done, unit = progress.total, progress.done, ""
        if total > _MB:  # nothing else that is counted here is so much
            total, done, unit = max(total // _MB, 1), done // _MB, " (MB)"
        self._busy.tell(f"{prefix}{progress.text}{unit}", total, done, progress.seconds_left)

    def end_well(self, text: str) -> None:
        """It is done."""
        self._show("good", text, "", "", None)

    def end_badly(self, error: MedfmError, button: str = "", act: Callable[[], object] | None = None) -> None:
        """It failed, or was cancelled; ``act`` is what helps."""
        role = "warning" if isinstance(error, Interrupted) else "bad"
        self._show(role, error.message, error.hint, button, act)

    def _show(self, role: str, message: str, hint: str, button: str, act: Callable[[], object] | None) -> None:
        self._busy.hide()
        self._act = act
        set_role(self._outcome, role)
        self._message.setText(message)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self.way_on.setText(escape_mnemonic(button))
        self.way_on.setVisible(bool(button))
        self._outcome.show()
        self.show()

    def _go_on(self) -> None:
        if self._act is not None:
            self._act()
