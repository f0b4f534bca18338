"""The navigation rail at the left: one button a page, the current one marked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QToolButton, QVBoxLayout, QWidget

from medfm_gui.ui import icons, theme
from medfm_gui.ui.pages import PageEntry
from medfm_gui.ui.widgets.text import Label, tip

_WIDTH_PX = 176


class Rail(QWidget):
    """Pages by name.

    Signals:
        chosen(str): the key of a page.
    """

    chosen = Signal(str)

    def __init__(self, pages: Sequence[PageEntry]) -> None:
        super().__init__()
        self.setProperty("role", "railside")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(_WIDTH_PX)
        self.setAccessibleName("Pages")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.SPACE[1], theme.SPACE[3], theme.SPACE[1], theme.SPACE[2])
        column.setSpacing(theme.SPACE[0])
        name = Label("MedFM Studio", role="heading3")
        name.setContentsMargins(theme.SPACE[1], 0, 0, theme.SPACE[2])
        column.addWidget(name)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        for number, page in enumerate(pages, 1):
            button = self._button(page, number)
            if page.key == "settings":
                column.addStretch(1)
            column.addWidget(button)

    def _button(self, page: PageEntry, number: int) -> QToolButton:
        button = QToolButton()
        button.setText(page.title)
        icons.put(button, page.key, size_px=theme.ICON_PX)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setProperty("role", "rail")
        button.setCheckable(True)
        button.setAccessibleName(page.title)
        button.setSizePolicy(self.sizePolicy().horizontalPolicy(), button.sizePolicy().verticalPolicy())
        button.setMinimumWidth(_WIDTH_PX - 2 * theme.SPACE[1])
        tip(button, f"{page.title} (Ctrl+{number})")
        button.clicked.connect(lambda _=False, key=page.key: self.chosen.emit(key))
        self._group.addButton(button)
        self._buttons[page.key] = button
        return button

    def mark(self, key: str) -> None:
        """Show which page is open."""
        self._buttons[key].setChecked(True)
