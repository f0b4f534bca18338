"""Near-duplicates of a dataset: looked for once, kept beside the dataset as ``near-duplicates.json``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.base import wire
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError, NotFound
from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.datasets.near_duplicates import NearDuplicates
    from medfm_gui.workspace.data import Progress

FILE = "near-duplicates.json"
MOST_IMAGES = 100_000
"""The time of a look grows with the square of the number of images; above this many it is taken only when asked for."""
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


def near_duplicates(
    workspace: Workspace, dataset: Dataset, *, always: bool = False, on_progress: Progress | None = None
) -> Looked:
    """All near-duplicates of a dataset: from its file, else looked for now.

    Args:
        always: look also at a very large dataset.
        on_progress: told of ``done`` and ``total`` images; raises where the look is to stop.
    """
    from medfm_gui.datasets import near_duplicates as near
    from medfm_gui.datasets.pixels import PixelCache

    kept = known(workspace, dataset)
    if kept.found is not None:
        return kept
    if is_large(dataset) and not always:
        return Looked(None, f"The dataset has more than {MOST_IMAGES:,} images; ask for the look to have it.")
    try:
        cache = PixelCache(workspace.dataset(dataset.id) / "pixels")
    except (NotFound, InputError) as error:
        return Looked(None, f"The pixels are not at hand. {error.message}")
    try:
        names = [sample.id for sample in dataset.samples if sample.id in cache and not sample.slices]
        found = near.find_near_duplicates(cache, names, on_progress=on_progress)
    except InputError as error:  # a part of the cache is gone; training will say so too
        return Looked(None, f"The pixels are not at hand. {error.message}")
    finally:
        cache.close()
    pairs = tuple((pair.a, pair.b, pair.share, pair.correlation, pair.way) for pair in found.pairs)
    missing = len(dataset.samples) - len(names)
    file = _Kept(dataset.fingerprint, found.method, found.compared, found.left_out + missing, found.proposed, pairs)
    wire.write(_path(workspace, dataset.id), file)
    return known(workspace, dataset)


def is_large(dataset: Dataset) -> bool:
    """Whether a look is taken only when asked for."""
    return len(dataset.samples) > MOST_IMAGES


def known(workspace: Workspace, dataset: Dataset) -> Looked:
    """What was found before, if it still holds: same pixels, same method."""
    from medfm_gui.datasets.near_duplicates import METHOD, NearDuplicates, NearPair

    try:
        kept = wire.read(_Kept, _path(workspace, dataset.id))
    except (NotFound, InputError):  # a damaged file is found anew
        return Looked(None, NOT_YET)
    if kept.fingerprint != dataset.fingerprint or kept.method != METHOD:
        return Looked(None, NOT_YET)
    pairs = tuple(NearPair(*pair) for pair in kept.pairs)
    return Looked(NearDuplicates(kept.method, kept.compared, kept.left_out, kept.proposed, pairs))


def _path(workspace: Workspace, dataset_id: str) -> Path:
    return workspace.dataset(dataset_id) / FILE
