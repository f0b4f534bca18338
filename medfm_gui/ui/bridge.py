"""The one place of the window that knows threads: what they bring becomes Qt signals and calls on its own thread.

    Desk         questions to the desk process; answers come back through a mailbox
    RunWatch     follows the runs of the workspace; one signal a batch and run, at most twenty a second
    Supervisors  children that look after the runs this window started
    Chores       small work with files (what the window remembers), one thing after another

A thread never touches a widget. It puts into a mailbox; the mailbox rings once; the window's thread
takes out at most 64 letters or eight milliseconds' worth a turn, then lets events through.
"""

from __future__ import annotations

import collections
import contextlib
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal

from medfm_gui.base import children
from medfm_gui.desk.client import DeskClient, Message
from medfm_gui.desk.protocol import Ask, Progress
from medfm_gui.domain.errors import MedfmError, WorkerFailed, error_from_wire
from medfm_gui.domain.events import Event
from medfm_gui.domain.run import Phase, RunState, fold
from medfm_gui.jobs.follow import Tail, queued, state_of
from medfm_gui.jobs.owner import alive, identity, read_owner
from medfm_gui.ui.advice import for_window

T = TypeVar("T")

_LETTERS = 64
_TURN_S = 0.008
_TICK_S = 0.05
_LOOK_ROUND_S = 0.5
_READ_AT_ONCE = 512
_KEPT_EVENTS = 512
_PATIENCE_S = 2.0


class Mailbox(QObject):
    """Hands what threads put in to one function on the window's thread, a bounded amount a turn."""

    _rang = Signal()

    def __init__(self, take: Callable[[Any], None], parent: QObject) -> None:
        super().__init__(parent)
        self._take = take
        self._letters: collections.deque[Any] = collections.deque()
        self._guard = threading.Lock()
        self._is_ringing = False
        self._is_closed = False
        self._rang.connect(self._drain, Qt.ConnectionType.QueuedConnection)

    def close(self) -> None:
        """Hand out nothing more, also not what came before: whoever would read it is about to go."""
        with self._guard:
            self._is_closed = True
            self._letters.clear()

    def put(self, letter: object) -> None:
        """From any thread."""
        with self._guard:
            if self._is_closed:
                return
            self._letters.append(letter)
            ring = not self._is_ringing
            self._is_ringing = True
        if ring:
            with contextlib.suppress(RuntimeError):  # the window is gone
                self._rang.emit()

    def _drain(self) -> None:
        deadline = time.monotonic() + _TURN_S
        is_empty = False
        try:
            for _ in range(_LETTERS):
                with self._guard:
                    is_empty = not self._letters
                    if is_empty:
                        self._is_ringing = False
                        return
                    letter = self._letters.popleft()
                self._take(letter)
                if time.monotonic() > deadline:
                    return
        finally:  # also after a defect in one letter's reader: the others must not wait for ever
            if not is_empty:
                self._rang.emit()


class Ticket:
    """A question under way. ``cancel`` says that the answer is wanted no more."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel

    def cancel(self) -> None:
        """Stop the work at its next step; ``failed`` is told with ``Interrupted`` unless the answer was quicker."""
        self._cancel()


class Asks(Protocol):
    """What pages need of a desk: the real one, or sample answers."""

    def ask(
        self,
        ask: Ask[T],
        *,
        owner: QObject,
        then: Callable[[T], None],
        failed: Callable[[MedfmError], None] | None = None,
        progress: Callable[[Progress], None] | None = None,
        part: Callable[[T], None] | None = None,
    ) -> Ticket:
        """Ask; one of ``then`` and ``failed`` is called later, on the window's thread, while ``owner`` lives."""
        ...


@dataclass(slots=True)
class _Open:
    owner: QObject
    then: Callable[[Any], None]
    failed: Callable[[MedfmError], None] | None
    progress: Callable[[Progress], None] | None
    part: Callable[[Any], None] | None


class Desk(QObject):
    """Questions to the desk process of one workspace.

    Signals:
        ready(): the workspace is open.
        refused(MedfmError): it cannot be opened.
        changed(str): a topic of ``desk.entry.Topic`` is stale.
        unanswered(MedfmError): a failure that no page asked to hear.
    """

    ready = Signal()
    refused = Signal(object)
    changed = Signal(str)
    unanswered = Signal(object)

    def __init__(
        self, workspace: Path, parent: QObject | None = None, *, is_read_only: bool = False, rebuild_first: bool = False
    ) -> None:
        super().__init__(parent)
        self._mailbox = Mailbox(self._take, self)
        self._open: dict[int, _Open] = {}
        self._client = DeskClient(workspace, self._mailbox.put, is_read_only=is_read_only, rebuild_first=rebuild_first)

    def ask(
        self,
        ask: Ask[T],
        *,
        owner: QObject,
        then: Callable[[T], None],
        failed: Callable[[MedfmError], None] | None = None,
        progress: Callable[[Progress], None] | None = None,
        part: Callable[[T], None] | None = None,
    ) -> Ticket:
        """See ``Asks``."""
        number = self._client.ask(ask)
        self._open[number] = _Open(owner, then, failed, progress, part)
        return Ticket(lambda: self._client.stop(number) if number in self._open else None)

    @property
    def open_questions(self) -> int:
        """How many answers are awaited."""
        return len(self._open)

    def close(self, *, wait: bool = True) -> None:
        """End the desk; nobody is told anything any more."""
        self._mailbox.close()
        self._open.clear()
        self._client.close(wait=wait)

    def _take(self, message: Message) -> None:
        if message.number == 0:
            if message.kind == "ready":
                self.ready.emit()
            else:
                self.refused.emit(for_window(message.value))
            return
        last = message.kind in ("answer", "failed")
        asked = self._open.pop(message.number, None) if last else self._open.get(message.number)
        if asked is not None and shiboken6.isValid(asked.owner):
            self._deliver(asked, message)
        for topic in message.changes:
            self.changed.emit(topic)

    def _deliver(self, asked: _Open, message: Message) -> None:
        if message.kind == "answer":
            asked.then(message.value)
        elif message.kind == "part" and asked.part is not None:
            asked.part(message.value)
        elif message.kind == "progress" and asked.progress is not None:
            asked.progress(message.value)
        elif message.kind == "failed":
            error = for_window(message.value)
            if asked.failed is not None:
                asked.failed(error)
            else:
                self.unanswered.emit(error)


@dataclass(frozen=True, slots=True)
class Batch:
    """News of one run: its newest events (at most 512; the state holds what all of them say) and its state."""

    run: str
    events: tuple[Event, ...]
    state: RunState


class RunWatch(QObject):
    """Follows every run of a workspace that somebody supervises, this window or another program.

    Signals:
        batch(Batch): news of a run, at most twenty a second and run. A run that goes on after a pause is told from its
            beginning again; ``state`` is always the whole truth.
        left(str): nobody supervises the run any more.
    """

    batch = Signal(object)
    left = Signal(str)

    def __init__(self, workspace: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = workspace / "runs"
        self._mailbox = Mailbox(self._take, self)
        self._waiting: dict[str, Batch] = {}
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="run-watch", daemon=True)
        self._thread.start()

    def close(self, *, wait: bool = True) -> None:
        """Follow no more; waits for the thread, which a disk that hangs may hold, two seconds at most."""
        self._mailbox.close()
        self._stop.set()
        if wait:
            self._thread.join(_PATIENCE_S)

    def _take(self, letter: tuple[str, str]) -> None:
        what, run = letter
        if what == "left":
            self.left.emit(run)
            return
        with self._guard:
            news = self._waiting.pop(run, None)
        if news is not None:
            self.batch.emit(news)

    def _run(self) -> None:
        followed: dict[str, _Followed] = {}
        looked = 0.0
        while not self._stop.wait(_TICK_S):
            now = time.monotonic()
            if now - looked >= _LOOK_ROUND_S:
                looked = now
                self._look_round(followed)
            for run, one in list(followed.items()):
                with contextlib.suppress(OSError):  # a disk that stumbles is read again at the next tick
                    news = one.news()
                    if news is not None:
                        self._tell(run, *news)
                if one.is_over:
                    del followed[run]
                    self._mailbox.put(("left", run))

    def _look_round(self, followed: dict[str, _Followed]) -> None:
        try:
            folders = [folder for folder in self._folder.iterdir() if folder.name not in followed]
        except OSError:  # the workspace is gone; the pages say so when they ask
            return
        for folder in folders:
            if (folder / "owner.json").exists():
                followed[folder.name] = _Followed(folder)

    def _tell(self, run: str, events: Sequence[Event], state: RunState) -> None:
        """One letter a run at a time: what a slow window has not taken out yet is added to."""
        with self._guard:
            before = self._waiting.get(run)
            joined = (*(before.events if before else ()), *events)[-_KEPT_EVENTS:]
            self._waiting[run] = Batch(run, joined, state)
        if before is None:
            self._mailbox.put(("batch", run))


class _Followed:
    """One supervised run: its tail, its state so far, and whether its supervisor is still there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tail = Tail(folder)
        self._told = RunState()
        self._shown: RunState | None = None
        self._looked = 0.0
        self.is_over = False

    def news(self) -> tuple[list[Event], RunState] | None:
        """Events since the last time and the state now; None where nothing is new."""
        events: list[Event] = []
        while len(events) < _READ_AT_ONCE and (more := self._tail.read()):
            events += more
        state = self._told = fold(self._told, events)
        now = time.monotonic()
        if not events and now - self._looked >= _LOOK_ROUND_S:
            self._looked = now
            owner = read_owner(self._folder)
            if owner is None or not alive(owner):
                events = self._tail.read()  # what was written between the last look and its end
                state = self._told = fold(self._told, events)
                self.is_over = not events
                if self.is_over and state.phase in (Phase.QUEUED, Phase.RUNNING):
                    state = state_of(self._folder)  # cut off, or never begun
            elif owner.waits_for and state.phase not in (Phase.FINISHED, Phase.CANCELLED):
                state = queued(state, owner.waits_for)
        if not events and state == self._shown:
            return None
        if not events and not self.is_over and self._shown is not None and state == self._told:
            return None  # a queue's words stay until the run says something itself
        self._shown = state
        return events, state


class Supervisors(QObject):
    """The children that look after the runs which this window started; they end with it.

    Signals:
        ended(tuple[str, ...], MedfmError | None): a supervisor ended; the error says why it could not do its work.
    """

    ended = Signal(object, object)

    def __init__(self, workspace: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._mailbox = Mailbox(self._take, self)
        self._alive: dict[tuple[str, ...], None] = {}
        self._threads: list[threading.Thread] = []

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs that are looked after now, also those that wait for their turn."""
        return tuple(run for queue_ in self._alive for run in queue_)

    def start(self, runs: Sequence[str]) -> None:
        """Start a supervisor for runs that exist."""
        wanted = tuple(runs)
        self._alive[wanted] = None
        thread = threading.Thread(target=self._supervise, args=(wanted,), name="supervisor", daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()]
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        """Wait for the threads of supervisors that have ended; one that still runs ends with this process."""
        self._mailbox.close()
        for thread in self._threads:
            thread.join(0.0 if self._alive else _PATIENCE_S)

    def _supervise(self, runs: tuple[str, ...]) -> None:
        said = b""
        try:
            child = children.spawn(
                children.python("medfm_gui.desk.supervisor", str(self._workspace), *runs),
                environment=children.clean_environment(),
                folder=Path(tempfile.gettempdir()),
                stdout=subprocess.PIPE,
            )
        except OSError as error:
            reason = WorkerFailed(f"The runs could not be started ({error.strerror}).", "Install MedFM Studio again.")
            self._mailbox.put((runs, reason))
            return
        with child:
            if child.stdout is not None:
                said = child.stdout.read()[-8192:]
        self._mailbox.put((runs, _spoken(said, child.returncode)))

    def _take(self, letter: tuple[tuple[str, ...], MedfmError | None]) -> None:
        runs, error = letter
        self._alive.pop(runs, None)
        self.ended.emit(runs, error)


def _spoken(said: bytes, status: int) -> MedfmError | None:
    """The failure on a supervisor's last line; a silent death is one too."""
    if status == 0:
        return None
    with contextlib.suppress(ValueError, IndexError, KeyError):
        words = json.loads(said.splitlines()[-1])
        return for_window(error_from_wire(words["kind"], words["message"], words["hint"]))
    return WorkerFailed("The process that looked after the runs ended unexpectedly.", "Resume the runs.")


def is_running(pid: int) -> bool:
    """Whether a process has that number."""
    return identity(pid) is not None


class Chores(QObject):
    """Small work away from the window's thread, one thing after another; what it returns comes back."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mailbox = Mailbox(self._take, self)
        self._waiting: queue.SimpleQueue[tuple[Callable[[], Any], Callable[[Any], None]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="chores", daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], T], then: Callable[[T], None] | None = None) -> None:
        """Do something that may take a moment; an ``OSError`` of it is dropped, for it is nobody's data."""
        self._waiting.put((work, then or (lambda _: None)))

    def close(self) -> None:
        """Finish what waits."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (chore := self._waiting.get()) is not None:
            work, then = chore
            try:
                self._mailbox.put((then, work()))
            except OSError:
                continue
            except Exception:  # noqa: BLE001 - the border: one defect must not keep the other chores from being done
                sys.excepthook(*sys.exc_info())

    def _take(self, letter: tuple[Callable[[Any], None], Any]) -> None:
        then, value = letter
        then(value)
