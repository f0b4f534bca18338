"""Running a run in a process of its own: the order of things, from the claim to the last word.

    claim        the run gets one owner (owner.json); what an earlier worker left torn is cut
    deliver      what an earlier supervisor may not have told its watcher
    wait         for the device; a pause or a cancel is heard here too
    work         a worker is started, followed, held to what is asked
    last word    said here if the worker died without one
    release      the watcher has everything, the run has no owner

The worker dies with its supervisor, which one program (the window, a command that waits) is itself,
or which ``start_supervisor`` starts so that it outlives the program that asked.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

from medfm_gui.base import children
from medfm_gui.domain.errors import MedfmError, UsageError, WorkerFailed
from medfm_gui.domain.events import Event, RunCancelled, RunPaused
from medfm_gui.domain.run import Phase, RunState, WeightsSpec
from medfm_gui.jobs import follow, owner, request
from medfm_gui.jobs.attempt import Attempt, Command, Patience, engine_worker, failed
from medfm_gui.jobs.delivery import Delivery, Watcher
from medfm_gui.jobs.device import Turn, device_of, read_spec
from medfm_gui.jobs.request import Request

_WAIT_S = 0.1
_OVER = (Phase.FINISHED, Phase.CANCELLED)


def supervise(
    folder: Path,
    *,
    on_events: Watcher,
    command: Command = engine_worker,
    locks: Path,
    stop: threading.Event | None = None,
    patience: Patience | None = None,
) -> RunState:
    """Run a run to its end, its pause or its failure, and return how it ended.

    A run that is paused, failed or interrupted goes on; one that is finished or cancelled is only told
    again. ``on_events`` is called on this thread and gets every event at least once (see ``delivery``).

    Args:
        folder: the run folder with its ``spec.json``.
        command: the worker's command line for that folder.
        locks: the workspace's folder of locks; the run waits there for its device.
        stop: set it to have the run paused. Without it, in the main thread, SIGTERM, SIGHUP and
            Ctrl-C do so; a second signal acts at once.

    Raises:
        WorkspaceBusy: somebody supervises the run already.
        NotFound, InputError: there is no such run, or its order cannot be read.
        DiskFull: not even the end of the run could be written.
        Exception: what ``on_events`` raised at last, when it refused to the end.
    """
    with stop_on_signals(stop) as stopping:
        return _Supervision(folder.absolute(), on_events, command, locks, stopping, patience or Patience()).carry_out()


@dataclass
class _Supervision:
    """One run in the hands of this thread."""

    folder: Path
    watcher: Watcher
    command: Command
    locks: Path
    stopping: threading.Event
    patience: Patience
    is_next: Callable[[], bool] = lambda: True
    """Whether the runs before it in its own queue are through."""
    delivery: Delivery = field(init=False)
    owner: owner.Owner = field(init=False)

    def carry_out(self) -> RunState:
        spec = read_spec(self.folder)
        self.owner = owner.claim(self.folder)
        self.delivery = Delivery(self.folder, self.watcher)
        try:
            follow.cut_torn_line(self.folder)
            self.delivery.catch_up()
            if follow.told(self.folder).phase not in _OVER:
                turn = Turn(device_of(spec), self.locks)
                try:
                    if self._wait(turn):
                        self._work(network=isinstance(spec, WeightsSpec) and not spec.offline)
                finally:
                    turn.leave()
        except BaseException:
            self._release(late_cancel=False)
            raise
        return self._end()

    def _wait(self, turn: Turn) -> bool:
        """Stand in line; False if the run was paused or cancelled there."""
        if not self._may_start(turn):
            self._say(f"It waits for its turn on {turn.device}." if turn.device else "It waits for its turn.")
        while not self._may_start(turn):
            if self._asked_while_waiting():
                return False
            self.delivery.step()
            time.sleep(_WAIT_S)
        return not self._asked_while_waiting()

    def _may_start(self, turn: Turn) -> bool:
        return self.is_next() and turn.come()

    def _say(self, waits_for: str) -> None:
        self.owner = owner.note(self.folder, self.owner, waits_for=waits_for)
        self.delivery.tell(follow.queued(self.delivery.state, waits_for))

    def _asked_while_waiting(self) -> bool:
        asked = Request.PAUSE if self.stopping.is_set() else request.asked(self.folder)
        if asked is Request.CANCEL:
            self._append(RunCancelled(time.time(), "The run was cancelled before it started."))
        elif asked is Request.PAUSE:
            self._append(RunPaused(time.time(), follow.told(self.folder).epoch))
        return asked is not Request.NOTHING

    def _work(self, *, network: bool) -> None:
        self._say("Its worker is starting.")
        environment = children.clean_environment(children.compute_environment(network=network))
        with contextlib.ExitStack() as held:
            try:
                attempt = held.enter_context(
                    Attempt(self.folder, self.command(self.folder), environment, self.patience)
                )
            except OSError as error:
                self._could_not_start(error)
                return
            worker = owner.identity(attempt.pid)
            self.owner = owner.note(self.folder, self.owner, waits_for=self.owner.waits_for, worker=worker)
            self._follow(attempt)
        follow.cut_torn_line(self.folder)
        self.delivery.catch_up()  # before the whole file is read again for its last word
        if word := attempt.epitaph(follow.told(self.folder)):
            self._append(word)

    def _could_not_start(self, error: OSError) -> None:
        reason = WorkerFailed(
            f"The worker could not be started ({error.strerror}).", "Install MedFM Studio again, then resume."
        )
        self._append(failed(reason, follow.can_go_on(self.folder, follow.told(self.folder))))

    def _follow(self, attempt: Attempt) -> None:
        silence = _Silence(self.patience.silence_s)
        while attempt.runs():
            if self.owner.waits_for and attempt.has_begun():
                self.owner = owner.note(self.folder, self.owner, waits_for="", worker=self.owner.worker)
            if self.delivery.step():
                silence.broken()
            elif silence.is_long():
                self.delivery.tell(silence.told(self.delivery.state))
            asked, stopping = request.asked(self.folder), self.stopping.is_set()
            if stopping and asked is Request.NOTHING:
                asked = Request.PAUSE
                with contextlib.suppress(MedfmError):  # a worker that cannot be asked is ended after its grace
                    request.ask(self.folder, asked)
            attempt.press(asked, stopping=stopping)
            time.sleep(self.delivery.pause_s)

    def _append(self, event: Event) -> None:
        _say_last_word(self.folder, event)

    def _end(self) -> RunState:
        try:
            self.delivery.finish(self.patience.watcher_s)
            while not self._release():
                self._append(RunCancelled(time.time(), "The run was cancelled."))
                self.delivery.finish(self.patience.watcher_s)
        except BaseException:
            self._release(late_cancel=False)
            raise
        return self.delivery.state

    def _release(self, *, late_cancel: bool = True) -> bool:
        """Give the run up; False if a cancel came too late for the worker and must be said first."""
        with owner.guarded(self.folder):
            if late_cancel and request.asked(self.folder) is Request.CANCEL and _can_be_cancelled(self.delivery.state):
                return False
            owner.disown(self.folder)
        return True


class _Silence:
    """Notices a worker that says nothing, counting only time in which this process itself was awake."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self.broken()

    def broken(self) -> None:
        self._silent_s, self._seen, self._told = 0.0, time.monotonic(), False

    def is_long(self) -> bool:
        """Whether to tell of it now; once for every silence."""
        now = time.monotonic()
        self._silent_s += min(now - self._seen, 1.0)  # a longer gap: we slept too, with the computer
        self._seen = now
        if self._told or self._silent_s < self._limit_s:
            return False
        self._told = True
        return True

    def told(self, state: RunState) -> RunState:
        """The state with the news."""
        return replace(
            state,
            message=f"The worker has said nothing for {self._silent_s:.0f} seconds.",
            hint="It may be busy with something long; wait, or cancel the run.",
        )


def run_queue(
    folders: Sequence[Path],
    *,
    on_events: Callable[[Path, Sequence[Event], RunState], None],
    command: Command = engine_worker,
    locks: Path,
    stop: threading.Event | None = None,
    patience: Patience | None = None,
) -> list[RunState]:
    """Supervise several runs: one after another on each device, devices side by side. Returns their states in order.

    All are claimed before the first starts, so that each reads as queued. ``on_events`` gets the run's
    folder first and is called from the runs' threads, one call at a time.

    Raises:
        as ``supervise``; WorkspaceBusy, NotFound and InputError before anything has started, others when
        all runs have ended.
    """
    folders = list(dict.fromkeys(folder.absolute() for folder in folders))
    one_at_a_time = threading.Lock()

    def watcher_of(folder: Path) -> Watcher:
        def watch(events: Sequence[Event], state: RunState) -> None:
            with one_at_a_time:
                on_events(folder, events, state)

        return watch

    with stop_on_signals(stop) as stopping, _claimed(folders):
        queue = []
        before: dict[str, threading.Event] = {}
        for folder in folders:
            device = device_of(read_spec(folder))
            run = _Queued(
                _Supervision(folder, watcher_of(folder), command, locks, stopping, patience or Patience()),
                before.get(device) if device else None,
            )
            before[device] = run.through
            queue.append(run)
        return _carry_out_all(queue, stopping)


class _Queued(threading.Thread):
    """One run of a queue on its own thread; it starts when the run before it on its device is through."""

    def __init__(self, supervision: _Supervision, before: threading.Event | None) -> None:
        super().__init__(name=f"run-{supervision.folder.name}")
        self._supervision = supervision
        if before is not None:
            supervision.is_next = before.is_set
        self.through = threading.Event()
        self.state = RunState()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.state = self._supervision.carry_out()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits for the queue
            self.error = error
        finally:
            self.through.set()


def _carry_out_all(queue: Sequence[_Queued], stopping: threading.Event) -> list[RunState]:
    for run in queue:
        run.start()
    for run in queue:
        while run.is_alive():
            try:
                run.join(0.2)  # with a time-out, so that signals are heard on every system
            except KeyboardInterrupt:
                stopping.set()
                raise
    for run in queue:
        if run.error is not None:
            raise run.error
    return [run.state for run in queue]


@contextlib.contextmanager
def _claimed(folders: Sequence[Path]) -> Iterator[None]:
    """Each run stands in this process's queue; those that nobody took up are given back at the end."""
    taken: list[tuple[Path, owner.Owner]] = []
    try:
        for folder in folders:
            read_spec(folder)
            taken.append((folder, owner.claim(folder, supervising=False)))
        yield
    finally:
        for folder, claim in taken:
            with owner.guarded(folder):
                if owner.read_owner(folder) == claim:
                    owner.disown(folder)


@contextlib.contextmanager
def stop_on_signals(stop: threading.Event | None = None) -> Iterator[threading.Event]:
    """An event that SIGTERM, SIGHUP and Ctrl-C set, where there is no other and this is the main thread.

    The first signal asks; a second has its usual effect, and the worker ends with this process.
    """
    if stop is not None or threading.current_thread() is not threading.main_thread():
        yield stop or threading.Event()
        return
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        restore()
        asked.set()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    names = [name for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in (getattr(signal, name) for name in names)}
    before = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        restore()


def request_pause(folder: Path) -> None:
    """Ask a run that waits or runs to save its place and end.

    Raises:
        UsageError: it neither waits nor runs.
        NotFound: there is no such folder.
    """
    if not _asked(folder, Request.PAUSE):
        phase = follow.state_of(folder).phase
        raise UsageError(
            f"The run “{folder.name}” is not running ({phase}), so it cannot be paused.",
            "“medfm runs” shows the state of every run.",
        )


def request_cancel(folder: Path) -> None:
    """Ask a run to end for good; of a run that nobody supervises this is written down at once.

    Raises:
        UsageError: it has ended for good already.
        NotFound: there is no such folder.
    """
    if _asked(folder, Request.CANCEL):
        return
    state = follow.state_of(folder)
    if not _can_be_cancelled(state):
        raise UsageError(
            f"The run “{folder.name}” has ended already ({state.phase}), so it cannot be cancelled.",
            "“medfm runs” shows the state of every run.",
        )
    owner.claim(folder)
    try:
        _say_last_word(folder, RunCancelled(time.time(), "The run was cancelled while nobody worked on it."))
    finally:
        with owner.guarded(folder):
            owner.disown(folder)


def _asked(folder: Path, word: Request) -> bool:
    with owner.guarded(folder):
        current = owner.read_owner(folder)
        if current is None or not owner.alive(current):
            return False
        request.ask(folder, word)
        return True


def _say_last_word(folder: Path, event: Event) -> None:
    follow.append_events(folder, [event])
    if isinstance(event, RunCancelled):  # for good: what only a resume would read is room on the disk
        shutil.rmtree(folder / "checkpoint", ignore_errors=True)


def _can_be_cancelled(state: RunState) -> bool:
    return state.phase not in _OVER and (state.phase is not Phase.FAILED or state.resumable)


def start_supervisor(runs: Sequence[str], workspace: Path) -> int:
    """Start ``medfm supervise RUN …``, which outlives this program, and return its process number.

    Args:
        runs: run ids, folders in ``workspace/runs``.

    Raises:
        WorkspaceBusy: somebody supervises one of them already.
        NotFound: there is no such run.
        WorkerFailed: the program could not be started.
    """
    workspace = workspace.absolute()
    folders = [workspace / "runs" / run for run in runs]
    for folder in folders:
        with owner.guarded(folder):
            current = owner.read_owner(folder)
        if current is not None and owner.alive(current):
            raise owner.busy(folder, current)
    process = _detached(children.python("medfm_gui", "supervise", *runs, "--workspace", str(workspace)), workspace)
    found = owner.identity(process.pid)
    for folder in folders:
        if found is not None:  # until it has claimed them itself they read as queued, not as forgotten
            owner.claim(folder, found, supervising=False)
    return process.pid


def _detached(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """The one kind of child that must survive its parent: no pipes, a session of its own."""
    environment = children.clean_environment()
    try:
        if sys.platform == "win32":  # pragma: no cover - CI on Windows only
            flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
            process = subprocess.Popen(command, env=environment, cwd=folder, creationflags=flags)
        else:
            nothing = subprocess.DEVNULL
            process = subprocess.Popen(
                command, env=environment, cwd=folder, stdin=nothing, stdout=nothing, stderr=nothing,
                start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        raise WorkerFailed(
            f"The background program could not be started ({error.strerror}).", "Install MedFM Studio again."
        ) from error
    threading.Thread(target=process.wait, name=f"supervisor-{process.pid}", daemon=True).start()  # leaves no zombie
    return process
