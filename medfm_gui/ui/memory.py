"""What the window remembers between starts: layout, last pages, presets, column widths, recent workspaces.

Plain JSON values by name, in one file beside the settings. Nothing of a patient or of a study goes in.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer

from medfm_gui.base.atomic import atomic_write
from medfm_gui.base.settings import settings_file

_SAVE_AFTER_MS = 1500


def memory_file() -> Path:
    """Where it is kept."""
    return settings_file().with_name("window.json")


def remembered(path: Path) -> dict[str, Any]:
    """The values of an earlier session; nothing where the file is missing or damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


class Memory(QObject):
    """Values by name. A change is kept a moment later, by ``later`` (another thread's work).

    Args:
        values: what was remembered.
        keep: called with a function that writes; None keeps nothing (sample windows, tests).
    """

    def __init__(
        self, values: dict[str, Any], keep: Callable[[Callable[[], None]], None] | None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._values = values
        self._keep = keep
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SAVE_AFTER_MS)
        self._timer.timeout.connect(self.save)

    def get(self, name: str, default: Any = None) -> Any:
        """The value of that name. Check its type: the file may have been edited by hand."""
        return self._values.get(name, default)

    def put(self, name: str, value: Any) -> None:
        """Remember a JSON value."""
        if self._values.get(name) != value:
            self._values[name] = value
            if self._keep is not None:
                self._timer.start()

    def save(self) -> None:
        """Write now what changed."""
        self._timer.stop()
        if self._keep is None:
            return
        text = json.dumps(self._values, indent=1)
        path = memory_file()

        def write() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, text)

        self._keep(write)
