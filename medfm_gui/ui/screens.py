"""``python -m medfm_gui.ui.screens WORKSPACE FOLDER``: pictures of every page of the real window on a workspace.

The window runs offscreen with its desk; each page is shown, waited for until it has asked and heard everything, and
grabbed, in both themes. One line of JSON names the files. The demonstration and the README's pictures come from here.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer

from medfm_gui.ui.life import live
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.pages import PAGES

_STEP_MS = 50
_QUIET_S = 0.5
_LONGEST_S = 90.0


def main(arguments: Sequence[str]) -> int:
    """Make the pictures; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m medfm_gui.ui.screens")
    parser.add_argument("workspace", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="1280x800", help="width and height in pixels")
    parser.add_argument("--wishes", default="{}", help="JSON: page → what to show there")
    said = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    said.folder.mkdir(parents=True, exist_ok=True)
    width, _, height = said.size.partition("x")
    made: list[str] = []

    def begin(window: MainWindow) -> None:
        window.resize(int(width), int(height))
        tour = Tour(window, said.folder, json.loads(said.wishes), made.append)
        window.workspace_opened.connect(tour.begin)

    status = live(said.workspace, on_window=begin, is_remembered=False)
    sys.stdout.write(json.dumps(made) + "\n")
    return status if len(made) == 2 * len(PAGES) else 1


class Tour(QObject):
    """Goes through pages and themes, one step whenever the window has come to rest; closes it at the end."""

    def __init__(
        self, window: MainWindow, folder: Path, wishes: Mapping[str, Mapping[str, Any]], tell: Callable[[str], None]
    ) -> None:
        super().__init__(window)
        self._window = window
        self._folder = folder
        self._wishes = wishes
        self._tell = tell
        self._steps = self._all_steps()
        self._quiet_since = 0.0
        self._begun = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(_STEP_MS)
        self._timer.timeout.connect(self._look)
        self._appearance = window.memory.get("appearance", "system")

    def begin(self) -> None:
        """Start once the workspace is open."""
        self._go_on()

    def _all_steps(self) -> Iterator[None]:
        for theme in ("dark", "light"):
            self._window.set_appearance(theme)
            for page in PAGES:
                # what is to be shown is asked for once: the second theme shows the same
                self._window.go(page.key, **(self._wishes.get(page.key, {}) if theme == "dark" else {}))
                yield
                path = self._folder / f"{page.key}-{theme}.png"
                if self._window.grab().save(str(path)):
                    self._tell(str(path.absolute()))
        self._window.set_appearance(self._appearance)

    def _go_on(self) -> None:
        if next(self._steps, self) is self:
            self._timer.stop()
            self._window.close()
            return
        self._begun = self._quiet_since = time.monotonic()
        self._timer.start()

    def _look(self) -> None:
        now = time.monotonic()
        session = self._window.session
        if session is not None and session.desk.open_questions:
            self._quiet_since = now
        if now - self._quiet_since > _QUIET_S or now - self._begun > _LONGEST_S:
            self._timer.stop()
            self._go_on()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
