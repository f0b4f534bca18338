"""The menu of windows: each with its digit and its numbers, a way to change them, and how the left drag works."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from medfm_gui.ui.viewer.facts import number
from medfm_gui.ui.viewer.preset_editor import PresetEditor
from medfm_gui.ui.viewer.presets import Preset
from medfm_gui.ui.viewer.viewer import Viewer
from medfm_gui.ui.widgets.text import escape_mnemonic


class PresetMenu(QMenu):
    """For the button of one viewer; it is filled when it opens."""

    presets_changed = Signal(object)
    """The presets as the reader made them, a tuple of ``presets.Preset``: the viewer has them, the owner keeps them."""
    drag_changed = Signal(object)
    """A ``hand.DragDirection``: the viewer has it, the owner keeps it."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.standard: tuple[Preset, ...] = ()
        """The program's own list, which the editor can bring back."""
        self.setAccessibleName("Window presets")
        self.drag = QMenu("Left drag", self)
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
        self.addMenu(self.drag)
        self._fill_drag()

    def edit(self) -> None:
        """Open the editor."""
        editor = PresetEditor(self._viewer.state.presets, self.standard, self._viewer)
        editor.accepted.connect(partial(self._edited, editor))
        editor.finished.connect(editor.deleteLater)
        editor.open()

    def _add(self, digit: int, name: str, *, usable: bool) -> None:
        action = self.addAction(escape_mnemonic(f"{digit}  {name}"), partial(self._viewer.run, f"preset-{digit}"))
        action.setEnabled(usable)

    def _fill_drag(self) -> None:
        now = self._viewer.drag_direction
        self.drag.clear()
        self._choice(
            "width_across", now.width_across, "Across: width, up and down: level", "Across: level, up and down: width"
        )
        self.drag.addSeparator()
        way = "Up" if now.width_across else "Right"
        self._choice("up_is_brighter", now.up_is_brighter, f"{way} is brighter", f"{way} is darker")

    def _choice(self, field: str, now: bool, yes: str, no: str) -> None:
        """One of two; each is its own answer."""
        group = QActionGroup(self.drag)
        for text, value in ((yes, True), (no, False)):
            action = QAction(text, group, checkable=True, checked=now is value)
            action.triggered.connect(partial(self._choose, field, value))
            self.drag.addAction(action)

    def _choose(self, field: str, value: bool, _checked: bool = True) -> None:
        self._viewer.drag_direction = replace(self._viewer.drag_direction, **{field: value})
        self.drag_changed.emit(self._viewer.drag_direction)

    def _edited(self, editor: PresetEditor) -> None:
        self._viewer.state.set_presets(editor.presets)
        self.presets_changed.emit(editor.presets)
