"""The program on a real display: its keys arrive through the X server, as on a desktop, and it ends in good order."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.base import children
from medfm_gui.ui import crash
from medfm_gui.ui.memory import memory_file, remembered
from medfm_gui.ui.pages import PAGES

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs an X server"),
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs the programs Xvfb and xdotool"
    ),
]
_PATIENCE_S = 30.0
_MOMENT_S = 5.0
_TRIES = 4
_SIZE_PX = (1280, 800)
_RAIL_PX = 150
"""So wide a strip at the left shows which page is marked, and nothing of the page itself."""


def _until(true: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + _PATIENCE_S
    while not (found := true()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


def _comes(true: Callable[[], bool]) -> bool:
    """Whether it is so within a few seconds."""
    deadline = time.monotonic() + _MOMENT_S
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@dataclass(frozen=True, slots=True)
class Screen:
    """A display of its own: what is on it, and keys that arrive as those of a person."""

    name: str
    frame: Path

    def say(self, *words: str) -> str:
        """Have xdotool do it; returns what it answers."""
        done = subprocess.run(
            [shutil.which("xdotool") or "", *words],
            env={**os.environ, "DISPLAY": self.name},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        return done.stdout.strip()

    def windows(self, title: str) -> list[str]:
        """The visible windows of that title."""
        return self.say("search", "--onlyvisible", "--name", title).split()

    def press(self, window: str, keys: str) -> None:
        """Press keys in a window; without a window manager nobody else gives it the focus."""
        self.say("windowfocus", "--sync", window, "key", keys)

    def rail(self) -> bytes:
        """The pixels of the rail, read from the server's own frame (an XWD file)."""
        raw = self.frame.read_bytes()
        head = struct.unpack(">25I", raw[:100])
        begin, wide = head[0] + 12 * head[19], head[12]
        return b"".join(raw[begin + wide * row : begin + wide * row + 4 * _RAIL_PX] for row in range(_SIZE_PX[1] - 40))


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """A screen of its own; the server chooses a number that is free."""
    (tmp_path / "screen").mkdir()
    near, far = os.pipe()
    size = "x".join(map(str, (*_SIZE_PX, 24)))
    command = ["Xvfb", "-displayfd", str(far), "-screen", "0", size, "-fbdir", str(tmp_path / "screen")]
    with subprocess.Popen([*command, "-nolisten", "tcp"], pass_fds=(far,), stderr=subprocess.DEVNULL) as server:
        os.close(far)
        with os.fdopen(near) as said:
            number = said.readline().strip()
        assert number, "the X server did not start"
        yield Screen(f":{number}", tmp_path / "screen" / "Xvfb_screen0")
        server.terminate()


def test_a_real_window_obeys_its_keys_and_leaves_nothing(screen: Screen, tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    environment = {**os.environ, "DISPLAY": screen.name, "QT_QPA_PLATFORM": "xcb"}
    command = children.python("medfm_gui.ui", "--workspace", str(root), "--page", "home")
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        try:
            _use(screen)
            said, complained = program.communicate(timeout=_PATIENCE_S)
        finally:
            program.kill()
    assert (program.returncode, said, complained) == (0, b"", b"")
    log = crash.logs_folder() / "window.log"
    assert not log.exists() or log.read_text(encoding="utf-8") == ""
    assert not list(crash.logs_folder().glob("session-*"))
    assert remembered(memory_file())["page"] == "studies"
    assert not list((root / "locks").glob("window.lock"))


def _use(screen: Screen) -> None:
    """Every page, the palette left by Escape, the palette used, and out."""
    window = _until(lambda: screen.windows("^MedFM Studio$"), "the window")[0]
    rails = {entry.key: b"" for entry in PAGES}
    rails["home"] = screen.rail()

    def is_marked_anew() -> bool:
        return screen.rail() not in rails.values()

    for number, entry in enumerate(PAGES[1:], 2):

        def shown(keys: str = f"ctrl+{number}") -> bool:
            screen.press(window, keys)  # until the workspace is open there is no page to go to
            time.sleep(0.1)
            return is_marked_anew()

        _until(shown, entry.title)
        rails[entry.key] = screen.rail()
    screen.press(window, "ctrl+shift+p")
    palette = _until(lambda: screen.windows("^Commands$"), "the palette")[0]
    screen.press(palette, "Escape")
    _until(lambda: not screen.windows("^Commands$"), "the palette to leave")
    assert screen.rail() == rails["settings"]
    for _ in range(_TRIES):  # on a busy computer a palette may come up after the first letters were typed
        screen.press(window, "ctrl+shift+p")
        palette = _until(lambda: screen.windows("^Commands$"), "the palette")[0]
        screen.say("windowfocus", "--sync", palette, "type", "--delay", "40", "go to studies")
        screen.press(palette, "Return")
        if _comes(lambda: screen.rail() == rails["studies"]):
            break
        if screen.windows("^Commands$"):
            screen.press(palette, "Escape")
            _until(lambda: not screen.windows("^Commands$"), "the palette to leave")
    assert screen.rail() == rails["studies"]
    screen.press(window, "ctrl+q")
