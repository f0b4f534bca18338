"""What dialogs of a few fields share: their buttons at the end, and a height that fits their words."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton

from medfm_gui.ui.theme import SPACE


def end_row(*buttons: QPushButton) -> QHBoxLayout:
    """Buttons at the right end of a dialog, what it is for last."""
    row = QHBoxLayout()
    row.setSpacing(SPACE[1])
    row.addStretch(1)
    for button in buttons:
        row.addWidget(button)
    return row


class WordsDialog(QDialog):
    """A dialog of fixed width that is as high as its words need, also after they changed."""

    def event(self, event: QEvent) -> bool:
        """Something in it wants more or less room: once that was laid out, take as much."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self._fit()
        return done

    def showEvent(self, event: QShowEvent) -> None:
        """Be as high as the words need."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        layout = self.layout()
        if layout is not None:
            layout.activate()
            self.setFixedHeight(layout.totalHeightForWidth(self.width()))
