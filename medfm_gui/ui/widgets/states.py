"""A place on a page that is empty, busy, in error, or shows its content; errors are read where they happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui import icons
from medfm_gui.ui.theme import SPACE
from medfm_gui.ui.widgets.progress import ProgressRow
from medfm_gui.ui.widgets.sign import Sign
from medfm_gui.ui.widgets.skeleton import Skeleton
from medfm_gui.ui.widgets.text import Label, escape_mnemonic

State = Literal["content", "empty", "busy", "error"]
P = TypeVar("P", bound=QWidget)

_COLUMN_PX = SPACE[-1] * 15
_PICTURE_PX = SPACE[-1]


class StatePane(QWidget):
    """Shows its content, or in its place what is missing, what is going on, or what went wrong."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._content = content
        self._panes: dict[type[QWidget], QWidget] = {}
        self._shown: QWidget = content
        # a stack shows its first widget at once, which styles all of it, and again at each new parent: so nothing is
        # first, and what is to be seen is shown with the pane
        for pane in (QWidget(), content):
            self._stack.addWidget(pane)

    @property
    def state(self) -> State:
        """What is shown now."""
        return _STATES.get(type(self._shown), "content")

    def showEvent(self, event: QShowEvent) -> None:
        """Show what was said last."""
        self._stack.setCurrentWidget(self._shown)
        super().showEvent(event)

    def _pane(self, kind: type[P]) -> P:
        """What is shown in the place of the content; most places never need it, so it is made when they do."""
        found = self._panes.get(kind)
        if not isinstance(found, kind):
            found = self._panes[kind] = kind()
            self._stack.addWidget(found)
        return found

    def _show(self, pane: QWidget) -> None:
        self._shown = pane
        if self.isVisible():
            self._stack.setCurrentWidget(pane)

    def show_content(self) -> None:
        """Show the content."""
        self._show(self._content)

    def show_empty(
        self, title: str, text: str, button_text: str = "", on_click: Callable[[], object] | None = None, icon: str = ""
    ) -> None:
        """Say what this place is for, with one button that fills it."""
        pane = self._pane(_Empty)
        pane.tell(title, text, button_text, on_click, icon)
        self._show(pane)

    def show_busy(
        self,
        text: str,
        total: int = 0,
        done: int = 0,
        seconds_left: float | None = None,
        on_cancel: Callable[[], object] | None = None,
    ) -> None:
        """Say what is going on; without ``total`` the length is unknown. May be called for each step."""
        pane = self._pane(_Busy)
        pane.tell(text, total, done, seconds_left, on_cancel)
        self._show(pane)

    def show_error(
        self, error: MedfmError, button_text: str = "", on_click: Callable[[], object] | None = None
    ) -> None:
        """Say what happened, why, what to do; details are folded away and can be copied."""
        pane = self._pane(_Error)
        pane.tell(error, button_text, on_click)
        self._show(pane)


class _Column(QWidget):
    """A column in the middle of the pane, with words and one button."""

    def __init__(self) -> None:
        super().__init__()
        middle = QWidget()
        middle.setMaximumWidth(_COLUMN_PX)
        self.column = QVBoxLayout(middle)
        self.column.setSpacing(SPACE[1])
        self.column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[4])
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(middle, 6)
        across.addStretch(1)
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.addStretch(2)
        down.addLayout(across)
        down.addStretch(3)
        self._act: Callable[[], object] | None = None

    def sign(self, icon: str, role: str) -> Sign:
        sign = Sign(icon, role, _PICTURE_PX)
        self.column.addWidget(sign, 0, Qt.AlignmentFlag.AlignHCenter)
        return sign

    def words(self, role: str) -> Label:
        label = Label("", role)
        label.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.column.addWidget(label)
        return label

    def button(self, role: str) -> QPushButton:
        button = QPushButton("Continue")  # hidden until something is offered
        button.setProperty("role", role)
        button.clicked.connect(self._click)
        self.column.addSpacing(SPACE[1])
        self.column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        return button

    def offer(self, button: QPushButton, text: str, act: Callable[[], object] | None) -> None:
        self._act = act
        if text:
            button.setText(escape_mnemonic(text))
        button.setVisible(bool(text) and act is not None)

    def _click(self) -> None:
        if self._act is not None:
            self._act()


class _Empty(_Column):
    def __init__(self) -> None:
        super().__init__()
        self._picture = self.sign("", "muted")
        self._title = self.words("heading3")
        self._text = self.words("muted")
        self._button = self.button("primary")

    def tell(self, title: str, text: str, button_text: str, act: Callable[[], object] | None, icon: str) -> None:
        self._picture.set_icon(icon, "muted")
        self._title.setText(title)
        self._text.setText(text)
        self.offer(self._button, button_text, act)


class _Busy(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._row = ProgressRow()
        self._skeleton = Skeleton()
        down = QVBoxLayout(self)
        down.setContentsMargins(SPACE[3], SPACE[3], SPACE[3], SPACE[3])
        down.setSpacing(SPACE[3])
        down.addWidget(self._row)
        down.addWidget(self._skeleton, 1)

    def tell(
        self, text: str, total: int, done: int, seconds_left: float | None, act: Callable[[], object] | None
    ) -> None:
        self._row.tell(text, total, done, seconds_left)
        self._row.on_cancel(act)


class _Error(_Column):
    def __init__(self) -> None:
        super().__init__()
        self._error = MedfmError("")
        self.sign("error", "bad")
        self._message = self.words("heading3")
        self._hint = self.words("muted")
        self._button = self.button("primary")
        self._fold = QPushButton("Details")
        self._fold.setProperty("role", "quiet")
        self._fold.setCheckable(True)
        icons.put(self._fold, "chevron-right", "muted")
        self._fold.toggled.connect(self._unfold)
        self._copy = QPushButton("Copy details")
        self._copy.setProperty("role", "quiet")
        icons.put(self._copy, "copy", "muted")
        self._copy.clicked.connect(self._to_clipboard)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._fold)
        row.addWidget(self._copy)
        row.addStretch(1)
        self.column.addLayout(row)
        self._details = self.words("caption")
        self._details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._unfold(False)

    def tell(self, error: MedfmError, button_text: str, act: Callable[[], object] | None) -> None:
        self._error = error
        self._message.setText(error.message)
        self._hint.setText(error.hint)
        self._hint.setVisible(bool(error.hint))
        self._details.setText(details(error))
        self._fold.setChecked(False)
        self.offer(self._button, button_text, act)

    def _unfold(self, open_: bool) -> None:
        icons.put(self._fold, "chevron-down" if open_ else "chevron-right", "muted")
        self._details.setVisible(open_)
        self._copy.setVisible(open_)

    def _to_clipboard(self) -> None:
        QGuiApplication.clipboard().setText(details(self._error))


_STATES: Final[dict[type[QWidget], State]] = {_Empty: "empty", _Busy: "busy", _Error: "error"}


def details(error: MedfmError) -> str:
    """What support needs to know of an error: its kind, its sentences and what caused it."""
    lines = [f"{error.kind}: {error.message}", error.hint]
    cause = error.__cause__
    if cause is not None:
        lines.append(f"Cause: {type(cause).__name__}: {cause}")
    return "\n".join(line for line in lines if line)
