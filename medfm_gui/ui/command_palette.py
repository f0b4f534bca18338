"""The command palette: type a few letters of what you want to do."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.ui import theme
from medfm_gui.ui.actions import Action

_WIDTH_PX = 560
_HEIGHT_PX = 420
_ROW_PX = 30


def matches(words: str, title: str) -> bool:
    """Whether every word stands somewhere in the title, whatever the case."""
    there = title.casefold()
    return all(word in there for word in words.casefold().split())


class _Commands(QAbstractListModel):
    """Actions that fit what was typed."""

    def __init__(self, rows: Sequence[tuple[Action, str]], parent: QObject) -> None:
        super().__init__(parent)
        self._all = tuple(rows)
        self._shown = self._all

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        action, _ = self._shown[index.row()]
        return f"{action.group}: {action.title}"

    def keys(self, row: int) -> str:
        """The keys of a row as the system writes them."""
        return QKeySequence(self._shown[row][1]).toString(QKeySequence.SequenceFormat.NativeText)

    def action(self, row: int) -> Action | None:
        return self._shown[row][0] if 0 <= row < len(self._shown) else None

    def only(self, words: str) -> None:
        self.beginResetModel()
        self._shown = tuple(row for row in self._all if matches(words, f"{row[0].group} {row[0].title}"))
        self.endResetModel()


class _KeysAtTheRight(QStyledItemDelegate):
    """A row with its words at the left and its keys, muted, at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(super().sizeHint(option, index).width(), _ROW_PX)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        model = index.model()
        if isinstance(model, _Commands):
            area: QRect = option.rect
            painter.setPen(QColor(theme.current().muted))
            where = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(area.adjusted(0, 0, -theme.SPACE[2], -1), int(where), model.keys(index.row()))


class CommandPalette(QDialog):
    """Choose an action by typing; Enter does it, Escape leaves.

    Signals:
        chosen(str): the id of an action.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget, rows: Sequence[tuple[Action, str]]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Commands")
        self.setAccessibleName("Commands")
        self.resize(_WIDTH_PX, _HEIGHT_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(*([theme.SPACE[2]] * 4))
        column.setSpacing(theme.SPACE[1])
        self._line = QLineEdit()
        self._line.setPlaceholderText("Type what you want to do")
        self._line.setAccessibleName("Command")
        self._line.textChanged.connect(self._narrow)
        self._line.installEventFilter(self)
        self._model = _Commands(rows, self)
        self._list = QListView()
        self._list.setModel(self._model)
        self._list.setAccessibleName("Commands that fit")
        self._list.setUniformItemSizes(True)
        self._list.setItemDelegate(_KeysAtTheRight(self._list))
        self._list.activated.connect(lambda index: self._choose(index.row()))
        self._list.clicked.connect(lambda index: self._choose(index.row()))
        column.addWidget(self._line)
        column.addWidget(self._list, 1)
        self._narrow("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows in the line move the choice, Enter takes it."""
        if watched is self._line and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = event.key()
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self._move(1 if key == Qt.Key.Key_Down else -1)
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self._list.currentIndex().row())
                return True
        return super().eventFilter(watched, event)

    def _narrow(self, words: str) -> None:
        self._model.only(words)
        self._list.setCurrentIndex(self._model.index(0))

    def _move(self, step: int) -> None:
        row = max(0, min(self._model.rowCount() - 1, self._list.currentIndex().row() + step))
        self._list.setCurrentIndex(self._model.index(row))

    def _choose(self, row: int) -> None:
        action = self._model.action(row)
        if action is not None:
            self.accept()
            self.chosen.emit(action.id)
