"""Running a run in this very process, for tests: the same files, the same states, no worker.

The generator of events is an argument, because no front end may import the engine that makes it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.domain.errors import InternalError, MedfmError, WorkerFailed
from medfm_gui.domain.events import LAST_WORDS, Event, RunCancelled
from medfm_gui.domain.run import RunState
from medfm_gui.jobs import follow, owner, request
from medfm_gui.jobs.attempt import failed
from medfm_gui.jobs.delivery import Delivery, Watcher
from medfm_gui.jobs.request import Request


def run_inline(
    folder: Path, events: Generator[Event, None, None], *, on_events: Watcher = lambda events, state: None
) -> RunState:
    """Write a generator's events into a run folder, tell them to ``on_events``, and return how the run ended.

    A failure of the generator becomes ``RunFailed``; a cancel between two events closes it. A pause is
    the generator's own business, which alone can save its place.

    Raises:
        WorkspaceBusy: somebody supervises the run.
    """
    owner.claim(folder)
    try:
        follow.cut_torn_line(folder)
        delivery = Delivery(folder, on_events)
        last = _record(folder, events, delivery)
        if not isinstance(last, LAST_WORDS):
            follow.append_events(folder, [_epitaph(folder, last)])
        delivery.finish(0)
        return delivery.state
    finally:
        with owner.guarded(folder):
            owner.disown(folder)


def _record(
    folder: Path, events: Generator[Event, None, None], delivery: Delivery
) -> Event | MedfmError | Request | None:
    last: Event | None = None
    with (folder / follow.EVENTS).open("ab", buffering=0) as handle, contextlib.closing(events):
        try:
            for last in events:
                handle.write(wire.encode_event(last))
                delivery.step()
                if not isinstance(last, LAST_WORDS) and request.asked(folder) is Request.CANCEL:
                    return Request.CANCEL
        except MedfmError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a border: whatever the work raises is the run's failure
            return InternalError(f"The run failed: {type(error).__name__}.", "This is a defect of the program.")
    return last


def _epitaph(folder: Path, last: Event | MedfmError | Request | None) -> Event:
    if last is Request.CANCEL:
        return RunCancelled(time.time(), "The run was cancelled.")
    error = last if isinstance(last, MedfmError) else WorkerFailed("The run ended without a word.", "Start it again.")
    return failed(error, follow.can_go_on(folder, follow.told(folder)))
