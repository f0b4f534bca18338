"""At the left: what a new report shall hold – title, runs, sections, numbers, pictures, files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.domain.report import OF_SEVERAL, Outline, Part
from medfm_gui.ui.pages.reports.details import Benefit, BesidePdf, Leaving, Subgroups, with_details
from medfm_gui.ui.pages.reports.lines import RunLines
from medfm_gui.ui.pages.reports.model import HOLDS, RunsModel
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import FormRow, action, disable
from medfm_gui.ui.widgets.switch import Switch
from medfm_gui.ui.widgets.text import Label

_LONGEST_TITLE: Final = 200
_PURPOSE_PX: Final = SPACE[-1] * 2
_LONGEST_PURPOSE: Final = 10_000
_RUNS_PX: Final = SPACE[-1] * 6
_INDENT_PX: Final = SPACE[5] + SPACE[1]
_ONE_RUN: Final = "A comparison needs two runs."


class Composer(QWidget):
    """Title, runs and sections of a new report.

    Signals:
        changed(): the report would look otherwise now.
        left(): back to the written reports.
        export(): the report shall be written.
    """

    changed = Signal()
    left = Signal()
    export = Signal()

    def __init__(self, runs: RunsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self.back = action("All reports", "chevron-left", "quiet")
        self.back.clicked.connect(self.left)
        self.title = QLineEdit()
        self.title.setMaxLength(_LONGEST_TITLE)
        self.title.textEdited.connect(lambda _: self.changed.emit())
        self.purpose = QPlainTextEdit()
        self.purpose.setFixedHeight(_PURPOSE_PX)
        self.purpose.setTabChangesFocus(True)
        self.purpose.setPlaceholderText("What this report is for, in your own words")
        self.purpose.textChanged.connect(self.changed)
        self.runs = RunLines(runs)
        self.runs.setMinimumHeight(_RUNS_PX)
        self.runs.selectionModel().currentRowChanged.connect(lambda *_: self._tell_reference())
        self.reference = action("Make reference", "star", "quiet")
        self.reference.clicked.connect(self.runs.make_reference)
        self.parts = {part: Switch(part.heading) for part in Part}
        for switch in self.parts.values():
            switch.setChecked(True)
            switch.toggled.connect(lambda _: self.changed.emit())
        self.subgroups, self.benefit, self.leaving = Subgroups(), Benefit(), Leaving()
        for field in (self.subgroups, self.benefit, self.leaving):
            field.changed.connect(self.changed)
        self.beside = BesidePdf()
        self._data = ""
        self.export_button = action("Export PDF …", "export", "primary")
        self.export_button.clicked.connect(self.export)
        runs.chosen_changed.connect(self._tell_runs)
        self._build()
        self._tell_runs()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(SPACE[1])
        head.addWidget(Label("New report", "heading1"), 1)
        head.addWidget(self.back)
        inside = QWidget()
        inside.setProperty("role", "page")
        area = QScrollArea()
        area.setWidget(inside)  # before it is filled: it is measured and styled at once
        area.setWidgetResizable(True)
        column = QVBoxLayout(inside)
        column.setContentsMargins(SPACE[4], 0, SPACE[2], SPACE[2])
        column.setSpacing(SPACE[1])
        column.addWidget(FormRow("Title", self.title))
        column.addWidget(FormRow("Purpose", self.purpose))
        column.addSpacing(SPACE[1])
        over = QHBoxLayout()
        over.addWidget(Label("Runs", "heading3"), 1)
        over.addWidget(self.reference)
        column.addLayout(over)
        column.addWidget(self.runs, 1)
        self.runs_hint = Label("", "caption")
        column.addWidget(self.runs_hint)
        column.addSpacing(SPACE[1])
        column.addWidget(Label("Sections", "heading3"))
        for part, switch in self.parts.items():
            column.addLayout(_row(switch, HOLDS[part]))
        for title, fields in (
            ("Numbers", (self.subgroups, self.benefit)),
            ("Pictures and files", (self.leaving,)),
            ("Beside the PDF", (self.beside,)),
        ):
            column.addSpacing(SPACE[1])
            column.addWidget(Label(title, "heading3"))
            for field in fields:
                column.addWidget(field)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        top, foot = QWidget(), QWidget()
        top.setLayout(head)
        head.setContentsMargins(SPACE[4], SPACE[4], SPACE[2], SPACE[2])
        below = QHBoxLayout(foot)
        below.setContentsMargins(SPACE[4], SPACE[2], SPACE[2], SPACE[3])
        below.addWidget(self.export_button, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(top)
        whole.addWidget(area, 1)
        whole.addWidget(foot)

    @property
    def outline(self) -> Outline:
        """What the report shall hold."""
        parts = tuple(part for part, switch in self.parts.items() if switch.isChecked())
        purpose = self.purpose.toPlainText().strip()[:_LONGEST_PURPOSE]
        outline = Outline(self.title.text().strip(), parts, purpose=purpose)
        return with_details(outline, self.subgroups, self.benefit, self.leaving)

    def leave_out(self, parts: Collection[Part], *, files: bool = False) -> None:
        """Switch off what was off last time; tells nobody."""
        for part, switch in self.parts.items():
            switch.blockSignals(True)
            switch.setChecked(part not in parts)
            switch.blockSignals(False)
        self.leaving.forget(files=False if files else None)

    def tell_data(self, withheld: str, covariates: Sequence[str], *, holds_files: bool) -> None:
        """What the dataset of the chosen runs allows, and what its test images can be parted by; tells nobody."""
        self.leaving.allow(withheld, files=not holds_files)
        self.subgroups.offer(covariates)

    def suggest_title(self, title: str) -> None:
        """The title of a report that is given none."""
        self.title.setPlaceholderText(title)

    def allow_export(self, reason: str) -> None:
        """Whether the report can be written, or why not."""
        disable(self.export_button, reason)

    def _tell_runs(self) -> None:
        chosen = self._runs.chosen
        self._look_at_data(chosen[:1])
        for part in OF_SEVERAL:
            disable(self.parts[part], "" if len(chosen) > 1 else _ONE_RUN)
        hint = "The first run you tick is the reference that the others are compared with."
        if len(chosen) > 1:
            hint = f"{len(chosen)} runs; the others are compared with {chosen[0]}."
        self.runs_hint.setText(hint)
        self._tell_reference()
        self.changed.emit()

    def _look_at_data(self, first: Sequence[str]) -> None:
        """Runs of other data: consent and files that were chosen for the last ones do not hold for these."""
        item = self._runs.item(self._runs.row_of(first[0])) if first else None
        if item is not None and item.row.dataset_fingerprint != self._data:
            if self._data:
                self.leaving.forget(files=False if self.leaving.attachments is False else None)
            self._data = item.row.dataset_fingerprint

    def _tell_reference(self) -> None:
        item = self._runs.item(self.runs.currentIndex().row())
        can = item is not None and self._runs.chosen[:1] != (item.row.id,) and not self._runs.obstacle(item)
        self.reference.setEnabled(can)


def _row(switch: Switch, text: str) -> QVBoxLayout:
    """A switch with a line below that says what it is about."""
    caption = Label(text, "caption")
    caption.setContentsMargins(_INDENT_PX, 0, 0, 0)
    switch.setAccessibleDescription(text)
    row = QVBoxLayout()
    row.setSpacing(0)
    row.addWidget(switch)
    row.addWidget(caption)
    return row
