"""Facts as a grid of names and values; the values can be selected and copied."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.text import Label, one_line

_LONGEST_NAME = 40


class Facts(QWidget):
    """Names at the left, muted; values at the right with tabular figures."""

    def __init__(self, facts: Iterable[tuple[str, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACE[3])
        self._grid.setVerticalSpacing(SPACE[0] + 2)
        self._grid.setColumnStretch(1, 1)
        self._facts: tuple[tuple[str, str], ...] = ()
        self._rows: list[tuple[Label, Label]] = []
        self.set_facts(facts)

    def set_facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Show these names and values instead; widgets that are there are used again."""
        wanted = self._facts = tuple(facts)
        self._grid.setEnabled(False)  # set out once, not at each label
        while len(self._rows) < len(wanted):
            self._add()
        for row, (name, value) in zip(self._rows, wanted, strict=False):
            row[0].setText(one_line(name, _LONGEST_NAME))
            row[1].setText(value)
            row[1].setAccessibleName(f"{name}: {row[1].text()[:200]}")
        for index, row in enumerate(self._rows):
            for label in row:
                if label.isHidden() == (index < len(wanted)):
                    label.setVisible(index < len(wanted))
        self._grid.setEnabled(True)
        self._grid.invalidate()

    def facts(self) -> tuple[tuple[str, str], ...]:
        """The names and values that are shown."""
        return self._facts

    def _add(self) -> None:
        name, value = Label("", "muted", wrap=False), Label("", selectable=True)
        value.setFont(figures_font())
        value.setContentsMargins(0, 1, 0, 0)  # a text that can be selected is drawn 1 px higher than one that cannot
        at = len(self._rows)
        top = Qt.AlignmentFlag.AlignTop
        self._grid.addWidget(name, at, 0, top)
        self._grid.addWidget(value, at, 1, top)
        self._rows.append((name, value))
