"""Weights: import a file, fetch from the hub, look through a folder for files that are named like weights."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import load_settings, network_allowed, weights_folder
from medfm_gui.base.weights_status import status
from medfm_gui.desk.asks.settings import FoundWeights, FoundWeightsList, ImportWeights, LookForWeights, PullWeights
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import BackboneCard, WeightsStatus
from medfm_gui.domain.errors import InputError, Interrupted, MedfmError, Offline, WeightsAbsent, WeightsRejected
from medfm_gui.domain.run import WeightsSpec

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
    card = read_plugins().card(ask.model)
    file = Path(ask.file).expanduser().absolute()
    if not file.exists():
        raise WeightsAbsent(f"There is no weights file “{file.name}”.", "Choose the file again.")
    if not file.is_file():  # a pipe or a device would be waited for, for ever
        raise WeightsRejected(f"“{file.name}” is not a regular file.", "Choose a .safetensors, .pt or .pth file.")
    told.progress(f"Starting the check of “{file.name}”")
    return _errand(room, card, told, file=str(file))


def pull_weights(room: Room, ask: PullWeights, told: Told) -> WeightsStatus:
    """Fetch a model's weights and keep them; a cancelled download goes on from where it was.

    Raises:
        Offline: the network is switched off, or the hub cannot be reached.
        Interrupted: it was cancelled.
    """
    card = read_plugins().card(ask.model)
    if not network_allowed(load_settings()):
        raise Offline(
            f"The network is switched off, so the weights of {card.title} were not fetched.",
            "Allow the network, or import the file from a disk.",
        )
    told.progress(f"Asking the hub for {card.title}")
    return _errand(room, card, told, offline=False)


def _errand(room: Room, card: BackboneCard, told: Told, *, file: str = "", offline: bool = True) -> WeightsStatus:
    """Let a worker do it in a folder of its own, through which it can be stopped."""
    from medfm_gui.workspace.errands import run_errand

    place = weights_folder(load_settings())
    place.mkdir(parents=True, exist_ok=True)
    spec = WeightsSpec(card, str(place / f"{card.name}.safetensors"), file=file, offline=offline)
    with tempfile.TemporaryDirectory(dir=room.scratch, prefix="weights-") as made:
        folder = Path(made)
        try:
            run_errand(spec, folder=folder, on_event=lambda event: _tell(event, folder, told))
        except MedfmError as error:
            if told.stopped.is_set():
                raise _cancelled(card, is_download=not offline) from error
            raise
    return status(card, place)


def _tell(event: ev.Event, folder: Path, told: Told) -> None:
    """Pass progress on. A cancel reaches the worker through its folder; nothing is raised on the supervisor."""
    if told.stopped.is_set():
        from medfm_gui.jobs.request import Request, ask

        ask(folder, Request.CANCEL)
        return
    try:
        if isinstance(event, ev.StageStarted):
            told.progress(_STAGES.get(event.stage, event.stage), 0, event.total)
        elif isinstance(event, ev.Progressed):
            text = _STAGES.get(event.stage, event.stage)
            told.progress(text, event.done, event.total, event.seconds_left)
    except Interrupted:
        pass  # heard with the next event


def _cancelled(card: BackboneCard, *, is_download: bool) -> Interrupted:
    if is_download:
        return Interrupted(
            f"Fetching the weights of {card.title} was cancelled.", "Fetch them again: what has come is kept."
        )
    return Interrupted(f"The import for {card.title} was cancelled.", "Import the file again when you like.")


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
