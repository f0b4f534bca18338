"""Images that may show a name: small ones to choose from, the chosen one large, and the word of who looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QListView, QSizePolicy, QVBoxLayout, QWidget

from medfm_gui.domain.deidentification import FLAG_WORDS, FlaggedFile
from medfm_gui.ui import theme as themes
from medfm_gui.ui.bridge import Asks
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.studies.thumbs import Thumbs
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.text import Label, tip, tip_text

Index = QModelIndex | QPersistentModelIndex
_TILE_PX = SPACE[-1] * 2
_LIST_PX = SPACE[-1] * 7
_LARGE_PX = 640
_LARGE_KEPT = 12
_SETTLE_MS = 40
_SPACE = "Space: there is no name in it, and on to the next"


class FlaggedModel(QAbstractListModel):
    """Flagged files; ticked are those in which a person saw no name.

    Signals:
        ticked(): another number of them.
    """

    ticked = Signal()

    def __init__(self, thumbs: Thumbs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.files: tuple[FlaggedFile, ...] = ()
        self.seen: set[str] = set()
        self.shown: set[str] = set()
        """Those that were shown large: nobody can have looked at any other."""
        self._thumbs = thumbs

    def fill(self, files: Sequence[FlaggedFile]) -> None:
        """Show other files; nobody has looked at them yet."""
        self.beginResetModel()
        self.files, self.seen, self.shown = tuple(files), set(), set()
        self.endResetModel()
        self.ticked.emit()

    def tick(self, rows: Sequence[int], *, on: bool) -> None:
        """Say that a person saw no name in these, as far as they were shown large, or take it back."""
        paths = {self.files[row].path for row in rows}
        paths = paths & self.shown if on else paths
        self.seen = self.seen | paths if on else self.seen - paths
        for row in rows:
            self.dataChanged.emit(self.index(row), self.index(row), [Qt.ItemDataRole.CheckStateRole])
        self.ticked.emit()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """One a file."""
        return 0 if parent.isValid() else len(self.files)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Number, picture, tick and reasons."""
        file = self.files[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{index.row() + 1:,} of {len(self.files):,}"
        if role == Qt.ItemDataRole.SizeHintRole:
            return QSize(_LIST_PX // 2, _TILE_PX + SPACE[0])
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if file.path in self.seen else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DecorationRole:
            return self._thumbs.picture(("", file.path)) or QImage()
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(why(file))
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Each can be chosen and ticked."""
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tick by the mouse."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.tick([index.row()], on=Qt.CheckState(value) == Qt.CheckState.Checked)
        return True


def why(file: FlaggedFile) -> str:
    """Why it must be looked at."""
    lines = [FLAG_WORDS[flag] for flag in file.flags]
    if file.frames > 1:
        lines.append(f"The middle one of {file.frames:,} frames is shown; look through the others in the viewer.")
    return "\n".join(lines)


class LargePicture(QWidget):
    """One picture, as large as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(_TILE_PX * 2, _TILE_PX * 2)
        self.setAccessibleName("The chosen image")

    def show_image(self, image: QImage | None) -> None:
        """Show another one, or say why there is none: None is on its way, a null image cannot be shown."""
        self._image = image or QImage()
        self._words = "The image is on its way" if image is None else "This image cannot be shown here"
        self.setAccessibleDescription(self._words if self._image.isNull() else "")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """On the ground of all images, with its proportions."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(themes.current().image))
        if self._image.isNull():
            painter.setPen(QColor(themes.current().muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._words)
            return
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
        painter.drawImage(self.rect().adjusted(left, top, -left, -top), self._image)


class _Tiles(QListView):
    """The small pictures; those in sight are asked for."""

    def __init__(self, model: FlaggedModel, small: Thumbs, chosen: Later) -> None:
        super().__init__()
        self._small = small
        self._settled = Later(self._ask, _SETTLE_MS, self)
        self.setModel(model)
        self.setAccessibleName("Images that may show a name")
        self.setViewMode(QListView.ViewMode.ListMode)
        self.setIconSize(QSize(_TILE_PX, _TILE_PX))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setFixedWidth(_LIST_PX)
        self.verticalScrollBar().valueChanged.connect(lambda _: self._settled.again())
        model.modelReset.connect(self._settled.again)
        small.arrived.connect(self.viewport().update)
        self.selectionModel().currentChanged.connect(lambda *_: chosen.again())

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what is seen."""
        super().showEvent(event)
        self._small.side = round(_TILE_PX * self.devicePixelRatioF())
        self._settled.again()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More may be seen."""
        super().resizeEvent(event)
        self._settled.again()

    def _ask(self) -> None:
        model = self.model()
        if not isinstance(model, FlaggedModel) or not self.isVisible() or not model.files:
            return
        height = max(1, self.sizeHintForRow(0))
        first = self.verticalScrollBar().value() // (height if self._by_pixels() else 1)
        last = first + self.viewport().height() // height + 2
        self._small.want([("", file.path) for file in model.files[first:last]])

    def _by_pixels(self) -> bool:
        return self.verticalScrollMode() == QAbstractItemView.ScrollMode.ScrollPerPixel


class FlaggedView(QWidget):
    """The list, the chosen image large, and two buttons."""

    def __init__(self, desk: Asks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._small, self._large = Thumbs(desk, self), Thumbs(desk, self, kept=_LARGE_KEPT)
        self._large.side = _LARGE_PX
        self.model = FlaggedModel(self._small, self)
        self._chosen = Later(self._show_chosen, _SETTLE_MS, self)
        self.tiles = _Tiles(self.model, self._small, self._chosen)
        self.picture = LargePicture()
        self.reason = Label("", "muted")
        self.clean = action("No name in it", "check")
        self.clean.clicked.connect(self.confirm)
        self.clean.setEnabled(False)
        self.not_clean = action("Hold it back", role="quiet")
        self.not_clean.clicked.connect(self._hold)
        self._large.arrived.connect(self._show_picture)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE[1])
        buttons.addStretch(1)
        buttons.addWidget(self.not_clean)
        buttons.addWidget(self.clean)
        right = QVBoxLayout()
        right.setSpacing(SPACE[1])
        right.addWidget(self.picture, 1)
        right.addWidget(self.reason)
        right.addLayout(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[2])
        row.addWidget(self.tiles)
        row.addLayout(right, 1)

    def fill(self, files: Sequence[FlaggedFile]) -> None:
        """Show flagged files, the first one large."""
        self.model.fill(files)
        if files:
            self._stand_on(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space says that there is no name, and goes on."""
        if event.key() == Qt.Key.Key_Space:
            self.confirm()
            event.accept()
            return
        super().keyPressEvent(event)

    def confirm(self) -> None:
        """No name in what is shown; the next that nobody looked at is shown."""
        rows = self._rows()
        if not any(self.model.files[row].path in self.model.shown for row in rows):
            return
        self.model.tick(rows, on=True)
        waiting = [row for row, file in enumerate(self.model.files) if file.path not in self.model.seen]
        after = [row for row in waiting if rows and row > rows[-1]] or waiting
        if after:
            self._stand_on(after[0])

    def _hold(self) -> None:
        self.model.tick(self._rows(), on=False)

    def _rows(self) -> list[int]:
        return sorted(index.row() for index in self.tiles.selectionModel().selectedIndexes())

    def _stand_on(self, row: int) -> None:
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.tiles.selectionModel().setCurrentIndex(self.model.index(row), flag)
        self.tiles.scrollTo(self.model.index(row))

    def _current(self) -> FlaggedFile | None:
        row = self.tiles.currentIndex().row()
        return self.model.files[row] if 0 <= row < len(self.model.files) else None

    def _show_chosen(self) -> None:
        file = self._current()
        if file is None:
            return
        self.reason.setText(why(file))
        row = self.tiles.currentIndex().row()
        self._large.want([("", one.path) for one in self.model.files[row : row + 2]])  # the next is mostly next
        self._show_picture()

    def _show_picture(self) -> None:
        file = self._current()
        picture = self._large.picture(("", file.path)) if file is not None else None
        self.picture.show_image(picture)
        if picture is not None and picture.isNull():
            disable(self.clean, "This image cannot be shown here, so it is held back.")
        else:
            disable(self.clean, "" if picture is not None else "The image is on its way.")
            if picture is not None and file is not None:
                self.model.shown.add(file.path)
                tip(self.clean, _SPACE)
