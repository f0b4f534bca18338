"""Dark, light, or as the system."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy

from medfm_gui.ui import icons
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.theme import ICON_PX, SPACE
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label

_CHOICES = (("system", "As the system", "contrast"), ("dark", "Dark", "moon"), ("light", "Light", "sun"))


class AppearanceSection(Section):
    """Three buttons, one of them down."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "Appearance", "Images have a black ground in every theme.", is_long=True)
        self.buttons: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        for key, title, icon in _CHOICES:
            button = QPushButton(title)
            button.setProperty("role", "option")
            button.setCheckable(True)
            button.setIcon(icons.icon(icon))
            button.setIconSize(QSize(ICON_PX, ICON_PX))
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, key=key: self._choose(key))
            group.addButton(button)
            row.addWidget(button)
            self.buttons[key] = button
        panel = Panel("Theme")
        panel.body.addLayout(row)
        panel.add(Label("Motion follows the system: where it asks for less, nothing moves.", "muted"))
        self.body.addWidget(panel)
        self.body.addStretch(1)

    def refresh(self) -> None:
        """Show what is chosen."""
        chosen = self.context.memory.get("appearance", "system")
        self.buttons[chosen if chosen in self.buttons else "system"].setChecked(True)

    def _choose(self, key: str) -> None:
        self.context.set_appearance(key)
