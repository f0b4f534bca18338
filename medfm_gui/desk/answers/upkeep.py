"""The workspace itself: its database made again from its files, its journal verified."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medfm_gui.desk.asks.upkeep import DatabaseRebuilt, JournalVerified, RebuildDatabase, VerifyJournal
from medfm_gui.desk.entry import Entry, Lane, Topic
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told

_EVERYTHING = tuple(topic for topic in Topic if topic not in (Topic.MODELS, Topic.SETTINGS))


def rebuild_database(room: Room, ask: RebuildDatabase, told: Told) -> DatabaseRebuilt:
    """Let go of the database, have it made again, open the new one.

    Raises:
        WorkspaceBusy: a run is at work and writes to the database.
        InputError: a file of the workspace is damaged; the present database stays.
        Interrupted: it was cancelled; likewise.
    """
    from medfm_gui.workspace.rebuild import rebuild

    with room.without_database():
        made = rebuild(room.workspace.root, settings=room.workspace.settings, on_progress=told.progress)
    return DatabaseRebuilt(
        datasets=made.datasets,
        splits=made.splits,
        runs=made.runs,
        evaluations=made.evaluations,
        studies=made.studies,
        predictions=made.predictions,
        reports=made.reports,
        previous=Path(made.previous).name,
    )


def verify_journal(room: Room, ask: VerifyJournal, told: Told) -> JournalVerified:
    """Follow the chain, and hold it against the database and the filed reports."""
    from medfm_gui.workspace.verifying import verify_journal as follow

    found = follow(room.workspace)
    sentences = tuple(item.message for item in found.differences)
    return JournalVerified(found.checked, found.facts["head"], sentences, found.remarks)


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    RebuildDatabase: Entry(rebuild_database, Lane.WORK, changes=_EVERYTHING, writes=True, alone=True),
    VerifyJournal: Entry(verify_journal, Lane.INDEX),
}
