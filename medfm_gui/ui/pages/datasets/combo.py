"""Combo boxes that are filled anew when data change."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox

from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import choice
from medfm_gui.ui.widgets.text import one_line

_LONGEST = 80
_LEAST_PX, _MOST_PX = SPACE[-1] * 3, SPACE[-1] * 8


def narrowing(name: str, any_text: str, any_value: object) -> QComboBox:
    """A box that narrows a list, at first by nothing; it is as wide as its texts, within bounds."""
    box = choice([(any_text, any_value)])
    box.setAccessibleName(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    box.setMinimumContentsLength(0)
    box.setMinimumWidth(_LEAST_PX)
    box.setMaximumWidth(_MOST_PX)
    return box


def fill(box: QComboBox, options: Sequence[tuple[str, object]], current: object) -> None:
    """Other options, without telling anybody; ``current`` is chosen where it is among them, else the first."""
    box.blockSignals(True)
    box.clear()
    for text, value in options:
        box.addItem(one_line(text, _LONGEST), value)
    values = [value for _, value in options]
    box.setCurrentIndex(values.index(current) if current in values else 0)
    box.blockSignals(False)
