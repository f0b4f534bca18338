"""Named recipes as a list to choose from; what a published one repeats of its study's defects stands there before."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QRadioButton, QVBoxLayout, QWidget

from medfm_gui.domain.presets import PRESETS, Preset
from medfm_gui.ui.pages.train.model import PlanState
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label, escape_mnemonic

_STANDARD: Final = "This program’s own defaults for each way."
_TITLES: Final = {
    "quick": "Quick",
    "study-a": "Study A",
    "study-a-as-published": "Study A, as published",
    "study-b": "Study B",
    "study-b-as-published": "Study B, as published",
}


class PresetPanel(Panel):
    """A button a preset with its description."""

    def __init__(self, state: PlanState) -> None:
        super().__init__("Preset", "Fields below that stay empty have its values.")
        self._state = state
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QRadioButton] = {}
        self._words: dict[str, _Words] = {}
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[3])
        grid.setVerticalSpacing(SPACE[0])
        grid.setColumnStretch(1, 1)
        for line, (name, preset) in enumerate([("", Preset(_STANDARD, {})), *PRESETS.items()]):
            button = QRadioButton(escape_mnemonic(_TITLES.get(name, name.capitalize()) if name else "Standard"))
            button.setAccessibleDescription(" ".join((preset.description, *preset.defects)))
            button.clicked.connect(partial(self._choose, name))
            self._group.addButton(button)
            self._buttons[name] = button
            self._words[name] = _Words(preset, inside)
            grid.addWidget(button, line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self._words[name], line, 1)
        self.add(inside)

    def show_plan(self) -> None:
        """Mark the chosen one."""
        chosen = self._state.plan.preset
        self._buttons.get(chosen, self._buttons[""]).setChecked(True)
        for name, words in self._words.items():
            words.show_chosen(name == chosen)

    def _choose(self, name: str) -> None:
        self._state.put(preset=name)


class _Words(QWidget):
    """A line of what it is, and its defects; all of it where it is chosen."""

    def __init__(self, preset: Preset, parent: QWidget) -> None:
        super().__init__(parent)
        self._short = Label(preset.description, "muted", self, elide=Qt.TextElideMode.ElideRight)
        if preset.defects:
            self._short.setText("The same, with defects of its published code:")
        self._whole = Label(preset.description, "muted", self)
        self._omitted = Label("\n".join(f"Not repeated: {one}" for one in preset.omitted), "caption", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._short)
        column.addWidget(self._whole)
        for defect in preset.defects:
            column.addWidget(Label(f"Defect that it repeats: {defect}", "warning", self))
        column.addWidget(self._omitted)
        self.show_chosen(False)

    def show_chosen(self, chosen: bool) -> None:
        """All of it, or a line."""
        self._short.setVisible(not chosen)
        self._whole.setVisible(chosen)
        self._omitted.setVisible(chosen and bool(self._omitted.text()))
