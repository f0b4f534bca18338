"""Work on a model's weights: a file checked and kept, a licence accepted, weights fetched; one at a time."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from medfm_gui.desk.asks.settings import (
    AcceptLicence,
    AllowNetwork,
    ImportWeights,
    PullWeights,
    ReadSettings,
    SettingsView,
)
from medfm_gui.domain.cards import WeightsStatus
from medfm_gui.domain.errors import Interrupted, MedfmError, Offline
from medfm_gui.ui.bridge import Ticket
from medfm_gui.ui.context import Context
from medfm_gui.ui.pages.settings import model
from medfm_gui.ui.pages.settings.job import JobRow
from medfm_gui.workspace.models import Model


class WeightsWork(QObject):
    """Asks the desk, and shows in a row how far it is and what helps where it failed.

    Signals:
        changed(): something began or ended, or the settings are known anew.
        ended(): weights came, or may have.
        licence_wanted(Model, str): its licence has to be accepted first; what then follows, in a word.
        file_wanted(Model): a file of it shall be chosen.
    """

    changed = Signal()
    ended = Signal()
    licence_wanted = Signal(object, str)
    file_wanted = Signal(object)

    def __init__(self, context: Context, job: JobRow, parent: QObject) -> None:
        super().__init__(parent)
        self.context = context
        self.job = job
        self.seen: SettingsView | None = None
        """The settings, as they were last read."""
        self._ticket: Ticket | None = None
        self._waiting: Callable[[], None] | None = None

    def look(self) -> None:
        """Read the settings: is there a network, which licences were accepted?"""
        self.context.desk.ask(ReadSettings(), owner=self, then=self._take_settings, failed=lambda _: None)

    def import_file(self, one: Model, file: str) -> None:
        """Have a file checked and kept; a licence that was not accepted is asked for first."""
        if self.seen is not None and not model.is_accepted(one, self.seen.licences):
            self._waiting = lambda: self._check_file(one, file)
            self.licence_wanted.emit(one, "import")
        else:
            self._check_file(one, file)

    def _check_file(self, one: Model, file: str) -> None:
        self._begin(f"Waiting to check the file for {one.card.title}")
        self._ticket = self.context.desk.ask(
            ImportWeights(one.card.name, file),
            owner=self,
            then=lambda status: self._end_well(f"The weights of {one.card.title} are ready.", status),
            failed=lambda error: self._end_badly(error, "Choose another file …", lambda: self.file_wanted.emit(one)),
            progress=lambda told: self.job.tell(told, f"{one.card.title}: "),
        )

    def pull(self, one: Model) -> None:
        """Fetch weights; offline it says so, and a licence that was not accepted is asked for."""
        if self.job.is_busy:
            return
        if self.seen is not None and self.seen.is_offline:
            self._say_offline(_offline(one), self.seen, one)
        elif self.seen is not None and not model.is_accepted(one, self.seen.licences):
            self._waiting = lambda: self._fetch(one)
            self.licence_wanted.emit(one, "fetch")
        else:
            self._fetch(one)

    def accept(self, one: Model) -> None:
        """Keep that the licence is accepted, then do what waited for it."""
        self.context.desk.ask(
            AcceptLicence(one.card.name),
            owner=self,
            then=lambda _: self._accepted(),
            failed=lambda error: self.job.end_badly(error),
        )

    def _take_settings(self, seen: SettingsView) -> None:
        self.seen = seen
        self.changed.emit()

    def _fetch(self, one: Model) -> None:
        self._begin(f"Waiting to fetch {one.card.title}")
        self._ticket = self.context.desk.ask(
            PullWeights(one.card.name),
            owner=self,
            then=lambda status: self._end_well(f"The weights of {one.card.title} are ready.", status),
            failed=lambda error: self._pull_failed(error, one),
            progress=lambda told: self.job.tell(told, f"{one.card.title}: "),
        )

    def _accepted(self) -> None:
        self.look()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting()

    def _begin(self, text: str) -> None:
        self.job.begin(text, lambda: self._ticket.cancel() if self._ticket else None)
        self.changed.emit()

    def _end_well(self, text: str, status: WeightsStatus) -> None:
        short = f" SHA-256 {status.sha256[:16]}…" if status.sha256 else ""
        self.job.end_well(f"{text}{short}")
        self.changed.emit()
        self.ended.emit()

    def _end_badly(self, error: MedfmError, button: str, act: Callable[[], object]) -> None:
        self.job.end_badly(error, button, act)
        self.changed.emit()
        self.ended.emit()

    def _pull_failed(self, error: MedfmError, one: Model) -> None:
        if isinstance(error, Offline):
            self.context.desk.ask(
                ReadSettings(),
                owner=self,
                then=lambda seen: self._say_offline(error, seen, one),
                failed=lambda _: self.job.end_badly(error),
            )
            return
        words = "Go on fetching" if isinstance(error, Interrupted) else "Fetch again"
        self._end_badly(error, words, lambda: self.pull(one))

    def _say_offline(self, error: MedfmError, seen: SettingsView, one: Model) -> None:
        if seen.is_offline and not seen.is_offline_locked:
            self.job.end_badly(error, "Allow the network and fetch", lambda: self._allow_and_pull(one))
        elif seen.is_offline:
            self.job.end_badly(error, "Import a file instead …", lambda: self.file_wanted.emit(one))
        else:
            self.job.end_badly(error, "Go on fetching", lambda: self.pull(one))
        self.seen = seen
        self.changed.emit()

    def _allow_and_pull(self, one: Model) -> None:
        self.context.desk.ask(
            AllowNetwork(True),
            owner=self,
            then=lambda seen: self._allowed(seen, one),
            failed=lambda error: self.job.end_badly(error),
        )

    def _allowed(self, seen: SettingsView, one: Model) -> None:
        self.seen = seen
        self.job.clear()
        self.pull(one)


def _offline(one: Model) -> Offline:
    """Why nothing is asked of the hub."""
    return Offline(
        f"The network is switched off, so the weights of {one.card.title} were not fetched.",
        "Allow the network, or import a file that was fetched on another computer.",
    )
