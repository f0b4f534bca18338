"""Keys: every action of the window, its keys, other keys, and the defaults again."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QKeySequenceEdit, QLineEdit

from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.question import ask
from medfm_gui.ui.widgets.rows import Rows
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label

_PORTABLE = QKeySequence.SequenceFormat.PortableText


class ShortcutsSection(Section):
    """A table of actions; the chosen one's keys are changed below it."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "Shortcuts", "What can be done by key. Actions of a page count while it is shown.")
        self.rows = Rows(model.key_columns(), self)
        self.table = DataTable("Actions and their keys")
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter")
        self.filter.setAccessibleName("Filter actions")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self.rows.narrow)
        self.reset_button = action("All defaults again …", "reset")
        self.reset_button.clicked.connect(self._reset_all)
        self.edit = QKeySequenceEdit()
        self.edit.setMaximumSequenceLength(1)
        self.edit.setClearButtonEnabled(True)
        self.edit.setAccessibleName("New keys of the chosen action")
        self.set_button = action("Set", "check", "primary")
        self.set_button.clicked.connect(self.apply)
        self.none_button = action("No keys")
        self.none_button.clicked.connect(lambda: self._give(""))
        self.default_button = action("Default")
        self.default_button.clicked.connect(self._default)
        self.told = Label("", "bad")
        self._lay_out()
        context.actions.changed.connect(self._fill)

    def refresh(self) -> None:
        """List the actions that there are now."""
        self._fill()

    def apply(self) -> None:
        """Give the chosen action the keys that were pressed."""
        keys = self.edit.keySequence().toString(_PORTABLE)
        if keys:
            self._give(keys)

    def _lay_out(self) -> None:
        self.table.setModel(self.rows)
        for at, wide in enumerate((9, 4, 5)):
            self.table.setColumnWidth(at, SPACE[5] * wide)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_chosen())
        self.rows.modelReset.connect(self._show_chosen)
        self.table.activated.connect(lambda *_: self.edit.setFocus())
        bar = QHBoxLayout()
        bar.setSpacing(SPACE[1])
        bar.addWidget(self.filter, 1)
        bar.addWidget(self.reset_button)
        self.panel = Panel("Keys of the chosen action")
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(self.edit, 1)
        for button in (self.set_button, self.none_button, self.default_button):
            row.addWidget(button)
        self.panel.body.addLayout(row)
        self.panel.add(self.told)
        self.body.addLayout(bar)
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self.panel)

    def _fill(self) -> None:
        actions = self.context.actions
        chosen = self._chosen()
        found = [
            model.KeyRow(one, actions.keys(one.id), actions.keys(one.id) != one.keys)
            for one in sorted(actions.all(), key=lambda one: (one.group != "Window", one.group))
        ]
        if [row.action.id for row in found] == [row.action.id for row in self.rows.rows]:
            self.rows.replace(found)
        else:
            self.rows.set_rows(found)
        at = next((k for k, row in enumerate(self.rows.rows) if chosen and row.action.id == chosen.action.id), 0)
        if self.rows.rows:
            self.table.selectRow(at)
        self._show_chosen()

    def _chosen(self) -> model.KeyRow | None:
        return self.rows.row(self.table.currentIndex())

    def _show_chosen(self) -> None:
        row = self._chosen()
        self.panel.set_title(row.action.title if row else "Keys of the chosen action")
        self.edit.setKeySequence(QKeySequence(row.keys if row else ""))
        self.told.setText("")
        self.told.hide()
        reason = "" if row else "Choose an action first."
        for button in (self.set_button, self.none_button):
            disable(button, reason)
        disable(self.default_button, reason or ("" if row and row.is_own else "It has its default keys."))

    def _give(self, keys: str) -> None:
        row = self._chosen()
        if row is None:
            return
        other = self.context.actions.set_keys(row.action.id, keys)
        if other:
            title = next((one.title for one in self.context.actions.all() if one.id == other), other)
            self.told.setText(f"{keys} belongs to “{title}” already. Press other keys, or take them from there first.")
            self.told.show()

    def _default(self) -> None:
        row = self._chosen()
        if row is not None:
            self._give(row.action.keys)

    def _reset_all(self) -> None:
        text = "Every action gets its default keys again. The keys that you chose are forgotten."
        if ask(self, "Reset all keys?", text, "Reset"):
            self.context.actions.reset_keys()
