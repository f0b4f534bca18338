"""Dark, light, or as the system."""

from __future__ import annotations

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy

from medfm_gui.ui import icons, theme
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.theme import ICON_PX, SPACE
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.switch import Switch
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
            icons.put(button, icon, size_px=ICON_PX)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, key=key: self._choose(key))
            group.addButton(button)
            row.addWidget(button)
            self.buttons[key] = button
        panel = Panel("Theme")
        panel.body.addLayout(row)
        self.body.addWidget(panel)
        self.still = Switch("Reduce motion")
        self.still.toggled.connect(self._keep_still)
        motion = Panel("Motion")
        motion.add(self.still)
        motion.add(Label("Nothing moves then. Otherwise motion follows the system.", "muted"))
        self.body.addWidget(motion)
        self.body.addStretch(1)

    def refresh(self) -> None:
        """Show what is chosen."""
        chosen = self.context.memory.get("appearance", "system")
        self.buttons[chosen if chosen in self.buttons else "system"].setChecked(True)
        self.still.setChecked(self.context.memory.get(theme.REDUCED_MOTION) is True)

    def _keep_still(self, still: bool) -> None:
        if still != (self.context.memory.get(theme.REDUCED_MOTION) is True):
            self.context.memory.put(theme.REDUCED_MOTION, still)
            theme.set_motion(False if still else None)

    def _choose(self, key: str) -> None:
        self.context.set_appearance(key)
