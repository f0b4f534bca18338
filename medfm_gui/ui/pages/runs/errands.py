"""Carries out what a person wants of runs: asks the desk, starts runs, and tells what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from medfm_gui.desk.asks.runs import (
    CancelRuns,
    CheckResumable,
    Exported,
    ExportPredictions,
    LookAtSeal,
    OpenTest,
    PauseRuns,
    Refused,
    RetryRuns,
    RunItem,
    RunsAsked,
    TestOpened,
)
from medfm_gui.desk.protocol import Progress
from medfm_gui.domain.errors import Interrupted, MedfmError
from medfm_gui.ui.advice import window_words
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.runs import deeds
from medfm_gui.ui.pages.runs.seal import SealDialog
from medfm_gui.ui.widgets.question import ask

Runs = Sequence[RunItem]

_SUBSETS: Final = {"Test predictions (*.csv)": "test", "Validation predictions (*.csv)": "val"}


class Errands(QObject):
    """One method a verb of ``deeds.DEEDS``; called with the chosen runs.

    Signals:
        renewed(RunsAsked): something was asked of runs, and this is how they stand.
        noted(tuple[str, ...], str): a request is under way for these runs, and how to call that.
        refused(str, str): what could not be done, and what to do.
        opening(Progress | None): how far the opening of tests is; None when it is over.
    """

    renewed = Signal(object)
    noted = Signal(object, str)
    refused = Signal(str, str)
    opening = Signal(object)

    def __init__(self, context: Context, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        self._opening: Ticket | None = None
        self._verbs: dict[str, Callable[[Runs], None]] = {
            "pause": self.pause,
            "resume": self.resume,
            "cancel": self.cancel,
            "retry": self.retry,
            "clone": lambda runs: context.go("train", clone=runs[0].row.id),
            "test": self.ask_for_reason,
            "compare": lambda runs: context.go("compare", runs=_ids(runs)),
            "report": lambda runs: context.go("reports", runs=_ids(runs)),
            "export": self.export,
            "folder": self.show_folder,
            "weights": lambda runs: context.go("settings", tab="weights", model=runs[0].row.model),
        }

    def do(self, verb: str, runs: Runs) -> None:
        """Do it, unless it is not possible with these runs now."""
        deed = next((one for one in deeds.DEEDS if one.verb == verb), None)
        if not runs or (deed and deeds.obstacle(deed, runs, is_read_only=self._context.is_read_only)):
            return
        self._verbs[verb](runs)

    def pause(self, runs: Runs) -> None:
        """Have those pause that wait or work."""
        ids = _ids(filter(deeds.can_pause, runs))
        self.noted.emit(ids, "Pausing …")
        self._context.desk.ask(PauseRuns(ids), owner=self, then=self._asked, failed=self._failed)

    def resume(self, runs: Runs) -> None:
        """Have those go on that can."""
        ids = _ids(filter(deeds.can_resume, runs))
        self._context.desk.ask(CheckResumable(ids), owner=self, then=self._start, failed=self._failed)

    def cancel(self, runs: Runs) -> None:
        """Stop for good, after a question that names the runs."""
        ending = [item for item in runs if deeds.can_cancel(item)]
        one = len(ending) == 1
        named = ending[0].row.id if one else f"{len(ending)} runs"
        listed = "\n".join(f"{item.row.id}  {item.title}" for item in ending[:8]) + ("\n…" if len(ending) > 8 else "")
        text = f"{listed}\n\nA cancelled run cannot go on. Pause {'it' if one else 'them'} to go on later."
        if ask(self._window, f"Stop {named} for good?", text, "Stop for good", danger=True):
            ids = _ids(ending)
            self.noted.emit(ids, "Cancelling …")
            self._context.desk.ask(CancelRuns(ids), owner=self, then=self._asked, failed=self._failed)

    def retry(self, runs: Runs) -> None:
        """The same runs once more, under new ids, and start them."""
        ids = _ids(filter(deeds.is_over, runs))
        self._context.desk.ask(RetryRuns(ids), owner=self, then=self._start, failed=self._failed)

    def ask_for_reason(self, runs: Runs) -> None:
        """Show what an opening means and ask why; nothing is opened yet."""
        ids = _ids(item for item in runs if deeds.is_finished(item) and not item.is_opened)
        dialog = SealDialog(ids, self._window)
        dialog.confirmed.connect(lambda reason: self.open_test(ids, reason))
        dialog.finished.connect(dialog.deleteLater)
        self._context.desk.ask(LookAtSeal(ids), owner=dialog, then=dialog.tell, failed=dialog.fail)
        dialog.open()

    def open_test(self, runs: tuple[str, ...], reason: str) -> None:
        """Open the test of these runs."""
        self.opening.emit(Progress(f"Opening the test of {_named(runs)}"))
        self._opening = self._context.desk.ask(
            OpenTest(runs, reason), owner=self, then=self._opened, failed=self._not_opened, progress=self.opening.emit
        )

    def stop_opening(self) -> None:
        """Give the opening up; the look stays written down."""
        if self._opening is not None:
            self._opening.cancel()

    def export(self, runs: Runs) -> None:
        """Ask where to, then write a run's predictions."""
        item = runs[0]
        offered = [name for name, subset in _SUBSETS.items() if subset != "test" or item.is_opened]
        suggested = f"{item.row.id}-{_SUBSETS[offered[0]]}.csv"
        path, kind = QFileDialog.getSaveFileName(
            self._window, f"Export predictions of {item.row.id}", suggested, ";;".join(offered)
        )
        if not path:
            return
        asked = ExportPredictions(item.row.id, _SUBSETS.get(kind, _SUBSETS[offered[0]]), path)
        self._context.desk.ask(asked, owner=self, then=self._exported, failed=self._failed)

    def show_folder(self, runs: Runs) -> None:
        """Show the run's folder in the system's file browser."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(runs[0].row.folder))

    def _asked(self, answer: RunsAsked) -> None:
        self.renewed.emit(answer)
        self._tell_refused(answer.refused)

    def _start(self, answer: RunsAsked) -> None:
        self.renewed.emit(answer)
        if answer.done:
            self.noted.emit(answer.done, "Starting …")
            self._context.start_runs(answer.done)
        self._tell_refused(answer.refused)

    def _opened(self, answer: TestOpened) -> None:
        self._opening = None
        self.opening.emit(None)
        if answer.runs:
            said = f"The test of {_named(answer.runs)} is open."
            runs = answer.runs
            if len(runs) > 1:
                self._context.say(said, "good", "Compare", lambda: self._context.go("compare", runs=runs))
            else:
                self._context.say(said, "good")
        self._tell_refused(answer.refused)

    def _not_opened(self, error: MedfmError) -> None:
        self._opening = None
        self.opening.emit(None)
        if isinstance(error, Interrupted):
            self.refused.emit("The opening of the test was stopped.", "The look stays written down in the journal.")
        else:
            self._failed(error)

    def _exported(self, answer: Exported) -> None:
        self._context.say(f"{answer.rows:,} rows were written to “{answer.path}”.", "good")

    def _failed(self, error: MedfmError) -> None:
        self.noted.emit((), "")
        self.refused.emit(error.message, error.hint)

    def _tell_refused(self, refused: Sequence[Refused]) -> None:
        if refused:
            self.noted.emit(tuple(one.run for one in refused), "")
            more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
            self.refused.emit(f"{refused[0].message}{more}", window_words(refused[0].hint))


def _ids(runs: object) -> tuple[str, ...]:
    return tuple(item.row.id for item in runs)  # type: ignore[attr-defined]


def _named(runs: Sequence[str]) -> str:
    return runs[0] if len(runs) == 1 else f"{len(runs)} runs"
