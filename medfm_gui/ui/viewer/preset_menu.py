"""The menu of windows: each with its digit and its numbers, and a way to change them."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from medfm_gui.ui.viewer.facts import number
from medfm_gui.ui.viewer.preset_editor import PresetEditor
from medfm_gui.ui.viewer.viewer import Viewer
from medfm_gui.ui.widgets.text import escape_mnemonic


class PresetMenu(QMenu):
    """For the button of one viewer; it is filled when it opens."""

    presets_changed = Signal(object)
    """The presets as the reader made them, a tuple of ``presets.Preset``: the viewer has them, the owner keeps them."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.setAccessibleName("Window presets")
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """Those of the viewer as they are now; they mean nothing to values that are not Hounsfield units."""
        state = self._viewer.state
        self.clear()
        self._add(0, "As opened", usable=state.series is not None)
        for digit, preset in enumerate(state.presets, start=1):
            name = f"{preset.name}: W {number(preset.width)}  L {number(preset.centre)} HU"
            self._add(digit, name, usable=state.has_presets)
        self.addSeparator()
        self.addAction("Edit presets …", self.edit)

    def edit(self) -> None:
        """Open the editor."""
        editor = PresetEditor(self._viewer.state.presets, self._viewer)
        editor.accepted.connect(partial(self._edited, editor))
        editor.finished.connect(editor.deleteLater)
        editor.open()

    def _add(self, digit: int, name: str, *, usable: bool) -> None:
        action = self.addAction(escape_mnemonic(f"{digit}  {name}"), partial(self._viewer.run, f"preset-{digit}"))
        action.setEnabled(usable)

    def _edited(self, editor: PresetEditor) -> None:
        self._viewer.state.set_presets(editor.presets)
        self.presets_changed.emit(editor.presets)
