"""The buttons of a viewer: everything on them has a key too, which the tooltip names."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from medfm_gui.ui.icons import icon
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.viewer.bindings import BINDINGS
from medfm_gui.ui.viewer.facts import number
from medfm_gui.ui.viewer.preset_editor import PresetEditor
from medfm_gui.ui.viewer.viewer import Viewer
from medfm_gui.ui.widgets.text import escape_mnemonic, tip

_PLAIN = (
    ("invert", "invert"),
    ("rotate", "rotate"),
    ("flip-h", "flip-h"),
    ("flip-v", "flip-v"),
    ("fit", "fit"),
    ("reset", "reset"),
)


class ViewerToolbar(QWidget):
    """Works on one viewer at a time: the one that was used last."""

    presets_changed = Signal(object)
    """The presets as the reader made them: a tuple of ``presets.Preset``, to be kept."""
    identity_toggled = Signal(bool)
    """Whether the reader wants identity shown; the owner tells all viewers."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._words = {binding.action: binding for binding in BINDINGS}
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACE[0])
        self._window = self._button("contrast", "Window presets (digit keys)")
        self._window.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self._window)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._window.setMenu(self._menu)
        self._plain = [self._action_button(name, action) for name, action in _PLAIN]
        self._cine = self._action_button("play", "cine")
        self._layers = self._action_button("layers", "overlay")
        self._layers.setCheckable(True)
        self._layout.addStretch(1)
        self._identity = self._button("eye", "Patient identity shown: press to hide it")
        self._identity.setCheckable(True)
        self._identity.setChecked(True)
        self._identity.toggled.connect(self._identity_chosen)
        self.set_viewer(viewer)

    def set_viewer(self, viewer: Viewer) -> None:
        """Work on this one from now on."""
        was = self._viewer
        if getattr(self, "_is_wired", False):
            was.cine.toggled.disconnect(self._tell)
            was.overlay_changed.disconnect(self._tell)
            was.state.changed.disconnect(self._tell)
        self._is_wired = True
        self._viewer = viewer
        viewer.cine.toggled.connect(self._tell)
        viewer.overlay_changed.connect(self._tell)
        viewer.state.changed.connect(self._tell)
        self._tell()

    def set_identity_shown(self, shown: bool) -> None:
        """What the one switch of the window says; not told back."""
        with QSignalBlocker(self._identity):
            self._identity.setChecked(shown)
        self._tell_identity(shown)

    def _tell(self) -> None:
        """Enable what can be done, and show what is on. Called for every slice, so nothing is made anew."""
        state, playing = self._viewer.state, self._viewer.cine.is_playing
        there = state.series is not None
        grey = state.series is not None and not state.series.is_colour
        for button, on in (
            (self._window, grey),
            *((button, there) for button in self._plain[1:]),
            (self._plain[0], grey),
            (self._cine, state.count > 1),
            (self._layers, self._viewer.heat_map is not None),
        ):
            if button.isEnabled() != on:
                button.setEnabled(on)
        if self._layers.isChecked() != self._viewer.overlay.shown:
            self._layers.setChecked(self._viewer.overlay.shown)
        if self._cine.property("playing") != playing:
            self._cine.setProperty("playing", playing)
            self._cine.setIcon(icon("pause" if playing else "play"))

    def _tell_identity(self, shown: bool) -> None:
        text = "Patient identity shown: press to hide it" if shown else "Patient identity hidden: press to show it"
        self._identity.setIcon(icon("eye" if shown else "eye-off"))
        self._identity.setAccessibleName(text)
        tip(self._identity, text)

    def _identity_chosen(self, shown: bool) -> None:
        self._tell_identity(shown)
        self.identity_toggled.emit(shown)

    def _fill_menu(self) -> None:
        """Each preset with its digit and its numbers."""
        state = self._viewer.state
        self._menu.clear()
        self._menu_action(0, "As opened", True)
        for digit, preset in enumerate(state.presets, start=1):
            name = f"{preset.name}   W {number(preset.width)}  L {number(preset.centre)}"
            self._menu_action(digit, name, state.has_presets)
        self._menu.addSeparator()
        edit = QAction("Edit presets …", self._menu)
        edit.triggered.connect(self.edit_presets)
        self._menu.addAction(edit)

    def _menu_action(self, digit: int, name: str, usable: bool) -> None:
        action = QAction(escape_mnemonic(f"{digit}   {name}"), self._menu)
        action.setEnabled(usable)
        action.triggered.connect(lambda: self._viewer.run(f"preset-{digit}"))
        self._menu.addAction(action)

    def edit_presets(self) -> None:
        """Open the editor; the viewer follows and ``presets_changed`` tells."""
        editor = PresetEditor(self._viewer.state.presets, self)
        editor.accepted.connect(lambda: self._presets_edited(editor))
        editor.finished.connect(editor.deleteLater)
        editor.open()

    def _presets_edited(self, editor: PresetEditor) -> None:
        self._viewer.state.set_presets(editor.presets)
        self.presets_changed.emit(editor.presets)

    def _action_button(self, name: str, action: str) -> QToolButton:
        binding = self._words[action]
        button = self._button(name, f"{binding.text} ({binding.keys[0]})")
        button.clicked.connect(lambda: self._viewer.run(action))
        return button

    def _button(self, name: str, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon(name))
        button.setAutoRaise(True)
        button.setAccessibleName(text)
        tip(button, text)
        self._layout.addWidget(button)
        return button
