"""How far something is, in a narrow column: words and Cancel, a bar, and below it the amount and the time left."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from medfm_gui.desk.protocol import Progress
from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.progress import time_left
from medfm_gui.ui.widgets.text import Label

_STEPS = 10_000


class Work(QWidget):
    """Something under way that can be cancelled."""

    def __init__(self, cancel: Callable[[], object]) -> None:
        super().__init__()
        self._act = cancel
        self.words = Label("", elide=Qt.TextElideMode.ElideMiddle)
        self.amount = Label("", "caption", elide=Qt.TextElideMode.ElideRight)
        self.amount.setFont(figures_font())
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self._cancel)
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(self.words, 1)
        row.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        column.addLayout(row)
        column.addWidget(self.bar)
        column.addWidget(self.amount)
        self.hide()

    def tell(self, progress: Progress | None) -> None:
        """Show how far it is; None when it is over."""
        self.setVisible(progress is not None)
        if progress is None:
            self.cancel.setEnabled(True)
            self.cancel.setText("Cancel")
            return
        known = progress.total > 0
        self.words.setText(progress.text)
        self.bar.setRange(0, _STEPS if known else 0)
        if known:
            self.bar.setValue(round(min(max(progress.done / progress.total, 0.0), 1.0) * _STEPS))
        parts = [f"{progress.done:,} of {progress.total:,}"] if known else []
        if progress.seconds_left is not None:
            parts.append(time_left(progress.seconds_left))
        self.amount.setText(" · ".join(parts))
        self.amount.setVisible(bool(parts))
        self.bar.setAccessibleName(progress.text or "Progress")
        self.bar.setAccessibleDescription(self.amount.text())

    def _cancel(self) -> None:
        self.cancel.setEnabled(False)
        self.cancel.setText("Cancelling …")
        self._act()
