"""The chosen runs as chips: the reference first, then those that are compared with it. Dragged, removed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDrag,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QMouseEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QMenu, QScrollArea, QWidget

from medfm_gui.desk.asks.compare import Side
from medfm_gui.ui.pages.compare.model import name_of
from medfm_gui.ui.theme import CONTROL_PX, SPACE
from medfm_gui.ui.widgets.chips import Chip, RunChip
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.text import Label

_KIND = "application/x-medfm-run"
_MOST_LINES = 3


class RunBar(QWidget):
    """Chips of runs in their order.

    Signals:
        reordered(tuple[str, ...]): the same runs in another order, or fewer.
    """

    reordered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Chosen runs")
        self.setAcceptDrops(True)
        self.chips: list[RunChip] = []
        self._pressed: QPoint | None = None
        self._flow = FlowLayout(self)

    @property
    def runs(self) -> tuple[str, ...]:
        """Ids in their order."""
        return tuple(chip.chip.key for chip in self.chips)

    def set_runs(self, sides: Sequence[Side]) -> None:
        """Show these runs."""
        self._flow.clear()
        self.chips = []
        for slot, side in enumerate(sides):
            chip = RunChip(Chip(side.run, name_of(side), side.family, slot))
            if slot < 2 and len(sides) > 1:
                word = Label(("Reference", "compared with")[slot], "caption", wrap=False)
                word.setFixedHeight(chip.sizeHint().height())
                self._flow.addWidget(word)
            chip.removed.connect(self.remove)
            chip.installEventFilter(self)
            self.chips.append(chip)
            self._flow.addWidget(chip)
        self.updateGeometry()

    def remove(self, run: str) -> None:
        """Take a run out."""
        self.reordered.emit(tuple(one for one in self.runs if one != run))

    def put(self, run: str, place: int) -> None:
        """Put a run in another place; 0 makes it the reference."""
        rest = [one for one in self.runs if one != run]
        rest.insert(max(0, min(place, len(rest))), run)
        if tuple(rest) != self.runs:
            self.reordered.emit(tuple(rest))

    def menu_for(self, run: str) -> QMenu:
        """What can be done with a chip."""
        place = self.runs.index(run)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for title, to, possible in (
            ("Make it the reference", 0, place > 0),
            ("Move left", place - 1, place > 0),
            ("Move right", place + 1, place < len(self.chips) - 1),
        ):
            item = menu.addAction(title)
            item.setEnabled(possible)
            item.triggered.connect(lambda _=False, to=to: self.put(run, to))
        menu.addSeparator()
        menu.addAction("Remove").triggered.connect(lambda: self.remove(run))
        return menu

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Menus and drags of the chips."""
        if not isinstance(watched, RunChip):
            return False
        if isinstance(event, QContextMenuEvent):
            self.menu_for(watched.chip.key).popup(event.globalPos())
            return True
        if isinstance(event, QMouseEvent):
            self._follow(watched, event)
        return False

    def _follow(self, chip: RunChip, event: QMouseEvent) -> None:
        here = event.position().toPoint()
        if event.type() == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = here
        elif event.type() == QEvent.Type.MouseMove and self._pressed is not None:
            if (here - self._pressed).manhattanLength() >= QApplication.startDragDistance():
                self._pressed = None
                drag = QDrag(chip)
                carried = QMimeData()
                carried.setData(_KIND, chip.chip.key.encode())
                drag.setMimeData(carried)
                drag.setPixmap(chip.grab())
                drag.exec(Qt.DropAction.MoveAction)
        elif event.type() == QEvent.Type.MouseButtonRelease:
            self._pressed = None

    def place_at(self, point: QPoint) -> int:
        """The place of a chip that is dropped there: before the first chip whose middle lies beyond."""
        for place, chip in enumerate(self.chips):
            shape = chip.geometry()
            if point.y() < shape.top() or (point.y() <= shape.bottom() and point.x() < shape.center().x()):
                return place
        return len(self.chips)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Only chips of this bar."""
        if _dragged(event) in self.runs:
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Anywhere on the bar."""
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Put the chip there."""
        run = _dragged(event)
        if run not in self.runs:
            return
        place = self.place_at(event.position().toPoint())
        event.acceptProposedAction()
        self.put(run, place - (place > self.runs.index(run)))


class BarArea(QScrollArea):
    """A bar as high as its chips need, three lines at most."""

    def __init__(self, bar: RunBar, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = bar
        self.setWidget(bar)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        bar.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """New chips are shown a turn later; then the bar asks for another height."""
        if watched is self._bar and event.type() == QEvent.Type.LayoutRequest:
            self.fit()
        return super().eventFilter(watched, event)

    def fit(self) -> None:
        """Take the height that the chips need."""
        needed = max(self._bar.heightForWidth(self.viewport().width()), CONTROL_PX)
        self.setFixedHeight(min(needed, _MOST_LINES * (CONTROL_PX + SPACE[1])))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may need other lines."""
        super().resizeEvent(event)
        self.fit()


def _dragged(event: QDropEvent) -> str:
    return bytes(event.mimeData().data(_KIND).data()).decode(errors="replace")
