"""Short work for a worker that belongs to no run: a probe, a weights file, a partition to score, a study."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import Interrupted, MedfmError, WorkerFailed, error_from_wire
from medfm_gui.domain.run import Phase, RunState, Spec, fold

if TYPE_CHECKING:
    from medfm_gui.jobs.warm import WarmWorker

_LOOK_S = 0.1
OnEvent = Callable[[ev.Event], None]


def run_errand(
    spec: Spec,
    *,
    folder: Path | None = None,
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
) -> list[ev.Event]:
    """Let a worker do one thing and return all that it said.

    Args:
        folder: where the order and the events are kept; None for a folder that is gone afterwards.
        stop: set it from another thread to have the work ended.

    Raises:
        Interrupted: it was stopped.
        MedfmError: whatever the worker named as the reason of its failure.
    """
    if folder is not None:
        return _run(spec, folder, on_event, stop)
    with tempfile.TemporaryDirectory(prefix="medfm-") as made:
        return _run(spec, Path(made), on_event, stop)


def ask_warm(
    warm: WarmWorker, folder: Path, *, on_event: OnEvent | None = None, stop: threading.Event | None = None
) -> list[ev.Event]:
    """Let a worker that stays up carry out the order in ``folder`` and return all that it said.

    A worker hears of ``stop`` between two events; while it loads its libraries it ends only afterwards.

    Raises:
        Interrupted: it was stopped.
        MedfmError: whatever the worker named as the reason of its failure.
    """
    check(stop)
    said: list[ev.Event] = []
    with _cancelling(folder, stop):
        for event in warm.ask(folder):
            said.append(event)
            if on_event:
                on_event(event)
    state = fold(RunState(), said)
    if state.phase is not Phase.FINISHED:
        raise failure(state)
    return said


@contextlib.contextmanager
def _cancelling(folder: Path, stop: threading.Event | None) -> Iterator[None]:
    """While the block lasts, a set ``stop`` is passed on as a request, again and again: a new job forgets old ones."""
    if stop is None:
        yield
        return
    from medfm_gui.jobs import request

    over = threading.Event()

    def watch(asked: threading.Event) -> None:
        while not over.wait(_LOOK_S):
            if asked.is_set():
                with contextlib.suppress(MedfmError):
                    request.ask(folder, request.Request.CANCEL)

    watcher = threading.Thread(target=watch, args=(stop,), name="errand-stop", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def check(stop: threading.Event | None) -> None:
    """Give up here if ``stop`` is set.

    Raises:
        Interrupted: so it is.
    """
    if stop is not None and stop.is_set():
        raise stopped()


def stopped() -> Interrupted:
    """What an errand that a person ended ends with."""
    return Interrupted("The work was stopped before it was done.", "Start it again.")


def _run(spec: Spec, folder: Path, on_event: OnEvent | None, stop: threading.Event | None) -> list[ev.Event]:
    from medfm_gui.jobs.process import supervise

    check(stop)
    atomic_write(folder / "spec.json", wire.encode_spec(spec))
    said: list[ev.Event] = []

    def take(events: Sequence[ev.Event], _: RunState) -> None:
        said.extend(events)
        for event in events if on_event else ():
            if on_event:
                on_event(event)

    state = supervise(folder, on_events=take, locks=folder / "locks", stop=stop)
    if state.phase is not Phase.FINISHED:
        raise failure(state)
    return said


def failure(state: RunState) -> MedfmError:
    """The error behind a state that is not finished."""
    if state.phase is Phase.FAILED:
        return error_from_wire(state.error_kind, state.message, state.hint)
    if state.phase in (Phase.CANCELLED, Phase.PAUSED):
        return stopped()
    return WorkerFailed("The worker ended without an answer.", "Do it again; its log says more.")
