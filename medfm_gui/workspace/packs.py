"""Model packs: a folder or a stick of weights brought in at one go."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from medfm_gui.base.plugins import read_plugins
from medfm_gui.base.settings import Settings, weights_folder
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.run import PackSpec
from medfm_gui.workspace.errands import OnEvent, run_errand

KINDS = (".safetensors", ".pt", ".pth", ".bin", ".tar")
"""Endings of files of weights."""
MOST_FILES = 500
MOST_LOOKED_AT = 20_000
_ANONYMOUS = ("model", "pytorch_model", "open_clip_pytorch_model", "open_clip_model")
"""What the hub calls every model's file; its folder says which it is."""


@dataclass(frozen=True, slots=True)
class PackFile:
    """What became of one file: ``state`` is ``imported``, ``present`` (it was here already) or ``refused``.

    ``model`` is empty where none was found; ``message`` and ``hint`` say why a file was refused.
    """

    path: str
    model: str
    state: str
    message: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of weights: ``size`` in bytes; ``model`` that it is named for, empty where no name fits."""

    path: str
    size: int
    model: str


def find_files(root: Path, cards: Sequence[BackboneCard]) -> tuple[list[FoundFile], bool]:
    """Files of weights below a folder by their names alone, and whether there were more than are listed.

    Raises:
        InputError: there is no such folder.
    """
    if not root.is_dir():
        raise InputError(f"There is no folder “{root.name}”.", "Choose the folder again; is the stick still in?")
    found: list[FoundFile] = []
    for number, path in enumerate(_files(root)):
        if path.suffix.lower() in KINDS and path.is_file():
            found.append(FoundFile(str(path), path.stat().st_size, named_for(path.relative_to(root), cards)))
        if number >= MOST_LOOKED_AT or len(found) >= MOST_FILES:
            return found, True
    return found, False


def import_pack(
    settings: Settings,
    source: Path,
    *,
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
) -> tuple[PackFile, ...]:
    """Bring in every file of a folder that is a model's; also one file alone whose model nobody named.

    Args:
        stop: set it from another thread to have the work ended; what was brought in stays.

    Raises:
        InputError: there is no such folder, or no file of weights in it.
        DiskFull: there is not enough space; what was brought in stays.
        Interrupted: it was stopped.
    """
    source = source.expanduser().absolute()
    cards = read_plugins().cards
    if source.is_file():
        files = [FoundFile(str(source), source.stat().st_size, named_for(Path(source.name), cards))]
    else:
        files, _ = find_files(source, cards)
    if not files:
        raise InputError(
            f"“{source.name}” holds no file of weights.", f"Choose a folder with files of the kinds {', '.join(KINDS)}."
        )
    out = weights_folder(settings)
    out.mkdir(parents=True, exist_ok=True)
    spec = PackSpec(cards, tuple(one.path for one in files), tuple(one.model for one in files), str(out))
    said = run_errand(spec, on_event=on_event, stop=stop)
    return tuple(pack_file(event.facts) for event in said if isinstance(event, ev.Answered))


def pack_file(facts: Mapping[str, str]) -> PackFile:
    """What a worker answered of one file."""
    return PackFile(facts["file"], facts["model"], facts["state"], facts["message"], facts["hint"])


def named_for(path: Path, cards: Sequence[BackboneCard]) -> str:
    """The registry name of the model that a path (relative to the folder that is looked through) names, or empty.

    A file is named for a model when it is called like the model, like the last part of its hub repository or as its
    authors call it; ``model.safetensors`` and the like count by the folder they lie in, as the hub has them.
    """
    called = {_plain(_stem(path.name))}
    if path.stem in _ANONYMOUS:
        called = {_plain(part.rpartition("--")[2]) for part in path.parts[:-1]}
    for card in cards:
        names = {card.name, *card.weights.files}
        if card.weights.hub_repo:
            names.add(PurePosixPath(card.weights.hub_repo).name)
        if called & {_plain(name) for name in names}:
            return card.name
    return ""


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            yield Path(folder) / name


def _stem(name: str) -> str:
    """``vitl16_600ep`` of ``vitl16_600ep.pth.tar``."""
    for _ in range(2):
        stem, dot, ending = name.rpartition(".")
        name = stem if dot and f".{ending.lower()}" in KINDS else name
    return name


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
