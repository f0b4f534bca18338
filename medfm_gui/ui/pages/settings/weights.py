"""Weights: every model with the state of its file, import from a file or a stick, fetch from the hub."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QHeaderView, QLineEdit, QVBoxLayout, QWidget

from medfm_gui.desk.asks.settings import (
    AllowNetwork,
    ImportWeights,
    PullWeights,
    ReadSettings,
    SettingsView,
)
from medfm_gui.desk.asks.train import ListModels, ModelList
from medfm_gui.domain.cards import WeightsState, WeightsStatus
from medfm_gui.domain.errors import MedfmError, Offline
from medfm_gui.ui import icons
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.found import FoundPanel
from medfm_gui.ui.pages.settings.job import JobRow
from medfm_gui.ui.pages.settings.marker import marker
from medfm_gui.ui.pages.settings.place import WeightsPlace
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.facts import Facts
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.rows import Column, Rows
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.table import DataTable
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.models import Model

FILES = "Weights (*.safetensors *.pt *.pth *.bin);;All files (*)"
_WIDTHS = "settings.weights.widths"
_ABOUT = (
    "A file is checked tensor by tensor against its model and kept as safetensors; files that hold code are refused."
)

COLUMNS: tuple[Column[Model], ...] = (
    Column("Model", lambda one: one.card.title, picture=lambda one: marker(one.card.family)),
    Column("Family", lambda one: one.card.family.value),
    Column("Parameters", lambda one: model.parameters(one.card.parameters_m), is_number=True),
    Column(
        "Weights",
        lambda one: model.STATES[one.weights.state][2],
        picture=lambda one: icons.icon(*model.STATES[one.weights.state][:2]),
    ),
    Column("Licence", model.licence),
)


class WeightsSection(Section):
    """The table, one piece of work at a time above it, and the chosen model below."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "Weights", _ABOUT)
        self._ticket: Ticket | None = None
        self._wish = ""
        self.rows = Rows(COLUMNS, self)
        self.table = DataTable("Models and their weights")
        self.job = JobRow()
        self.found = FoundPanel(context, self)
        self.found.hide()
        self.found.opened.connect(self._swap)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter")
        self.filter.setAccessibleName("Filter models")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self.rows.narrow)
        self.folder_button = action("From a folder or USB stick …", "folder")
        self.folder_button.clicked.connect(self.pick_folder)
        self.place = WeightsPlace(context)
        self.place.moved.connect(self.refresh)
        self.place.failed.connect(self.job.end_badly)
        self.details = _Details()
        self.details.import_button.clicked.connect(lambda: self.pick_file())
        self.details.pull_button.clicked.connect(lambda: self.pull())
        self._lay_out()

    def refresh(self) -> None:
        """Ask which weights are here."""
        self.context.desk.ask(ListModels(), owner=self, then=self._take_models, failed=self._fail)
        self.place.refresh()

    def visit(self, **wish: Any) -> None:
        """``model=NAME``: choose that model."""
        self._wish = str(wish.get("model", ""))
        self._choose_wish()

    def chosen(self) -> Model | None:
        """The model of the chosen row."""
        return self.rows.row(self.table.currentIndex())

    def pick_file(self, one: Model | None = None) -> None:
        """Ask for a file for a model, the chosen one where none is named."""
        one = one or self.chosen()
        if one is None or self.job.is_busy:
            return
        found, _ = QFileDialog.getOpenFileName(self, f"Weights of {one.card.title}", "", FILES)
        if found:
            self.import_file(one, found)

    def import_file(self, one: Model, file: str) -> None:
        """Have a file checked and kept."""
        self._begin(f"Waiting to check the file for {one.card.title}")
        self._ticket = self.context.desk.ask(
            ImportWeights(one.card.name, file),
            owner=self,
            then=lambda status: self._end_well(f"The weights of {one.card.title} are ready.", status),
            failed=lambda error: self._end_badly(error, "Choose another file …", lambda: self.pick_file(one)),
            progress=lambda told: self.job.tell(told, f"{one.card.title}: "),
        )

    def pull(self, one: Model | None = None) -> None:
        """Fetch the weights of a model, the chosen one where none is named."""
        one = one or self.chosen()
        if one is None or self.job.is_busy:
            return
        self._begin(f"Waiting to fetch {one.card.title}")
        self._ticket = self.context.desk.ask(
            PullWeights(one.card.name),
            owner=self,
            then=lambda status: self._end_well(f"The weights of {one.card.title} are ready.", status),
            failed=lambda error: self._pull_failed(error, one),
            progress=lambda told: self.job.tell(told, f"{one.card.title}: "),
        )

    def pick_folder(self) -> None:
        """Ask for a folder to look through."""
        found = QFileDialog.getExistingDirectory(self, "Folder or USB stick with weights")
        if found:
            self.found.look(found)

    def _lay_out(self) -> None:
        self.table.setModel(self.rows)
        self.table.setMinimumHeight(SPACE[-1] * 5)
        for at, wide in enumerate((7, 3, 3, 5)):
            self.table.setColumnWidth(at, SPACE[5] * wide)
        kept = self.context.memory.get(_WIDTHS, {})
        if isinstance(kept, dict):
            self.table.set_widths({str(key): width for key, width in kept.items() if isinstance(width, int)})
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.sectionResized.connect(lambda *_: self.context.memory.put(_WIDTHS, self.table.widths()))
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_details())
        self.rows.modelReset.connect(self._show_details)
        bar = QHBoxLayout()
        bar.setSpacing(SPACE[1])
        bar.addWidget(self.filter, 1)
        bar.addWidget(self.folder_button)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        column.addWidget(self.table, 1)
        column.addWidget(self.details)
        self.states = StatePane(inside)
        self.states.show_busy("Looking which weights are here")
        self.body.addLayout(bar)
        self.body.addWidget(self.job)
        self.body.addWidget(self.found, 1)
        self.body.addWidget(self.states, 1)
        self.body.addWidget(self.place)

    def _take_models(self, found: ModelList) -> None:
        before = self.chosen()
        if [one.card.name for one in found.models] == [one.card.name for one in self.rows.rows]:
            self.rows.replace(found.models)
        else:
            self.rows.set_rows(found.models)
        self.found.set_models(found.models)
        if found.models:
            self.states.show_content()
        else:
            self.states.show_empty("There is no model", "No plugin could be read. “Plugins” says why.", icon="layers")
        self._wish = self._wish or (before.card.name if before else "")
        self._choose_wish()
        self._show_details()

    def _choose_wish(self) -> None:
        if not self._wish or not self.rows.rows:
            return
        at = next((k for k, one in enumerate(self.rows.rows) if one.card.name == self._wish), -1)
        self._wish = ""
        if at >= 0:
            self.table.selectRow(at)
            self.table.scrollTo(self.rows.index(at, 0))

    def _swap(self, is_open: bool) -> None:
        """The files of a stick stand in the place of the models."""
        self.states.setVisible(not is_open)
        self.filter.setEnabled(not is_open)

    def _fail(self, error: MedfmError) -> None:
        self.states.show_error(error, "Try again", self.refresh)

    def _show_details(self) -> None:
        self.details.tell(self.chosen(), is_busy=self.job.is_busy)
        disable(self.folder_button, "Other weights are being worked on." if self.job.is_busy else "")

    def _begin(self, text: str) -> None:
        self.job.begin(text, lambda: self._ticket.cancel() if self._ticket else None)
        self._show_details()

    def _end_well(self, text: str, status: WeightsStatus) -> None:
        short = f" SHA-256 {status.sha256[:16]}…" if status.sha256 else ""
        self.job.end_well(f"{text}{short}")
        self._show_details()
        self.refresh()

    def _end_badly(self, error: MedfmError, button: str, act: Callable[[], object]) -> None:
        self.job.end_badly(error, button, act)
        self._show_details()
        self.refresh()

    def _pull_failed(self, error: MedfmError, one: Model) -> None:
        if isinstance(error, Offline):
            self.context.desk.ask(
                ReadSettings(),
                owner=self,
                then=lambda seen: self._say_offline(error, seen, one),
                failed=lambda _: self.job.end_badly(error),
            )
            return
        self._end_badly(error, "Fetch again", lambda: self.pull(one))

    def _say_offline(self, error: MedfmError, seen: SettingsView, one: Model) -> None:
        if seen.is_offline and not seen.is_offline_locked:
            self.job.end_badly(error, "Allow the network and fetch", lambda: self._allow_and_pull(one))
        elif seen.is_offline:
            self.job.end_badly(error, "Import a file instead …", lambda: self.pick_file(one))
        else:
            self.job.end_badly(error, "Fetch again", lambda: self.pull(one))
        self._show_details()

    def _allow_and_pull(self, one: Model) -> None:
        self.context.desk.ask(
            AllowNetwork(True),
            owner=self,
            then=lambda _: self.pull(one),
            failed=lambda error: self.job.end_badly(error),
        )


class _Details(Panel):
    """The chosen model's weights in full, and what can be done about them."""

    def __init__(self) -> None:
        super().__init__("Chosen model")
        self._nothing = Label("Choose a model above.", "muted")
        self._facts = Facts()
        self.import_button = action("Import a file …", "import")
        self.pull_button = action("Fetch from the hub", "download")
        for button in (self.import_button, self.pull_button):
            self.add_to_corner(button)
        for widget in (self._nothing, self._facts):
            self.add(widget)

    def tell(self, one: Model | None, *, is_busy: bool) -> None:
        """Show another model."""
        self._nothing.setVisible(one is None)
        self._facts.setVisible(one is not None)
        self._facts.set_facts(model.about(one) if one is not None else ())
        self.set_title(one.card.title if one is not None else "Chosen model")
        reason = "Choose a model first." if one is None else ""
        if is_busy:
            reason = "Other weights are being worked on."
        disable(self.import_button, reason)
        if one is not None and not reason and one.weights.state is WeightsState.BUNDLED:
            reason = "These weights are part of the program."
        if one is not None and not reason and not model.can_be_fetched(one):
            reason = "The hub has no weights of this model."
        disable(self.pull_button, reason)
