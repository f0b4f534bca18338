"""The decisions on labels and images that a layout leaves to a person, as choices, with those of each study."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from medfm_gui.ui.pages.datasets.combo import fill
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import FormRow, choice
from medfm_gui.ui.widgets.text import Label, one_line
from medfm_gui.workspace.sources import LayoutFacts

_PRESETS: Mapping[str, str] = {"study-a": "as in study A", "study-b": "as in study B"}
_OWN = "Own choices"
_LONGEST = 120


class PolicyChoices(QWidget):
    """One choice a policy, above them the study whose choices are taken.

    Signals:
        changed(): another choice.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout: LayoutFacts | None = None
        self.presets = choice([(_OWN, "")])
        self.presets.currentIndexChanged.connect(self._preset_chosen)
        self.boxes: dict[str, QComboBox] = {}
        self._title = Label("Label policies", "heading3")
        self._note = Label("How labels and images are taken where the dataset leaves it open.", "caption")
        self._row = FormRow("Choices of a study", self.presets)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, SPACE[1], 0, 0)
        self._column.setSpacing(SPACE[2])
        for widget in (self._title, self._note, self._row):
            self._column.addWidget(widget)
        self._rows: list[FormRow] = []
        self.offer(None)

    @property
    def preset(self) -> str:
        """The study whose choices are taken as they are; empty for own choices."""
        return str(self.presets.currentData() or "")

    def chosen(self) -> dict[str, str]:
        """Own choices by policy, without those at their standard; none where a study's are taken."""
        if self.preset or self._layout is None:
            return {}
        standard = {policy.name: policy.standard for policy in self._layout.policies}
        values = {name: str(box.currentData()) for name, box in self.boxes.items()}
        return {name: value for name, value in values.items() if value != standard[name]}

    def offer(self, layout: LayoutFacts | None) -> None:
        """Offer the policies of a layout at their standard values; the same layout again keeps what was chosen."""
        if layout == self._layout and layout is not None:
            return
        self._layout = layout
        for row in self._rows:
            self._column.removeWidget(row)
            row.deleteLater()
        self._rows, self.boxes = [], {}
        for policy in layout.policies if layout is not None else ():
            box = choice([(one_line(title or value, _LONGEST), value)
                          for value, title in policy.choices], policy.standard)  # fmt: skip
            box.currentIndexChanged.connect(self._value_chosen)
            row = FormRow(policy.title, box)
            self._column.addWidget(row)
            self._rows.append(row)
            self.boxes[policy.name] = box
        presets = layout.presets if layout is not None else {}
        fill(self.presets, [(_OWN, ""), *((_PRESETS.get(name, name).capitalize(), name) for name in presets)], "")
        self._row.setVisible(bool(presets))
        self.setVisible(bool(self.boxes))

    def _preset_chosen(self) -> None:
        """Show a study's values where they lie; what the study leaves open is at its standard."""
        if self.preset and self._layout is not None:
            wanted = self._layout.presets.get(self.preset, {})
            for policy in self._layout.policies:
                box = self.boxes[policy.name]
                box.blockSignals(True)
                box.setCurrentIndex(max(0, box.findData(wanted.get(policy.name, policy.standard))))
                box.blockSignals(False)
        self.changed.emit()

    def _value_chosen(self) -> None:
        """A choice of one's own is no study's any more."""
        self.presets.blockSignals(True)
        self.presets.setCurrentIndex(0)
        self.presets.blockSignals(False)
        self.changed.emit()
