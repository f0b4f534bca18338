"""Weights: import a file or a pack, fetch from the hub, accept a licence, look through a folder by names alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import load_settings
from medfm_gui.desk.asks.settings import (
    AcceptLicence,
    FoundWeights,
    FoundWeightsList,
    ImportPack,
    ImportWeights,
    LookForWeights,
    PackReport,
    PullWeights,
)
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import WeightsStatus
from medfm_gui.domain.errors import Interrupted
from medfm_gui.workspace.packs import pack_file

_STAGES = {
    "weights": "Checking every tensor against the model",
    "download": "Fetching",
    "pack": "Going through the files",
}


def import_weights(room: Room, ask: ImportWeights, told: Told) -> WeightsStatus:
    """Check a file against a model and keep it.

    Raises:
        WeightsAbsent: there is no such file.
        WeightsRejected: it is not this model's, is incomplete, or holds code.
        Interrupted: it was cancelled.
    """
    from medfm_gui.workspace import models

    card, file = read_plugins().card(ask.model), Path(ask.file)
    told.progress(f"Starting the check of “{file.name}”")
    try:
        return models.import_weights(load_settings(), card.name, file, on_event=_telling(told), stop=told.stopped)
    except Interrupted as error:
        raise Interrupted(
            f"The import for {card.title} was cancelled.", "Import the file again when you like."
        ) from error


def import_pack(room: Room, ask: ImportPack, told: Told) -> PackReport:
    """Bring in every file of a folder that is a model's, and say of each what became of it.

    Raises:
        InputError: there is no such folder, or nothing in it.
        DiskFull: there is not enough space; what was brought in stays.
        Interrupted: it was cancelled; what was brought in stays.
    """
    from medfm_gui.workspace.packs import import_pack as bring_in

    told.progress("Starting to look through the files")
    return PackReport(bring_in(load_settings(), Path(ask.folder), on_event=_telling(told), stop=told.stopped))


def pull_weights(room: Room, ask: PullWeights, told: Told) -> WeightsStatus:
    """Fetch a model's weights and keep them; a cancelled download goes on from where it was.

    Raises:
        Offline: the network is switched off, or the hub cannot be reached.
        UsageError: their licence was not accepted.
        Interrupted: it was cancelled.
    """
    from medfm_gui.workspace import models

    card = read_plugins().card(ask.model)
    told.progress(f"Asking the hub for {card.title}")
    try:
        return models.pull_weights(load_settings(), card.name, on_event=_telling(told), stop=told.stopped)
    except Interrupted as error:
        raise Interrupted(
            f"Fetching the weights of {card.title} was cancelled.", "Fetch them again: what has come is kept."
        ) from error


def accept_licence(room: Room, ask: AcceptLicence, told: Told) -> bool:
    """Keep that the licence of a model's weights is accepted; true."""
    from medfm_gui.workspace import models

    return models.is_licence_accepted(models.accept_licence(ask.model), read_plugins().card(ask.model))


def _telling(told: Told) -> Callable[[ev.Event], None]:
    """Pass progress on. A cancel reaches the worker by ``told.stopped``; nothing is raised on its supervisor."""

    def tell(event: ev.Event) -> None:
        with contextlib.suppress(Interrupted):
            if isinstance(event, ev.StageStarted):
                told.progress(_STAGES.get(event.stage, event.stage), 0, event.total)
            elif isinstance(event, ev.Progressed):
                text = _STAGES.get(event.stage, event.stage)
                told.progress(text, event.done, event.total, event.seconds_left)
            elif isinstance(event, ev.Answered) and "state" in event.facts:
                told.part(PackReport((pack_file(event.facts),)))

    return tell


def look_for_weights(room: Room, ask: LookForWeights, told: Told) -> FoundWeightsList:
    """Weights files below a folder with the model each is named for. No file is opened.

    Raises:
        InputError: there is no such folder.
    """
    from medfm_gui.workspace.packs import find_files

    told.progress("Looking through the folder")
    files, is_cut = find_files(Path(ask.folder).expanduser().absolute(), read_plugins().cards)
    found = [FoundWeights(one.path, one.size, one.model) for one in files]
    return FoundWeightsList(tuple(sorted(found, key=lambda item: (not item.model, item.path))), is_cut)
