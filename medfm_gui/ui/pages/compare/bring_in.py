"""The dialog that brings in a table: predictions of another system, or reads of human readers."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from medfm_gui.desk.asks.compare_outside import (
    ImportPredictions,
    ImportReaders,
    ImportTarget,
    ImportTargets,
    ListImportTargets,
    TableImported,
)
from medfm_gui.desk.asks.data import UnitList, UnitsOf
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.units import IMAGE, unit_choices
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.dialog import WordsDialog, end_row
from medfm_gui.ui.widgets.forms import Form, PathPicker, action, choice, disable, real_number
from medfm_gui.ui.widgets.notice import Notice
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.text import Label, one_line

_WIDTH_PX = SPACE[-1] * 19
_TABLES = "Tables (*.csv *.tsv *.txt)"
_LONGEST = 2000
_PREDICTIONS = (
    "One row for each image or patient: a column “sample”, “path” or “patient” that names it, and a column of "
    "probabilities for each class (or “score”: that of the positive class). The system joins the comparison like a run "
    "whose test is open; the look at the test is counted and written down."
)
_READS = (
    "One row for each reader and image (or patient): a column “reader”; one of “sample”, “path” or “patient”; and "
    "“decision” (a class, or 0 and 1) or “rating” (1 to 5; 3 and more count as positive). Only test images of the "
    "split can be read."
)


class BringIn(WordsDialog):
    """Asks for a file and what it is of; errors are said in place and what was filled in stays.

    Signals:
        brought_in(TableImported): the table is in the workspace.
    """

    brought_in = Signal(object)

    def __init__(self, context: Context, run: str, *, reads: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context, self._is_reads = context, reads
        self._targets: tuple[ImportTarget, ...] = ()
        self._looks: dict[str, int] = {}
        self._ticket: Ticket | None = None
        self._usual_unit = IMAGE
        title = "Import reads of human readers" if reads else "Import predictions of another system"
        self.setModal(True)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setFixedWidth(_WIDTH_PX)
        self.file = PathPicker("file", "Table to import", _TABLES)
        self.dataset, self.split = choice(()), choice(())
        self.name = QLineEdit()
        self.name.setMaxLength(80)
        self.name.setPlaceholderText("For example: Vendor A, version 3.1")
        self.unit = choice(unit_choices((IMAGE,), ordered=True))
        self.has_threshold = QCheckBox("Its own threshold")
        self.threshold = real_number(0.5, 0.0, 1.0, "", 4, 0.05)
        self.threshold.setAccessibleName("Threshold of the system")
        self.reason = QLineEdit()
        self.reason.setMaxLength(_LONGEST)
        self.reason.setPlaceholderText("Kept in the journal and printed")
        self.notice, self.work = Notice(), ProgressRow()
        self.cancel, self.act = action("Cancel"), action("Import", "plus", "primary")
        self._build(title)
        self._connect()
        self._judge()
        context.desk.ask(ListImportTargets(run), owner=self, then=self._fill, failed=self._fail)

    def _build(self, title: str) -> None:
        form = Form()
        form.add("Table", self.file)
        if not self._is_reads:
            form.add("Name of the system", self.name)
        form.add("Dataset", self.dataset)
        self._split_row = form.add("Split", self.split)
        if not self._is_reads:
            form.add("Unit of analysis", self.unit)
            row = QWidget()
            beside = QHBoxLayout(row)
            beside.setContentsMargins(0, 0, 0, 0)
            beside.addWidget(self.has_threshold)
            beside.addWidget(self.threshold)
            beside.addStretch(1)
            self._threshold_row = row
            form.add_widget(row)
            form.add("Why the test is looked at", self.reason)
        self.work.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[3])
        column.setSpacing(SPACE[2])
        column.addWidget(Label(title, "heading2"))
        column.addWidget(Label(_READS if self._is_reads else _PREDICTIONS, "muted"))
        column.addWidget(form)
        column.addWidget(self.notice)
        column.addWidget(self.work)
        column.addSpacing(SPACE[1])
        column.addLayout(end_row(self.cancel, self.act))

    def _connect(self) -> None:
        self.file.changed.connect(lambda _: self._judge())
        self.name.textChanged.connect(lambda _: self._judge())
        self.reason.textChanged.connect(lambda _: self._judge())
        self.dataset.currentIndexChanged.connect(lambda _: self._other_dataset())
        self.split.currentIndexChanged.connect(lambda _: self._tell_looks())
        self.has_threshold.toggled.connect(self.threshold.setEnabled)
        self.threshold.setEnabled(False)
        self.cancel.clicked.connect(self.reject)
        self.act.clicked.connect(self.start)

    def _fill(self, answer: ImportTargets) -> None:
        wanted = [one for one in answer.targets if not self._is_reads or one.task is Task.BINARY]
        self._targets, self._looks = tuple(wanted), dict(answer.looks)
        self.dataset.blockSignals(True)
        for one in wanted:
            self.dataset.addItem(one_line(f"{one.name} ({one.id})" if one.name != one.id else one.id, 160), one.id)
        self.dataset.setCurrentIndex(max(0, self.dataset.findData(answer.dataset)) if wanted else -1)
        self.dataset.blockSignals(False)
        self._usual_unit = answer.unit
        self._other_dataset()
        if answer.split:
            self.split.setCurrentIndex(max(0, self.split.findData(answer.split)))
        if not wanted:
            kind = "dataset of two classes with a split" if self._is_reads else "dataset with a split"
            self.notice.tell(f"There is no {kind} yet.", "Import one and split it, then come back.")

    def _target(self) -> ImportTarget | None:
        return next((one for one in self._targets if one.id == self.dataset.currentData()), None)

    def _other_dataset(self) -> None:
        target = self._target()
        self.split.blockSignals(True)
        self.split.clear()
        for name in target.splits if target is not None else ():
            self.split.addItem(one_line(name, 160), name)
        self.split.blockSignals(False)
        if not self._is_reads:
            self._threshold_row.setVisible(target is not None and target.task is Task.BINARY)
        if target is not None and not self._is_reads:
            self._context.desk.ask(
                UnitsOf(target.id), owner=self, then=lambda answer: self._fill_units(target, answer), failed=self._fail
            )
        self._tell_looks()
        self._judge()

    def _fill_units(self, target: ImportTarget, answer: UnitList) -> None:
        """What the numbers of this dataset can count; of another one, whose answer came late, nothing."""
        if target is not self._target():
            return
        wanted = str(self.unit.currentData()) if self.unit.count() > 1 else self._usual_unit
        self.unit.clear()
        for words, unit in unit_choices(answer.units, ordered=target.task is not Task.MULTICLASS):
            self.unit.addItem(words, unit)
        self.unit.setCurrentIndex(max(0, self.unit.findData(wanted)))

    def _tell_looks(self) -> None:
        """Reading a table of test predictions opens the test: say how often that was done."""
        split = self.split.currentData()
        if not self._is_reads and isinstance(split, str):
            count = self._looks.get(split, 0)
            times = "was not opened yet" if not count else f"was opened {'once' if count == 1 else f'{count} times'}"
            self._split_row.set_hint(f"The test of this split {times}{' so far' if count else ''}.")

    def _judge(self) -> None:
        missing = ""
        if self._ticket is not None:
            missing = "The table is being read."
        elif not self.file.path():
            missing = "Choose a table first."
        elif not self._is_reads and not self.name.text().strip():
            missing = "Say what the system is called."
        elif not self._is_reads and not self.reason.text().strip():
            missing = "Write down why the test is looked at."
        elif self.split.currentData() is None:
            missing = "Choose a dataset with a split."
        disable(self.act, missing)

    def start(self) -> None:
        """Bring the table in."""
        dataset, split = str(self.dataset.currentData()), str(self.split.currentData())
        target = self._target()
        has_threshold = self.has_threshold.isChecked() and target is not None and target.task is Task.BINARY
        ask: ImportReaders | ImportPredictions = ImportReaders(self.file.path(), dataset, split)
        if not self._is_reads:
            ask = ImportPredictions(
                self.file.path(), " ".join(self.name.text().split()), dataset, split, str(self.unit.currentData()),
                self.threshold.value() if has_threshold else None, " ".join(self.reason.text().split()),
            )  # fmt: skip
        self.notice.hide()
        self.work.tell("Reading the table")
        self.work.show()
        self._ticket = self._context.desk.ask(
            ask, owner=self, then=self._done, failed=self._fail, progress=self._progress
        )
        self.work.on_cancel(self._ticket.cancel)
        self._judge()

    def _progress(self, news: Progress) -> None:
        self.work.tell(news.text, news.total, news.done, news.seconds_left)

    def _done(self, answer: TableImported) -> None:
        self._ticket = None
        self.accept()
        self.brought_in.emit(answer)

    def _fail(self, error: MedfmError) -> None:
        self._ticket = None
        self.work.hide()
        self.notice.tell_failure(error, "The import was stopped.", "Nothing was kept.")
        self._judge()
