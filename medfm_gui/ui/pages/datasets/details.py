"""The chosen dataset: its name, what it is, and its tabs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from medfm_gui.store.rows import DatasetRow, SplitRow
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.datasets.balance_tab import BalanceTab
from medfm_gui.ui.pages.datasets.corrections_tab import CorrectionsTab
from medfm_gui.ui.pages.datasets.draft import Draft
from medfm_gui.ui.pages.datasets.flow_tab import FlowTab
from medfm_gui.ui.pages.datasets.images_tab import ImagesTab
from medfm_gui.ui.pages.datasets.map_tab import MapTab
from medfm_gui.ui.pages.datasets.model import classes_line
from medfm_gui.ui.pages.datasets.quality_tab import QualityTab
from medfm_gui.ui.pages.datasets.split_editor import READ_ONLY
from medfm_gui.ui.pages.datasets.splits_tab import SplitsTab
from medfm_gui.ui.pages.datasets.statement_tab import StatementTab
from medfm_gui.ui.pages.datasets.wording import dataset_line
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.text import Label

_TAB = "datasets.tab"


class Details(QWidget):
    """Images, characteristics, flow, map, splits, quality, corrections and statement of one dataset.

    A tab is filled when it is seen.

    Signals:
        version_made(str): a corrected version is there; its id.
    """

    version_made = Signal(str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._dataset: DatasetRow | None = None
        self._splits: tuple[SplitRow, ...] = ()
        self._name = Label("", "heading2", elide=Qt.TextElideMode.ElideRight)
        self._line = Label("", "muted", elide=Qt.TextElideMode.ElideRight)
        self.train = action("Train on this dataset", "train")
        self.train.clicked.connect(self._train)
        self.delete = action("Delete …", "trash", "quiet")
        self.delete.setAccessibleName("Delete this dataset")
        disable(self.delete, READ_ONLY if context.is_read_only else "")
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("The chosen dataset")
        self.tabs.tabBar().setAccessibleName("Tabs of the chosen dataset")
        self.draft = Draft(context.desk, self)
        self.draft.failed.connect(lambda error: context.say(error.message, "warning"))
        self._images = Deferred(partial(ImagesTab, context, self.draft))
        self._balance = Deferred(partial(BalanceTab, context))
        self._flow = Deferred(partial(FlowTab, context))
        self._map = Deferred(self._make_map)
        self._splits_tab = Deferred(partial(SplitsTab, context))
        self._quality = Deferred(self._make_quality)
        self._corrections = Deferred(self._make_corrections)
        self._statement = Deferred(partial(StatementTab, context))
        self._places: dict[str, Deferred[Any]] = {
            "Images": self._images,
            "Characteristics": self._balance,
            "Splits": self._splits_tab,
            "Data quality": self._quality,
            "Flow": self._flow,
            "Map": self._map,
            "Corrections": self._corrections,
            "Statement": self._statement,
        }
        self._lay_out()

    @property
    def images(self) -> ImagesTab:
        """The tab of thumbnails."""
        return self._images.part

    @property
    def balance(self) -> BalanceTab:
        """The tab of characteristics."""
        return self._balance.part

    @property
    def splits(self) -> SplitsTab:
        """The tab of splits."""
        return self._splits_tab.part

    @property
    def flow(self) -> FlowTab:
        """The tab of the flow of images."""
        return self._flow.part

    @property
    def map(self) -> MapTab:
        """The tab of the embedding map."""
        return self._map.part

    @property
    def corrections(self) -> CorrectionsTab:
        """The tab of the drafted corrections."""
        return self._corrections.part

    @property
    def statement(self) -> StatementTab:
        """The tab of what the dataset states of itself."""
        return self._statement.part

    @property
    def quality(self) -> QualityTab:
        """The tab of data quality."""
        return self._quality.part

    def _lay_out(self) -> None:
        for name, place in self._places.items():
            self.tabs.addTab(place, name)
        kept = self._context.memory.get(_TAB)
        self.tabs.setCurrentIndex(kept if isinstance(kept, int) and 0 <= kept < self.tabs.count() else 0)
        self.tabs.currentChanged.connect(self._show_tab)
        words = QVBoxLayout()
        words.setSpacing(SPACE[0])
        words.addWidget(self._name)
        words.addWidget(self._line)
        top = QHBoxLayout()
        top.setSpacing(SPACE[3])
        top.addLayout(words, 1)
        top.addWidget(self.delete, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self.train, 0, Qt.AlignmentFlag.AlignTop)
        down = QVBoxLayout(self)
        down.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[4])
        down.setSpacing(SPACE[2])
        down.addLayout(top)
        down.addWidget(self.tabs, 1)

    def show_dataset(self, dataset: DatasetRow, splits: Sequence[SplitRow]) -> None:
        """Show a dataset and its splits (oldest first)."""
        self._dataset, self._splits = dataset, tuple(splits)
        self.draft.show_dataset(dataset)
        self._name.setText(dataset.name)
        self._line.setText(f"{dataset_line(dataset)} · {classes_line(dataset)}")
        self._show_tab()

    def choose_split(self, split: str) -> None:
        """Show one of the splits."""
        self.tabs.setCurrentWidget(self._splits_tab)
        self.splits.choose(split)

    def new_split(self) -> None:
        """Plan another split."""
        self.tabs.setCurrentWidget(self._splits_tab)
        self.splits.begin()

    def search(self) -> None:
        """Search among the images."""
        self.tabs.setCurrentWidget(self._images)
        self.images.text.setFocus()

    def _show_tab(self) -> None:
        self._context.memory.put(_TAB, self.tabs.currentIndex())
        place = tuple(self._places.values())[self.tabs.currentIndex()]
        if self._dataset is not None:
            place.part.show_dataset(self._dataset, self._splits)

    def _make_map(self, place: QWidget) -> MapTab:
        made = MapTab(self._context, place)
        made.chosen.connect(self.show_image)
        return made

    def _make_quality(self, place: QWidget) -> QualityTab:
        made = QualityTab(self._context, self.draft, place)
        made.oddities.shown.connect(self.show_image)
        return made

    def _make_corrections(self, place: QWidget) -> CorrectionsTab:
        made = CorrectionsTab(self._context, self.draft, place)
        made.saved.connect(self.version_made)
        return made

    def show_image(self, which: int | str) -> None:
        """Show an image in the grid: by its place in the dataset, or by its id."""
        self.tabs.setCurrentWidget(self._images)
        if isinstance(which, int):
            self.images.go_to(which)
        else:
            self.images.clear_filters()
            self.images.text.setText(which)

    def _train(self) -> None:
        if self._dataset is None:
            return
        split = self._splits[-1] if self._splits else None
        wish = {"split": split.family or split.id} if split is not None else {}
        self._context.go("train", dataset=self._dataset.id, **wish)
