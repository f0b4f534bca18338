"""Weights: import a file, fetch from the hub, look through a folder for files that are named like weights."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import load_settings
from medfm_gui.desk.asks.settings import FoundWeights, FoundWeightsList, ImportWeights, LookForWeights, PullWeights
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import BackboneCard, WeightsStatus
from medfm_gui.domain.errors import InputError, Interrupted

_KINDS = (".safetensors", ".pt", ".pth", ".bin")
_MOST_FILES = 500
_MOST_LOOKED_AT = 20_000
_STAGES = {"weights": "Checking every tensor against the model", "download": "Fetching"}


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


def pull_weights(room: Room, ask: PullWeights, told: Told) -> WeightsStatus:
    """Fetch a model's weights and keep them; a cancelled download goes on from where it was.

    Raises:
        Offline: the network is switched off, or the hub cannot be reached.
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


def look_for_weights(room: Room, ask: LookForWeights, told: Told) -> FoundWeightsList:
    """Weights files below a folder with the model each is named for. No file is opened.

    Raises:
        InputError: there is no such folder.
    """
    root = Path(ask.folder).expanduser().absolute()
    if not root.is_dir():
        raise InputError(f"There is no folder “{root.name}”.", "Choose the folder again; is the stick still in?")
    cards = read_plugins().cards
    found = []
    for number, path in enumerate(_files(root)):
        told.progress("Looking through the folder", number)
        if path.suffix.lower() in _KINDS and path.is_file():
            found.append(FoundWeights(str(path), path.stat().st_size, named_for(path.relative_to(root), cards)))
        if number >= _MOST_LOOKED_AT or len(found) >= _MOST_FILES:
            return FoundWeightsList(_sorted(found), is_cut=True)
    return FoundWeightsList(_sorted(found))


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            yield Path(folder) / name


def _sorted(found: Sequence[FoundWeights]) -> tuple[FoundWeights, ...]:
    return tuple(sorted(found, key=lambda item: (not item.model, item.path)))


def named_for(path: Path, cards: Sequence[BackboneCard]) -> str:
    """The registry name of the model that a path (relative to the folder that is looked through) names, or empty.

    A file is named for a model when it is called like the model, its architecture or the last part of its hub
    repository; ``model.safetensors`` and ``pytorch_model.bin`` count by the folder they lie in, as the hub has them.
    """
    called = {_plain(path.stem)}
    if path.stem in ("model", "pytorch_model", "open_clip_pytorch_model", "open_clip_model"):
        called = {_plain(part.rpartition("--")[2]) for part in path.parts[:-1]}
    for card in cards:
        names = {card.name}
        if card.weights.hub_repo:
            names.add(PurePosixPath(card.weights.hub_repo).name)
        if called & {_plain(name) for name in names}:
            return card.name
    return ""


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
