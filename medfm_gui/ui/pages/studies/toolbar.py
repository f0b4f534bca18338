"""What can be done with the picture by mouse: each button does what its key does."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from medfm_gui.ui import icons
from medfm_gui.ui.theme import ICON_PX, SPACE
from medfm_gui.ui.viewer.preset_menu import PresetMenu
from medfm_gui.ui.viewer.viewer import Viewer
from medfm_gui.ui.widgets.text import Label, tip

_DEEDS = (
    ("invert", "invert", "Invert grey values", "I"),
    ("rotate", "rotate", "Rotate by a quarter turn", "R"),
    ("flip-h", "flip-h", "Flip left and right", "H"),
    ("flip-v", "flip-v", "Flip top and bottom", "V"),
    ("fit", "fit", "Fit to the pane", "F"),
    ("reset", "reset", "Reset window, zoom and turn", "Space"),
)


class ReadingBar(QWidget):
    """Window presets, cine, polarity, turns; at the right a line of words."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.cine = _button("play", "Play or stop cine (C)")
        self.presets = _button("contrast", "Window presets")
        self.tags = _button("table", "Header facts")
        self.alone = _button("split-view", "This pane alone and back (Enter)")
        self.words = Label("", "muted", elide=Qt.TextElideMode.ElideRight)
        self.menu = PresetMenu(viewer, self.presets)
        self.presets.setMenu(self.menu)
        self.presets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.tags.setCheckable(True)
        self._deeds = []
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[0])
        row.setSpacing(SPACE[0])
        row.addWidget(self.presets)
        row.addWidget(self.cine)
        for action, icon, text, key in _DEEDS:
            button = _button(icon, f"{text} ({key})")
            button.clicked.connect(partial(self._do, action))
            row.addWidget(button)
            self._deeds.append(button)
        row.addWidget(self.words, 1)
        row.addWidget(self.tags)
        row.addWidget(self.alone)
        self.cine.clicked.connect(partial(self._do, "cine"))
        self.alone.clicked.connect(partial(self._do, "enlarge"))
        viewer.cine.toggled.connect(self._played)
        viewer.state.series_changed.connect(self.tell)
        self.tell()

    def tell(self) -> None:
        """Offer what the series allows."""
        state = self._viewer.state
        series = state.series
        self.cine.setEnabled(series is not None and state.count > 1)
        for button in (*self._deeds, self.tags, self.alone):
            button.setEnabled(series is not None)
        self._deeds[0].setEnabled(series is not None and not series.is_colour)
        self.presets.setEnabled(series is not None and not series.is_colour)

    def _do(self, action: str) -> None:
        self._viewer.run(action)
        self._viewer.setFocus()

    def _played(self, playing: bool) -> None:
        self.cine.setIcon(icons.icon("pause" if playing else "play"))


def _button(icon: str, words: str) -> QToolButton:
    button = QToolButton()
    button.setProperty("role", "quiet")
    button.setIcon(icons.icon(icon))
    button.setIconSize(QSize(ICON_PX, ICON_PX))
    button.setAccessibleName(words)
    tip(button, words)
    return button
