"""Crash care: what is written when the window fails, and what the next start is told.

A native crash leaves ``logs/crash-<pid>.txt`` (by faulthandler, frames only). An exception in a slot is
written to ``logs/window.log`` as frames without values, for values may be a patient's, and the window stays.
A mark that is still there at the next start means that a session did not end.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from medfm_gui.base.settings import settings_file
from medfm_gui.ui.bridge import is_running

_LOG_BYTES = 1_000_000


def logs_folder() -> Path:
    """Where the window writes what went wrong."""
    return settings_file().parent / "logs"


@contextlib.contextmanager
def crash_care(on_defect: Callable[[str], None]) -> Iterator[bool]:
    """Be careful while the window is open; yields whether an earlier session ended unexpectedly.

    Args:
        on_defect: told the kind of each exception that nobody caught.
    """
    folder = logs_folder()
    folder.mkdir(parents=True, exist_ok=True)
    ended_badly = _earlier_marks(folder)
    mark = folder / f"session-{os.getpid()}"
    mark.touch()
    crash_path = folder / f"crash-{os.getpid()}.txt"
    hooks = sys.excepthook, threading.excepthook
    with crash_path.open("w", encoding="utf-8") as crash_file:
        faulthandler.enable(crash_file)
        sys.excepthook = lambda kind, error, trace: _note(folder, kind, trace, on_defect)
        threading.excepthook = lambda said: _note(folder, said.exc_type, said.exc_traceback, on_defect)
        before = qInstallMessageHandler(lambda kind, context, text: _qt_says(folder, kind, context, text))
        try:
            yield ended_badly
        finally:
            qInstallMessageHandler(before)
            sys.excepthook, threading.excepthook = hooks
            faulthandler.disable()
            mark.unlink(missing_ok=True)
    crash_path.unlink(missing_ok=True)


def _earlier_marks(folder: Path) -> bool:
    """Whether a session of a process that is gone left its mark; such marks are removed."""
    found = False
    for mark in folder.glob("session-*"):
        pid = mark.name.removeprefix("session-")
        if not pid.isdigit() or not is_running(int(pid)):
            mark.unlink(missing_ok=True)
            found = True
    return found


def _note(
    folder: Path, kind: type[BaseException] | None, trace: TracebackType | None, on_defect: Callable[[str], None]
) -> None:
    name = kind.__name__ if kind else "unknown"
    if kind is not None and issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    frames = [f"  {Path(item.filename).name}:{item.lineno} {item.name}" for item in traceback.extract_tb(trace)]
    _write(folder, [name, *frames])
    on_defect(name)


def _qt_says(folder: Path, kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    if kind in (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg):
        _write(folder, [f"Qt {kind.name}: {context.category or ''}", f"  {text[:300]}"])


def _write(folder: Path, lines: list[str]) -> None:
    path = folder / "window.log"
    with contextlib.suppress(OSError):  # a full disk loses the log, never the window
        if path.exists() and path.stat().st_size > _LOG_BYTES:
            path.replace(folder / "window.old.log")
        with path.open("a", encoding="utf-8") as log:
            log.write(time.strftime("%Y-%m-%dT%H:%M:%S ") + "\n".join(lines) + "\n")
