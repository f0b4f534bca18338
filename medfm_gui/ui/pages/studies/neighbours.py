"""The training images nearest to an image: picture, label, distance; of a vote of neighbours its share of the vote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from medfm_gui.desk.asks.data import Thumbnails, TileSheet
from medfm_gui.desk.asks.studies import RunSaid
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui import theme as themes
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.studies.keeping import KeepRow
from medfm_gui.ui.pages.studies.rows import paint_lines
from medfm_gui.ui.pages.studies.thumbs import image_of
from medfm_gui.ui.pages.studies.wording import line
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, tip_text
from medfm_gui.ui.widgets.tree import DataList

Index = QModelIndex | QPersistentModelIndex
SIDE_PX: Final = SPACE[-1] * 2
_ROW_PX: Final = SIDE_PX + SPACE[1]
_MOST_ROWS: Final = 4
_ABOUT = "Nearest in what the model sees. Similar to the model need not mean similar to a reader."
_VOTED = (
    "A vote has no gradient, so there is no map: these training images decided. Similar to the model need not mean "
    "similar to a reader."
)
_THE_SAME: Final = 0.0005
"""A distance at which three decimals say 0.000."""
_KNOWN = "The first looks the same to the model: this image, or a copy of it, was probably among the training images."
_TITLE: Final = "Similar training cases"
_ROOT = QModelIndex()
CAPTION: Final = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, slots=True)
class Near:
    """A training image: its sample, the labels of the reference standard, its distance, and a line on both."""

    sample: str
    labels: tuple[str, ...]
    distance: float
    caption: str


def nearest(said: RunSaid) -> tuple[Near, ...]:
    """Those that cast a vote, where it was explained; else those nearest to the image."""
    if said.neighbours:
        return tuple(
            Near(one.sample, one.labels, 1 - one.similarity, _voted(one.similarity, one.weight))
            for one in said.neighbours
        )
    return tuple(
        Near(one.sample, one.labels, one.distance, f"Training case · distance {one.distance:.2f}")
        for one in said.similar
    )


def has_nearest(said: RunSaid, context: Context) -> bool:
    """Whether there is something to show of an answer: its nearest training images, or a way to have them made."""
    return bool(said.neighbours or said.similar) or (said.can_keep_similar and not context.is_read_only)


def _voted(similarity: float, weight: float) -> str:
    return f"Similarity {similarity:.2f} · vote {100 * weight:.0f} %"


class NeighbourPanel(Panel):
    """The nearest training images of one run's answer, or a button that has them made; without both it is not there.

    Args:
        kept: called with a run that has training images now, and the prediction from which that was asked.
    """

    def __init__(self, context: Context, kept: Callable[[str, str], object], parent: QWidget | None = None) -> None:
        super().__init__(_TITLE, _ABOUT, parent)
        self._context = context
        self._said: tuple[RunSaid, ...] = ()
        self._ticket: Ticket | None = None
        self.runs = QComboBox()
        self.runs.setAccessibleName("Whose similar training cases are shown")
        self.runs.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.runs.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.runs.activated.connect(lambda _: self._choose())
        self.model = NeighbourList(self)
        self.list = DataList(_TITLE)
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Row(self.list))
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.note = Label("", "warning")
        self.keeping = KeepRow(context)
        self.keeping.kept.connect(kept)
        for widget in (self.runs, self.list, self.note, self.keeping):
            self.add(widget)

    @property
    def said(self) -> RunSaid | None:
        """The answer whose neighbours are shown."""
        at = self.runs.currentIndex()
        return self._said[at] if 0 <= at < len(self._said) else None

    def set_answers(self, said: Sequence[RunSaid]) -> None:
        """Offer what those of these answers name that name any, or whose runs can have some made."""
        was = self.said
        self._said = tuple(one for one in said if has_nearest(one, self._context))
        self.runs.clear()
        for one in self._said:
            self.runs.addItem(escape_mnemonic(line(one.title, 60)).replace("&&", "&"))
        runs = [one.run for one in self._said]
        if was is not None and was.run in runs:
            self.runs.setCurrentIndex(runs.index(was.run))
        self.runs.setVisible(len(self._said) > 1)
        self.setVisible(bool(self._said))
        self._choose()

    def _choose(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None
        said = self.said
        near = nearest(said) if said is not None else ()
        self.model.fill(near)
        is_known = bool(near) and near[0].distance <= _THE_SAME
        self.note.setText(_KNOWN if is_known else "")
        self.note.setVisible(is_known)
        self.list.setVisible(bool(near))
        self.keeping.offer(said if said is not None and not near else None)
        if said is None:
            return
        self.set_title(_TITLE, (_VOTED if said.neighbours else _ABOUT) if near else "")
        if not near:
            return
        rows = min(len(near), _MOST_ROWS)
        self.list.setFixedHeight(rows * _ROW_PX + 2 * self.list.frameWidth() + 2)
        samples = tuple(one.sample for one in near)
        self._ticket = self._context.desk.ask(
            Thumbnails(said.dataset, samples, SIDE_PX), owner=self, then=self._take, failed=self._fail
        )

    def _take(self, sheet: TileSheet) -> None:
        self._ticket = None
        self.model.show_pictures({tile.sample: image_of(sheet, tile) for tile in sheet.tiles})

    def _fail(self, error: MedfmError) -> None:
        """Labels and distances stay."""
        self._ticket = None
        pictures = f"Their pictures cannot be shown: {error.message}"
        self.note.setText(" ".join(part for part in (self.note.text(), pictures) if part))
        self.note.show()


class NeighbourList(QAbstractListModel):
    """Label and distance of each, the nearest first."""

    PICTURE: ClassVar[int] = Qt.ItemDataRole.DecorationRole

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._neighbours: tuple[Near, ...] = ()
        self._pictures: dict[str, QImage] = {}

    def fill(self, neighbours: Sequence[Near]) -> None:
        """Show these."""
        self.beginResetModel()
        self._neighbours = tuple(neighbours)
        self._pictures = {}
        self.endResetModel()

    def show_pictures(self, pictures: dict[str, QImage]) -> None:
        """Their pictures, by sample."""
        self._pictures = pictures
        if self._neighbours:
            self.dataChanged.emit(self.index(0), self.index(len(self._neighbours) - 1))

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Neighbours."""
        return 0 if parent.isValid() else len(self._neighbours)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words and picture of one."""
        if not index.isValid() or index.row() >= len(self._neighbours):
            return None
        one = self._neighbours[index.row()]
        label = ", ".join(line(name, 60) for name in one.labels) or "no label"
        if role == Qt.ItemDataRole.DisplayRole:
            return label
        if role == CAPTION:
            return one.caption
        if role == self.PICTURE:
            return self._pictures.get(one.sample)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{label}. {one.caption}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(f"{label}\n{one.caption}\nSample {line(one.sample, 120)}")
        return None


class _Row(QStyledItemDelegate):
    """Picture at the left, words at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """One height for all."""
        return QSize(SPACE[5] * 4, _ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        shown: Any = option  # its stub names none of the fields
        painter.save()
        style = shown.widget.style() if shown.widget is not None else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, shown, painter, shown.widget)
        whole: QRect = shown.rect.adjusted(SPACE[0], SPACE[0], -SPACE[1], -SPACE[0])
        place = QRect(whole.left(), whole.top(), SIDE_PX, SIDE_PX)
        painter.fillRect(place, QColor(themes.current().image))
        picture = index.data(NeighbourList.PICTURE)
        if isinstance(picture, QImage) and not picture.isNull():
            size = picture.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
            target = QRect(place.topLeft(), size)
            target.moveCenter(place.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(target, picture)
        left = place.right() + SPACE[2]
        area = QRect(left, whole.top(), whole.right() - left, whole.height())
        paint_lines(painter, area, shown.font, str(index.data()), str(index.data(CAPTION)))
        painter.restore()
