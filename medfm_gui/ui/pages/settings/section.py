"""What every section of Settings is: a heading, a sentence, and a column below."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.ui.context import Context
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label

_READABLE_PX = SPACE[-1] * 24


class Section(QWidget):
    """A section. Subclasses put widgets into ``body`` and ask the desk in ``refresh``.

    Args:
        is_long: it scrolls as a whole and is no wider than one reads; else its table fills the page.
    """

    def __init__(self, context: Context, title: str, about: str, *, is_long: bool = False) -> None:
        super().__init__()
        self.context = context
        self.setAccessibleName(title)
        whole = QVBoxLayout(self)
        inside: QWidget = self
        if is_long:
            whole.setContentsMargins(0, 0, 0, 0)
            inside = QWidget()
            inside.setProperty("role", "page")
            inside.setMaximumWidth(_READABLE_PX)
            area = QScrollArea()
            area.setAccessibleName("Settings of this section")
            area.setWidgetResizable(True)
            area.setFrameShape(QFrame.Shape.NoFrame)
            area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            area.setWidget(inside)
            whole.addWidget(area)
            self.body = QVBoxLayout(inside)
        else:
            self.body = whole
        self.body.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[4])
        self.body.setSpacing(SPACE[3])
        head = QVBoxLayout()
        head.setSpacing(SPACE[0])
        head.addWidget(Label(title, "heading2"))
        if about:
            head.addWidget(Label(about, "muted"))
        self.body.addLayout(head)

    def refresh(self) -> None:
        """Ask for what is shown; called when the section comes up and when it became stale."""

    def visit(self, **wish: Any) -> None:
        """Somebody was sent here for something."""
