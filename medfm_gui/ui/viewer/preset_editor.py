"""The windows on the digit keys, to be changed: name, centre, width; the digit is the row."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QDoubleSpinBox, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.viewer.presets import LONGEST_NAME, MOST, Preset
from medfm_gui.ui.widgets.text import Label

_WIDEST = 100_000


class PresetEditor(QDialog):
    """Nine rows; a row without a name is left out, and the rows after it move up."""

    def __init__(self, presets: Sequence[Preset], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Window presets")
        self._rows: list[tuple[QLineEdit, QDoubleSpinBox, QDoubleSpinBox]] = []
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE[1])
        grid.setVerticalSpacing(SPACE[0])
        for column, text in enumerate(("Key", "Name", "Level, HU", "Width, HU")):
            grid.addWidget(Label(text, "caption", wrap=False), 0, column)
        for digit in range(1, MOST + 1):
            self._add_row(grid, digit, presets[digit - 1] if digit <= len(presets) else None)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
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

    def _add_row(self, grid: QGridLayout, digit: int, preset: Preset | None) -> None:
        name = QLineEdit(preset.name if preset is not None else "")
        name.setMaxLength(LONGEST_NAME)
        centre, width = QDoubleSpinBox(), QDoubleSpinBox()
        centre.setRange(-_WIDEST, _WIDEST)
        width.setRange(1, _WIDEST)
        for field, value in ((centre, preset.centre if preset else 40.0), (width, preset.width if preset else 400.0)):
            field.setDecimals(0 if value == int(value) else 1)
            field.setSingleStep(10)
            field.setValue(value)
        named: tuple[tuple[str, QWidget], ...] = (("Name", name), ("Level", centre), ("Width", width))
        for column, (what, widget) in enumerate(named, start=1):
            widget.setAccessibleName(f"{what} of preset {digit}")
            grid.addWidget(widget, digit, column)
        grid.addWidget(Label(str(digit), "muted", wrap=False), digit, 0)
        self._rows.append((name, centre, width))
