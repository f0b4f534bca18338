"""The list of models under their headings: widths and what is unfolded are kept."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView

from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings.model_tree import ModelTree
from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.tree import DataTree
from medfm_gui.workspace.models import Model

_WIDTHS = "settings.weights.columns"
_USUAL = (6, 5, 3, 3)


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
        self._is_folding = False
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
        widths = kept if isinstance(kept, list) and len(kept) == len(_USUAL) else [SPACE[5] * wide for wide in _USUAL]
        for at, width in enumerate(widths):
            header.resizeSection(at, width if isinstance(width, int) else SPACE[5] * _USUAL[at])
        header.sectionResized.connect(lambda *_: self._keep_widths())
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

    def _keep_widths(self) -> None:
        self._memory.put(_WIDTHS, [self.columnWidth(at) for at in range(len(_USUAL))])
