"""The options of de-identification in plain words."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from medfm_gui.domain.deidentification import Dates, Deidentification
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import FormRow, choice
from medfm_gui.ui.widgets.text import Label

_DATES = (
    ("Remove all dates", Dates.REMOVE),
    ("Move by a secret number of days", Dates.SHIFT),
    ("Keep them", Dates.KEEP),
)
_DATE_HINTS = {
    Dates.REMOVE: "Times of day are removed, too.",
    Dates.SHIFT: "The same number for all studies of a patient: intervals and times of day stay.",
    Dates.KEEP: "A date of examination can point to a person. Birth dates are removed all the same.",
}
_CHOICES = (
    ("keep_patient", "Keep sex, age, size and weight", "An age of 90 years or more is written as 90."),
    ("clean_descriptors", "Keep known words of descriptions", "Such as “chest” or “T1”; all other words are removed."),
    ("keep_device", "Keep model and serial number", "Of the machine; else only its maker stays."),
    ("keep_uids", "Keep UIDs", "Else replaced, the same everywhere. A UID can hold dates and device numbers."),
)
_ALWAYS = (
    "Always removed: names, IDs, addresses, free text, private attributes, overlays, and all that is not on the list "
    "of what an image needs. Patients and institutions get pseudonyms that only this workspace can make again."
)


class OptionsForm(QWidget):
    """What may stay.

    Signals:
        changed(): another choice.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.dates = choice(_DATES, Dates.REMOVE)
        self._dates_row = FormRow("Dates", self.dates, _DATE_HINTS[Dates.REMOVE])
        self.boxes: dict[str, QCheckBox] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        column.addWidget(Label("What may stay", "heading3"))
        column.addSpacing(SPACE[1])
        column.addWidget(self._dates_row)
        for name, text, hint in _CHOICES:
            box = self.boxes[name] = QCheckBox(text)
            box.setAccessibleDescription(hint)
            box.toggled.connect(lambda _: self.changed.emit())
            column.addSpacing(SPACE[2])
            column.addWidget(box)
            column.addWidget(Label(hint, "caption"))
        column.addSpacing(SPACE[4])
        column.addWidget(Label(_ALWAYS, "muted"))
        column.addStretch(1)
        self.dates.currentIndexChanged.connect(lambda _: self._dates_changed())

    def options(self) -> Deidentification:
        """What was chosen."""
        kept = {name: box.isChecked() for name, box in self.boxes.items()}
        return Deidentification(dates=Dates(self.dates.currentData()), **kept)

    def _dates_changed(self) -> None:
        self._dates_row.set_hint(_DATE_HINTS[Dates(self.dates.currentData())])
        self.changed.emit()
