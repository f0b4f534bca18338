"""Near-duplicates of a dataset: looked for once, kept beside the dataset as ``near-duplicates.json``.

Descriptors of the pixels propose. Where a feature bank of (nearly) all images is there, its neighbours propose too,
also later: then only these are looked at, and what was found before stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError, NotFound
from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.datasets.bank_rows import BankRows
    from medfm_gui.datasets.near_duplicates import NearDuplicates
    from medfm_gui.workspace.data import Progress

FILE = "near-duplicates.json"
MOST_IMAGES = 100_000
"""The time of a look grows with the square of the number of images; above this many it is taken only when asked for."""
_COVERED = 0.9
"""Of the images, at least, in a bank whose neighbours are looked at."""
NOT_YET = "They are looked for when the split is made."


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look gave; or ``found`` is None and ``reason`` says why there was none."""

    found: NearDuplicates | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The file: found for these pixels by this method."""

    fingerprint: str
    method: str
    compared: int
    left_out: int
    proposed: int
    pairs: tuple[tuple[str, str, float, float, int], ...]
    format: int = 1
    bank: str = ""
    """The model whose features proposed too; empty: none did."""


def near_duplicates(
    workspace: Workspace, dataset: Dataset, *, always: bool = False, on_progress: Progress | None = None
) -> Looked:
    """All near-duplicates of a dataset: from its file, else looked for now.

    Args:
        always: look also at a very large dataset.
        on_progress: told of ``done`` and ``total`` images; raises where the look is to stop.
    """
    from medfm_gui.datasets import near_duplicates as near
    from medfm_gui.datasets.neighbours import neighbours
    from medfm_gui.datasets.pixels import PixelCache

    kept = known(workspace, dataset)
    if kept.found is not None and not can_say_more(workspace, dataset):
        return kept
    if kept.found is None and is_large(dataset) and not always:
        return Looked(None, f"The dataset has more than {MOST_IMAGES:,} images; ask for the look to have it.")
    try:
        cache = PixelCache(workspace.dataset(dataset.id) / "pixels")
    except (NotFound, InputError) as error:
        return Looked(None, f"The pixels are not at hand. {error.message}")
    try:
        names = [sample.id for sample in dataset.samples if sample.id in cache and not sample.slices]
        found = kept.found
        if found is None:
            found = near.find_near_duplicates(cache, names, on_progress=on_progress)
            found = replace(found, left_out=found.left_out + len(dataset.samples) - len(names))
            _keep(workspace, dataset, found, "")
        bank = _bank(workspace, dataset)
        if bank is not None:
            there = set(names)
            alike = [pair for pair in neighbours(bank, dataset) if there.issuperset(pair)]
            found = near.find_among(cache, alike, replace(found, method=near.METHOD), on_progress=on_progress)
            _keep(workspace, dataset, found, bank.facts.model)
    except InputError as error:  # a part of the cache is gone; training will say so too
        return Looked(kept.found, "" if kept.found else f"The pixels are not at hand. {error.message}")
    finally:
        cache.close()
    return known(workspace, dataset)


def can_say_more(workspace: Workspace, dataset: Dataset) -> bool:
    """Whether a feature bank came since the last look, whose neighbours were not looked at."""
    if is_large(dataset):
        return False
    kept = _read(workspace, dataset)
    return kept is not None and not kept.bank and _bank(workspace, dataset) is not None


def _bank(workspace: Workspace, dataset: Dataset) -> BankRows | None:
    """The bank that was used last and has nearly all images; None where there is none."""
    from medfm_gui.datasets.bank_rows import banks_of, open_bank

    features = workspace.root / "features"
    for facts in banks_of(features, dataset.fingerprint):
        opened = open_bank(features, facts, dataset)
        if opened is not None and (opened.places >= 0).mean() >= _COVERED:
            return opened
    return None


def _keep(workspace: Workspace, dataset: Dataset, found: NearDuplicates, bank: str) -> None:
    from medfm_gui.datasets.near_duplicates import METHOD

    pairs = tuple((pair.a, pair.b, pair.share, pair.correlation, pair.way) for pair in found.pairs)
    file = _Kept(dataset.fingerprint, METHOD, found.compared, found.left_out, found.proposed, pairs, bank=bank)
    wire.write(_path(workspace, dataset.id), file)


def is_large(dataset: Dataset) -> bool:
    """Whether a look is taken only when asked for."""
    return len(dataset.samples) > MOST_IMAGES


def known(workspace: Workspace, dataset: Dataset) -> Looked:
    """What was found before, if it still holds: same pixels, same method."""
    from medfm_gui.datasets.near_duplicates import NearDuplicates, NearPair

    kept = _read(workspace, dataset)
    if kept is None:
        return Looked(None, NOT_YET)
    pairs = tuple(NearPair(*pair) for pair in kept.pairs)
    method = f"{kept.method}; neighbours in features of {kept.bank} propose too" if kept.bank else kept.method
    return Looked(NearDuplicates(method, kept.compared, kept.left_out, kept.proposed, pairs))


def _read(workspace: Workspace, dataset: Dataset) -> _Kept | None:
    from medfm_gui.datasets.near_duplicates import METHOD

    try:
        kept = wire.read(_Kept, _path(workspace, dataset.id))
    except (NotFound, InputError):  # a damaged file is found anew
        return None
    return kept if kept.fingerprint == dataset.fingerprint and kept.method == METHOD else None


def _path(workspace: Workspace, dataset_id: str) -> Path:
    return workspace.dataset(dataset_id) / FILE
