"""Forms: labelled rows with a hint and an error line, numbers with their units, and paths that are only asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from medfm_gui.ui import icons
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.text import Label, escape_mnemonic, one_line, set_role, tip

_FIELD_PX = SPACE[-1] * 6
_LONGEST_CHOICE = 200
_MARGIN_PX = SPACE[0] + 2
_LABEL_MARGIN_PX = 2
"""The text of a combo box is drawn one pixel inside its place at each side."""


class FormRow(QWidget):
    """A label above its field, a hint below, and an error line that appears when something is wrong."""

    def __init__(self, label: str, field: QWidget, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._name = Label(label)
        self._name.setBuddy(field)
        if not field.accessibleName():
            field.setAccessibleName(label)
        if hint and not field.accessibleDescription():
            field.setAccessibleDescription(hint)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE[0])
        for widget in (self._name, field):
            self._column.addWidget(widget)
        self._hint: Label | None = None  # most rows need neither, so each is made when it has something to say
        self._error: Label | None = None
        self.set_hint(hint)

    @property
    def error(self) -> str:
        """What is wrong with the field; empty if nothing is."""
        return self._error.text() if self._error is not None else ""

    def set_error(self, text: str) -> None:
        """Say what is wrong, below the field; an empty text takes it back."""
        if text and self._error is None:
            self._error = Label("", "bad")
            self._column.insertWidget(2, self._error)
        if self._error is not None:
            self._error.setText(text)
            self._error.setVisible(bool(text))
        set_role(self.field, "bad" if text else "")
        if text:
            self.field.setAccessibleDescription(one_line(text, 400))
        else:
            self.field.setAccessibleDescription(self._hint.text() if self._hint is not None else "")

    def set_hint(self, text: str) -> None:
        """Show another hint."""
        if text and self._hint is None:
            self._hint = Label("", "caption")
            self._column.addWidget(self._hint)
        if self._hint is not None:
            self._hint.setText(text)
            self._hint.setVisible(bool(text))


class Form(QWidget):
    """Rows below one another."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE[3])

    def add(self, label: str, field: QWidget, hint: str = "") -> FormRow:
        """Add a field with its label."""
        row = FormRow(label, field, hint)
        self._column.addWidget(row)
        return row

    def add_widget(self, widget: QWidget) -> None:
        """Add something that has its own label, e.g. a switch."""
        self._column.addWidget(widget)


class PathPicker(QWidget):
    """A path in a field, with a button that asks for it; it never looks at the file.

    Signals:
        changed(str): the path is another one.
    """

    changed = Signal(str)

    def __init__(
        self,
        kind: Literal["folder", "file", "save"] = "folder",
        title: str = "Choose a folder",
        filters: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._kind, self._title, self._filters = kind, title, filters
        self._field = QLineEdit()
        self._field.setAccessibleName(title)
        self._field.setPlaceholderText("No folder chosen" if kind == "folder" else "No file chosen")
        self._field.textChanged.connect(self.changed)
        self._button = QPushButton("Choose …")
        icons.put(self._button, "folder" if kind == "folder" else "file")
        self._button.setAccessibleName(title)
        self._button.clicked.connect(self._ask)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[1])
        row.addWidget(self._field, 1)
        row.addWidget(self._button)
        self.setFocusProxy(self._field)

    def setAccessibleName(self, name: str) -> None:
        """Name the field as well."""
        super().setAccessibleName(name)
        self._field.setAccessibleName(name)

    def path(self) -> str:
        """The path as it was typed or chosen, without spaces around it."""
        return self._field.text().strip()

    def set_path(self, path: str) -> None:
        """Show a path."""
        self._field.setText(path)

    def _ask(self) -> None:
        start = self.path()
        if self._kind == "folder":
            found = QFileDialog.getExistingDirectory(self, self._title, start)
        elif self._kind == "file":
            found, _ = QFileDialog.getOpenFileName(self, self._title, start, self._filters)
        else:
            found, _ = QFileDialog.getSaveFileName(self, self._title, start, self._filters)
        if found:
            self._field.setText(found)


def whole_number(value: int, low: int, high: int, unit: str = "", step: int = 1) -> QSpinBox:
    """A field for a whole number in low…high with its unit; the wheel changes it only when it has the focus."""
    field = _QuietSpin()
    _quiet(field)
    field.setRange(low, high)
    field.setSingleStep(step)
    field.setValue(value)
    field.setGroupSeparatorShown(True)
    field.setSuffix(f" {unit}" if unit else "")
    field.setMaximumWidth(_FIELD_PX)
    return field


def real_number(
    value: float, low: float, high: float, unit: str = "", decimals: int = 2, step: float = 0.1
) -> QDoubleSpinBox:
    """A field for a number in low…high with its unit and that many decimals."""
    field = _QuietDoubleSpin()
    _quiet(field)
    field.setDecimals(decimals)
    field.setRange(low, high)
    field.setSingleStep(step)
    field.setValue(value)
    field.setSuffix(f" {unit}" if unit else "")
    field.setMaximumWidth(_FIELD_PX)
    return field


def choice(options: Sequence[tuple[str, object]], current: object = None) -> QComboBox:
    """A field for one of several: texts and the values they stand for (``currentData()``)."""
    field = _QuietCombo()
    _quiet(field)
    for text, value in options:
        field.addItem(one_line(text, _LONGEST_CHOICE), value)
    at = next((k for k, (_, value) in enumerate(options) if value == current), 0)
    field.setCurrentIndex(at if options else -1)
    field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    field.setMinimumContentsLength(8)
    return field


def action(text: str, icon: str = "", role: str = "", reason: str = "") -> QPushButton:
    """A button; ``reason`` disables it and says why in its tooltip."""
    button = QPushButton(escape_mnemonic(text))
    if icon:
        icons.put(button, icon, {"primary": "on_accent", "danger": "bad"}.get(role, "text"))
    if role:
        button.setProperty("role", role)
    disable(button, reason)
    return button


def disable(widget: QWidget, reason: str) -> None:
    """Disable a control and say why in its tooltip; an empty reason enables it."""
    widget.setEnabled(not reason)
    tip(widget, reason)


def _quiet(field: QAbstractSpinBox | QComboBox) -> None:
    """Scrolling a page over a field neither changes it nor gives it the focus."""
    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    if isinstance(field, QAbstractSpinBox):
        field.lineEdit().setTextMargins(_MARGIN_PX, 0, 0, 0)  # a stylesheet does not reach it


def _is_meant(field: QWidget, event: QWheelEvent) -> bool:
    """Whether the wheel turns for this field; else the page scrolls."""
    event.setAccepted(field.hasFocus())
    return field.hasFocus()


class _QuietSpin(QSpinBox):
    def wheelEvent(self, event: QWheelEvent) -> None:
        if _is_meant(self, event):
            super().wheelEvent(event)


class _QuietDoubleSpin(QDoubleSpinBox):
    def wheelEvent(self, event: QWheelEvent) -> None:
        if _is_meant(self, event):
            super().wheelEvent(event)


class _QuietCombo(QComboBox):
    """A text that is too long for the field ends in “…” rather than in the middle of a letter."""

    def sizeHint(self) -> QSize:
        """Two pixels more than Qt asks for: the label is drawn that much narrower than its place."""
        return super().sizeHint() + QSize(_LABEL_MARGIN_PX, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if _is_meant(self, event):
            super().wheelEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self).width()
        option.currentText = self.elided(room - _LABEL_MARGIN_PX)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def elided(self, room: int) -> str:
        """The current text in so many pixels."""
        return self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)


def fields_in_a_row(*fields: tuple[Label, QWidget]) -> QHBoxLayout:
    """Names with their fields beside them from the left, as they stand above a chart or a table."""
    row = QHBoxLayout()
    row.setSpacing(SPACE[1])
    for name, field in fields:
        name.setBuddy(field)
        row.addWidget(name)
        row.addWidget(field)
        row.addSpacing(SPACE[3])
    row.addStretch(1)
    return row
