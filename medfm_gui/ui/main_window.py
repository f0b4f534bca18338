"""The window: rail, pages, status bar. It opens workspaces, hands pages what they need, and closes in good order."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from medfm_gui.desk.asks.frame import FrameFacts
from medfm_gui.desk.entry import Topic
from medfm_gui.domain.errors import DatabaseDamaged, MedfmError, UsageError
from medfm_gui.ui import theme
from medfm_gui.ui.actions import Action, Actions
from medfm_gui.ui.closing import Leave
from medfm_gui.ui.command_palette import CommandPalette
from medfm_gui.ui.context import Context
from medfm_gui.ui.departure import Departure
from medfm_gui.ui.instance import Holder
from medfm_gui.ui.memory import Memory
from medfm_gui.ui.page_stack import PageStack
from medfm_gui.ui.pages import PAGES
from medfm_gui.ui.rail import Rail
from medfm_gui.ui.session import Session
from medfm_gui.ui.status import StatusBar
from medfm_gui.ui.widgets.states import StatePane
from medfm_gui.ui.widgets.toast import ToastStack

_SIZE_PX = (1280, 800)
_SMALLEST_PX = (960, 500)
"""What a Full HD screen at 200 % leaves beside the system's own bars."""
_RECENT = 8


class MainWindow(QMainWindow):
    """One workspace at a time.

    Signals:
        departed(): the window was closed and everything that it had is in order; the program may end.
        workspace_opened(): a workspace is open and its pages can be used.
    """

    departed = Signal()
    workspace_opened = Signal()

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self.memory = memory
        self.session: Session | None = None
        self.commands = Actions(memory, self)
        self.pages = PageStack()
        self.pane = StatePane(self.pages)
        self.setWindowTitle("MedFM Studio")
        self.setMinimumSize(*_SMALLEST_PX)
        self._rail = Rail(PAGES)
        self._rail.chosen.connect(self.go)
        self._status = StatusBar()
        self.setCentralWidget(_framed(self._rail, self.pane, self._status))
        self.toasts = ToastStack(self)
        self._departure = Departure(self)
        self._departure.waiting.connect(self.pane.show_busy)
        self._departure.hidden.connect(self.hide)
        self._departure.failed.connect(self._could_not_leave)
        self._departure.finished.connect(self._gone)
        self._is_gone = False
        self._add_actions()
        self.resize(*_SIZE_PX)
        kept = memory.get("window")
        if isinstance(kept, str):
            self.restoreGeometry(QByteArray.fromHex(kept.encode("ascii", "ignore")))

    def open_workspace(self, root: Path, *, is_read_only: bool = False, rebuild_first: bool = False) -> None:
        """Leave the workspace that is open and open another; what runs here must end or be paused first.

        With ``rebuild_first`` its database is made again from the files beforehand.
        """
        if self.session is not None and self.session.supervisors.runs:
            self.toasts.say("Runs are going on here. Pause or cancel them before you open another one.", "warning")
            self.go("runs")
            return
        self._leave_session()
        self.pane.show_busy("Making the database again …" if rebuild_first else "Opening the workspace …")
        session = self.session = Session(root, self, is_read_only=is_read_only, rebuild_first=rebuild_first)
        session.opened.connect(self._opened)
        session.held.connect(self._held)
        session.refused.connect(self._refused)
        session.called.connect(self.come_to_front)
        session.desk.changed.connect(self._changed)
        session.desk.unanswered.connect(lambda error: self.toasts.say(str(error), "bad"))
        session.runs.batch.connect(self._status.take)
        session.runs.left.connect(self._run_left)
        session.supervisors.ended.connect(self._supervisor_ended)

    def go(self, page: str, **wish: Any) -> None:
        """Show a page; ``wish`` goes to its ``visit``."""
        if self.session is None or self.pane.state != "content":
            return
        self.pages.show_page(page, **wish)
        self._rail.mark(page)
        shown = self.pages.currentWidget()
        if shown is not None and not shown.isAncestorOf(self.focusWidget() or self):
            shown.setFocus(Qt.FocusReason.OtherFocusReason)  # its keys count from now on
        self.memory.put("page", page)

    def set_appearance(self, name: str) -> None:
        """``dark``, ``light`` or ``system``, now and at the next start."""
        self.memory.put("appearance", name)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, theme.load(theme.system_prefers() if name not in ("dark", "light") else name))

    def come_to_front(self) -> None:
        """Show the window again, also where it was closed while its runs went on."""
        if self._departure.is_under_way:
            self._departure.come_back()
            self.pane.show_content()  # it said what was waited for
        self.showNormal() if self.isMinimized() else self.show()
        self.raise_()
        self.activateWindow()

    def leave(self) -> None:
        """Pause what runs and close, without a question: the system is going down."""
        if self.session is not None and self.session.supervisors.runs:
            self._departure.go(self.session, Leave.PAUSE)
        else:
            self._gone()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about running work; close when everything is in order."""
        if self._is_gone:
            event.accept()
            return
        event.ignore()
        self.memory.put("window", bytes(self.saveGeometry().toHex().data()).decode("ascii"))
        if not self._departure.is_under_way:
            self._departure.ask(self.session)

    def _add_actions(self) -> None:
        goes = [
            Action(f"window.{page.key}", f"Go to {page.title}", partial(self.go, page.key), f"Ctrl+{number}")
            for number, page in enumerate(PAGES, 1)
        ]
        # a shortcut must return before its window goes
        close = lambda: QTimer.singleShot(0, self, self.close)  # noqa: E731
        self.commands.add(
            self,
            *goes,
            Action("window.commands", "All commands", self._show_commands, "Ctrl+Shift+P"),
            Action("window.refresh", "Refresh this page", self.pages.refresh, "F5"),
            Action("window.full_screen", "Full screen", self._toggle_full_screen, "F11"),
            Action("window.close", "Close the window", close, "Ctrl+Q"),
            is_global=True,
        )

    def _show_commands(self) -> None:
        rows = [(action, self.commands.keys(action.id)) for action in self.commands.usable()]
        palette = CommandPalette(self, rows)
        palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        palette.chosen.connect(self.commands.run, Qt.ConnectionType.QueuedConnection)
        palette.open()

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _opened(self) -> None:
        session = self.session
        if session is None:
            return
        self.pages.open(
            Context(
                root=session.root,
                desk=session.desk,
                runs=session.runs,
                memory=self.memory,
                actions=self.commands,
                say=self.toasts.say,
                go=self.go,
                start_runs=session.supervisors.start,
                open_workspace=self.open_workspace,
                set_appearance=self.set_appearance,
                is_read_only=session.is_read_only,
                parent=self.pages,
            )
        )
        self.pane.show_content()
        self._status.set_workspace(session.root.name, is_read_only=session.is_read_only)
        self.setWindowTitle(f"{session.root.name} – MedFM Studio")
        _remember(self.memory, session.root)
        last = self.memory.get("page")
        self.go(last if last in {page.key for page in PAGES} else PAGES[0].key)
        session.desk.ask(FrameFacts(), owner=self, then=self._status.set_frame)
        self.workspace_opened.emit()

    def _held(self, holder: Holder) -> None:
        session = self.session
        if session is None:
            return
        root = session.root
        who = f"process {holder.pid} on {holder.host}" if holder.pid else "another program"
        told = " It was asked to show itself." if session.call_other() else ""
        error = UsageError(
            f"The workspace “{root.name}” is open in another window ({who}).{told}",
            "Go on there, or open the workspace here read-only: you can look at everything and change nothing.",
        )
        self._leave_session()
        self.pane.show_error(error, "Open read-only", lambda: self.open_workspace(root, is_read_only=True))

    def _refused(self, error: MedfmError) -> None:
        root = self.session.root if self.session is not None else None
        self._leave_session()
        if isinstance(error, DatabaseDamaged) and root is not None:
            self.pane.show_error(error, "Rebuild the database", lambda: self.open_workspace(root, rebuild_first=True))
            return

        def choose() -> None:
            chosen = QFileDialog.getExistingDirectory(self, "Open or create a workspace")
            if chosen:
                self.open_workspace(Path(chosen))

        self.pane.show_error(error, "Choose another workspace …", choose)

    def _leave_session(self, *, wait: bool = False) -> None:
        self.pages.close_pages()
        if self.session is not None:
            session, self.session = self.session, None
            session.close(wait=wait)
            session.deleteLater()

    def _changed(self, topic: str) -> None:
        self.pages.mark_stale(topic)
        if self.session is not None and topic in (Topic.SETTINGS, Topic.RUNS):
            self.session.desk.ask(FrameFacts(), owner=self, then=self._status.set_frame)

    def _run_left(self, run: str) -> None:
        self._status.forget(run)
        self.pages.mark_stale(Topic.RUNS)

    def _supervisor_ended(self, runs: tuple[str, ...], error: MedfmError | None) -> None:
        if error is not None:
            self.toasts.say(f"{', '.join(runs[:3])}: {error}", "bad", "Show runs", lambda: self.go("runs"))
        elif not self.isActiveWindow() or self.memory.get("page") != "runs":
            what = f"{runs[0]} has ended." if len(runs) == 1 else f"{len(runs)} runs have ended."
            self.toasts.say(what, "info", "Show runs", lambda: self.go("runs", run=runs[0]))

    def _could_not_leave(self, error: MedfmError) -> None:
        self.pane.show_content()
        self.toasts.say(str(error), "bad")

    def _gone(self) -> None:
        self._is_gone = True
        self.hide()
        self._leave_session(wait=True)
        self.departed.emit()
        self.close()


def _framed(rail: QWidget, middle: QWidget, status: QWidget) -> QWidget:
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    row = QHBoxLayout()
    row.setSpacing(0)
    row.addWidget(rail)
    row.addWidget(middle, 1)
    column.addLayout(row, 1)
    column.addWidget(status)
    return whole


def _remember(memory: Memory, root: Path) -> None:
    """Put a workspace first in the list of recent ones."""
    recent = memory.get("recent", [])
    others = [row for row in recent if isinstance(row, dict) and row.get("path") != str(root)] if recent else []
    memory.put("recent", [{"path": str(root), "at": time.strftime("%Y-%m-%dT%H:%M:%S")}, *others][:_RECENT])
