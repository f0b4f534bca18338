"""The life of the window's process between the first frame and the last word."""

from __future__ import annotations

import contextlib
import importlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QSocketNotifier, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from medfm_gui.base.settings import default_workspace, load_settings
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui import theme
from medfm_gui.ui.app import quiet_end_signals
from medfm_gui.ui.bridge import Chores, Mailbox
from medfm_gui.ui.crash import crash_care
from medfm_gui.ui.garbage import Garbage
from medfm_gui.ui.main_window import MainWindow
from medfm_gui.ui.memory import Memory, memory_file, remembered
from medfm_gui.ui.pages import PAGES


def live(
    workspace: Path | None,
    page: str = "",
    wish: Mapping[str, str] | None = None,
    *,
    on_window: Callable[[MainWindow], None] | None = None,
    is_remembered: bool = True,
) -> int:
    """Open the window and run until it is closed.

    Args:
        workspace: the folder; None for the one that was open last.
        page: the key of the page to begin with.
        wish: what that page is to show.
        on_window: given the window once it is shown; the demonstration and tests drive it from there.
        is_remembered: whether the window knows of earlier starts and keeps its own layout.
    """
    app = QApplication(sys.argv[:1])
    app.setApplicationName("MedFM Studio")
    app.setQuitOnLastWindowClosed(False)  # a window that is hidden while its runs go on ends later
    defects: list[Callable[[object], None]] = []

    def on_defect(kind: str) -> None:
        for tell in defects:
            tell(kind)

    with crash_care(on_defect) as ended_badly:
        chores, garbage = Chores(app), Garbage(app)
        memory = Memory(remembered(memory_file()), chores.do, app) if is_remembered else Memory({}, None, app)
        memory.put("crashed", ended_badly)
        _dress(app, memory)
        window = MainWindow(memory)
        if page in {entry.key for entry in PAGES}:
            memory.put("page", page)
            window.workspace_opened.connect(lambda: window.go(page, **(wish or {})))
        window.departed.connect(app.quit)
        # a defect may happen on any thread; only the window's own may speak
        defects.append(Mailbox(lambda kind: _tell_of_defect(window, kind), window).put)
        window.show()
        root = workspace.expanduser().absolute() if workspace else _last_workspace(memory)
        QTimer.singleShot(0, window, lambda: window.open_workspace(root))
        window.pages.complete.connect(garbage.set_aside)
        loads: list[Callable[[], object]] = [
            lambda: importlib.import_module("pyqtgraph"),
            *(entry.load for entry in PAGES),
        ]
        _load_ahead(chores, loads, window.pages.build_ahead)
        if on_window is not None:
            on_window(window)
        with _signals(app, window.leave):
            status = app.exec()
        defects.clear()
        memory.save()
        chores.close()
        garbage.close()
        window.deleteLater()
    return status


def _load_ahead(chores: Chores, loads: Sequence[Callable[[], object]], done: Callable[[], None]) -> None:
    """Half a second of loading that must not happen on the window's thread; a window that closes waits for one part."""
    if loads:
        chores.do(loads[0], lambda _: _load_ahead(chores, loads[1:], done))
    else:
        done()


def _dress(app: QApplication, memory: Memory) -> None:
    """The person's theme, and the system's where that was chosen, also when it changes."""

    def wear() -> None:
        name = memory.get("appearance", "system")
        theme.apply(app, theme.load(name if name in ("dark", "light") else theme.system_prefers()))

    def follow_system() -> None:
        if memory.get("appearance", "system") not in ("dark", "light"):
            wear()

    wear()
    if memory.get(theme.REDUCED_MOTION) is True:
        theme.set_motion(False)
    QGuiApplication.styleHints().colorSchemeChanged.connect(follow_system)


def _last_workspace(memory: Memory) -> Path:
    recent = memory.get("recent", [])
    newest = recent[0] if isinstance(recent, list) and recent else {}
    if isinstance(newest, dict) and newest.get("path") and Path(str(newest["path"])).is_dir():
        return Path(str(newest["path"]))
    try:
        return default_workspace(load_settings())
    except MedfmError:  # a damaged settings file: the desk says so
        from medfm_gui.base.settings import Settings

        return default_workspace(Settings())


def _tell_of_defect(window: MainWindow, kind: str) -> None:
    window.toasts.say(
        f"Something went wrong inside ({kind}). Nothing that was saved is lost.",
        "bad",
        "Save diagnostics",
        lambda: window.go("settings", tab="diagnostics"),
    )


@contextlib.contextmanager
def _signals(parent: QObject, leave: Callable[[], None]) -> Iterator[None]:
    """Hear SIGTERM while Qt waits: Python's own handlers run only when Python code does."""
    if sys.platform == "win32":
        yield
        return
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    before = signal.set_wakeup_fd(far.fileno(), warn_on_full_buffer=False)
    handlers = {number: signal.signal(number, lambda *_: None) for number in quiet_end_signals()}
    notifier = QSocketNotifier(near.fileno(), QSocketNotifier.Type.Read, parent)

    def heard() -> None:
        with contextlib.suppress(OSError):
            near.recv(64)
        leave()

    notifier.activated.connect(heard)
    try:
        yield
    finally:
        notifier.setEnabled(False)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        near.close()
        far.close()
