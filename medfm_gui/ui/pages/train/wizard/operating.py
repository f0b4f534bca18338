"""The operating point as a choice that somebody has to make: four rules, none of them preselected."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QLineEdit, QRadioButton, QWidget

from medfm_gui.ui.pages.train import operating
from medfm_gui.ui.pages.train.model import PlanState
from medfm_gui.ui.pages.train.operating import KINDS, Kind
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, set_role

_LONGEST: Final = 12
_FIELD_PX: Final = SPACE[-1] * 2 + SPACE[2]
_WHY: Final = (
    "Where a probability becomes yes or no: fixed on calibration images where the split has them, else on validation "
    "images, locked, and applied to the test. It decides what a patient is told, so nothing is preselected."
)


class OperatingPanel(Panel):
    """A line a rule: a button, its number where it has one, and what it does; below where it comes from."""

    def __init__(self, state: PlanState) -> None:
        super().__init__("Operating point", _WHY)
        self._state = state
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QRadioButton] = {}
        self._fields: dict[str, QLineEdit] = {}
        inside = QWidget()
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[3])
        grid.setVerticalSpacing(SPACE[1])
        grid.setColumnStretch(2, 1)
        for line, kind in enumerate(KINDS):
            self._add(kind, grid, line)
        self.add(inside)
        self._said = Label("")
        self.add(self._said)

    @property
    def first(self) -> QWidget:
        """What has the focus where something is missing."""
        kind = operating.kind_of(operating.ruled(self._state).rule)
        if kind is None:
            return self._buttons[KINDS[0].name]
        return self._fields.get(kind.name) or self._buttons[kind.name]

    def show_plan(self) -> None:
        """Mark the rule that holds and say where it comes from, or what is missing."""
        if not operating.concerns(self._state):
            return
        found, missing = operating.ruled(self._state), operating.gap(self._state)
        kind = operating.kind_of(found.rule)
        self._mark(kind)
        for name, field in self._fields.items():
            is_it = kind is not None and kind.name == name
            text = operating.as_typed(found.rule) if is_it else ""
            if field.text().strip() != text and not (field.hasFocus() and is_it):
                field.setText(text)
            set_role(field, "bad" if is_it and missing and text else "")
        self._said.setText(missing or found.said)
        self._said.set_role("warning" if missing or found.departs else "muted")
        self._said.setVisible(bool(missing or found.said))

    def _mark(self, kind: Kind | None) -> None:
        """Check one button, or none, which an exclusive group does not let happen by itself."""
        self._group.setExclusive(kind is not None)
        for name, button in self._buttons.items():
            button.setChecked(kind is not None and kind.name == name)
        self._group.setExclusive(True)

    def _add(self, kind: Kind, grid: QGridLayout, line: int) -> None:
        button = QRadioButton(escape_mnemonic(kind.title))
        button.setAccessibleDescription(kind.gist)
        button.clicked.connect(partial(self._choose, kind))
        self._group.addButton(button)
        self._buttons[kind.name] = button
        grid.addWidget(button, line, 0)
        gist = Label(kind.gist, "muted")
        if kind.unit:
            grid.addLayout(self._number(kind), line, 1)
            grid.addWidget(gist, line, 2)
        else:
            grid.addWidget(gist, line, 1, 1, 2)

    def _number(self, kind: Kind) -> QHBoxLayout:
        field = self._fields[kind.name] = QLineEdit()
        field.setAccessibleName(kind.field)
        field.setAccessibleDescription(kind.gist)
        field.setMaxLength(_LONGEST)
        field.setFixedWidth(_FIELD_PX)
        field.setPlaceholderText(kind.example)
        field.textEdited.connect(lambda text: self._state.put(rule=operating.as_rule(kind, text)))
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(field)
        row.addWidget(Label(kind.unit, "muted", wrap=False))
        row.addStretch(1)
        return row

    def _choose(self, kind: Kind) -> None:
        field = self._fields.get(kind.name)
        if field is not None and not field.text().strip():
            field.setFocus(Qt.FocusReason.OtherFocusReason)
        self._state.put(rule=operating.as_rule(kind, field.text() if field is not None else ""))
