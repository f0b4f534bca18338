"""Panels of settings: those of one way, and those that are chosen once for all ways, folded until somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QToolButton, QWidget

from medfm_gui.ui import icons
from medfm_gui.ui.pages.train import recipes
from medfm_gui.ui.pages.train.fields import Field, field_of
from medfm_gui.ui.pages.train.model import PlanState, knows_unit
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.deferred import Deferred
from medfm_gui.ui.widgets.forms import FormRow, choice
from medfm_gui.ui.widgets.panel import Panel
from medfm_gui.ui.widgets.text import Label, tip

_COLUMNS: Final = 3
OR: Final = " or "
"""Between usual values of several ways."""
_LONGEST: Final = 60
_MOST_NAMED: Final = 4


class Settings(QWidget):
    """Fields of settings, kept under the adaptation ``adapt``, or for all ways where that is empty."""

    def __init__(self, adapt: str, fields: Sequence[Field], state: PlanState, parent: QWidget) -> None:
        super().__init__(parent)
        self._adapt = adapt
        self._state = state
        self._rows: dict[str, FormRow] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[3])
        grid.setVerticalSpacing(SPACE[3])
        for number, field in enumerate(fields):
            label = f"{field.title} ({field.unit})" if field.unit else field.title
            row = self._rows[field.key] = FormRow(label, self._field(field), field.hint, self)
            grid.addWidget(row, number // _COLUMNS, number % _COLUMNS, Qt.AlignmentFlag.AlignTop)
        for column in range(_COLUMNS):
            grid.setColumnStretch(column, 1)

    def show_plan(self) -> None:
        """Values, defaults and mistakes."""
        mine = self._state.plan.settings.get(self._adapt, {})
        cards = [model.card for model in self._state.chosen_models]
        for key, row in self._rows.items():
            text, field, usual = mine.get(key, ""), row.field, self._usual(key)
            if isinstance(field, QComboBox):
                if key == "unit":
                    _offer(field, [option for option in field_of(key).options if knows_unit(self._state, option[1])])
                _select(field, text or usual)
            elif isinstance(field, QLineEdit):
                field.setPlaceholderText(usual or "the model’s own")
                if not field.hasFocus() and field.text().strip() != text:
                    field.setText(text)
            row.set_error(recipes.mistake(key, text))
            if key == "input_size":
                row.set_hint(recipes.remark(key, text, cards) or field_of(key).hint)

    def _usual(self, key: str) -> str:
        return usual_of(self._state, self._adapt, key)

    def _field(self, field: Field) -> QWidget:
        def keep(text: str) -> None:
            usual = self._usual(field.key)
            self._state.set_setting(self._adapt, field.key, "" if text.strip() == usual else text)

        if field.options:
            return _chooser(field, keep)
        line = QLineEdit()
        line.setMaxLength(_LONGEST)
        line.textEdited.connect(keep)
        if field.range:
            tip(line, f"{field.range} {field.unit}".strip())
        return line


class FoldedSettings(Panel):
    """Settings below a heading that opens and closes them and says meanwhile what was changed."""

    def __init__(self, title: str, fields: Sequence[Field], state: PlanState, parent: QWidget) -> None:
        super().__init__(parent=parent)
        self.setAccessibleName(title)
        self.body.setContentsMargins(SPACE[2], SPACE[1], SPACE[3], SPACE[1])
        self._fields = tuple(fields)
        self._state = state
        self._is_open = False
        self._head = QToolButton(self)
        self._head.setText(title)
        self._head.setProperty("role", "quiet")
        self._head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._head.setIconSize(QSize(SPACE[3], SPACE[3]))
        self._head.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._head.clicked.connect(lambda: self.open(not self._is_open))
        self._said = Label("", "caption", self, elide=Qt.TextElideMode.ElideRight)
        self._inside: Deferred[Settings] = Deferred(lambda place: Settings("", self._fields, state, place))
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE[2])
        grid.setColumnStretch(1, 1)
        grid.addWidget(self._head, 0, 0)
        grid.addWidget(self._said, 0, 1)
        self.body.addLayout(grid)
        self.body.addWidget(self._inside)
        self._inside.hide()
        self._mark()

    def open(self, is_open: bool) -> None:
        """Open or close it."""
        self._is_open = is_open
        if is_open:
            self._inside.part.show_plan()
        self._inside.setVisible(is_open)
        self.body.setContentsMargins(SPACE[2], SPACE[1], SPACE[3], SPACE[3] if is_open else SPACE[1])
        self._mark()
        self.show_plan()

    def show_plan(self) -> None:
        """Values where it is open, else what was changed, or what there is; one with a mistake opens by itself."""
        mine = self._state.plan.settings.get("", {})
        if not self._is_open and any(recipes.mistake(one.key, mine.get(one.key, "")) for one in self._fields):
            self.open(True)
        if self._is_open:
            self._inside.part.show_plan()
        changed = [f"{one.title}: {_option(one, mine[one.key])}" for one in self._fields if one.key in mine]
        shown = [f"{one.title}: {_option(one, usual_of(self._state, '', one.key))}" for one in self._fields]
        self._said.set_role("accent" if changed else "caption")
        self._said.setText("" if self._is_open else " · ".join(changed or shown[:_MOST_NAMED]))

    def _mark(self) -> None:
        self._head.setIcon(icons.icon("chevron-down" if self._is_open else "chevron-right", "muted"))
        self._head.setAccessibleDescription("Open" if self._is_open else "Folded")


def usual_of(state: PlanState, adapt: str, key: str) -> str:
    """What a setting is where nothing is typed; what differs between the ways is named after one another."""
    adapts = [adapt] if adapt else list(dict.fromkeys(way.adapt for _, way in state.cells()))
    plugins = recipes.plugins_apart(state.plan.preset, [model.card for model in state.chosen_models])
    where = state.where
    found = [recipes.usuals(adapts, state.plan.preset, key, *where, plugin) for plugin in plugins]
    return OR.join(dict.fromkeys(value for values in found for value in values))


def _option(field: Field, value: str) -> str:
    return next((text for text, known in field.options if known == value), value)


def _chooser(field: Field, keep: Callable[[str], None]) -> QComboBox:
    combo = choice(field.options)
    combo.activated.connect(lambda: keep(str(combo.currentData())))
    return combo


def _offer(combo: QComboBox, options: Sequence[tuple[str, str]]) -> None:
    """These options and no others."""
    if [combo.itemData(at) for at in range(combo.count())] == [value for _, value in options]:
        return
    combo.clear()
    for words, value in options:
        combo.addItem(words, value)


def _select(combo: QComboBox, value: str) -> None:
    at = combo.findData(value)
    combo.setPlaceholderText("differs" if OR in value else "")
    if at < 0 and value and OR not in value:
        combo.addItem(value, value)
        at = combo.count() - 1
    combo.setCurrentIndex(at)
