"""The windows on the digit keys, to be changed: name, centre, width; the digit is the row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QDoubleSpinBox, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.viewer.presets import LONGEST_NAME, MOST, Preset
from medfm_gui.ui.widgets.text import Label

_WIDEST = 100_000
_USUAL = (40.0, 400.0)
"""Of a row that is still empty: soft tissue."""


class PresetEditor(QDialog):
    """Nine rows; a row without a name is left out, and the rows after it move up."""

    def __init__(self, presets: Sequence[Preset], standard: Sequence[Preset], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Window presets")
        self._rows: list[tuple[QLineEdit, QDoubleSpinBox, QDoubleSpinBox]] = []
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE[1])
        grid.setVerticalSpacing(SPACE[0])
        for column, text in enumerate(("Key", "Name", "Level, HU", "Width, HU")):
            grid.addWidget(Label(text, "caption", wrap=False), 0, column)
        for digit in range(1, MOST + 1):
            self._add_row(grid, digit)
        self._fill(presets)
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel | kinds.RestoreDefaults)
        restore = buttons.button(kinds.RestoreDefaults)
        restore.setText("Restore defaults")
        restore.setEnabled(bool(standard))
        restore.clicked.connect(partial(self._fill, standard))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column_layout = QVBoxLayout(self)
        column_layout.setContentsMargins(SPACE[3], SPACE[3], SPACE[3], SPACE[3])
        column_layout.setSpacing(SPACE[2])
        column_layout.addWidget(Label("0 is the window as opened. Rows without a name are left out.", "muted"))
        column_layout.addLayout(grid)
        column_layout.addWidget(buttons)

    @property
    def presets(self) -> tuple[Preset, ...]:
        """What the rows say now."""
        return tuple(
            Preset(name.text().strip(), centre.value(), width.value())
            for name, centre, width in self._rows
            if name.text().strip()
        )

    def _fill(self, presets: Sequence[Preset], _checked: bool = False) -> None:
        """The rows say these, one after another; the others are empty."""
        for row, (name, centre, width) in enumerate(self._rows):
            preset = presets[row] if row < len(presets) else None
            name.setText(preset.name if preset is not None else "")
            name.setCursorPosition(0)
            values = (preset.centre, preset.width) if preset is not None else _USUAL
            for field, value in zip((centre, width), values, strict=True):
                field.setDecimals(0 if value == int(value) else 1)
                field.setValue(value)

    def _add_row(self, grid: QGridLayout, digit: int) -> None:
        name = QLineEdit()
        name.setMaxLength(LONGEST_NAME)
        centre, width = QDoubleSpinBox(), QDoubleSpinBox()
        centre.setRange(-_WIDEST, _WIDEST)
        width.setRange(1, _WIDEST)
        named: tuple[tuple[str, QWidget], ...] = (("Name", name), ("Level", centre), ("Width", width))
        for column, (what, widget) in enumerate(named, start=1):
            widget.setAccessibleName(f"{what} of preset {digit}")
            grid.addWidget(widget, digit, column)
        for field in (centre, width):
            field.setSingleStep(10)
        grid.addWidget(Label(str(digit), "muted", wrap=False), digit, 0)
        self._rows.append((name, centre, width))
