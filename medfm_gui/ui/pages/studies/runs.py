"""Finished runs to choose from, with their families' markers; the choice is kept while the list is read anew."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionButton,
    QStyleOptionViewItem,
)

from medfm_gui.desk.asks.runs import RunItem
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.run import Phase
from medfm_gui.ui import theme as themes
from medfm_gui.ui.charts.marks import draw_marker
from medfm_gui.ui.pages.studies.rows import paint_lines
from medfm_gui.ui.pages.studies.wording import line
from medfm_gui.ui.theme import ICON_PX, SPACE
from medfm_gui.ui.widgets.text import tip_text
from medfm_gui.ui.widgets.tree import DataList

Index = QModelIndex | QPersistentModelIndex
ROW_PX: Final = SPACE[5] + SPACE[2]
CAPTION: Final = Qt.ItemDataRole.UserRole + 1
FAMILY: Final = Qt.ItemDataRole.UserRole + 2
_ROOT = QModelIndex()
_CHECKED = Qt.CheckState.Checked


class RunChoices(QAbstractListModel):
    """Finished runs, newest first; each can be ticked.

    Signals:
        changed(): other runs are ticked.
    """

    changed = Signal()

    ID: ClassVar[int] = Qt.ItemDataRole.UserRole + 3

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._runs: tuple[RunItem, ...] = ()
        self._ticked: set[str] = set()

    def fill(self, runs: Iterable[RunItem]) -> None:
        """Show those of these runs that are finished; ticks of runs that are still there stay."""
        finished = tuple(run for run in runs if run.row.state.phase is Phase.FINISHED)[::-1]
        if finished == self._runs:
            return
        self.beginResetModel()
        self._runs = finished
        self._ticked &= {run.row.id for run in finished}
        self.endResetModel()
        self.changed.emit()

    def tick(self, runs: Iterable[str]) -> None:
        """Tick these, and no others."""
        wanted = set(runs) & {run.row.id for run in self._runs}
        if wanted != self._ticked and self._runs:
            self._ticked = wanted
            self.dataChanged.emit(self.index(0), self.index(len(self._runs) - 1))
            self.changed.emit()

    @property
    def ticked(self) -> tuple[str, ...]:
        """Ids of the ticked runs, as listed."""
        return tuple(run.row.id for run in self._runs if run.row.id in self._ticked)

    @property
    def tells_classes_apart(self) -> bool:
        """Whether a ticked run decides among three classes or more, so that a set of classes may say more than one."""
        ticked = (run.row.task for run in self._runs if run.row.id in self._ticked)
        return any(task in (Task.MULTICLASS, Task.ORDINAL) for task in ticked)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Finished runs."""
        return 0 if parent.isValid() else len(self._runs)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Rows are ticked, and stood on by key."""
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words, family and tick of a run."""
        if not index.isValid() or index.row() >= len(self._runs):
            return None
        run = self._runs[index.row()]
        caption = " · ".join((run.row.id, line(run.dataset or run.row.dataset, 80), run.row.task.value))
        if role == Qt.ItemDataRole.DisplayRole:
            return line(run.title)
        if role == CAPTION:
            return caption
        if role == self.ID:
            return run.row.id
        if role == FAMILY:
            return run.row.family
        if role == Qt.ItemDataRole.CheckStateRole:
            return _CHECKED if run.row.id in self._ticked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(f"{run.title}\n{caption}")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{line(run.title)}, {caption}"
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Tick or untick."""
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        run = self._runs[index.row()].row.id
        on = Qt.CheckState(value) == _CHECKED
        (self._ticked.add if on else self._ticked.discard)(run)
        self.dataChanged.emit(index, index)
        self.changed.emit()
        return True


class RunList(DataList):
    """The list; a click anywhere on a row, or the space bar, ticks it."""

    def __init__(self, choices: RunChoices) -> None:
        super().__init__("Finished runs")
        self.setModel(choices)
        self.setItemDelegate(_RunRow(self))
        self.setSelectionMode(QListView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(self._turn)
        choices.modelReset.connect(self._measure)
        self._measure()

    def _turn(self, index: QModelIndex) -> None:
        on = index.data(Qt.ItemDataRole.CheckStateRole) == _CHECKED
        self.model().setData(index, Qt.CheckState.Unchecked if on else _CHECKED, Qt.ItemDataRole.CheckStateRole)

    def _measure(self) -> None:
        """As high as its rows, up to four."""
        rows = min(max(self.model().rowCount(), 1), 4)
        self.setFixedHeight(rows * ROW_PX + 2 * self.frameWidth() + 2)


class _RunRow(QStyledItemDelegate):
    """Tick, marker, title, caption."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """One height for all."""
        return QSize(SPACE[5] * 4, ROW_PX)

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: Any, index: Index) -> bool:
        """The space bar ticks; the mouse is the list's, for it ticks wherever the row is clicked."""
        return event.type() == QEvent.Type.KeyPress and super().editorEvent(event, model, option, index)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        shown: Any = option  # its stub names none of the fields
        theme = themes.current()
        painter.save()
        style = shown.widget.style() if shown.widget is not None else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, shown, painter, shown.widget)
        whole: QRect = shown.rect.adjusted(SPACE[1], 0, -SPACE[1], 0)
        on = index.data(Qt.ItemDataRole.CheckStateRole) == _CHECKED
        box: Any = QStyleOptionButton()
        size = SPACE[3]
        box.rect = QRect(whole.left(), whole.center().y() - size // 2 + 1, size, size)
        box.state = QStyle.StateFlag.State_Enabled | (QStyle.StateFlag.State_On if on else QStyle.StateFlag.State_Off)
        style.drawPrimitive(QStyle.PrimitiveElement.PE_IndicatorItemViewItemCheck, box, painter, shown.widget)
        at = whole.left() + size + SPACE[3]
        ground = QColor(theme.panel)
        ink = QColor(theme.text if on else theme.muted)
        draw_marker(painter, str(index.data(FAMILY)), QPointF(at, whole.center().y() + 1), ink, ground)
        left = at + ICON_PX // 2 + SPACE[0]
        area = QRect(left, whole.top(), whole.right() - left, whole.height())
        paint_lines(painter, area, shown.font, str(index.data()), str(index.data(CAPTION)))
        painter.restore()
