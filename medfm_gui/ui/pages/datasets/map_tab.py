"""The tab with the embedding map: the images as a model without training for them sees them, near what looks alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPixmap
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.desk.asks.curation import ComputeFeatures, FeaturesMade, ShowMap
from medfm_gui.desk.asks.data import ListSamples, Thumbnails, TileSheet
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import DatasetRow, SamplePage, SplitRow
from medfm_gui.ui import theme as themes
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.charts.marks import series_colour
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.combo import fill
from medfm_gui.ui.pages.datasets.inspector import Picture, label_text
from medfm_gui.ui.pages.datasets.map_canvas import MapCanvas
from medfm_gui.ui.pages.datasets.samples import picture_of
from medfm_gui.ui.pages.datasets.split_editor import READ_ONLY
from medfm_gui.ui.pages.datasets.wording import PARTITIONS, split_title
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, choice, disable
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, one_line, tip
from medfm_gui.workspace.embedding import HIDDEN, NOT_RECORDED, OTHER, Embedding

_SIDE_PX = SPACE[-1] * 7
_SWATCH_PX = 12
_MUTED = (HIDDEN, NOT_RECORDED, OTHER, "in no partition")
_LONGEST = 60
_WHAT = (
    "A map puts images that look alike to a model near one another: clusters by scanner or site, wrong labels and odd "
    "images stand out. It needs features of the images, which a model that is on this computer computes once. Nothing "
    "is trained, and no label takes part."
)


class MapTab(QWidget):
    """Shows the first two principal components of a feature bank.

    Signals:
        chosen(int): the image at this place of the dataset is to be shown.
    """

    chosen = Signal(int)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._newest = Newest(context.desk, self)
        self._looking = Newest(context.desk, self)
        self._pictured = Newest(context.desk, self)
        self._ticket: Ticket | None = None
        self._dataset: DatasetRow | None = None
        self._places: NDArray[np.uint32] = np.empty(0, np.uint32)
        self._map: Embedding | None = None
        self.canvas = MapCanvas()
        self.canvas.hovered.connect(self._hovered)
        self.canvas.chosen.connect(lambda point: self.chosen.emit(int(self._places[point])))
        self.by = choice([("Label", "label")])
        self.by.setAccessibleName("Coloured by")
        self.splits = choice([("–", "")])
        self.splits.setAccessibleName("Partitions of")
        self.banks = choice([("–", "")])
        self.banks.setAccessibleName("Features of")
        self.compute = action("Compute features")
        self.compute.clicked.connect(self.compute_features)
        for box in (self.by, self.splits, self.banks):
            box.currentIndexChanged.connect(self._ask)
        self._picture = Picture()
        self._picture.setAccessibleName("The image below the pointer")
        self._words = Label("", "muted")
        self._note = Label("", "caption")
        self._legend = QVBoxLayout()
        self._switches: list[QCheckBox] = []
        self._lay_out()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(SPACE[2])
        for words, box in (("Coloured by", self.by), ("of", self.splits), ("Features of", self.banks)):
            label = Label(words, "muted", wrap=False)
            bar.addWidget(label)
            bar.addWidget(box, 1)
            if box is self.splits:
                self._of = label
        bar.addWidget(self.compute)
        side = QWidget()
        side.setFixedWidth(_SIDE_PX)
        column = QVBoxLayout(side)
        column.setContentsMargins(SPACE[3], 0, 0, 0)
        column.setSpacing(SPACE[2])
        column.addWidget(self._picture)
        column.addWidget(self._words)
        inside = QWidget()
        inside.setProperty("role", "page")
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("Groups of the map")
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._legend.setSpacing(SPACE[0])
        whole = QVBoxLayout(inside)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(self._legend)
        whole.addStretch(1)
        column.addWidget(scroll, 1)
        content = QWidget()
        across = QHBoxLayout(content)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        left = QVBoxLayout()
        left.setSpacing(SPACE[1])
        left.addWidget(self.canvas, 1)
        left.addWidget(self._note)
        across.addLayout(left, 1)
        across.addWidget(side)
        self.pane = StatePane(content)
        down = QVBoxLayout(self)
        down.setContentsMargins(0, SPACE[3], 0, 0)
        down.setSpacing(SPACE[2])
        down.addLayout(bar)
        down.addWidget(self.pane, 1)

    def show_dataset(self, dataset: DatasetRow, splits: Sequence[SplitRow]) -> None:
        """Show a dataset; the same one again keeps the view."""
        same = self._dataset is not None and self._dataset.fingerprint == dataset.fingerprint
        same = same and self._dataset is not None and self._dataset.id == dataset.id
        known = {self.splits.itemData(place) for place in range(self.splits.count())}
        fresh = any(row.id not in known for row in splits)
        self._dataset = dataset
        rows = [(split_title(row), row.id) for row in reversed(splits)]
        fill(self.splits, rows or [("No split", "")], self.splits.currentData() if same else None)
        if not same:
            fill(self.by, [("Label", "label")], "label")
            fill(self.banks, [("–", "")], "")
        if not same or fresh or self.pane.state != "content":
            self._ask()

    # -- asking

    def _ask(self) -> None:
        if self._dataset is None or self._ticket is not None:
            return
        by = str(self.by.currentData() or "label")
        self._of.setVisible(by == "partition")
        self.splits.setVisible(by == "partition")
        if self.pane.state != "content":
            self.pane.show_busy("Making the map")
        split = str(self.splits.currentData() or "")
        ask = ShowMap(self._dataset.id, str(self.banks.currentData() or ""), by, split)
        self._newest.ask(ask, self._take, self._refused)

    def _refused(self, error: MedfmError) -> None:
        self._ticket = None
        self.pane.show_error(error, "Try again", self._ask)

    def _take(self, found: Embedding) -> None:
        self._map = found
        titles = dict(found.models)
        self._offer(found)
        if not found.n:
            self._no_map(found)
            return
        n = found.n
        x, y = (np.frombuffer(found.payload, "<f4", n, place * 4 * n) for place in (0, 1))
        self._places = np.frombuffer(found.payload, "<u4", n, 8 * n)
        groups = np.frombuffer(found.payload, "u1", n, 12 * n)
        slots = tuple(
            -1 if name in _MUTED else sum(one not in _MUTED for one in found.groups[:place])
            for place, name in enumerate(found.groups)
        )
        self.canvas.set_points(x, y, groups, slots)
        self._show_legend(found, slots, np.bincount(groups, minlength=len(found.groups)))
        shares = " and ".join(f"{100 * share:.0f} %" for share in found.explained)
        missing = f" {counted(found.n_missing, 'image')} without features." if found.n_missing else ""
        self._note.setText(
            f"{counted(n, 'image')}, features of {titles.get(found.model, found.model)}: first two principal "
            f"components, with {shares} of the variance.{missing} Wheel zooms, drag moves, click shows the image."
        )
        self._hovered(-1)
        self.pane.show_content()

    def _offer(self, found: Embedding) -> None:
        names = [("Label", "label"), *([("Partition", "partition")] if self.splits.currentData() else [])]
        names += [(name.replace("_", " "), name) for name in found.colourings if name != "label"]
        fill(self.by, names, found.by)
        titles = dict(found.models)
        fill(
            self.banks,
            [(f"{titles.get(one.model, one.model)}  ({one.n_samples:,})", one.name) for one in found.banks]
            or [("No features yet", "")],
            found.bank,
        )
        why = READ_ONLY if self._context.is_read_only else "" if found.models else "No model's weights are here."
        disable(self.compute, why)
        self.compute.setVisible(bool(found.n_missing) and bool(found.n))

    def _no_map(self, found: Embedding) -> None:
        if found.models and not self._context.is_read_only:
            title = found.models[0][1]
            self.pane.show_empty("No features yet", _WHAT, f"Compute with {title}", self.compute_features, "cpu")
        else:
            why = "" if found.models else " No model's weights are on this computer: Settings imports them."
            self.pane.show_empty("No features yet", _WHAT + why, icon="cpu")

    def compute_features(self) -> None:
        """Let a worker compute features of every image; the map follows."""
        if self._dataset is None or self._ticket is not None:
            return
        model = self._map.models[0][0] if self._map is not None and self._map.models else ""
        self.pane.show_busy("Starting a worker", on_cancel=self._cancel)
        self._ticket = self._context.desk.ask(
            ComputeFeatures(self._dataset.id, model),
            owner=self,
            then=self._computed,
            failed=self._not_computed,
            progress=self._told,
        )

    def _cancel(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()

    def _told(self, news: Progress) -> None:
        self.pane.show_busy(news.text, news.total, news.done, news.seconds_left, self._cancel)

    def _computed(self, made: FeaturesMade) -> None:
        self._ticket = None
        fill(self.banks, [("", made.bank)], made.bank)
        self._ask()

    def _not_computed(self, error: MedfmError) -> None:
        self._ticket = None
        if isinstance(error, Interrupted):
            self._ask()  # what was computed until then is a map already
        else:
            self._refused(error)

    # -- legend and hover

    def _show_legend(self, found: Embedding, slots: Sequence[int], sizes: NDArray[np.int64]) -> None:
        while (taken := self._legend.takeAt(0)) is not None:
            if (gone := taken.widget()) is not None:
                gone.deleteLater()
        self._switches = []
        theme = themes.current()
        for name, slot, size in zip(found.groups, slots, sizes.tolist(), strict=True):
            words = PARTITIONS.get(name, name) if found.by == "partition" else name
            count_of = f"  ({size:,})"
            room = _SIDE_PX - SPACE[-1] - SPACE[3] - self.fontMetrics().horizontalAdvance(count_of)
            cut = self.fontMetrics().elidedText(one_line(words, _LONGEST), Qt.TextElideMode.ElideRight, room)
            switch = QCheckBox(escape_mnemonic(cut + count_of))
            switch.setAccessibleName(f"{one_line(words, _LONGEST)}, {size:,} images")
            tip(switch, words)
            switch.setChecked(True)
            swatch = QPixmap(QSize(_SWATCH_PX, _SWATCH_PX))
            muted = QColor(themes.mix(theme.panel, theme.text, 0.3))
            swatch.fill(series_colour(theme, slot) if slot >= 0 else muted)
            switch.setIcon(swatch)
            switch.toggled.connect(self._toggled)
            self._legend.addWidget(switch)
            self._switches.append(switch)
        self.canvas.set_hidden(frozenset())

    def _toggled(self) -> None:
        self.canvas.set_hidden(
            frozenset(place for place, switch in enumerate(self._switches) if not switch.isChecked())
        )

    def _hovered(self, point: int) -> None:
        self._looking.cancel()
        self._pictured.cancel()
        if point < 0 or self._dataset is None:
            self._picture.show_image(QImage(), "Point at an image")
            self._words.setText("")
            return
        self._looking.ask(ListSamples(self._dataset.id, int(self._places[point]), 1), self._found, lambda _: None)

    def _found(self, page: SamplePage) -> None:
        if self._dataset is None or not page.samples:
            return
        sample = page.samples[0]
        self._words.setText(f"{sample.id}: {one_line(label_text(self._dataset, sample), _LONGEST)}")
        side = round(_SIDE_PX * self.devicePixelRatioF())
        self._pictured.ask(Thumbnails(self._dataset.id, (sample.id,), side), self._pictured_is, lambda _: None)

    def _pictured_is(self, sheet: TileSheet) -> None:
        if sheet.tiles:
            self._picture.show_image(picture_of(sheet, sheet.tiles[0]), sheet.tiles[0].message or "No pixels")

    def sizeHint(self) -> QSize:
        """Wide enough for map and legend."""
        return QSize(_SIDE_PX * 4, _SIDE_PX * 2)
