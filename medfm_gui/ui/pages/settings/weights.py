"""Weights: every model with the state of its file, import from a file or a stick, fetch from the hub."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QSplitter

from medfm_gui.desk.asks.settings import (
    AcceptLicence,
    AllowNetwork,
    ImportWeights,
    PullWeights,
    ReadSettings,
    SettingsView,
)
from medfm_gui.desk.asks.train import ListModels, ModelList
from medfm_gui.domain.cards import WeightsStatus
from medfm_gui.domain.errors import Interrupted, MedfmError, Offline
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.found import FoundPanel
from medfm_gui.ui.pages.settings.job import JobRow
from medfm_gui.ui.pages.settings.model_details import ModelDetails
from medfm_gui.ui.pages.settings.model_list import ModelList as ModelView
from medfm_gui.ui.pages.settings.place import WeightsPlace
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action, choice, disable
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.workspace.models import Model

FILES = "Weights (*.safetensors *.pt *.pth *.bin *.tar);;All files (*)"
_SPLIT = (3, 2)
_ABOUT = (
    "A file is checked tensor by tensor against its model and kept as safetensors; files that hold code are refused."
)


class WeightsSection(Section):
    """Models at the left, the chosen one at the right, one piece of work at a time above both."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "Weights", _ABOUT)
        self._ticket: Ticket | None = None
        self._wish = ""
        self._seen: SettingsView | None = None
        self.table = ModelView(context)
        self.rows = self.table.tree
        self.job = JobRow()
        self.found = FoundPanel(context, self)
        self.found.hide()
        self.found.opened.connect(self._swap)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Search models, licences, pretraining data")
        self.filter.setAccessibleName("Search models")
        self.filter.setClearButtonEnabled(True)
        self.shown = choice(model.SHOWN)
        self.shown.setAccessibleName("Which models are listed")
        self.folder_button = action("From a folder or USB stick …", "folder")
        self.folder_button.clicked.connect(self.pick_folder)
        self.place = WeightsPlace(context)
        self.place.moved.connect(self.refresh)
        self.place.failed.connect(self.job.end_badly)
        self.details = ModelDetails()
        self.details.import_button.clicked.connect(lambda: self.pick_file())
        self.details.pull_button.clicked.connect(lambda: self.pull())
        self.details.accepted.connect(self._accept)
        self._lay_out()

    def refresh(self) -> None:
        """Ask which weights are here."""
        desk = self.context.desk
        desk.ask(ReadSettings(), owner=self, then=self._take_settings, failed=lambda _: None)
        desk.ask(ListModels(), owner=self, then=self._take_models, failed=self._fail)
        self.place.refresh()

    def visit(self, **wish: Any) -> None:
        """``model=NAME``: choose that model."""
        self._wish = str(wish.get("model", ""))
        if self._wish:
            self.filter.clear()
            self.shown.setCurrentIndex(0)
        self._choose_wish()

    def chosen(self) -> Model | None:
        """The model of the chosen row."""
        return self.table.chosen()

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
        """Fetch the weights of a model, the chosen one where none is named; first its licence, where it asks."""
        one = one or self.chosen()
        if one is None or self.job.is_busy:
            return
        if self._seen is not None and self._seen.is_offline:
            self._say_offline(_offline(one), self._seen, one)
            return
        if self._seen is not None and not model.is_accepted(one, self._seen.licences):
            self._choose(one.card.name)
            self.details.ask_for_licence(one)
            return
        self._fetch(one)

    def pick_folder(self) -> None:
        """Ask for a folder to look through."""
        found = QFileDialog.getExistingDirectory(self, "Folder or USB stick with weights")
        if found:
            self.found.look(found)

    def _lay_out(self) -> None:
        self.filter.textChanged.connect(lambda _: self._narrow())
        self.shown.currentIndexChanged.connect(lambda _: self._narrow())
        self.table.chosen_changed.connect(self._show_details)
        bar = QHBoxLayout()
        bar.setSpacing(SPACE[1])
        bar.addWidget(self.filter, 1)
        bar.addWidget(self.shown)
        bar.addWidget(self.folder_button)
        inside = QSplitter(Qt.Orientation.Horizontal)
        inside.setChildrenCollapsible(False)
        self._list = StatePane(self.table)
        for part, share in zip((self._list, self.details), _SPLIT, strict=True):
            inside.addWidget(part)
            inside.setStretchFactor(inside.count() - 1, share)
        inside.setSizes([part * SPACE[-1] * 6 for part in _SPLIT])
        self.states = StatePane(inside)
        self.states.show_busy("Looking which weights are here")
        self.body.addLayout(bar)
        self.body.addWidget(self.job)
        self.body.addWidget(self.found, 1)
        self.body.addWidget(self.states, 1)
        self.body.addWidget(self.place)

    def _narrow(self) -> None:
        self.rows.narrow(self.filter.text(), str(self.shown.currentData()))
        if self.rows.rows:
            self._list.show_content()
        else:
            self._list.show_empty("No model is called so", "Search for other words, or list all models.", icon="search")
        self._show_details()

    def _take_settings(self, seen: SettingsView) -> None:
        self._seen = seen
        self._show_details()

    def _take_models(self, found: ModelList) -> None:
        before = self.chosen()
        self.rows.fill(found.models)
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
        wish, self._wish = self._wish, ""
        self._choose(wish)

    def _choose(self, name: str) -> None:
        self.table.choose(name)

    def _swap(self, is_open: bool) -> None:
        """The files of a stick stand in the place of the models."""
        self.states.setVisible(not is_open)
        for field in (self.filter, self.shown, self.folder_button):
            field.setEnabled(not is_open)

    def _fail(self, error: MedfmError) -> None:
        self.states.show_error(error, "Try again", self.refresh)

    def _show_details(self) -> None:
        self.details.tell(self.chosen(), self._seen, is_busy=self.job.is_busy)
        disable(self.folder_button, "Other weights are being worked on." if self.job.is_busy else "")

    def _fetch(self, one: Model) -> None:
        self._begin(f"Waiting to fetch {one.card.title}")
        self._ticket = self.context.desk.ask(
            PullWeights(one.card.name),
            owner=self,
            then=lambda status: self._end_well(f"The weights of {one.card.title} are ready.", status),
            failed=lambda error: self._pull_failed(error, one),
            progress=lambda told: self.job.tell(told, f"{one.card.title}: "),
        )

    def _accept(self, one: Model) -> None:
        """Keep that the licence is accepted, then fetch."""
        self.context.desk.ask(
            AcceptLicence(one.card.name),
            owner=self,
            then=lambda _: self._accepted(one),
            failed=lambda error: self.job.end_badly(error),
        )

    def _accepted(self, one: Model) -> None:
        self.context.desk.ask(ReadSettings(), owner=self, then=self._take_settings, failed=lambda _: None)
        self._fetch(one)

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
        words = "Go on fetching" if isinstance(error, Interrupted) else "Fetch again"
        self._end_badly(error, words, lambda: self.pull(one))

    def _say_offline(self, error: MedfmError, seen: SettingsView, one: Model) -> None:
        if seen.is_offline and not seen.is_offline_locked:
            self.job.end_badly(error, "Allow the network and fetch", lambda: self._allow_and_pull(one))
        elif seen.is_offline:
            self.job.end_badly(error, "Import a file instead …", lambda: self.pick_file(one))
        else:
            self.job.end_badly(error, "Go on fetching", lambda: self.pull(one))
        self._seen = seen
        self._show_details()

    def _allow_and_pull(self, one: Model) -> None:
        self.context.desk.ask(
            AllowNetwork(True),
            owner=self,
            then=lambda seen: self._allowed(seen, one),
            failed=lambda error: self.job.end_badly(error),
        )

    def _allowed(self, seen: SettingsView, one: Model) -> None:
        self._seen = seen
        self.job.clear()
        self.pull(one)


def _offline(one: Model) -> Offline:
    """Why nothing is asked of the hub."""
    return Offline(
        f"The network is switched off, so the weights of {one.card.title} were not fetched.",
        "Allow the network, or import a file that was fetched on another computer.",
    )
