"""Plugins: the folders that bring models, and those that cannot be read, with the reason."""

from __future__ import annotations

from medfm_gui.desk.asks.settings import ReadSettings, SettingsView
from medfm_gui.desk.asks.train import ListModels, ModelList
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui import icons
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.rows import Column, Rows
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label

COLUMNS: tuple[Column[model.PluginRow], ...] = (
    Column("Plugin", lambda row: row.name),
    Column("Models", lambda row: str(len(row.models)), is_number=True),
    Column(
        "State",
        lambda row: "Cannot be used" if row.reason else "In use",
        picture=lambda row: icons.icon("error", "bad") if row.reason else icons.icon("check", "good"),
    ),
    Column("Folder", lambda row: row.folder),
)


class PluginsSection(Section):
    """The table, and below it the chosen plugin."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "Plugins", "A plugin is a folder with plugin.toml that brings a family of models.")
        self.rows = Rows(COLUMNS, self)
        self.table = DataTable("Plugins")
        self.table.setModel(self.rows)
        for at, wide in enumerate((5, 3, 5)):
            self.table.setColumnWidth(at, SPACE[5] * wide)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_details())
        self.rows.modelReset.connect(self._show_details)
        self.states = StatePane(self.table)
        self.states.show_busy("Reading the plugins")
        self.details = Panel("Chosen plugin")
        self._facts = Facts()
        self.details.add(self._facts)
        self.details.hide()
        self._place = Label("", "caption")
        self.body.addWidget(self.states, 1)
        self.body.addWidget(self.details)
        self.body.addWidget(self._place)

    def refresh(self) -> None:
        """Ask for them."""
        desk = self.context.desk
        desk.ask(ListModels(), owner=self, then=self._take, failed=self._fail)
        desk.ask(ReadSettings(), owner=self, then=self._take_settings, failed=lambda error: None)

    def _take(self, found: ModelList) -> None:
        self.rows.set_rows(model.plugins(found.models, found.broken))
        if not self.rows.rows:
            self.states.show_empty("There is no plugin", "Install MedFM Studio again.", icon="layers")
            return
        self.states.show_content()
        self.table.selectRow(0)

    def _take_settings(self, seen: SettingsView) -> None:
        self._place.setText(f"Read from {seen.plugins_dir}")

    def _fail(self, error: MedfmError) -> None:
        self.states.show_error(error, "Try again", self.refresh)

    def _show_details(self) -> None:
        row = self.rows.row(self.table.currentIndex())
        self.details.setVisible(row is not None)
        if row is None:
            return
        self.details.set_title(row.name)
        what = ("Why", row.reason) if row.reason else ("Models", ", ".join(row.models))
        self._facts.set_facts((what, ("Folder", row.folder)))
