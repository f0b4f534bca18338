"""The tab with the images: filters above, the grid, and the chosen image at the right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSplitter, QVBoxLayout, QWidget

from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.dataset import Sample, Task
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.split import Partition
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import DatasetRow, SampleFilter, SplitRow
from medfm_gui.ui.context import Context
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.datasets.combo import fill, narrowing
from medfm_gui.ui.pages.datasets.covariate_filter import CovariateFilter
from medfm_gui.ui.pages.datasets.draft import Draft
from medfm_gui.ui.pages.datasets.flagged_switch import FlaggedSwitch
from medfm_gui.ui.pages.datasets.grid import ThumbnailGrid
from medfm_gui.ui.pages.datasets.inspector import Inspector, label_text
from medfm_gui.ui.pages.datasets.previews import Previews
from medfm_gui.ui.pages.datasets.sample_edits import SampleEdits
from medfm_gui.ui.pages.datasets.samples import SampleSource
from medfm_gui.ui.pages.datasets.split_editor import READ_ONLY
from medfm_gui.ui.pages.datasets.wording import PARTITIONS, split_title
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label, one_line, tip

_TYPING_MS = 250
_MEMORY = "datasets.images_splitter"
_ROOMY_PX = SPACE[-1] * 20
_LONGEST = 80
_IN_MASKS = "The classes of a segmentation stand in its masks: any image may hold any of them."
_OMITTED = "This filter would tell labels of a test that is still sealed, so its images are not listed and not counted."
_ANY_CLASS, _ANY_SPLIT, _ANY_PARTITION = "Any class", "Any split", "Any partition"


class ImagesTab(QWidget):
    """Looks through the images of one dataset."""

    def __init__(self, context: Context, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._draft = draft
        self._dataset: DatasetRow | None = None
        self._wanted_row = -1
        self._patient = ""
        self._has_choice = False
        self._known: set[str] = set()
        self.source = SampleSource(context.desk, self)
        self.grid = ThumbnailGrid(self.source, self._caption)
        self.inspector = Inspector(context.desk, self.show_patient)
        self._pane = StatePane(self.grid)
        self.previews = Previews(context)
        self.previews.made.connect(self.source.forget_pictures)
        self.source.lost.connect(self.previews.offer)
        self._filters()
        self._lay_out()
        self.grid.chosen.connect(self._choose)
        self.source.counted.connect(self._count)
        self.source.arrived.connect(self._show_wanted)
        self.source.arrived.connect(self.covariates.offer)
        self.source.failed.connect(self._fail)
        self.edits = SampleEdits(draft, self._chosen, self)
        self.inspector.relabel_wanted.connect(self.edits.relabel)
        self.inspector.exclude_wanted.connect(self.edits.exclude)
        draft.changed.connect(self._drafted)

    def _filters(self) -> None:
        self.classes = narrowing("Class", _ANY_CLASS, None)
        self.splits = narrowing("Split", _ANY_SPLIT, "")
        self.sides = narrowing("Partition", _ANY_PARTITION, None)
        self.covariates = CovariateFilter(self._context.desk)
        self.covariates.changed.connect(self._restart)
        self.flagged = FlaggedSwitch(self._context.desk)
        self.flagged.ready.connect(self._restart)
        self.flagged.told.connect(self._look)
        self.flagged.failed.connect(self._fail)
        self.text = QLineEdit()
        self.text.setPlaceholderText("Search id, file or patient")
        self.text.setAccessibleName("Search id, file or patient")
        self.text.setClearButtonEnabled(True)
        self._typed = Later(self._restart, _TYPING_MS, self)
        self.text.textChanged.connect(lambda _: self._typed.again())
        self.classes.currentIndexChanged.connect(self._restart)
        self.sides.currentIndexChanged.connect(self._restart)
        self.splits.currentIndexChanged.connect(self._fill_sides)
        self.splits.currentIndexChanged.connect(self._restart)
        self.one_patient = action("", "close", "quiet")
        self.one_patient.setAccessibleName("Show all patients")
        self.one_patient.clicked.connect(partial(self.show_patient, ""))
        self.one_patient.hide()
        self.counted = Label("", "muted", wrap=False)

    def _lay_out(self) -> None:
        bar = FlowLayout()
        for part in (self.classes, self.splits, self.sides, self.covariates, self.flagged):
            bar.addWidget(part)
        above = QHBoxLayout()
        above.setSpacing(SPACE[2])
        above.addWidget(self.text, 1)
        above.addWidget(self.one_patient)
        above.addWidget(self.counted)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        left = QWidget()
        self._splitter.addWidget(left)  # before it is filled: it is measured and styled at once
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, SPACE[3], 0)
        column.setSpacing(SPACE[1])
        column.addLayout(above)
        column.addLayout(bar)
        column.addWidget(self.previews)
        column.addWidget(self._pane, 1)
        self._splitter.addWidget(self.inspector)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setStretchFactor(1, 0)
        self._splitter.setChildrenCollapsible(False)
        self.inspector.setMinimumWidth(SPACE[-1] * 7)
        self._splitter.setSizes([SPACE[-1] * 20, SPACE[-1] * 9])
        kept = self._context.memory.get(_MEMORY)
        if isinstance(kept, str):
            self._splitter.restoreState(QByteArray.fromHex(kept.encode("ascii", "ignore")))
        self._splitter.splitterMoved.connect(lambda *_: self._context.memory.put(_MEMORY, _state(self._splitter)))
        down = QVBoxLayout(self)
        down.setContentsMargins(0, SPACE[3], 0, 0)
        down.addWidget(self._splitter)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow tab gives the room beside the images only to one that was chosen."""
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        self.inspector.setVisible(self._has_choice or self.width() >= _ROOMY_PX)

    def show_dataset(self, dataset: DatasetRow, splits: Sequence[SplitRow]) -> None:
        """Show a dataset; the same one again keeps the filters and the place."""
        same = self._dataset is not None and self._dataset.fingerprint == dataset.fingerprint
        same = same and self._dataset is not None and self._dataset.id == dataset.id
        self._dataset = dataset
        self.previews.show_dataset(dataset.id)
        kept = self.splits.currentData() if same else ""
        fill(self.splits, [(_ANY_SPLIT, ""), *((split_title(row), row.id) for row in splits)], kept)
        if not same:
            classes = [(name, number) for number, name in enumerate(dataset.classes)]
            in_masks = dataset.task is Task.SEGMENTATION
            fill(self.classes, [(_ANY_CLASS, None), *([] if in_masks else classes)], None)
            disable(self.classes, _IN_MASKS if in_masks else "")
            self.text.blockSignals(True)
            self.text.clear()
            self.text.blockSignals(False)
            self._set_patient("")
            self.flagged.show_dataset(dataset.id)
            self.covariates.show_dataset(dataset.id)
        known = {row.id for row in splits}
        fresh, self._known = known - self._known, known
        self._fill_sides()
        if not same or fresh:  # a split that was just frozen hides the labels of its test
            self._restart()

    def show_patient(self, patient: str) -> None:
        """Show the images of one patient, or of all."""
        self._set_patient(patient)
        self._restart()

    def _set_patient(self, patient: str) -> None:
        self._patient = patient
        self.one_patient.setVisible(bool(patient))
        self.one_patient.setText(f"Patient {one_line(patient, _LONGEST)}".replace("&", "&&"))

    def _fill_sides(self) -> None:
        has_split = bool(self.splits.currentData())
        kept = self.sides.currentData() if has_split else None
        sides = [(PARTITIONS[side.value], side) for side in Partition] if has_split else []
        fill(self.sides, [(_ANY_PARTITION, None), *sides], kept)
        self.sides.setEnabled(has_split)
        tip(self.sides, "" if has_split else "Choose a split first.")

    def _restart(self) -> None:
        if self._dataset is None:
            return
        self.inspector.clear()
        self._has_choice = False
        self._make_room()
        self._pane.show_content()
        split, side = self.splits.currentData() or None, self.sides.currentData()
        only = SampleFilter(
            class_index=self.classes.currentData(),
            patient=self._patient or None,
            split=split,
            partition=Partition(side) if split and side else None,  # Qt hands a plain text back
            text=self.text.text().strip(),
            covariate=self.covariates.chosen(),
            ids=self.flagged.samples,
        )
        self.counted.setText("")
        self.source.start(self._dataset.id, only)

    def _count(self, total: int) -> None:
        if self._dataset is None:
            return
        whole = self._dataset.n_samples
        unit = self._dataset.unit
        omits = self.source.omits_sealed
        said = counted(total, unit) if total == whole else f"{total:,} of {counted(whole, unit)}"
        self.counted.setText(f"{said}, sealed test left out" if omits else said)
        tip(self.counted, _OMITTED if omits else "")
        if total == 0:
            self._pane.show_empty(
                "No image fits", "No image of this dataset fits these filters.", "Clear the filters", self.clear_filters
            )
        else:
            self._pane.show_content()

    def clear_filters(self) -> None:
        """Show all images again."""
        for box in (self.classes, self.splits, self.sides):
            box.blockSignals(True)
            box.setCurrentIndex(0)
            box.blockSignals(False)
        self.text.clear()
        self._typed.stop()
        self.covariates.clear()
        self.flagged.turn_off()
        self._set_patient("")
        self._fill_sides()
        self._restart()

    def _look(self, news: Progress) -> None:
        stop = partial(self.flagged.setChecked, False)
        self._pane.show_busy(news.text, news.total, news.done, news.seconds_left, stop)

    def _fail(self, error: MedfmError) -> None:
        self._pane.show_error(error, "Try again", self._restart)

    def _choose(self, row: int) -> None:
        sample = self.source.sample(row) if row >= 0 else None
        self._has_choice = sample is not None
        self._make_room()
        if self._dataset is not None and sample is not None:
            locked = READ_ONLY if self._context.is_read_only else ""
            small, drafted = self.source.picture(sample.id), self._draft.said_of(sample.id)
            self.inspector.show_sample(self._dataset, sample, small, locked=locked, drafted=drafted)

    def _caption(self, sample: Sample) -> str:
        mark = "edited · " if sample.id in self._draft.in_force else ""
        return mark + label_text(self._dataset, sample) if self._dataset is not None else ""

    # -- one image

    def go_to(self, position: int) -> None:
        """Show the image at a place of the dataset, all filters cleared."""
        self.clear_filters()
        self._wanted_row = position

    def _show_wanted(self) -> None:
        """The page with the wanted image may come later than the first."""
        row = self._wanted_row
        if row < 0 or not self.source.total:
            return
        self.grid.set_current(row)
        if self.source.sample(row) is not None:
            self._wanted_row = -1
            self._choose(row)

    # -- corrections

    def _chosen(self) -> tuple[DatasetRow, Sample] | None:
        sample = self.source.sample(self.grid.current) if self.grid.current >= 0 else None
        return (self._dataset, sample) if self._dataset is not None and sample is not None else None

    def _drafted(self) -> None:
        self.grid.viewport().update()
        if self.grid.current >= 0:
            self._choose(self.grid.current)


def _state(splitter: QSplitter) -> str:
    """How a splitter stands, as text to remember."""
    return bytes(splitter.saveState().toHex().data()).decode("ascii")
