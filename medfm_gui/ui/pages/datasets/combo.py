"""Combo boxes that are filled anew when data change."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox

from medfm_gui.ui.widgets.text import one_line

_LONGEST = 80


def fill(box: QComboBox, options: Sequence[tuple[str, object]], current: object) -> None:
    """Other options, without telling anybody; ``current`` is chosen where it is among them, else the first."""
    box.blockSignals(True)
    box.clear()
    for text, value in options:
        box.addItem(one_line(text, _LONGEST), value)
    values = [value for _, value in options]
    box.setCurrentIndex(values.index(current) if current in values else 0)
    box.blockSignals(False)
