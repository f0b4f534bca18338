"""A titled panel: what belongs together on a page."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label


class Panel(QFrame):
    """A card with a title, a place for small controls at its right, and a column below."""

    def __init__(self, title: str = "", caption: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setAccessibleName(title)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[3])
        self.body.setSpacing(SPACE[2])
        self._title = Label(title, "heading3", elide=Qt.TextElideMode.ElideRight)
        self._caption = Label(caption, "caption")
        if not caption:
            self._caption.hide()
        self._corner = QHBoxLayout()
        self._corner.setSpacing(SPACE[1])
        if title:
            head = QHBoxLayout()
            head.setSpacing(SPACE[2])
            head.addWidget(self._title, 1)
            head.addLayout(self._corner)
            self.body.addLayout(head)
            self.body.addWidget(self._caption)

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        """Add a widget to the column."""
        self.body.addWidget(widget, stretch)

    def add_to_corner(self, widget: QWidget) -> None:
        """Add a small control beside the title, which stays at its height: a control is higher than a line of text."""
        self.body.setContentsMargins(SPACE[3], SPACE[2] - SPACE[0], SPACE[3], SPACE[3])
        self._corner.addWidget(widget)

    def set_title(self, title: str, caption: str = "") -> None:
        """Show another title."""
        self._title.setText(title)
        self._caption.setText(caption)
        self._caption.setVisible(bool(caption))
        self.setAccessibleName(title)
