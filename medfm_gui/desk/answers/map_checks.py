"""Checks of a run's heat maps: kept ones are read, new ones are made by a worker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from medfm_gui.desk.asks.map_checks import CheckMaps, KeptMapChecks, ListMapChecks
from medfm_gui.desk.entry import Entry, Lane
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import Interrupted
from medfm_gui.domain.explain import EXPLANATIONS, MapChecks

_STAGES = {
    "maps": "Making the maps",
    "shifts": "Moving the images",
    "findings": "Looking at marked findings",
    "shuffled weights": "Shuffling the weights",
}


def list_map_checks(room: Room, ask: ListMapChecks, told: Told) -> KeptMapChecks:
    """From the run's folder; those of a model that was trained again since are left out."""
    from medfm_gui.workspace.map_checks import kept_checks

    if not (room.workspace.run(ask.run) / "map_checks").is_dir():
        return KeptMapChecks(())
    found = [kept for card in EXPLANATIONS if (kept := kept_checks(room.workspace, ask.run, card.name)) is not None]
    return KeptMapChecks(tuple(sorted(found, key=lambda one: one.created, reverse=True)))


def check_maps(room: Room, ask: CheckMaps, told: Told) -> MapChecks:
    """Measure them.

    Raises:
        Interrupted: it was cancelled.
        SealError: the run's test set was not opened.
        UsageError: the run is not finished, or has no maps of the kind.
    """
    from medfm_gui.workspace.map_checks import CheckRequest
    from medfm_gui.workspace.map_checks import check_maps as measure

    told.progress("Starting the worker")
    try:
        return measure(
            room.workspace,
            CheckRequest(ask.run, ask.explain, ask.subset, ask.images),
            on_event=_telling(told),
            stop=told.stopped,
        )
    except Interrupted as error:
        raise Interrupted("The check of the maps was cancelled.", "Start it again when you like.") from error


def _telling(told: Told) -> Callable[[ev.Event], None]:
    """Pass progress on. A cancel reaches the worker by ``told.stopped``; nothing is raised on its supervisor."""

    def tell(event: ev.Event) -> None:
        with contextlib.suppress(Interrupted):
            if isinstance(event, ev.StageStarted):
                told.progress(_STAGES.get(event.stage, event.stage), 0, event.total)
            elif isinstance(event, ev.Progressed):
                text = _STAGES.get(event.stage, event.stage)
                told.progress(text, event.done, event.total, event.seconds_left)

    return tell


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ListMapChecks: Entry(list_map_checks),
    CheckMaps: Entry(check_maps, Lane.WORK, writes=True),
}
