"""Weights: every model with the state of its file, import from a file or a stick, fetch from the hub."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QSplitter

from medfm_gui.desk.asks.train import ListModels, ModelList
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.found import FoundPanel
from medfm_gui.ui.pages.settings.job import JobRow
from medfm_gui.ui.pages.settings.model_details import ModelDetails
from medfm_gui.ui.pages.settings.model_list import ModelList as ModelView
from medfm_gui.ui.pages.settings.place import WeightsPlace
from medfm_gui.ui.pages.settings.section import Section
from medfm_gui.ui.pages.settings.work import WeightsWork
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
        self._wish = ""
        self.table = ModelView(context)
        self.rows = self.table.tree
        self.job = JobRow()
        self.work = WeightsWork(context, self.job, self)
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
        self.details.accepted.connect(self.work.accept)
        self.work.changed.connect(self._show_details)
        self.work.ended.connect(self.refresh)
        self.work.file_wanted.connect(self.pick_file)
        self.work.licence_wanted.connect(self._ask_for_licence)
        self._lay_out()

    def refresh(self) -> None:
        """Ask which weights are here."""
        self.work.look()
        self.context.desk.ask(ListModels(), owner=self, then=self._take_models, failed=self._fail)
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
        self.work.import_file(one, file)

    def pull(self, one: Model | None = None) -> None:
        """Fetch the weights of a model, the chosen one where none is named; first its licence, where it asks."""
        one = one or self.chosen()
        if one is not None:
            self.work.pull(one)

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
        self.table.choose(wish)

    def _ask_for_licence(self, one: Model, then: str) -> None:
        self.table.choose(one.card.name)
        self.details.ask_for_licence(one, then)

    def _swap(self, is_open: bool) -> None:
        """The files of a stick stand in the place of the models."""
        self.states.setVisible(not is_open)
        for field in (self.filter, self.shown, self.folder_button):
            field.setEnabled(not is_open)

    def _fail(self, error: MedfmError) -> None:
        self.states.show_error(error, "Try again", self.refresh)

    def _show_details(self) -> None:
        self.details.tell(self.chosen(), self.work.seen, is_busy=self.job.is_busy)
        if self.work.seen is not None:
            self.found.set_licences(self.work.seen.licences)
        disable(self.folder_button, "Other weights are being worked on." if self.job.is_busy else "")
