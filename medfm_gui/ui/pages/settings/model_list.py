"""The list of models under their headings: widths and what is unfolded are kept."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView

from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings.model_tree import ModelTree
from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.tree import DataTree
from medfm_gui.workspace.models import Model

_WIDTHS = "settings.weights.widths"
_USUAL = tuple(SPACE[5] * wide for wide in (6, 5, 3, 3))
_NARROW = (SPACE[5] * 5, SPACE[1] * 18, SPACE[1] * 11, SPACE[1] * 11)
"""Names are shortened first: state, size and parameters are what models are compared by."""


class ModelList(DataTree):
    """Headings fold; those with weights here are unfolded at first, and all while somebody searches.

    Signals:
        chosen_changed(): another model is chosen, or none.
    """

    chosen_changed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__("Models and their weights")
        self._memory = context.memory
        self._unfolded: dict[str, bool] = {}
        self._is_folding, self._is_fitting, self._is_kept = False, False, False
        self.tree = ModelTree(self)
        self.setModel(self.tree)
        self.setFont(figures_font())
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.header()
        header.setFont(figures_font())
        header.setSectionsMovable(False)
        header.setStretchLastSection(True)
        kept = self._memory.get(_WIDTHS)
        if isinstance(kept, list) and len(kept) == len(_USUAL) and all(isinstance(width, int) for width in kept):
            self._is_kept = True
            self._put(kept)
        header.sectionResized.connect(self._keep_widths)
        self.selectionModel().currentChanged.connect(lambda *_: self.chosen_changed.emit())
        self.tree.modelReset.connect(self._set_out)
        self.expanded.connect(lambda index: self._folded(index, is_open=True))
        self.collapsed.connect(lambda index: self._folded(index, is_open=False))

    def chosen(self) -> Model | None:
        """The model of the chosen row."""
        return self.tree.row(self.currentIndex())

    def choose(self, name: str) -> bool:
        """Choose a model; False where it is not listed."""
        index = self.tree.place(name)
        if not index.isValid():
            return False
        self.expand(index.parent())
        self.setCurrentIndex(index)
        self.scrollTo(index)
        return True

    def _set_out(self) -> None:
        self._is_folding = True
        for at, group in enumerate(self.tree.groups):
            usual = self._unfolded.get(group.title, group.ready > 0)
            self.setExpanded(self.tree.index(at, 0), usual or self.tree.is_searched)
        self._is_folding = False
        self.chosen_changed.emit()

    def _folded(self, index: QModelIndex, *, is_open: bool) -> None:
        if not self._is_folding and not self.tree.is_searched:
            self._unfolded[self.tree.groups[index.row()].title] = is_open

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Usual widths, narrow ones where there is no room, until a person sets one."""
        super().resizeEvent(event)
        if not self._is_kept:
            room = self.viewport().width()
            narrow = (max(_NARROW[0], room - sum(_NARROW[1:])), *_NARROW[1:])
            self._put(_USUAL if room >= sum(_USUAL) else narrow)

    def _put(self, widths: Sequence[int]) -> None:
        self._is_fitting = True
        for at, width in enumerate(widths):
            self.header().resizeSection(at, width)
        self._is_fitting = False

    def _keep_widths(self, column: int) -> None:
        if not self._is_fitting and column < len(_USUAL):
            self._is_kept = True
            self._memory.put(_WIDTHS, [self.columnWidth(at) for at in range(len(_USUAL))])
