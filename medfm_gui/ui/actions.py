"""What can be done, as data: title, keys, where it counts. Menus, palette, shortcuts and their editor come from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from medfm_gui.ui.memory import Memory

_MEMORY = "shortcuts"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person can do. ``keys`` is a portable key sequence or empty; ``id`` is ``page.verb``.

    An action of a page counts while that page is shown; one of the window always.
    """

    id: str
    title: str
    call: Callable[[], None]
    keys: str = ""
    group: str = "Window"
    is_enabled: Callable[[], bool] = lambda: True


@dataclass(slots=True)
class _Bound:
    action: Action
    widget: QWidget
    shortcut: QShortcut
    is_global: bool


class Actions(QObject):
    """All actions of a window.

    Signals:
        changed(): an action came, or keys changed.
    """

    changed = Signal()

    def __init__(self, memory: Memory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._memory = memory
        self._bound: dict[str, _Bound] = {}

    def add(self, widget: QWidget, *actions: Action, is_global: bool = False) -> None:
        """Bind actions: their keys count while the widget or a child has the focus, global ones in the whole window."""
        for action in actions:
            shortcut = QShortcut(widget)
            shortcut.setContext(
                Qt.ShortcutContext.WindowShortcut if is_global else Qt.ShortcutContext.WidgetWithChildrenShortcut
            )
            shortcut.activated.connect(lambda action=action: self.run(action.id))
            self._bound[action.id] = _Bound(action, widget, shortcut, is_global)
            shortcut.setKey(QKeySequence(self.keys(action.id)))
        self.changed.emit()

    def all(self) -> tuple[Action, ...]:
        """Every action, in the order in which they came."""
        self._forget_gone()
        return tuple(bound.action for bound in self._bound.values())

    def usable(self) -> tuple[Action, ...]:
        """Those that count now: of the window, and of what is visible."""
        self._forget_gone()
        return tuple(
            bound.action
            for bound in self._bound.values()
            if (bound.is_global or bound.widget.isVisible()) and bound.action.is_enabled()
        )

    def run(self, action_id: str) -> None:
        """Do it, if it is possible now."""
        bound = self._bound.get(action_id)
        if bound is not None and bound.action.is_enabled():
            bound.action.call()

    def keys(self, action_id: str) -> str:
        """Its keys now: the person's own, else the default."""
        own = self._own()
        default = self._bound[action_id].action.keys if action_id in self._bound else ""
        return own.get(action_id, default)

    def set_keys(self, action_id: str, keys: str) -> str:
        """Give an action other keys; returns the id of an action that has them already, and changes nothing then."""
        if keys:
            for other, bound in self._bound.items():
                same_place = (
                    bound.is_global
                    or self._bound[action_id].is_global
                    or (bound.action.group == self._bound[action_id].action.group)
                )
                if other != action_id and same_place and QKeySequence(self.keys(other)) == QKeySequence(keys):
                    return other
        self._memory.put(_MEMORY, {**self._own(), action_id: keys})
        self._bound[action_id].shortcut.setKey(QKeySequence(keys))
        self.changed.emit()
        return ""

    def reset_keys(self) -> None:
        """Every action's default keys again."""
        self._memory.put(_MEMORY, {})
        for bound in self._bound.values():
            bound.shortcut.setKey(QKeySequence(bound.action.keys))
        self.changed.emit()

    def _own(self) -> dict[str, str]:
        own = self._memory.get(_MEMORY, {})
        return {str(key): str(value) for key, value in own.items()} if isinstance(own, dict) else {}

    def _forget_gone(self) -> None:
        self._bound = {key: bound for key, bound in self._bound.items() if shiboken6.isValid(bound.widget)}
