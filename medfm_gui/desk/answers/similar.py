"""Training images to compare with, for a run that kept none: made by a worker, as ``medfm similar`` does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from medfm_gui.desk.asks.studies import KeepSimilar, SimilarKept
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import Interrupted

_STAGES = {"pixels": "Reading the images", "features": "Looking at images"}


def keep_similar(room: Room, ask: KeepSimilar, told: Told) -> SimilarKept:
    """Look at the training images with the run's model.

    Raises:
        Interrupted: it was cancelled; nothing of what was not finished stays.
        UsageError: the run is not finished, or its training images are not in this workspace.
        MedfmError: its data or weights are gone or changed.
    """
    from medfm_gui.workspace.outliers import keep_similar as keep

    told.progress("Starting the worker")
    try:
        limit = keep(room.workspace, ask.run, on_event=_telling(told), stop=told.stopped)
    except Interrupted as error:
        raise Interrupted("Similar cases were not computed.", "Start it again when you like.") from error
    return SimilarKept(ask.run, limit.references, limit.note)


def _telling(told: Told) -> Callable[[ev.Event], None]:
    """Pass progress on. A cancel reaches the worker by ``told.stopped``; nothing is raised on its supervisor."""
    stage = _STAGES["features"]

    def tell(event: ev.Event) -> None:
        nonlocal stage
        with contextlib.suppress(Interrupted):
            if isinstance(event, ev.StageStarted):
                stage = _STAGES.get(event.stage, _STAGES["features"])
                told.progress(stage, 0, event.total)
            elif isinstance(event, ev.Progressed):
                told.progress(stage, event.done, event.total, event.seconds_left)

    return tell
