"""The tab with the drafted corrections: what is changed and why, undo and redo, and the step to a new version."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QHeaderView, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.correction import Correction, CorrectionKind
from medfm_gui.domain.errors import MedfmError
from medfm_gui.domain.units import counted
from medfm_gui.store.rows import DatasetRow, SplitRow
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.datasets.draft import Draft, change_words
from medfm_gui.ui.pages.datasets.split_editor import READ_ONLY
from medfm_gui.ui.pages.datasets.wording import split_title
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.question import ask
from medfm_gui.ui.widgets.rows import Column, Rows
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, one_line
from medfm_gui.workspace.corrections import Saved

_LONGEST = 100
_SPLITS_PX = SPACE[-1] * 5
_EMPTY = (
    "Wrong labels are corrected and bad images are left out on the tabs “Images” and “Data quality”, each with a "
    "reason. The changes are collected here, can be undone and redone, and become a new version of the dataset when "
    "you save them. The original stays as it is."
)


class CorrectionsTab(QWidget):
    """Lists a draft and makes a new version of it.

    Signals:
        saved(str): the id of the new version.
    """

    saved = Signal(str)

    def __init__(self, context: Context, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._draft = draft
        self._dataset: DatasetRow | None = None
        self._splits: tuple[SplitRow, ...] = ()
        self._carried: list[tuple[str, QCheckBox]] = []
        self._build()
        self._lay_out()
        draft.changed.connect(self._show)
        draft.saved.connect(self._saved)
        draft.not_saved.connect(self._failed)

    def _build(self) -> None:
        self.rows: Rows[Correction] = Rows(
            (
                Column("Sample", lambda row: row.sample),
                Column("File", lambda row: row.path),
                Column("Change", self._change),
                Column("Reason", lambda row: row.reason),
            ),
            self,
        )
        self.table = DataTable("Drafted corrections")
        self.table.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.table.setModel(self.rows)
        header = self.table.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(0, SPACE[-1] * 3)
        self._title = Label("", "muted")
        self.undo = action("Undo", "chevron-left", "quiet")
        self.undo.clicked.connect(self._draft.undo)
        self.redo = action("Redo", "chevron-right", "quiet")
        self.redo.clicked.connect(self._draft.redo)
        self.discard = action("Discard all", "trash", "quiet")
        self.discard.clicked.connect(self._discard)
        self.save = action("Save as a new version", "check", "primary")
        self.save.clicked.connect(self._save)
        self._carry = Panel(
            "Splits to carry over",
            "Every image keeps its side; the split gets an id and a fingerprint of its own.",
        )

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(SPACE[1])
        bar.addWidget(self._title, 1)
        for button in (self.undo, self.redo, self.discard, self.save):
            bar.addWidget(button)
        inside = QWidget()
        self._listed = QVBoxLayout(inside)
        self._listed.setContentsMargins(0, 0, 0, 0)
        self._listed.setSpacing(SPACE[0])
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setMaximumHeight(_SPLITS_PX)
        scroll.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        scroll.setAccessibleName("Splits to carry over")
        self._carry.add(scroll)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        column.addWidget(self.table, 1)
        column.addWidget(self._carry)
        self.pane = StatePane(content)
        down = QVBoxLayout(self)
        down.setContentsMargins(0, SPACE[3], 0, 0)
        down.setSpacing(SPACE[2])
        down.addLayout(bar)
        down.addWidget(self.pane, 1)

    def show_dataset(self, dataset: DatasetRow, splits: Sequence[SplitRow]) -> None:
        """Show the draft of a dataset."""
        self._dataset, self._splits = dataset, tuple(splits)
        self._offer_splits()
        self._show()

    def _offer_splits(self) -> None:
        while (taken := self._listed.takeAt(0)) is not None:
            if (gone := taken.widget()) is not None:
                gone.deleteLater()
        named = {row.family or row.id: row for row in self._splits}  # all folds of a family together
        self._carried = []
        for name, row in reversed(named.items()):
            box = QCheckBox(escape_mnemonic(one_line(f"{split_title(row)}  ({name})", _LONGEST)))
            box.setChecked(not self._carried)
            self._listed.addWidget(box)
            self._carried.append((name, box))
        self._carry.setVisible(bool(self._carried))

    def _show(self) -> None:
        if self._dataset is None:
            return
        changes = tuple(self._draft.in_force.values())
        self.rows.set_rows(changes)
        labels = sum(change.kind is CorrectionKind.LABEL for change in changes)
        said = f"{counted(labels, 'label')} changed, {counted(len(changes) - labels, 'image')} left out"
        self._title.setText(said if changes else "")
        locked = READ_ONLY if self._context.is_read_only else ""
        disable(self.undo, locked or ("" if self._draft.can_undo else "Nothing to undo."))
        disable(self.redo, locked or ("" if self._draft.can_redo else "Nothing to redo."))
        disable(self.discard, locked or ("" if changes else "Nothing to discard."))
        disable(self.save, locked or ("" if changes else "Nothing is changed."))
        if changes:
            self.pane.show_content()
        else:
            self.pane.show_empty("Nothing is corrected", _EMPTY, icon="check")

    def _change(self, row: Correction) -> str:
        if row.kind is CorrectionKind.EXCLUDE or self._dataset is None:
            return "left out"
        return change_words(self._dataset, row.before, row.after)

    def _discard(self) -> None:
        number = counted(len(self._draft.in_force), "correction")
        if ask(self, "Discard the draft", f"{number} will be forgotten.", "Discard", danger=True):
            self._draft.discard()

    def _save(self) -> None:
        chosen = tuple(name for name, box in self._carried if box.isChecked())
        self.pane.show_busy("Writing the new version")
        disable(self.save, "The new version is being written.")
        self._draft.save(chosen, self._told)

    def _told(self, news: Progress) -> None:
        self.pane.show_busy(news.text, news.total, news.done, news.seconds_left)

    def _saved(self, saved: Saved) -> None:
        text = f"“{saved.dataset}” was made"
        text += f", {counted(len(saved.splits), 'split')} carried over." if saved.splits else "."
        for name, why in saved.left:
            text += f" {name} stays behind: {why}"
        self._context.say(text, "warning" if saved.left else "good")
        self.saved.emit(saved.dataset)

    def _failed(self, error: MedfmError) -> None:
        self.pane.show_error(error, "Back to the draft", self._show)
