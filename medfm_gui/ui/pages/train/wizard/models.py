"""Step 3: which foundation models, a card a family."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLineEdit, QScrollArea, QToolButton, QVBoxLayout, QWidget

from medfm_gui.desk.asks.train import ListModels, ModelList
from medfm_gui.domain.cards import WeightsState
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.train.model import PlanState
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.wizard.step import Step
from medfm_gui.ui.theme import SPACE, figures_font
from medfm_gui.ui.widgets.chips import Marker
from medfm_gui.ui.widgets.forms import action
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, tip
from medfm_gui.workspace.models import Model

_CARD_PX = SPACE[-1] * 13
_STATES = {
    WeightsState.PRESENT: ("ready", "good"),
    WeightsState.BUNDLED: ("ready, built in", "good"),
    WeightsState.ABSENT: ("no weights here", "warning"),
    WeightsState.IMPORTING: ("being brought in", "warning"),
}


class ModelsStep(Step):
    """Cards by family with a check box a size."""

    def __init__(self, context: Context, state: PlanState) -> None:
        super().__init__(
            context,
            state,
            At.MODELS,
            "Models",
            "One or several. Models without weights on this computer can only be trained from scratch.",
        )
        self._cards: list[FamilyCard] = []
        self._listed: tuple[Model, ...] = ()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search name, family, licence or pretraining")
        self.search.setAccessibleName("Search models")
        self.search.setClearButtonEnabled(True)
        for part in self.search.findChildren(QToolButton):
            part.setAccessibleName("Clear the search")
        self.search.textChanged.connect(self._filter)
        weights = action("Get weights …", "download")
        weights.clicked.connect(lambda: context.go("settings", tab="weights"))
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(self.search, 1)
        row.addWidget(weights)
        self._none = Label("No model matches.", "muted")
        self._broken = Label("", "warning")
        inside = QWidget()
        inside.setProperty("role", "page")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, SPACE[1], 0)
        self._columns: list[QVBoxLayout] = []
        self._across = QHBoxLayout()
        self._across.setSpacing(SPACE[2])
        column.addLayout(self._across)
        column.addWidget(self._none)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[2])
        column.addLayout(row)
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

    def show_plan(self) -> None:
        """Tick what is chosen."""
        if self._listed != self.state.models:
            self._build(self.state.models)
        for card in self._cards:
            card.show_chosen(self.state.plan.models)

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

    def _build(self, models: Sequence[Model]) -> None:
        for card in self._cards:
            card.hide()
            card.setParent(None)
            card.deleteLater()
        self._listed = tuple(models)
        families: dict[str, list[Model]] = {}
        for model in models:
            families.setdefault(model.card.family.value, []).append(model)
        self._cards = [FamilyCard(family, members, self.state.toggle_model) for family, members in families.items()]
        self._filter()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many columns of cards as the width has room for."""
        super().resizeEvent(event)
        if self._fitting() != len(self._columns):
            self._filter()

    def _fitting(self) -> int:
        return max(1, min(3, self.width() // _CARD_PX))

    def _filter(self) -> None:
        """Cards that match, each in the shortest column."""
        words = self.search.text().casefold().split()
        shown = [card for card in self._cards if card.filter(words)]
        while self._across.count():
            self._across.takeAt(0)
        self._columns = []
        for _ in range(self._fitting()):
            column = QVBoxLayout()
            column.setSpacing(SPACE[2])
            self._columns.append(column)
            self._across.addLayout(column, 1)
        lengths = [0] * len(self._columns)
        for card in shown:
            shortest = lengths.index(min(lengths))
            self._columns[shortest].addWidget(card)
            lengths[shortest] += card.n_lines + 4
        for column in self._columns:
            column.addStretch(1)
        for card in self._cards:
            card.setVisible(card in shown)
        self._none.setVisible(not shown)


class FamilyCard(QFrame):
    """A family: its marker, what it was pretrained on, and a line with a check box for each size."""

    def __init__(self, family: str, models: Sequence[Model], toggle: Callable[[str, bool], None]) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setAccessibleName(family)
        self._models = tuple(models)
        self._toggle = toggle
        self._boxes: dict[str, QCheckBox] = {}
        self._lines: dict[str, QWidget] = {}
        self.n_lines = len(models)
        head = QHBoxLayout()
        head.setSpacing(SPACE[1])
        head.addWidget(Marker(family, 0))
        head.addWidget(Label("Baselines" if family == "Baseline" else family, "heading3"), 1)
        licences = sorted({model.card.licence for model in models})
        for licence in licences:
            head.addWidget(Label(licence, "chip", wrap=False))
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        column.setSpacing(SPACE[1])
        column.addLayout(head)
        if any(model.card.non_commercial for model in models):
            column.addWidget(Label("Non-commercial use only", "warning"))
        for text in dict.fromkeys(f"{one.card.pretraining}, {one.card.pretraining_data}" for one in models):
            column.addWidget(Label(text[:1].upper() + text[1:], "caption"))
        for model in models:
            line = self._line(model)
            self._lines[model.card.name] = line
            column.addWidget(line)

    def show_chosen(self, names: Sequence[str]) -> None:
        """Tick the chosen ones."""
        for name, box in self._boxes.items():
            box.setChecked(name in names)

    def filter(self, words: Sequence[str]) -> bool:
        """Show the sizes that match all words; whether there are any."""
        self.n_lines = 0
        for model in self._models:
            card = model.card
            text = " ".join(
                (card.title, card.name, card.family.value, card.licence, card.pretraining, card.pretraining_data,
                 "non-commercial" if card.non_commercial else "", _STATES[model.weights.state][0])
            ).casefold()  # fmt: skip
            matches = all(word in text for word in words)
            self._lines[card.name].setVisible(matches)
            self.n_lines += matches
        return self.n_lines > 0

    def _line(self, model: Model) -> QWidget:
        card = model.card
        state, role = _STATES[model.weights.state]
        box = QCheckBox(escape_mnemonic(card.title))
        box.setAccessibleName(f"{card.title}, {card.parameters_m:,.1f} million parameters, {state}")
        tip(box, f"{card.name}: {card.arch}, features of length {card.feature_dim}, weights: {model.weights.source}")
        box.clicked.connect(lambda chosen, name=card.name: self._toggle(name, chosen))
        self._boxes[card.name] = box
        size = Label(f"{card.parameters_m:,.0f} M · {card.input_size} px", "muted", wrap=False)
        size.setFont(figures_font())
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[2])
        row.addWidget(box, 1)
        row.addWidget(size)
        row.addWidget(Label(state, role, wrap=False))
        return line
