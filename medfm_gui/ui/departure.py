"""How the window goes: at once when nothing runs, else as the person says, and only when all is in order."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from medfm_gui.desk.asks.runs import CancelRuns, PauseRuns
from medfm_gui.domain.errors import MedfmError
from medfm_gui.ui.closing import ClosingQuestion, Leave
from medfm_gui.ui.session import Session

_PATIENCE_MS = 30_000


class Departure(QObject):
    """Asks about runs and waits for them.

    Signals:
        waiting(str): what is waited for, for the window to show.
        hidden(): the runs go on; the window shall disappear until they are through.
        failed(MedfmError): the runs could not be told; the window stays.
        finished(): nothing runs any more that this window started; it may end.
    """

    waiting = Signal(str)
    hidden = Signal()
    failed = Signal(object)
    finished = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._session: Session | None = None
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._finish)

    @property
    def is_under_way(self) -> bool:
        """Whether the window is waiting for its runs to end."""
        return self._session is not None

    def ask(self, session: Session | None) -> None:
        """Ask what is to become of the runs, if there are any, and do it."""
        runs = session.supervisors.runs if session else ()
        if session is None or not runs:
            self.finished.emit()
            return
        question = ClosingQuestion(self._window, len(runs))
        question.exec()
        self.go(session, question.choice)

    def go(self, session: Session, choice: Leave) -> None:
        """Do what was chosen."""
        if choice is Leave.STAY:
            return
        self.come_back()  # the system goes down while the window already waits: what is chosen last counts
        self._session = session
        session.supervisors.ended.connect(self._one_ended)
        if choice is Leave.KEEP:
            self.hidden.emit()
        else:
            self._tell(session, choice, session.supervisors.runs)
        self._look()

    def come_back(self) -> None:
        """The window was called while it waited for its runs: it stays open."""
        if self._session is not None:
            self._session.supervisors.ended.disconnect(self._one_ended)
            self._session = None
            self._patience.stop()

    def _tell(self, session: Session, choice: Leave, runs: Sequence[str]) -> None:
        ask = PauseRuns(tuple(runs)) if choice is Leave.PAUSE else CancelRuns(tuple(runs))
        doing = "Pausing" if choice is Leave.PAUSE else "Cancelling"
        self.waiting.emit(f"{doing} {len(runs)} run{'s' if len(runs) > 1 else ''} …")
        self._patience.start()
        session.desk.ask(ask, owner=self, then=lambda _: None, failed=self._refused)

    def _refused(self, error: MedfmError) -> None:
        if self._session is not None and self._session.supervisors.runs:
            self.come_back()
            self.failed.emit(error)

    def _one_ended(self, runs: object, error: object) -> None:
        self._look()

    def _look(self) -> None:
        if self._session is not None and not self._session.supervisors.runs:
            self._finish()

    def _finish(self) -> None:
        """All ended, or the patience did: workers that still run end with the window, resumable."""
        self.come_back()
        self.finished.emit()
