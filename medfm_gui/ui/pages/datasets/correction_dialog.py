"""The small dialogs of a correction: another label with its reason, or why images are left out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.domain.dataset import UNKNOWN, Sample, Task
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import DatasetRow
from medfm_gui.ui.pages.datasets.inspector import label_text
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import Form, action, choice, disable
from medfm_gui.ui.widgets.text import Label, one_line

_WIDTH = SPACE[-1] * 14
_FINDINGS_PX = SPACE[-1] * 10
_LONGEST_REASON = 400
_VALUES = (("not assessed", UNKNOWN), ("absent", 0), ("present", 1))


class ReasonDialog(QDialog):
    """Asks for a reason; nothing can be done without one."""

    def __init__(self, parent: QWidget, title: str, text: str, act: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(one_line(title))
        self.setModal(True)
        self.setMinimumWidth(_WIDTH)
        self.form = Form()
        self.reason = QLineEdit()
        self.reason.setMaxLength(_LONGEST_REASON)
        self.reason.setPlaceholderText("e.g. second reader, 2026-11")
        self.reason.textChanged.connect(lambda _: self.settle())
        self.cancel = action("Cancel", role="quiet")
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self.reject)
        self.go = action(act, role="primary")
        self.go.setDefault(True)
        self.go.clicked.connect(self.accept)
        self.fill_form()
        self.form.add("Reason", self.reason, "It stands in the journal and in the record of the new version.")
        ending = QHBoxLayout()
        ending.addStretch(1)
        ending.addWidget(self.cancel)
        ending.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[4])
        column.setSpacing(SPACE[3])
        column.addWidget(Label(title, "heading3"))
        column.addWidget(Label(text, "muted"))
        column.addWidget(self.form)
        column.addLayout(ending)
        self.settle()

    def fill_form(self) -> None:
        """What is asked for before the reason; nothing here."""

    def settle(self) -> None:
        """Say why it cannot be done yet."""
        disable(self.go, "" if self.reason.text().strip() else "Write a reason.")

    @property
    def why(self) -> str:
        """The reason as it was written."""
        return self.reason.text().strip()


class ExcludeDialog(ReasonDialog):
    """Why images are left out."""

    def __init__(self, parent: QWidget, number: int, reason: str = "") -> None:
        super().__init__(
            parent,
            f"Leave out {counted(number, 'image')}",
            "This is drafted: the dataset stays as it is, and the draft becomes a new version of it when you save it "
            "on the tab “Corrections”.",
            "Leave out",
        )
        self.reason.setText(reason)


class LabelDialog(ReasonDialog):
    """Another class, or for each finding whether it is there."""

    def __init__(self, parent: QWidget, dataset: DatasetRow, sample: Sample, target: Sequence[int]) -> None:
        self._dataset = dataset
        self._before = tuple(target)
        self.classes = choice([(name, number) for number, name in enumerate(dataset.classes)], self._first())
        self.findings: list[QComboBox] = []
        super().__init__(
            parent,
            "Correct the label",
            f"{sample.id}: {label_text(dataset, sample)}. The correction is drafted; the dataset itself stays as it "
            "is.",
            "Correct",
        )

    def _first(self) -> int:
        return self._before[0] if self._before and self._dataset.task is not Task.MULTILABEL else 0

    def fill_form(self) -> None:
        """One choice, or a list of findings with three values each."""
        if self._dataset.task is not Task.MULTILABEL:
            self.form.add("Class", self.classes)
            self.classes.currentIndexChanged.connect(lambda _: self.settle())
            return
        inside = QWidget()
        inside.setProperty("role", "page")
        rows = QVBoxLayout(inside)
        rows.setContentsMargins(0, 0, SPACE[1], 0)
        rows.setSpacing(SPACE[1])
        for name, value in zip(self._dataset.classes, self._before, strict=True):
            box = choice(_VALUES, value)
            box.setAccessibleName(one_line(name))
            box.currentIndexChanged.connect(lambda _: self.settle())
            self.findings.append(box)
            line = QHBoxLayout()
            line.addWidget(Label(one_line(name)), 1)
            line.addWidget(box)
            rows.addLayout(line)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("Findings")
        scroll.setFixedHeight(min(_FINDINGS_PX, inside.sizeHint().height() + SPACE[1]))
        self.form.add("Findings", scroll)

    @property
    def target(self) -> tuple[int, ...]:
        """The label as it is chosen."""
        if self._dataset.task is Task.MULTILABEL:
            return tuple(int(box.currentData()) for box in self.findings)
        return (int(self.classes.currentData()),)

    def settle(self) -> None:
        """A reason, and another label than before."""
        same = self.target == self._before
        why = "Choose another label." if same else "" if self.why else "Write a reason."
        disable(self.go, why)
