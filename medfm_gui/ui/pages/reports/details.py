"""What a report tells beside its sections: subgroups, net benefit, pictures and files that leave the house."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.domain.report import Outline
from medfm_gui.ui.pages.reports.model import ATTACHED, ATTACHED_HOLD, CONSENT
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import choice, disable, real_number
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, one_line, tip

_INDENT_PX: Final = SPACE[5] + SPACE[1]
_NOT_NAMED: Final = 0.0
_NO_COVARIATES: Final = "Covariates of the test images appear here with the preview."
_NONE_TO_TELL: Final = "These test images have no covariate that two classes can be told by."
_LONGEST: Final = 40
_FREE: Final = "The dataset states that its images may be passed on."
_ANSWER: Final = "Tick it only where patients or owners agreed: you answer for it."

Kind = Literal["", "csv", "tex"]


class Subgroups(QWidget):
    """A box for every covariate of the test images.

    Signals:
        changed(): others are ticked.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._boxes: dict[str, QCheckBox] = {}
        self._inner = QWidget()
        self._flow = FlowLayout(self._inner)
        self.hint = Label(_NO_COVARIATES, "caption")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        column.addWidget(Label("Subgroups by"))
        column.addWidget(self._inner)
        column.addWidget(self.hint)
        self._inner.hide()

    @property
    def chosen(self) -> tuple[str, ...]:
        """The ticked covariates."""
        return tuple(name for name, box in self._boxes.items() if box.isChecked())

    def offer(self, names: Sequence[str]) -> None:
        """Offer these; what was ticked among them stays so. Tells nobody."""
        if tuple(names) != tuple(self._boxes):
            ticked = set(self.chosen)
            self._flow.clear()
            self._boxes = {}
            for name in names:
                box = QCheckBox(escape_mnemonic(one_line(name, _LONGEST)))
                box.setAccessibleName(f"Subgroups by {one_line(name, _LONGEST)}")
                box.setChecked(name in ticked)
                box.toggled.connect(lambda _: self.changed.emit())
                self._flow.addWidget(box)
                self._boxes[name] = box
        self._inner.setVisible(bool(names))
        self.hint.setText("" if names else _NONE_TO_TELL)
        self.hint.setVisible(not names)


class Benefit(QWidget):
    """Whether net benefit is told, between which thresholds, at which prevalence.

    Signals:
        changed(): it would be told otherwise now.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.on = Switch("Net benefit")
        self.on.setAccessibleDescription("Between two threshold probabilities")
        self.low = real_number(0.05, 0.001, 0.998, "", 3, 0.05)
        self.high = real_number(0.4, 0.002, 0.999, "", 3, 0.05)
        self.prevalence = real_number(_NOT_NAMED, 0.0, 0.999, "", 3, 0.01)
        self.prevalence.setSpecialValueText("as stated")
        tip(self.prevalence, "Share of the event in the population it is meant for; else what the dataset states.")
        self.low.setAccessibleName("Lowest threshold probability")
        self.high.setAccessibleName("Highest threshold probability")
        self.prevalence.setAccessibleName("Prevalence in the intended population")
        row = QHBoxLayout()
        row.setContentsMargins(_INDENT_PX, 0, 0, 0)
        row.setSpacing(SPACE[1])
        row.addWidget(Label("from", "muted", wrap=False))
        row.addWidget(self.low, 1)
        row.addWidget(Label("to", "muted", wrap=False))
        row.addWidget(self.high, 1)
        last = QHBoxLayout()
        last.setContentsMargins(_INDENT_PX, 0, 0, 0)
        last.setSpacing(SPACE[1])
        last.addWidget(Label("at a prevalence", "muted", wrap=False))
        last.addWidget(self.prevalence, 1)
        self.fault = Label("", "bad")
        self.fault.setContentsMargins(_INDENT_PX, 0, 0, 0)
        self.fault.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        column.addWidget(self.on)
        column.addLayout(row)
        column.addLayout(last)
        column.addWidget(self.fault)
        self.on.toggled.connect(lambda _: self._tell())
        for field in (self.low, self.high, self.prevalence):
            field.valueChanged.connect(lambda _: self._tell())
        self._allow()

    @property
    def between(self) -> tuple[float, float] | None:
        """The two thresholds; None where net benefit is not told."""
        low, high = round(self.low.value(), 3), round(self.high.value(), 3)
        return (low, high) if self.on.isChecked() and low < high else None

    @property
    def at(self) -> float | None:
        """The prevalence that was named."""
        value = round(self.prevalence.value(), 3)
        return value if self.between is not None and value > _NOT_NAMED else None

    def _tell(self) -> None:
        self._allow()
        self.changed.emit()

    def _allow(self) -> None:
        for field in (self.low, self.high, self.prevalence):
            field.setEnabled(self.on.isChecked())
        is_none = self.on.isChecked() and self.low.value() >= self.high.value()
        self.fault.setText("The second threshold must be the larger one." if is_none else "")
        self.fault.setVisible(is_none)


class Leaving(QWidget):
    """Pictures of cases and attached files: what the dataset allows, and what a person takes on themselves.

    Signals:
        changed(): the report would hold other pictures or files now.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._files: bool | None = None
        self.consent = Switch(CONSENT)
        self.files = Switch(ATTACHED)
        self.why_pictures, self.why_files = Label("", "caption"), Label(ATTACHED_HOLD, "caption")
        self.consent.toggled.connect(lambda _: self.changed.emit())
        self.files.toggled.connect(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[1])
        for switch, why in ((self.consent, self.why_pictures), (self.files, self.why_files)):
            why.setContentsMargins(_INDENT_PX, 0, 0, 0)
            block = QVBoxLayout()
            block.setSpacing(0)
            block.addWidget(switch)
            block.addWidget(why)
            column.addLayout(block)
        self.allow("")

    @property
    def attachments(self) -> bool | None:
        """What the person chose; None leaves it to the dataset."""
        return self._files

    @property
    def has_consent(self) -> bool:
        """Whether the person takes the pictures on themselves."""
        return self.consent.isEnabled() and self.consent.isChecked()

    def allow(self, withheld: str, *, files: bool = True) -> None:
        """Show what the dataset allows by itself: ``withheld`` is why no pictures, ``files`` whether files.

        Tells nobody.
        """
        disable(self.consent, "" if withheld else _FREE)
        if not withheld:
            _set(self.consent, True)
        elif self.why_pictures.text() in ("", _FREE):
            _set(self.consent, False)  # it was the dataset's, not the person's
        said = f"{withheld[:1].upper()}{withheld[1:]}." if withheld else ""
        self.why_pictures.setText(f"{said} {_ANSWER}" if withheld else _FREE)
        if self._files is None:
            _set(self.files, files)
        self.why_files.setText(ATTACHED_HOLD if files else f"{said} {ATTACHED_HOLD}")
        for switch, why in ((self.consent, self.why_pictures), (self.files, self.why_files)):
            switch.setAccessibleDescription(why.text())

    def forget(self, *, files: bool | None = None) -> None:
        """Other data: what was taken on for the last ones does not hold for them. Tells nobody."""
        self._files = files
        self.why_pictures.setText("")
        _set(self.consent, False)
        if files is not None:
            _set(self.files, files)

    def _choose(self, on: bool) -> None:
        self._files = on
        self.changed.emit()


class BesidePdf(QWidget):
    """Which files are written beside the PDF."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = Switch("Also the results table")
        self.kind = choice((("CSV", "csv"), ("LaTeX", "tex")))
        self.kind.setAccessibleName("Form of the results table")
        self.card = Switch("Also the model card (JSON)")
        self.table.setAccessibleDescription("Beside the PDF, under its name")
        self.card.setAccessibleDescription("Beside the PDF, under its name")
        self.table.toggled.connect(self.kind.setEnabled)
        self.kind.setEnabled(False)
        row = QHBoxLayout()
        row.addWidget(self.table, 1)
        row.addWidget(self.kind)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[1])
        column.addLayout(row)
        column.addWidget(self.card)

    @property
    def wanted(self) -> tuple[Kind, bool]:
        """The form of the table, empty where none is wanted, and whether the card is."""
        kind: Kind = "tex" if self.kind.currentData() == "tex" else "csv"
        return (kind if self.table.isChecked() else "", self.card.isChecked())


def with_details(outline: Outline, subgroups: Subgroups, benefit: Benefit, leaving: Leaving) -> Outline:
    """An outline with what these fields say."""
    return Outline(
        outline.title,
        outline.parts,
        leaving.attachments,
        outline.purpose,
        benefit.between,
        benefit.at,
        subgroups.chosen,
        leaving.has_consent,
    )


def _set(switch: Switch, on: bool) -> None:
    switch.blockSignals(True)
    switch.setChecked(on)
    switch.blockSignals(False)
