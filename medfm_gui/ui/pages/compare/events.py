"""The field in which the one event of a task with several classes is named; it is not seen where there are two."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from medfm_gui.ui.widgets.forms import choice
from medfm_gui.ui.widgets.text import Label, one_line

_LETTERS = 18


class EventField(QWidget):
    """A choice of events; ``name`` is its label, which stands beside it."""

    def __init__(self, chosen: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field: QComboBox = choice(())
        self.field.setAccessibleName("Event")
        self.field.setMinimumContentsLength(_LETTERS)
        self.field.currentIndexChanged.connect(lambda _: chosen())
        self.name = Label("Event", "muted", wrap=False)
        self.name.setBuddy(self.field)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.field)
        self.setFocusProxy(self.field)
        self.offer(())

    def offer(self, events: Sequence[tuple[str, str]]) -> None:
        """These can be named; the one that was stays where it still can."""
        before = self.named()
        self.field.blockSignals(True)
        self.field.clear()
        for event, title in events:
            self.field.addItem(one_line(title, 160), event)
        self.field.setCurrentIndex(max(0, self.field.findData(before)) if events else -1)
        self.field.blockSignals(False)
        for part in (self, self.name):
            part.setVisible(bool(events))

    def named(self) -> str:
        """The event that is named; empty where there is none to name."""
        found = self.field.currentData()
        return found if isinstance(found, str) else ""
