"""A card for each plugin of models: what its models learned from, under which licence, and a line for each size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from medfm_gui.domain.cards import WeightsState
from medfm_gui.domain.units import counted
from medfm_gui.ui import icons
from medfm_gui.ui.pages.train.fit import fit, overlap_words
from medfm_gui.ui.pages.train.model import PlanState
from medfm_gui.ui.pages.train.wizard.model_box import STATES, ModelBox
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.chips import Marker
from medfm_gui.ui.widgets.flow import FlowLayout
from medfm_gui.ui.widgets.text import Label, tip
from medfm_gui.workspace.models import Model

_ICON_PX: Final = SPACE[3]


class FamilyCard(QFrame):
    """Head, chips, what it learned from; lines of what is here, and a fold with the lines of what is not.

    Lines are made when they are first shown.
    """

    def __init__(self, models: Sequence[Model], state: PlanState, known: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.title = models[0].card.group or models[0].card.plugin
        self.setProperty("role", "panel")
        self.setAccessibleName(self.title)
        self._state = state
        self._here = tuple(one for one in models if one.weights.state is not WeightsState.ABSENT)
        self._absent = tuple(one for one in models if one.weights.state is WeightsState.ABSENT)
        self._texts = {one.card.name: _searched(one) for one in models}
        self._boxes: dict[str, ModelBox] = {}
        self._words: tuple[str, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        self._column.setSpacing(SPACE[0])
        self._column.addLayout(self._head(models))
        self._column.addWidget(_Chips(models, known, self))
        for text in dict.fromkeys(f"{one.card.pretraining}, on {one.card.pretraining_data}" for one in models):
            self._column.addWidget(Label(text[:1].upper() + text[1:], "caption", self))
        self._fold = _Fold(self.unfold, self)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(0)
        self._column.addLayout(self._lines)
        self._column.addWidget(self._fold)
        self._more = QVBoxLayout()
        self._more.setSpacing(0)
        self._column.addLayout(self._more)
        self._is_open = any(one.card.name in state.plan.models for one in self._absent)

    @property
    def has_weights(self) -> bool:
        """Whether some of it can be trained at once."""
        return bool(self._here)

    def matches(self, words: Sequence[str]) -> bool:
        """Whether any of its models has all of these words."""
        return any(self._has(one, words) for one in (*self._here, *self._absent))

    def filter(self, words: Sequence[str]) -> None:
        """Show the sizes that have all these words; while somebody searches, nothing is folded."""
        self._words = tuple(words)
        self._set_out()

    def unfold(self) -> None:
        """Show or hide the sizes without weights."""
        self._is_open = not self._is_open
        self._set_out()

    def show_plan(self) -> None:
        """Tick what is chosen, say what fits."""
        for name, box in self._boxes.items():
            box.setChecked(name in self._state.plan.models)
        for one in (*self._here, *self._absent):
            if one.card.name in self._boxes:
                self._boxes[one.card.name].show_fit(fit(one.card, self._state))
        self._show_fold()

    def _head(self, models: Sequence[Model]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        row.addWidget(Marker(models[0].card.family.value, 0, self))
        row.addWidget(Label(self.title, "heading3", self), 1)
        row.addWidget(Label(_sizes(models), "caption", self, wrap=False))
        return row

    def _has(self, model: Model, words: Sequence[str]) -> bool:
        text = self._texts[model.card.name]
        return all(word in text for word in words)

    def _set_out(self) -> None:
        for models, place, is_open in (
            (self._here, self._lines, True),
            (self._absent, self._more, self._is_open or bool(self._words)),
        ):
            for one in models:
                wanted = is_open and self._has(one, self._words)
                box = self._boxes.get(one.card.name)
                if wanted and box is None:
                    box = self._boxes[one.card.name] = ModelBox(one, self._state.toggle_model, self)
                    place.addWidget(box)
                if box is not None:
                    box.setVisible(wanted)
        self.show_plan()

    def _show_fold(self) -> None:
        found = [one for one in self._absent if self._has(one, self._words)]
        chosen = sum(one.card.name in self._state.plan.models for one in found)
        text = f"{counted(len(found), 'size')} without weights here"
        self._fold.show_state(f"{text}, {chosen} chosen" if chosen else text, self._is_open or bool(self._words))
        self._fold.setEnabled(not self._words)
        self._fold.setVisible(bool(found))


class _Fold(QToolButton):
    """Shows and hides what lies below it."""

    def __init__(self, turned: Callable[[], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "quiet")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(_ICON_PX, _ICON_PX))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clicked.connect(turned)
        self._is_open: bool | None = None

    def show_state(self, text: str, is_open: bool) -> None:
        """Its words, and whether what it folds is open."""
        if text != self.text():
            self.setText(text)
        if is_open != self._is_open:
            self._is_open = is_open
            self.setIcon(icons.icon("chevron-down" if is_open else "chevron-right", "muted"))
            self.setAccessibleDescription("Open" if is_open else "Folded")


class _Chips(QWidget):
    """Licences and what they ask for, and whether the models have seen the chosen dataset before."""

    def __init__(self, models: Sequence[Model], known: str, parent: QWidget) -> None:
        super().__init__(parent)
        flow = FlowLayout(self)
        cards = [one.card for one in models]
        for licence in sorted({card.licence for card in cards}):
            flow.addWidget(Label(licence, "chip", self, wrap=False))
        if any(card.non_commercial for card in cards):
            flow.addWidget(Label("non-commercial", "warning", self, wrap=False))
        if any(card.gated for card in cards):
            flow.addWidget(Label("gated", "warning", self, wrap=False))
        for overlap in sorted({card.overlap(known) for card in cards} if known else ()):
            text, role = overlap_words(overlap)
            if not text:
                continue
            some = "" if all(card.overlap(known) == overlap for card in cards) else "some: "
            chip = Label(f"{some}{text}", role, self, wrap=False)
            tip(chip, "Whether images of the chosen dataset were in the data of the pretraining, as far as published.")
            flow.addWidget(chip)


def _sizes(models: Sequence[Model]) -> str:
    """“6 sizes, 22 M to 1,136 M”."""
    least, most = (end(one.card.parameters_m for one in models) for end in (min, max))
    return f"{counted(len(models), 'size')}, {least:,.0f} M" + (f" to {most:,.0f} M" if most > least else "")


def _searched(model: Model) -> str:
    card = model.card
    marks = [word for word, true in (("non-commercial", card.non_commercial), ("gated", card.gated)) if true]
    return " ".join(
        (card.title, card.name, card.group, card.family.value, card.licence, card.pretraining, card.pretraining_data,
         *marks, STATES[model.weights.state][0])
    ).casefold()  # fmt: skip
