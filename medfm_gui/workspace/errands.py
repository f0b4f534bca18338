"""Short work for a worker that belongs to no run: a probe, a weights file, a partition to score, a study."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.base.atomic import atomic_write
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import Interrupted, MedfmError, WorkerFailed, error_from_wire
from medfm_gui.domain.run import Phase, RunState, Spec

OnEvent = Callable[[ev.Event], None]


def run_errand(spec: Spec, *, folder: Path | None = None, on_event: OnEvent | None = None) -> list[ev.Event]:
    """Let a worker do one thing and return all that it said.

    Args:
        folder: where the order and the events are kept; None for a folder that is gone afterwards.

    Raises:
        MedfmError: whatever the worker named as the reason of its failure.
    """
    if folder is not None:
        return _run(spec, folder, on_event=on_event)
    with tempfile.TemporaryDirectory(prefix="medfm-") as made:
        return _run(spec, Path(made), on_event=on_event)


def _run(spec: Spec, folder: Path, *, on_event: OnEvent | None) -> list[ev.Event]:
    from medfm_gui.jobs.process import supervise

    atomic_write(folder / "spec.json", wire.encode_spec(spec))
    said: list[ev.Event] = []

    def take(events: Sequence[ev.Event], _: RunState) -> None:
        said.extend(events)
        for event in events if on_event else ():
            if on_event:
                on_event(event)

    state = supervise(folder, on_events=take, locks=folder / "locks")
    if state.phase is not Phase.FINISHED:
        raise failure(state)
    return said


def failure(state: RunState) -> MedfmError:
    """The error behind a state that is not finished."""
    if state.phase is Phase.FAILED:
        return error_from_wire(state.error_kind, state.message, state.hint)
    if state.phase in (Phase.CANCELLED, Phase.PAUSED):
        return Interrupted("The work was stopped before it was done.", "Start it again.")
    return WorkerFailed("The worker ended without an answer.", "Do it again; its log says more.")
