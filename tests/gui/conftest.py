"""Window tests are silent and leave nothing behind: no Qt message, log record, thread, timer, window or process."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QEvent, QThread, QThreadPool, QTimer, QtMsgType
from PySide6.QtWidgets import QApplication
from pytestqt.logging import Record
from shiboken6 import Shiboken

from medfm_gui.ui import theme

SILENT = (
    "This plugin does not support propagateSizeHints()",  # said of every window by the offscreen platform
    "This plugin does not support raise()",
)
LASTING = {"children"}
"""The one thread that starts children and lives as long as the process (``base.children``)."""
PATIENCE_S = 2.0


@pytest.fixture(scope="session", autouse=True)
def themed(qapp: QApplication) -> QApplication:
    """The application in the dark theme, nothing moving."""
    theme.set_motion(False)
    theme.apply(qapp, theme.load("dark"))
    return qapp


@pytest.fixture(autouse=True)
def dark(themed: QApplication) -> Iterator[None]:
    """A test that changes the theme does not change the next one's."""
    yield
    if theme.current().name != "dark":
        theme.apply(themed, theme.load("dark"))


@pytest.fixture(autouse=True)
def silent(qtlog: object, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail on what Qt or a logger complained about; a test that asks for ``caplog`` or ``qtlog`` judges that itself."""
    said = _Said()
    logging.getLogger().addHandler(said)
    yield
    logging.getLogger().removeHandler(said)
    asked = getattr(request.node, "_fixtureinfo").argnames  # noqa: B009
    if "caplog" not in asked and said.records:
        pytest.fail("logged: " + "; ".join(record.getMessage() for record in said.records), pytrace=False)
    records: list[Record] = getattr(qtlog, "records", [])
    bad = (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)
    complaints = [record.message for record in records if record.type in bad and record.message not in SILENT]
    if "qtlog" not in asked and complaints:
        pytest.fail("Qt said: " + "; ".join(complaints), pytrace=False)


@pytest.fixture(autouse=True)
def tidy(themed: QApplication) -> Iterator[None]:
    """Fail on what a test leaves running or open."""
    threads, children = set(threading.enumerate()), _children()
    timers = {id(timer) for timer in _timers()}
    yield
    _settle(themed)
    late = time.monotonic() + PATIENCE_S
    while _left(threads, children, timers) and time.monotonic() < late:
        time.sleep(0.02)
        _settle(themed)
    left = _left(threads, children, timers)
    for window in themed.topLevelWidgets():
        window.hide()
    if left:
        pytest.fail("left behind: " + "; ".join(left), pytrace=False)


class _Said(logging.Handler):
    """Keeps what was logged as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def _settle(app: QApplication) -> None:
    app.processEvents()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    app.processEvents()


def _left(threads: set[threading.Thread], children: set[int], timers: set[int]) -> list[str]:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    new = [thread for thread in threading.enumerate() if thread not in threads]
    left = [f"thread {thread.name}" for thread in new if thread.name not in LASTING]
    left += [f"process {pid}" for pid in sorted(_children() - children)]
    left += [f"timer of {timer.parent()!r}" for timer in _timers() if id(timer) not in timers]
    left += [f"window {window!r}" for window in app.topLevelWidgets() if window.isVisible()]
    left += ["a QThread" for wrapper in Shiboken.getAllValidWrappers() if _is_running(wrapper)]
    return left + ["work in the thread pool"] * (QThreadPool.globalInstance().activeThreadCount() > 0)


def _timers() -> list[QTimer]:
    return [timer for timer in Shiboken.getAllValidWrappers() if isinstance(timer, QTimer) and timer.isActive()]


def _is_running(wrapper: object) -> bool:
    return isinstance(wrapper, QThread) and wrapper.isRunning() and wrapper is not QThread.currentThread()


def _children() -> set[int]:
    found: set[int] = set()
    for task in Path("/proc/self/task").glob("*/children"):
        try:
            found |= {int(pid) for pid in task.read_text().split()}
        except OSError:
            continue  # the thread has ended meanwhile
    return found
