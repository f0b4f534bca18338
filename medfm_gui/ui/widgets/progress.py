"""How far something is: a bar with words, the time left in words, and Cancel."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.text import Label

_STEPS = 10_000


class ProgressRow(QWidget):
    """A line of words, a bar below, the time left at its right, and Cancel where something can be cancelled."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cancel_action: Callable[[], object] | None = None
        self._text = Label("", elide=Qt.TextElideMode.ElideMiddle)
        self._amount = Label("", "muted", wrap=False)
        self._amount.setFont(figures_font())
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._cancel = QPushButton("Cancel")
        self._cancel.setVisible(False)
        self._cancel.clicked.connect(self._ask)
        words = QHBoxLayout()
        words.setSpacing(SPACE[2])
        words.addWidget(self._text, 1)
        words.addWidget(self._amount)
        left = QVBoxLayout()
        left.setSpacing(SPACE[0])
        left.addLayout(words)
        left.addWidget(self._bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[3])
        row.addLayout(left, 1)
        row.addWidget(self._cancel, 0, Qt.AlignmentFlag.AlignVCenter)

    def tell(self, text: str, total: int = 0, done: int = 0, seconds_left: float | None = None) -> None:
        """Show how far it is; ``total`` 0 means that nobody knows how much there is."""
        self._text.setText(text)
        known = total > 0
        # a range of 0 animates; a full range at 0 stands still where nothing may move
        self._bar.setRange(0, _STEPS if known else 0)
        share = min(max(done / total, 0.0), 1.0) if known else 0.0
        if known:
            self._bar.setValue(round(share * _STEPS))
        amount = [f"{done:,} of {total:,}"] if known else []
        if seconds_left is not None:
            amount.append(time_left(seconds_left))
        self._amount.setText(" · ".join(amount))
        self._bar.setAccessibleName(text or "Progress")
        self._bar.setAccessibleDescription(self._amount.text())

    def on_cancel(self, act: Callable[[], object] | None) -> None:
        """Offer Cancel; None takes the offer back."""
        self._cancel_action = act
        self._cancel.setEnabled(True)
        self._cancel.setText("Cancel")
        self._cancel.setVisible(act is not None)

    def _ask(self) -> None:
        if self._cancel_action is not None:
            self._cancel.setEnabled(False)
            self._cancel.setText("Cancelling …")
            self._cancel_action()


def time_left(seconds: float) -> str:
    """The time left as a person would say it: “about 3 min left”."""
    if not 0 <= seconds < 360_000:
        return "time left unknown"
    if seconds < 5:
        return "a few seconds left"
    if seconds < 55:
        return f"about {5 * max(1, round(seconds / 5))} s left"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {minutes} min left"
    hours, rest = divmod(5 * round(seconds / 300), 60)
    return f"about {hours} h {rest} min left" if rest else f"about {hours} h left"
