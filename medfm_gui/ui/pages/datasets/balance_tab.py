"""The tab with “table 1”: classes and covariates of a dataset, in all and by the partitions of a split."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import DescribeCohort
from medfm_gui.domain.errors import MedfmError
from medfm_gui.store.rows import DatasetRow, SplitRow
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.combo import fill
from medfm_gui.ui.pages.datasets.counts import CountRow, CountsTable
from medfm_gui.ui.pages.datasets.wording import PARTITIONS, split_title
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, choice
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.cohort import Characteristics


class BalanceTab(QWidget):
    """How classes and covariates stand in a dataset and in the partitions of one of its splits."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._newest = Newest(context.desk, self)
        self._dataset: DatasetRow | None = None
        self._shown = ("", "")
        self.splits = choice([("The whole dataset", "")])
        self.splits.setAccessibleName("By the partitions of")
        self.splits.currentIndexChanged.connect(self._ask)
        self.table = CountsTable("Characteristics by partition")
        self.copy = action("Copy table", "copy", "quiet")
        self.copy.clicked.connect(self._copy)
        self._note = Label("", "caption")
        bar = QHBoxLayout()
        bar.setSpacing(SPACE[2])
        bar.addWidget(Label("Partitions of", "muted", wrap=False))
        bar.addWidget(self.splits, 1)
        bar.addStretch(1)
        bar.addWidget(self.copy)
        content = QWidget()
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(SPACE[1])
        inner.addWidget(self.table, 1)
        inner.addWidget(self._note)
        self.pane = StatePane(content)
        down = QVBoxLayout(self)
        down.setContentsMargins(0, SPACE[3], 0, 0)
        down.setSpacing(SPACE[2])
        down.addLayout(bar)
        down.addWidget(self.pane, 1)

    def show_dataset(self, dataset: DatasetRow, splits: Sequence[SplitRow]) -> None:
        """Show a dataset by its newest split, or as a whole where it has none."""
        same = self._dataset is not None and self._dataset.id == dataset.id
        known = {self.splits.itemData(place) for place in range(self.splits.count())}
        fresh = [row.id for row in splits if row.id not in known]
        newest = splits[-1].id if splits else ""
        kept = newest if not same or fresh else self.splits.currentData()
        self._dataset = dataset
        rows = [(split_title(row), row.id) for row in reversed(splits)]
        fill(self.splits, [("The whole dataset", ""), *rows], kept)
        self._ask()

    def _ask(self) -> None:
        dataset, split = self._dataset, str(self.splits.currentData() or "")
        if dataset is None or (self._shown == (dataset.fingerprint, split) and self.pane.state == "content"):
            return
        self._shown = (dataset.fingerprint, split)
        self.pane.show_busy("Counting")
        self._newest.ask(DescribeCohort(dataset.id, split), self._take, self._refused)

    def _take(self, answer: Characteristics) -> None:
        self.table.fill("Characteristic", [PARTITIONS[name] for name in answer.columns], rows_of(answer))
        note = "Shares are of the images of each column."
        if answer.n_hidden:
            note += (
                f" Classes, and covariates that may tell them, are counted without the {answer.n_hidden:,} images of a "
                "sealed test: their labels are hidden until it is opened."
            )
        if answer.left_out:
            note += f" Not listed, as hardly a value repeats: {', '.join(answer.left_out)}."
        self._note.setText(note)
        self.pane.show_content()

    def _refused(self, error: MedfmError) -> None:
        self._shown = ("", "")
        self.pane.show_error(error, "Try again", self._ask)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.table.counts.as_text())
        self._context.say("The table is on the clipboard.", "good")


def rows_of(answer: Characteristics) -> list[CountRow]:
    """The lines of the table: images, patients, then each characteristic with its values."""
    rows = [CountRow("Images", answer.images)]
    if any(number is not None for number in answer.patients):
        rows.append(CountRow("Patients", answer.patients))
    for section in answer.sections:
        rows.append(CountRow(section.title, is_heading=True))
        rows += [
            CountRow(line.name, line.counts, section.wholes or answer.images, nothing="hidden")
            for line in section.lines
        ]
    return rows
