"""Step 3: which foundation models, a card a plugin; what can be trained at once stands before what cannot."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QToolButton, QVBoxLayout, QWidget

from medfm_gui.desk.asks.train import ListModels, ModelList
from medfm_gui.domain.cards import KNOWN_DATASETS
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.later import Later
from medfm_gui.ui.pages.train.fit import device_of, known_dataset
from medfm_gui.ui.pages.train.model import PlanState
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.wizard.any_timm import AnyTimm
from medfm_gui.ui.pages.train.wizard.family import FamilyCard
from medfm_gui.ui.pages.train.wizard.step import Step, learn_devices
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.models import Model

_CARD_PX = SPACE[-1] * 16
_TYPING_MS = 60


class ModelsStep(Step):
    """Cards by plugin with a check box a size; a card a turn is made, so that the window never stands still."""

    def __init__(self, context: Context, state: PlanState) -> None:
        super().__init__(
            context,
            state,
            At.MODELS,
            "Models",
            "One or several. Models without weights on this computer can only be trained from scratch.",
        )
        self._cards: list[FamilyCard] = []
        self._to_make: list[list[Model]] = []
        self._to_filter: list[FamilyCard] = []
        self._listed: tuple[tuple[Model, ...], str] = ((), "")
        self._maker = QTimer(self)
        self._maker.setInterval(0)
        self._maker.timeout.connect(self._make_next)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search name, family, licence or pretraining")
        self.search.setAccessibleName("Search models")
        self.search.setClearButtonEnabled(True)
        for part in self.search.findChildren(QToolButton):
            part.setAccessibleName("Clear the search")
        self._later = Later(self._filter, _TYPING_MS, self)
        self.search.textChanged.connect(lambda: self._later.again())
        weights = action("Get weights …", "download")
        weights.clicked.connect(lambda: context.go("settings", tab="weights"))
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(self.search, 1)
        row.addWidget(weights)
        self._about = Label("", "caption")
        self._none = Label("No model matches.", "muted")
        self._none.hide()
        self._broken = Label("", "warning")
        self._inside = QWidget()
        self._inside.setProperty("role", "page")
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self._inside)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._here, self._absent = _Section("", self._inside), _Section("Weights not on this computer", self._inside)
        column = QVBoxLayout(self._inside)
        column.setContentsMargins(0, 0, SPACE[1], 0)
        column.setSpacing(SPACE[2])
        for widget in (self._here, self._absent, self._none):
            column.addWidget(widget)
        column.addWidget(AnyTimm(context, self._added))
        column.addStretch(1)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        column.addLayout(row)
        column.addWidget(self._about)
        column.addWidget(scroll, 1)
        column.addWidget(self._broken)
        self.pane = StatePane(content)
        self.body.addWidget(self.pane, 1)

    @property
    def first(self) -> QWidget:
        """See ``Step``."""
        return self.search

    def entered(self) -> None:
        """Ask what there is; weights may have come since."""
        if not self.state.models:
            self.pane.show_busy("Looking for models and weights")
        self.context.desk.ask(ListModels(), owner=self, then=self._show, failed=self._fail)
        learn_devices(self.context, self.state, self)

    def show_plan(self) -> None:
        """Tick what is chosen."""
        known = known_dataset(self.state.plan.dataset)
        if self._listed != (self.state.models, known):
            self._build(self.state.models, known)
        for card in self._cards:
            card.show_plan()
        said = [_overlap_told(known)] if self.state.plan.dataset is not None else []
        if device := device_of(self.state.plan.device, self.state.devices):
            said.append(f"“Fits” is an estimate for {device.name} until Review measures it.")
        self._about.setText(" ".join(said))

    def _show(self, answer: ModelList) -> None:
        self.state.offer_models(answer.models)
        names = [item.folder.rsplit("/", 1)[-1] for item in answer.broken]
        self._broken.setText(f"Plugins that cannot be read: {', '.join(names)}. Settings says why." if names else "")
        self._broken.setVisible(bool(names))
        if answer.models:
            self.pane.show_content()
        else:
            self.pane.show_empty(
                "No models", "No plugin offers a model.", "Open settings", lambda: self.context.go("settings")
            )
        self.show_plan()

    def _fail(self, error: MedfmError) -> None:
        self.pane.show_error(error, "Try again", self.entered)

    def _added(self, name: str) -> None:
        """A model that was added is looked for and chosen."""

        def found(answer: ModelList) -> None:
            self._show(answer)
            self.state.toggle_model(name, True)

        self.context.desk.ask(ListModels(), owner=self, then=found, failed=self._fail)

    def _build(self, models: Sequence[Model], known: str) -> None:
        for card in self._cards:
            card.hide()
            card.setParent(None)
            card.deleteLater()
        self._cards, self._to_filter = [], []
        self._listed = (tuple(models), known)
        groups: dict[str, list[Model]] = {}
        for model in models:
            groups.setdefault(model.card.group or model.card.plugin, []).append(model)
        # what can be trained at once comes first, and is made at once
        self._to_make = sorted(groups.values(), key=lambda some: not any(one.weights.is_here for one in some))
        self._make_next()
        if self._to_make:
            self._maker.start()

    def _make_next(self) -> None:
        """One card: make it, or show of it what is searched for."""
        if self._to_filter:
            self._to_filter.pop(0).filter(self._words())
        elif self._to_make:
            models = self._to_make.pop(0)
            card = FamilyCard(models, self.state, self._listed[1], self._inside)
            self._cards.append(card)
            words = self._words()
            if card.matches(words):
                card.filter(words)
            self._set_out()
        if not self._to_make and not self._to_filter:
            self._maker.stop()

    def _words(self) -> list[str]:
        return self.search.text().casefold().split()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many columns of cards as the width has room for."""
        super().resizeEvent(event)
        if self._fitting() != self._here.n_columns:
            self._set_out()

    def _fitting(self) -> int:
        return max(1, min(3, self.width() // _CARD_PX))

    def _filter(self) -> None:
        words = self._words()
        self._to_filter = [card for card in self._cards if card.matches(words)]
        self._set_out()
        self._maker.start()

    def _set_out(self) -> None:
        words = self._words()
        shown = [card for card in self._cards if card.matches(words)]
        self._here.set_out([card for card in shown if card.has_weights], self._fitting())
        self._absent.set_out([card for card in shown if not card.has_weights], self._fitting())
        for card in self._cards:
            card.setVisible(card in shown)
        self._none.setVisible(not shown and not self._to_make)


class _Section(QWidget):
    """Cards under a heading, one after another from left to right."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.n_columns = 0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        if title:
            column.addWidget(Label(title, "muted", self))
        self._across = QHBoxLayout()
        self._across.setSpacing(SPACE[2])
        column.addLayout(self._across)
        self._columns: list[QVBoxLayout] = []
        self._cards: list[FamilyCard] = []

    def set_out(self, cards: Sequence[FamilyCard], n_columns: int) -> None:
        """Set the cards out in so many columns; those that only follow others are added below them."""
        if n_columns != self.n_columns or self._cards != list(cards[: len(self._cards)]):
            self._clear(n_columns)
        for card in cards[len(self._cards) :]:
            at = len(self._cards) % self.n_columns
            self._columns[at].insertWidget(self._columns[at].count() - 1, card)
            self._cards.append(card)
        self.setVisible(bool(cards))

    def _clear(self, n_columns: int) -> None:
        while self._across.count():
            self._across.takeAt(0)
        self._columns, self._cards, self.n_columns = [], [], n_columns
        for _ in range(n_columns):
            column = QVBoxLayout()
            column.setSpacing(SPACE[2])
            column.addStretch(1)
            self._columns.append(column)
            self._across.addLayout(column, 1)


def _overlap_told(known: str) -> str:
    if known:
        return (
            f"Overlap with {KNOWN_DATASETS[known]}: chips say whether its images were in the pretraining data, as far "
            "as that is published."
        )
    return "Whether these images were in any pretraining data is unknown: they are of no published dataset known here."
