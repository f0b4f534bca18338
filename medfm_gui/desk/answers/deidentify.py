"""Copies of studies that name nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from medfm_gui.desk.asks.deidentify import DeidentifyStudies, ExamineStudies
from medfm_gui.desk.entry import Entry, Lane
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.deidentification import Deidentified, Examined
from medfm_gui.workspace import deidentifying


def examine_studies(room: Room, ask: ExamineStudies, told: Told) -> Examined:
    """Headers only.

    Raises:
        NotFound: there is no such study or series.
        Interrupted: it was cancelled.
    """
    return deidentifying.examine(room.workspace, ask.studies, ask.series, pool=room.pool(), watch=_watch(told))


def deidentify_studies(room: Room, ask: DeidentifyStudies, told: Told) -> Deidentified:
    """All of it or nothing.

    Raises:
        NotFound: there is no such study or series.
        InputError: the folder cannot be used, or not one file may be written.
        DiskFull: there is no room.
        Interrupted: it was cancelled; nothing stays.
    """
    wish = deidentifying.Wish(
        studies=ask.studies,
        out=Path(ask.out),
        options=ask.options,
        series=ask.series,
        looked_at=frozenset(ask.looked_at),
        faces_known=ask.faces_known,
    )
    done = deidentifying.deidentify(room.workspace, wish, pool=room.pool(), watch=_watch(told))
    return replace(done, studies=())


def _watch(told: Told) -> deidentifying.Watch:
    """Progress with the seconds left, counted anew for each kind of work."""
    counts: dict[str, Callable[[int, int], None]] = {}

    def tell(words: str, done: int, total: int) -> None:
        if words not in counts:
            counts[words] = told.counting(words)
        counts[words](done, total)

    return deidentifying.Watch(tell, told.stopped.is_set)


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ExamineStudies: Entry(examine_studies, Lane.WORK),
    DeidentifyStudies: Entry(deidentify_studies, Lane.WORK, writes=True),
}
