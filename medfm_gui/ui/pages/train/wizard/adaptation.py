"""Step 4: how the models are adapted; cards for the ways, then the grid of models by ways."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.train.model import WAYS, PlanState, Way, obstacle
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.wizard.step import Step
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.chips import Marker
from medfm_gui.ui.widgets.forms import action, disable
from medfm_gui.ui.widgets.text import Label
from medfm_gui.workspace.models import Model


class AdaptationStep(Step):
    """Ways as cards that switch a whole column; single pairs in the grid below."""

    def __init__(self, context: Context, state: PlanState) -> None:
        super().__init__(
            context,
            state,
            At.ADAPTATION,
            "Adaptation",
            "The ladder from frozen features to every weight. Each ticked pair becomes a run on the same frozen split.",
        )
        self._ways = {way: _WayCard(way, state) for way in WAYS}
        cards = QHBoxLayout()
        cards.setSpacing(SPACE[2])
        for card in self._ways.values():
            cards.addWidget(card, 1)
        self.body.addLayout(cards)
        self._grid_of: tuple[Model, ...] = ()
        self._boxes: dict[tuple[str, Way], QCheckBox] = {}
        self._holder = QWidget()
        self._column = QVBoxLayout(self._holder)
        self._column.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        self._grid_widget = QWidget()
        self._column.addWidget(self._grid_widget)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self._holder)
        self._holder.setAutoFillBackground(False)  # the panel's ground is its own
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        frame = QFrame()
        frame.setProperty("role", "panel")
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(1, 1, 1, 1)
        inner.addWidget(scroll)
        self.body.addWidget(frame, 1)
        self._weights = QWidget()
        row = QHBoxLayout(self._weights)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(
            Label("Some weights are not on this computer, so only a start from scratch is possible.", "muted"), 1
        )
        button = action("Get weights …", "download")
        button.clicked.connect(lambda: context.go("settings", tab="weights"))
        row.addWidget(button)
        self.body.addWidget(self._weights)

    @property
    def first(self) -> QWidget:
        """See ``Step``."""
        return self._ways[WAYS[0]]

    def entered(self) -> None:
        """Everything is known already."""
        self.show_plan()

    def show_plan(self) -> None:
        """Tick what is chosen, say what is impossible."""
        models = self.state.chosen_models
        if models != self._grid_of:
            self._build(models)
        cells = set(self.state.cells())
        for cell, box in self._boxes.items():
            box.setChecked(cell in cells)
        for way, card in self._ways.items():
            possible = any(not obstacle(model, way) for model in models)
            card.show_chosen(
                any(other == way for _, other in cells), possible, "" if possible else _why_none(models, way)
            )
        self._weights.setVisible(any(not model.weights.is_here for model in models))

    def _build(self, models: tuple[Model, ...]) -> None:
        self._grid_of = models
        self._boxes = {}
        self._column.removeWidget(self._grid_widget)
        self._grid_widget.hide()
        self._grid_widget.deleteLater()
        self._grid_widget = QWidget()
        grid = QGridLayout(self._grid_widget)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[3])
        grid.setVerticalSpacing(SPACE[1])
        for column, way in enumerate(WAYS):
            grid.addWidget(Label(way.title, "caption"), 0, column + 2)
            grid.setColumnStretch(column + 2, 3)
        grid.setColumnStretch(1, 4)
        for row, model in enumerate(models, 1):
            grid.addWidget(Marker(model.card.family.value, 0), row, 0)
            grid.addWidget(Label(model.card.title), row, 1)
            for column, way in enumerate(WAYS):
                grid.addWidget(self._cell(model, way), row, column + 2)
        self._column.insertWidget(0, self._grid_widget)

    def _cell(self, model: Model, way: Way) -> QWidget:
        why = obstacle(model, way)
        if why:
            return Label(why, "caption")
        box = QCheckBox("train")
        box.setAccessibleName(f"{model.card.title}, {way.title}")
        cell = (model.card.name, way)
        box.clicked.connect(lambda chosen, cell=cell: self.state.toggle_cell(cell, chosen))
        self._boxes[cell] = box
        return box


class _WayCard(QPushButton):
    """One way as a card that is on or off."""

    def __init__(self, way: Way, state: PlanState) -> None:
        super().__init__()
        self._way = way
        self.setProperty("role", "option")
        self.setCheckable(True)
        self.setAccessibleName(way.title)
        self.setAccessibleDescription(way.summary)
        self.clicked.connect(lambda chosen: state.toggle_way(way, chosen))
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[2], SPACE[2], SPACE[2], SPACE[2])
        column.setSpacing(SPACE[0])
        for label in (Label(way.title, "heading3"), Label(way.summary, "muted")):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(label)
        self._note = Label("", "caption")
        self._note.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        column.addWidget(self._note)
        column.addStretch(1)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:
        """As large as its words, which a button does not ask for by itself."""
        layout = self.layout()
        return layout.totalSizeHint() if layout is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """As narrow as its longest word."""
        layout = self.layout()
        return layout.totalMinimumSize() if layout is not None else super().minimumSizeHint()

    def heightForWidth(self, width: int) -> int:
        """The height of its wrapped words."""
        layout = self.layout()
        return layout.totalHeightForWidth(width) if layout is not None else super().heightForWidth(width)

    def show_chosen(self, chosen: bool, possible: bool, why: str) -> None:
        """On or off, or why it cannot be on."""
        self.setChecked(chosen)
        disable(self, "" if possible else why or "Choose a model first.")
        self._note.setText(why)
        self._note.setVisible(bool(why))


def _why_none(models: tuple[Model, ...], way: Way) -> str:
    reasons = list(dict.fromkeys(obstacle(model, way) for model in models))
    text = ", ".join(reasons)
    return text[:1].upper() + text[1:]
