"""The upper part of the page: heading, filter, tool bar and table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.desk.asks.runs import RunItem
from medfm_gui.domain.run import Phase
from medfm_gui.ui import icons
from medfm_gui.ui.context import Context
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.runs import cells
from medfm_gui.ui.pages.runs.deeds import DEEDS, READ_ONLY, Deed, obstacle
from medfm_gui.ui.pages.runs.model import Column, RunFilter, RunTable
from medfm_gui.ui.theme import CONTROL_PX, SPACE
from medfm_gui.ui.widgets.forms import action, choice, disable
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label, tip

_ROW_PX: Final = SPACE[5] + SPACE[0]
_SEARCH_PX: Final = SPACE[5] * 7
_TYPING_MS: Final = 150
_WIDTHS: Final = (108, 58, 152, 78, 100, 46, 128, 122, 92, 70, 64, 48, 76)
_COSTS: Final = (Column.MEMORY, Column.LABELS)
"""Columns for which a narrow page has no room; the details tell the same."""
_ROOMY: Final = {Column.MODEL: 0.2, Column.DATASET: 0.3}
"""Columns that take a share of the room that a wide window leaves; progress takes the rest."""

_ICON_ONLY: Final = ("export", "folder")
_GROUPS_END: Final = ("cancel", "clone", "test", "report")
_WIDTH_MEMORY: Final = "runs.columns"

_CHOICES: Final = (
    ("All states", frozenset(Phase)),
    ("At work or waiting", frozenset({Phase.RUNNING, Phase.QUEUED})),
    ("Finished", frozenset({Phase.FINISHED})),
    ("Failed or paused", frozenset({Phase.FAILED, Phase.PAUSED})),
    ("Cancelled", frozenset({Phase.CANCELLED})),
)


class RunBoard(QWidget):
    """Finds, lists and chooses runs.

    Signals:
        chosen(): other rows are chosen, or what can be done with them changed.
        wanted(str): the verb of a button.
    """

    chosen = Signal()
    wanted = Signal(str)

    def __init__(self, context: Context, table: RunTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._model = table
        self.filter = RunFilter(table, self)
        self.search = QLineEdit()
        self.states = choice(_CHOICES)
        self.new = action("New training", "plus", "primary", READ_ONLY if context.is_read_only else "")
        self.buttons: dict[str, QPushButton] = {}
        self.table = DataTable("Runs")
        self._summary = Label("", "muted", elide=Qt.TextElideMode.ElideRight)
        self._is_fitting = False
        self._look = Later(lambda: self.filter.look_for(self.search.text()), _TYPING_MS, self)
        self._set_up_filter()
        self._set_up_table()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, SPACE[2])
        column.setSpacing(SPACE[2])
        column.addLayout(self._heading())
        column.addLayout(self._bar())
        self._bar_px = 0
        column.addWidget(self.table, 1)
        table.dataChanged.connect(self._count)
        table.modelReset.connect(self._count)
        table.rowsInserted.connect(self._count)

    def _set_up_filter(self) -> None:
        self.search.setPlaceholderText("Filter: model, dataset, state …")
        self.search.setAccessibleName("Filter runs by text")
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(_SEARCH_PX)
        self.search.textChanged.connect(lambda _: self._look.again())
        self.states.setAccessibleName("Filter runs by state")
        self.states.currentIndexChanged.connect(lambda at: self.filter.only(_CHOICES[at][1]))
        self.new.clicked.connect(lambda: self._context.go("train"))

    def _set_up_table(self) -> None:
        table = self.table
        table.setModel(self.filter)
        table.setSortingEnabled(True)
        table.sortByColumn(Column.CREATED, Qt.SortOrder.DescendingOrder)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setTextElideMode(Qt.TextElideMode.ElideRight)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.verticalHeader().setDefaultSectionSize(_ROW_PX)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._offer)
        header = table.horizontalHeader()
        header.setStretchLastSection(False)
        header.setAccessibleName("Columns of the runs")
        table.verticalHeader().setAccessibleName("Rows of the runs")
        for column, width in zip(Column, _WIDTHS, strict=True):
            table.setColumnWidth(column, width)
        kept = self._context.memory.get(_WIDTH_MEMORY)
        if isinstance(kept, dict):
            table.set_widths({str(k): v for k, v in kept.items() if isinstance(v, int)})
        header.setSectionResizeMode(Column.PROGRESS, QHeaderView.ResizeMode.Stretch)
        for column, draw in {
            Column.STATE: cells.draw_state,
            Column.MODEL: cells.draw_model,
            Column.PROGRESS: cells.draw_progress,
            Column.TEST: cells.draw_test,
        }.items():
            table.setItemDelegateForColumn(column, cells.RunCell(draw, table))
        header.sectionResized.connect(self._keep_widths)
        table.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give a wide window's room to the columns that use it, unless a person has set their widths."""
        super().resizeEvent(event)
        self._fit_bar()
        if self.table.currentIndex().isValid():
            self.table.scrollTo(self.table.currentIndex())
        is_wide = event.size().width() >= sum(_WIDTHS) + SPACE[3]
        self._is_fitting = True
        for column in _COSTS:
            self.table.setColumnHidden(column, not is_wide)
        self._is_fitting = False
        if isinstance(self._context.memory.get(_WIDTH_MEMORY), dict):
            return
        taken = sum(width for column, width in zip(Column, _WIDTHS, strict=True) if is_wide or column not in _COSTS)
        spare = max(0, event.size().width() - taken - SPACE[3])
        self._is_fitting = True
        for column, share in _ROOMY.items():
            self.table.setColumnWidth(column, _WIDTHS[column] + round(spare * share))
        self._is_fitting = False

    def _fit_bar(self) -> None:
        """On a narrow page the buttons keep their icons, names and tips, and give up their words."""
        spaces = SPACE[0] * 2 * len(DEEDS)
        if not self._bar_px:  # measured once it is styled, with all its words
            self._bar_px = sum(button.sizeHint().width() for button in self.buttons.values())
        is_wide = self.width() >= self._bar_px + spaces
        for deed in DEEDS:
            if deed.verb not in _ICON_ONLY:
                button = self.buttons[deed.verb]
                if bool(button.text()) != is_wide:
                    button.setText(deed.title if is_wide else "")
                    icons.put(button, deed.icon)

    def _keep_widths(self, column: int, *_: int) -> None:
        if not self._is_fitting and column != Column.PROGRESS:
            before = self._context.memory.get(_WIDTH_MEMORY)
            shown = {name: width for name, width in self.table.widths().items() if width}  # what is hidden has none
            self._context.memory.put(_WIDTH_MEMORY, {**(before if isinstance(before, dict) else {}), **shown})

    def _heading(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE[2])
        row.addWidget(Label("Runs", "heading1", wrap=False))
        row.addSpacing(SPACE[1])
        row.addWidget(self._summary, 1, Qt.AlignmentFlag.AlignVCenter)
        for widget in (self.search, self.states, self.new):
            row.addWidget(widget)
        return row

    def _bar(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE[0])
        for deed in DEEDS:
            button = action("" if deed.verb in _ICON_ONLY else deed.title, deed.icon, "quiet")
            button.setAccessibleName(deed.title)
            button.setMinimumWidth(CONTROL_PX)  # else the words that it may give up keep the page wide
            button.clicked.connect(lambda _=False, verb=deed.verb: self.wanted.emit(verb))
            self.buttons[deed.verb] = button
            row.addWidget(button)
            if deed.verb in _GROUPS_END:
                row.addWidget(_rule())
        row.addStretch(1)
        return row

    def _offer(self, place: QPoint) -> None:
        """The tool bar again, where the pointer is."""
        menu = QMenu(self.table)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for deed in DEEDS:
            entry = menu.addAction(self.buttons[deed.verb].icon(), deed.title)
            entry.setEnabled(self.buttons[deed.verb].isEnabled())
            entry.triggered.connect(lambda _=False, verb=deed.verb: self.wanted.emit(verb))
            if deed.verb in _GROUPS_END:
                menu.addSeparator()
        menu.popup(self.table.viewport().mapToGlobal(place))

    def tell_deeds(self) -> None:
        """Enable what is possible with the chosen runs; the others say why they are not."""
        runs = self.chosen_runs()
        for deed in DEEDS:
            why = obstacle(deed, runs, is_read_only=self._context.is_read_only)
            button = self.buttons[deed.verb]
            disable(button, why)
            words = why or _about(deed, self._context.actions.keys(f"runs.{deed.verb}"))
            tip(button, words)
            button.setAccessibleDescription(words)

    def chosen_runs(self) -> tuple[RunItem, ...]:
        """The chosen runs, in the order of the table."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        found = (self.filter.run_at(self.filter.index(row, 0)) for row in rows)
        return tuple(item for item in found if item is not None)

    def current_run(self) -> RunItem | None:
        """The run whose details are to be seen: the current one if it is chosen, else the first chosen."""
        chosen = self.chosen_runs()
        current = self.filter.run_at(self.table.currentIndex()) if self.table.currentIndex().isValid() else None
        return current if current in chosen else chosen[0] if chosen else None

    def choose(self, runs: Sequence[str]) -> bool:
        """Choose these rows, lifting a filter that hides them, and show the first; False if none of them is listed."""
        places = [self._model.row_of(run) for run in runs]
        places = [place for place in places if place >= 0]
        if not places:
            return False
        indexes = [self.filter.mapFromSource(self._model.index(place, 0)) for place in places]
        if not all(index.isValid() for index in indexes):
            self.search.clear()
            self.filter.look_for("")
            self.states.setCurrentIndex(0)
            indexes = [self.filter.mapFromSource(self._model.index(place, 0)) for place in places]
        flags = QItemSelectionModel.SelectionFlag
        selection = self.table.selectionModel()
        # not the view's setCurrentIndex: it adds to the choice while somebody holds Ctrl
        selection.setCurrentIndex(indexes[0], flags.ClearAndSelect | flags.Rows)
        for index in indexes[1:]:
            selection.select(index, flags.Select | flags.Rows)
        self.table.scrollTo(indexes[0])
        return True

    def choose_first(self) -> None:
        """Choose the first row where none is chosen."""
        if not self.chosen_runs() and self.filter.rowCount():
            flags = QItemSelectionModel.SelectionFlag
            self.table.selectionModel().setCurrentIndex(self.filter.index(0, 0), flags.ClearAndSelect | flags.Rows)

    def _count(self, *_: object) -> None:
        counted = Counter(item.row.state.phase for item in self._model.items)
        order = (Phase.RUNNING, Phase.QUEUED, Phase.PAUSED, Phase.FAILED, Phase.FINISHED)
        words = {Phase.QUEUED: "waiting"}
        said = " · ".join(f"{counted[one]} {words.get(one, one.value)}" for one in order if counted[one])
        if said != self._summary.text():
            self._summary.setText(said)


def _about(deed: Deed, keys: str) -> str:
    return f"{deed.title} ({keys}): {deed.about}" if keys else f"{deed.title}: {deed.about}"


def _rule() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.VLine)
    line.setFixedHeight(SPACE[4])
    return line
