"""One open workspace of the window: its desk, its run watch, its supervisors and the hold on it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.bridge import Desk, RunWatch, Supervisors
from medfm_gui.ui.instance import Holder, Instance


class Session(QObject):
    """Open from its making until ``close``.

    Signals:
        opened(): the workspace is there and this window has it.
        held(Holder): another window has it; nothing was changed.
        refused(MedfmError): it cannot be opened.
        called(): another start of the program asks this window to show itself.
    """

    opened = Signal()
    held = Signal(object)
    refused = Signal(object)
    called = Signal()

    def __init__(
        self, root: Path, parent: QObject | None = None, *, is_read_only: bool = False, rebuild_first: bool = False
    ) -> None:
        super().__init__(parent)
        self.root = root
        self.is_read_only = is_read_only
        self._is_open = False
        self.desk = Desk(root, self, is_read_only=is_read_only, rebuild_first=rebuild_first)
        self.runs = RunWatch(root, self)
        self.supervisors = Supervisors(root, self)
        self._instance = Instance(root, self)
        self._instance.called.connect(self.called)
        self.desk.ready.connect(self._take)
        self.desk.refused.connect(self._refuse)

    def call_other(self) -> bool:
        """Ask the window that has the workspace to show itself."""
        return self._instance.call_other()

    def close(self, *, wait: bool) -> None:
        """End everything of this workspace; a supervisor that still runs ends with the program.

        Args:
            wait: until the desk is gone (at the program's end); else it ends by itself in a moment.
        """
        self._instance.release()
        self.runs.close(wait=wait)
        self.desk.close(wait=wait)
        if wait:
            self.supervisors.close()

    def _refuse(self, error: MedfmError) -> None:
        if not self._is_open:  # later it is one that died and was started again: each question is told
            self.refused.emit(error)

    def _take(self) -> None:
        if self._is_open:
            return
        # the lock lies in the workspace, so it is taken once the desk has made sure that there is one
        holder: Holder | None = None if self.is_read_only else self._instance.take()
        if holder is None:
            self._is_open = True
            self.opened.emit()
        else:
            self.held.emit(holder)
