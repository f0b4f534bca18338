"""Step 5: the operating point, which has to be chosen, and the recipe, whose empty fields mean the preset's value."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from medfm_gui.domain.cards import ADAPTATIONS
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.train import operating, recipes
from medfm_gui.ui.pages.train.axes import shots_of
from medfm_gui.ui.pages.train.fields import GROUPS, Group, field_of
from medfm_gui.ui.pages.train.model import PlanState
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.wizard.fields import FoldedSettings, Settings
from medfm_gui.ui.pages.train.wizard.looks import LooksPanel
from medfm_gui.ui.pages.train.wizard.operating import OperatingPanel
from medfm_gui.ui.pages.train.wizard.presets import PresetPanel
from medfm_gui.ui.pages.train.wizard.step import Step, learn_devices
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.forms import FormRow, choice
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.scrolling import scrolled
from medfm_gui.ui.widgets.text import Label

_LONGEST_DEVICE: Final = 120


class RecipeStep(Step):
    """The operating point on top where runs get one, preset and device; a panel of fields for each chosen way; below
    what is chosen once for all of them.

    Panels are made when they are wanted for the first time, one a turn.
    """

    def __init__(self, context: Context, state: PlanState) -> None:
        super().__init__(
            context,
            state,
            At.RECIPE,
            "Recipe",
            "All that decides the numbers is kept with each run. Leave a field empty to use the value shown in it.",
        )
        inside = QWidget()
        inside.setProperty("role", "page")
        self.body.addWidget(scrolled(inside), 1)
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, SPACE[1], 0)
        self._column.setSpacing(SPACE[2])
        self._operating = OperatingPanel(state)
        self._column.addWidget(self._operating)
        self._presets = PresetPanel(state)
        self._column.addWidget(self._presets)
        self._device = choice((("Best available", "auto"), ("Processor (CPU)", "cpu")))
        self._device.activated.connect(lambda: state.put(device=self._device.currentData()))
        device = Panel("Device")
        device.add(FormRow("Train on", self._device, "Runs take turns on a device."))
        self._column.addWidget(device)
        self._forms: dict[str, Deferred[_WayPanel]] = {
            card.name: Deferred(partial(_WayPanel, card.title, card.name, state)) for card in ADAPTATIONS
        }
        self._groups: dict[Group, Deferred[FoldedSettings]] = {
            group: Deferred(partial(_folded, group, state)) for group in GROUPS
        }
        for form in self._forms.values():
            self._column.addWidget(form)
            form.hide()
        self._all = Label("For all of these ways", "muted")
        self._column.addWidget(self._all)
        for fold in self._groups.values():
            self._column.addWidget(fold)
            fold.hide()
        self._looks = Deferred(partial(LooksPanel, context, state))
        self._column.addWidget(self._looks)
        self._column.addStretch(1)
        self._maker = QTimer(self)
        self._maker.setInterval(0)
        self._maker.timeout.connect(self._make_next)

    @property
    def first(self) -> QWidget:
        """See ``Step``."""
        return self._operating.first if operating.gap(self.state) else self._device

    def entered(self) -> None:
        """Ask once which devices there are."""
        learn_devices(self.context, self.state, self)

    def show_plan(self) -> None:
        """Fill fields that nobody is typing in, show what is wrong."""
        self._operating.setVisible(operating.concerns(self.state))
        self._operating.show_plan()
        self._presets.show_plan()
        self._show_device()
        if self._looks.made is not None:
            self._looks.part.show_plan()
        wanted = self._wanted()
        self._all.setVisible(any(place in wanted for place in self._groups.values()))
        places: list[_Place] = [*self._forms.values(), *self._groups.values()]
        for place in places:
            if place.made is not None:
                place.setVisible(place in wanted)
                if place in wanted:
                    place.made.show_plan()
        waiting = [place for place in wanted if place.made is None]
        if waiting:
            self._make(waiting[0])
        if len(waiting) > 1:
            self._maker.start()

    def _wanted(self) -> list[_Place]:
        """The panels of the plan, from top to bottom."""
        adapts = {way.adapt for _, way in self.state.cells()}
        by_gradient = any(recipes.is_by_gradient(adapt) for adapt in adapts)
        few = any(shots is not None for shots in shots_of(self.state.plan.shots) or ())
        found: list[_Place] = []
        found += [form for adapt, form in self._forms.items() if adapt in adapts]
        found += [
            fold
            for group, fold in self._groups.items()
            if (by_gradient or not group.by_gradient) and (few or not group.few_shot)
        ]
        return found

    def _make_next(self) -> None:
        waiting = [place for place in self._wanted() if place.made is None]
        if waiting:
            self._make(waiting[0])
        if len(waiting) < 2:
            self._maker.stop()

    def _make(self, place: _Place) -> None:
        place.part.show_plan()
        place.show()

    def _show_device(self) -> None:
        for device in self.state.devices:
            memory = f", {device.memory_gb:.0f} GiB" if device.memory_gb else ""
            text, at = f"{device.name} ({device.id}{memory})"[:_LONGEST_DEVICE], self._device.findData(device.id)
            if at < 0:
                self._device.addItem(text, device.id)
            elif self._device.itemText(at) != text:
                self._device.setItemText(at, text)
        _select(self._device, self.state.plan.device)


class _WayPanel(Panel):
    """The settings that one way lists as its own."""

    def __init__(self, title: str, adapt: str, state: PlanState, parent: QWidget) -> None:
        super().__init__(title, parent=parent)
        self._settings = Settings(adapt, recipes.fields_of(adapt), state, self)
        self.add(self._settings)

    def show_plan(self) -> None:
        """Values, defaults and mistakes."""
        self._settings.show_plan()


_Place = Deferred[_WayPanel] | Deferred[FoldedSettings]


def _folded(group: Group, state: PlanState, parent: QWidget) -> FoldedSettings:
    return FoldedSettings(group.title, [field_of(key) for key in group.keys], state, parent)


def _select(combo: QComboBox, value: str) -> None:
    if combo.findData(value) < 0:
        combo.addItem(value, value)
    combo.setCurrentIndex(combo.findData(value))
