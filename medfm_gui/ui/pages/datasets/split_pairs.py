"""Near-duplicates on two sides of a split, pair by pair, the two images of the chosen pair side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QVBoxLayout, QWidget

from medfm_gui.desk.asks.data import Thumbnails, TileSheet
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.ui.context import Context
from medfm_gui.ui.newest import Newest
from medfm_gui.ui.pages.datasets.samples import picture_of
from medfm_gui.ui.pages.datasets.split_rows import LeaksTable
from medfm_gui.ui.pages.datasets.wording import PARTITIONS
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.cohort import LeakLine

SIDE_PX: Final = SPACE[-1] * 5
_ABOUT = "They look like one exposure: recompressed, cropped, turned or brighter. They warn and do not block."


class _Side(QWidget):
    """One image of a pair with its partition and place."""

    def __init__(self) -> None:
        super().__init__()
        self.title = Label("", wrap=False)
        self.picture = Label("", "muted")
        self.picture.setFixedSize(SIDE_PX, SIDE_PX)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.place = Label("", "caption", elide=Qt.TextElideMode.ElideMiddle)
        self.place.setFixedWidth(SIDE_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        for widget in (self.title, self.picture, self.place):
            column.addWidget(widget)

    def tell(self, partition: str, place: str) -> None:
        """Name the image; its picture comes later."""
        self.title.setText(PARTITIONS.get(partition, partition))
        self.place.setText(place)
        self.picture.setPixmap(QPixmap())
        self.picture.setText("…")
        self.picture.setAccessibleName(f"{self.title.text()}: {place}")

    def show_picture(self, image: QImage, message: str) -> None:
        """Show the image, or say why there is none."""
        if image.isNull():
            self.picture.setText(message or "No picture")
            return
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap.fromImage(image).scaled(
            round(SIDE_PX * ratio),
            round(SIDE_PX * ratio),
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        pixmap.setDevicePixelRatio(ratio)
        self.picture.setPixmap(pixmap)


class NearPairs(QWidget):
    """The pairs of a split; not there where there are none."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dataset = ""
        self._pairs: tuple[LeakLine, ...] = ()
        self._pictures = Newest(context.desk, self)
        self.title = Label("", "heading3")
        self.table = LeaksTable()
        self.table.setAccessibleName("Near-duplicates on two sides")
        self.table.setColumnHidden(0, True)  # all of them are of one kind
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.selectionModel().currentRowChanged.connect(self._choose)
        self.sides = (_Side(), _Side())
        pair = QHBoxLayout()
        pair.setSpacing(SPACE[3])
        for side in self.sides:
            pair.addWidget(side)
        pair.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE[1], 0, 0)
        column.setSpacing(SPACE[2])
        column.addWidget(self.title)
        column.addWidget(Label(_ABOUT, "muted"))
        column.addWidget(self.table)
        column.addLayout(pair)
        self.hide()

    def show_pairs(self, dataset: str, pairs: Sequence[LeakLine], total: int) -> None:
        """Show the pairs of another split; ``total`` is how many there are in all."""
        self._dataset, self._pairs = dataset, tuple(pairs)
        self._pictures.cancel()
        self.setVisible(bool(pairs))
        if not pairs:
            return
        more = f", the first {len(pairs):,} are listed" if total > len(pairs) else ""
        self.title.setText(f"{counted(total, 'near-duplicate pair')} on two sides{more}")
        self.table.fill(pairs)
        self.table.selectRow(0)
        self._choose(self.table.model().index(0, 0), QModelIndex())

    def _choose(self, now: QModelIndex, _before: QModelIndex) -> None:
        if not 0 <= now.row() < len(self._pairs):
            return
        line = self._pairs[now.row()]
        self.sides[0].tell(line.leak.partitions[0], line.path_a)
        self.sides[1].tell(line.leak.partitions[1], line.path_b)
        ask = Thumbnails(self._dataset, (line.leak.a, line.leak.b), SIDE_PX)
        self._pictures.ask(ask, self._take, self._refused)

    def _take(self, sheet: TileSheet) -> None:
        for side, tile in zip(self.sides, sheet.tiles, strict=False):
            side.show_picture(picture_of(sheet, tile), tile.message)

    def _refused(self, error: MedfmError) -> None:
        for side in self.sides:
            side.show_picture(QImage(), error.message)
