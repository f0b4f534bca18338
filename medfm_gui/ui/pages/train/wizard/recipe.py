"""Step 5: the recipe; empty fields mean the preset's value, which stands in them greyed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from medfm_gui.desk.asks.train import DeviceList, ListDevices
from medfm_gui.domain.cards import ADAPTATIONS
from medfm_gui.domain.presets import PRESETS, preset_remarks
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.train import recipes
from medfm_gui.ui.pages.train.model import PlanState, seeds_of
from medfm_gui.ui.pages.train.rules import At
from medfm_gui.ui.pages.train.wizard.step import Step
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.forms import FormRow, choice
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label, tip

_COLUMNS = 3


class RecipeStep(Step):
    """Preset, seeds and device on top; a panel of fields for each chosen adaptation."""

    def __init__(self, context: Context, state: PlanState) -> None:
        super().__init__(
            context,
            state,
            At.RECIPE,
            "Recipe",
            "All that decides the numbers is kept with each run. Leave a field empty to use the value shown in it.",
        )
        self._asked_devices = False
        presets = [("Standard", ""), *((name.capitalize(), name) for name in PRESETS)]
        self._preset = choice(presets)
        self._preset.activated.connect(lambda: state.put(preset=self._preset.currentData()))
        self._seeds = QLineEdit()
        self._seeds.textEdited.connect(lambda text: state.put(seeds=text))
        self._device = choice((("Best available", "auto"), ("Processor (CPU)", "cpu")))
        self._device.activated.connect(lambda: state.put(device=self._device.currentData()))
        self._seeds_row = FormRow("Seeds", self._seeds, "Several seeds give several runs: 0, 1, 2 or 0-4.")
        top = Panel("Runs")
        self._top = _grid(
            FormRow("Preset", self._preset, "A named recipe; fields that stay empty have its values."),
            self._seeds_row,
            FormRow("Device", self._device, "Runs take turns on a device."),
        )
        top.add(self._top)
        self._remarks = Label("", "caption")
        self._remarks.hide()
        top.add(self._remarks)
        titles = {"": "Results", **{card.name: card.title for card in ADAPTATIONS}}
        self._forms = {name: Deferred(partial(_Fields, title, name, state)) for name, title in titles.items()}
        inside = QWidget()
        inside.setProperty("role", "page")
        scroll = QScrollArea()
        self.body.addWidget(scroll, 1)  # outermost first: each new parent costs a styling of all that lies in it
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, SPACE[1], 0)
        column.setSpacing(SPACE[2])
        column.addWidget(top)
        for card in ADAPTATIONS:
            column.addWidget(self._forms[card.name])
            self._forms[card.name].hide()
        column.addWidget(self._forms[""])
        column.addStretch(1)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @property
    def first(self) -> QWidget:
        """See ``Step``."""
        return self._seeds

    def entered(self) -> None:
        """Ask once which devices there are."""
        if not self._asked_devices:
            self._asked_devices = True
            self.context.desk.ask(ListDevices(), owner=self, then=self._show_devices, failed=lambda _: None)
        self.show_plan()

    def show_plan(self) -> None:
        """Fill fields that nobody is typing in, show what is wrong."""
        plan = self.state.plan
        _select(self._preset, plan.preset)
        self._remarks.setText("\n".join(preset_remarks(plan.preset)))
        self._remarks.setVisible(bool(plan.preset))
        if self._device.findData(plan.device) < 0:
            self._device.addItem(plan.device, plan.device)
        _select(self._device, plan.device)
        if not self._seeds.hasFocus():
            self._seeds.setText(plan.seeds)
        self._seeds_row.set_error("" if seeds_of(plan.seeds) else "Whole numbers, such as 0, 1, 2 or 0-4.")
        adapts = {way.adapt for _, way in self.state.cells()}
        for adapt, form in self._forms.items():
            is_wanted = not adapt or adapt in adapts
            form.setVisible(is_wanted)
            if is_wanted:
                form.part.show_plan()

    def _show_devices(self, answer: DeviceList) -> None:
        self.state.offer_devices(answer.devices)
        for device in answer.devices:
            memory = f", {device.memory_gb:.0f} GiB" if device.memory_gb else ""
            text, at = f"{device.name} ({device.id}{memory})", self._device.findData(device.id)
            if at >= 0:
                self._device.setItemText(at, text[:120])
            else:
                self._device.addItem(text[:120], device.id)
        _select(self._device, self.state.plan.device)


class _Fields(Panel):
    """The settings of one adaptation."""

    def __init__(self, title: str, adapt: str, state: PlanState, parent: QWidget) -> None:
        super().__init__(title, parent=parent)
        self._adapt = adapt
        self._state = state
        self._rows: dict[str, FormRow] = {}
        for field in recipes.fields_of(adapt):
            widget = self._field(field)
            label = f"{field.title} ({field.unit})" if field.unit else field.title
            self._rows[field.key] = FormRow(label, widget, field.hint)
        self.add(_grid(*self._rows.values()))

    def show_plan(self) -> None:
        """Values, defaults and mistakes."""
        mine = self._state.plan.settings.get(self._adapt, {})
        cards = [model.card for model in self._state.chosen_models]
        for key, row in self._rows.items():
            text, field = mine.get(key, ""), row.field
            usual = recipes.usual(self._adapt, self._state.plan.preset, key)
            if isinstance(field, QComboBox):
                _select(field, text or usual)
            elif isinstance(field, QLineEdit):
                field.setPlaceholderText(usual or "the model’s own")
                if not field.hasFocus() and field.text().strip() != text:
                    field.setText(text)
            row.set_error(recipes.mistake(self._adapt, key, text, cards))

    def _field(self, field: recipes.Field) -> QWidget:
        def keep(text: str) -> None:
            usual = recipes.usual(self._adapt, self._state.plan.preset, field.key)
            self._state.set_setting(self._adapt, field.key, "" if text.strip() == usual else text)

        if field.options:
            return _chooser(field, keep)
        line = QLineEdit()
        line.setMaxLength(40)
        line.textEdited.connect(keep)
        if field.range:
            tip(line, f"{field.range} {field.unit}".strip())
        return line


def _chooser(field: recipes.Field, keep: Callable[[str], None]) -> QComboBox:
    combo = choice(field.options)
    combo.activated.connect(lambda: keep(str(combo.currentData())))
    return combo


def _select(combo: QComboBox, value: str) -> None:
    at = combo.findData(value)
    if at < 0 and value:
        combo.addItem(value, value)
        at = combo.count() - 1
    combo.setCurrentIndex(at)


def _grid(*rows: FormRow) -> QWidget:
    widget = QWidget()
    grid = QGridLayout(widget)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(SPACE[3])
    grid.setVerticalSpacing(SPACE[3])
    for number, row in enumerate(rows):
        grid.addWidget(row, number // _COLUMNS, number % _COLUMNS, Qt.AlignmentFlag.AlignTop)
    for column in range(_COLUMNS):
        grid.setColumnStretch(column, 1)
    return widget
