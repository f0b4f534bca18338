"""The tab with what a dataset states of itself: a form, kept beside the dataset and told in the journal."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.desk.asks.curation import KeepStatement, ShowStatement
from medfm_gui.domain.dataset import Statement
from medfm_gui.domain.errors import MedfmError
from medfm_gui.store.rows import DatasetRow, SplitRow
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.split_editor import READ_ONLY
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import Form, action, choice, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label, one_line
from medfm_gui.workspace.statements import SAMPLINGS, TITLES

_LONGEST = 500
_WIDTH = SPACE[-1] * 16
_MOST_CLASSES = 120
_TEXTS = {
    "unit": "What one prediction is about: image, breast, lesion, study, patient.",
    "prevalence": "Share of the event where the model is to be used, e.g. 0.6 %.",
    "reference_standard": "How it was found out who has what: biopsy, panel of three readers, report.",
    "reference_timing": "How long before or after the image, e.g. biopsy within 90 days.",
    "licence": "Under which the images may be used, e.g. CC BY 4.0.",
    "source": "Who collected them, where it is described.",
}
_SIDES = (("Not stated", None), ("Allowed", True), ("Not allowed", False))


class StatementTab(QWidget):
    """States unit, sampling, prevalence, reference standard, codes and licence of a dataset."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._newest = Newest(context.desk, self)
        self._dataset: DatasetRow | None = None
        self._statement = Statement()
        self.fields = {name: QLineEdit() for name in _TEXTS}
        self.sampling = choice([(text[:1].upper() + text[1:], value) for value, text in SAMPLINGS.items()])
        self.redistribution = choice(_SIDES)
        self.codes: dict[str, QLineEdit] = {}
        self.keep = action("Save", "check", "primary")
        self.keep.clicked.connect(self._keep)
        self.back = action("Take back", role="quiet")
        self.back.clicked.connect(lambda: self._show(self._statement))
        self._lay_out()
        self._settle()

    def _lay_out(self) -> None:
        form = Form()
        order = ("unit", "sampling", "prevalence", "reference_standard", "reference_timing", "licence",
                 "redistribution", "source")  # fmt: skip
        for name in order:
            if name == "sampling":
                form.add(TITLES[name], self.sampling, "How images came into the dataset.")
                self.sampling.currentIndexChanged.connect(lambda _: self._settle())
            elif name == "redistribution":
                form.add(TITLES[name], self.redistribution)
                self.redistribution.currentIndexChanged.connect(lambda _: self._settle())
            else:
                field = self.fields[name]
                field.setMaxLength(_LONGEST)
                field.textChanged.connect(lambda _: self._settle())
                form.add(TITLES[name], field, _TEXTS[name])
        form.setMaximumWidth(_WIDTH)
        self._codes = Panel(
            TITLES["codes"], "SNOMED CT as “SCT 254837009”, RadLex as “RadLex RID5350”, or a code of your own."
        )
        self._coded = QVBoxLayout()
        self._coded.setSpacing(SPACE[1])
        self._codes.body.addLayout(self._coded)
        self._codes.setMaximumWidth(_WIDTH)
        inside = QWidget()
        inside.setProperty("role", "page")
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("Statement")
        row = QHBoxLayout(inside)
        row.setContentsMargins(0, 0, SPACE[1], SPACE[3])
        row.setSpacing(SPACE[5])
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(form)
        left.addStretch(1)
        right.addWidget(self._codes)
        right.addStretch(1)
        row.addLayout(left, 1)
        row.addLayout(right, 1)
        row.addStretch(0)  # what a wide window has beyond both stays at the right
        self.pane = StatePane(scroll)
        bar = QHBoxLayout()
        bar.setSpacing(SPACE[1])
        bar.addWidget(Label("Reports print this; what is empty is printed as “not stated”.", "muted"), 1)
        bar.addWidget(self.back)
        bar.addWidget(self.keep)
        down = QVBoxLayout(self)
        down.setContentsMargins(0, SPACE[3], 0, 0)
        down.setSpacing(SPACE[2])
        down.addLayout(bar)
        down.addWidget(self.pane, 1)

    def show_dataset(self, dataset: DatasetRow, splits: Sequence[SplitRow]) -> None:
        """Show a dataset's statement; what was typed for the same one stays."""
        if self._dataset is not None and self._dataset.id == dataset.id and self.pane.state == "content":
            return
        self._dataset = dataset
        self._make_codes(dataset)
        self.pane.show_busy("Reading the statement")
        self._newest.ask(ShowStatement(dataset.id), self._take, self._refused)

    def statement(self) -> Statement:
        """What the form says."""
        return Statement(
            **{name: field.text().strip() for name, field in self.fields.items()},
            sampling=str(self.sampling.currentData() or ""),
            redistribution=self.redistribution.currentData(),
            codes={name: field.text().strip() for name, field in self.codes.items() if field.text().strip()},
        )

    def _make_codes(self, dataset: DatasetRow) -> None:
        while (taken := self._coded.takeAt(0)) is not None:
            if (gone := taken.widget()) is not None:
                gone.deleteLater()
        self.codes.clear()
        for name in dataset.classes[:_MOST_CLASSES]:
            line = QWidget()
            row = QHBoxLayout(line)
            row.setContentsMargins(0, 0, 0, 0)
            label = Label(one_line(name), wrap=False)
            field = self.codes[name] = QLineEdit()
            field.setMaxLength(_LONGEST)
            field.setPlaceholderText("No code")
            field.setAccessibleName(f"Code of {one_line(name)}")
            field.textChanged.connect(lambda _: self._settle())
            row.addWidget(label, 1)
            row.addWidget(field, 1)
            self._coded.addWidget(line)

    def _take(self, statement: Statement) -> None:
        self._statement = statement
        self._show(statement)
        self.pane.show_content()

    def _show(self, statement: Statement) -> None:
        for name, field in self.fields.items():
            field.setText(str(getattr(statement, name)))
            field.setCursorPosition(0)
        self.sampling.setCurrentIndex(max(0, self.sampling.findData(statement.sampling)))
        values = [value for _, value in _SIDES]
        self.redistribution.setCurrentIndex(values.index(statement.redistribution))
        for name, field in self.codes.items():
            field.setText(statement.codes.get(name, ""))
        self._settle()

    def _settle(self) -> None:
        same = self.statement() == self._statement
        why = READ_ONLY if self._context.is_read_only else "Nothing was changed." if same else ""
        disable(self.keep, why)
        disable(self.back, "Nothing was changed." if same else "")

    def _keep(self) -> None:
        if self._dataset is not None:
            self._newest.ask(KeepStatement(self._dataset.id, self.statement()), self._kept, self._refused)

    def _kept(self, statement: Statement) -> None:
        self._take(statement)
        self._context.say("The statement was saved.", "good")

    def _refused(self, error: MedfmError) -> None:
        self.pane.show_error(error, "Back to the form", self.pane.show_content)
