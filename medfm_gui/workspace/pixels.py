"""The decoded images of a workspace: shared by its datasets, bounded, and as large as the chosen models need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.domain.cards import suitable_size
from medfm_gui.domain.errors import InputError, NotFound
from medfm_gui.domain.recipe import hu_bounds
from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.datasets.pixel_store import PixelStore
    from medfm_gui.datasets.pixels import PixelCache
    from medfm_gui.domain.dataset import Dataset
    from medfm_gui.domain.run import TrainSpec

_GIGA = 1e9
_CROP = (8, 7)
"""``centre-crop`` keeps the middle of a square that is so much larger, as the engine's preparation does."""
_HIGHEST_DEFAULT = 512


@dataclass(frozen=True, slots=True)
class PixelNeed:
    """Images of a dataset that have to be decoded before its runs start.

    ``side`` is their shorter side at most, in pixels; ``at_most_bytes`` what they take of the disk at most.
    """

    dataset: str
    side: int
    images: int
    at_most_bytes: int


def store_of(workspace: Workspace) -> PixelStore:
    """The shared pixels of a workspace with the limit in force."""
    from medfm_gui.datasets.pixel_store import PixelStore
    from medfm_gui.datasets.pixels import STORE

    limit = workspace.settings.pixels_gb
    return PixelStore(workspace.root / STORE, round(limit * _GIGA) if limit > 0 else None)


def share_pixels(workspace: Workspace, dataset: Dataset, folder: Path) -> None:
    """Put what an import decoded where other datasets of the same files find it, and keep within the limit."""
    from medfm_gui.datasets.pixel_making import share

    store = store_of(workspace)
    share(dataset, folder, store)
    store.make_room(0, keep=_set_of(folder))


def _set_of(folder: Path) -> tuple[str, ...]:
    from medfm_gui.datasets.pixels import PixelCache

    name = PixelCache(folder).set
    return (name,) if name else ()


def make_again(workspace: Workspace, dataset_id: str, *, on_progress: Callable[[int, int], None]) -> None:
    """Have the pixels of a dataset that were removed to save space; nothing happens where they are there.

    Raises:
        InputError, NotFound, DiskFull: as ``pixel_making.ready``.
    """
    from medfm_gui.datasets.files import read_dataset
    from medfm_gui.datasets.pixel_making import ready
    from medfm_gui.datasets.pixels import IMPORTED

    folder = workspace.dataset(dataset_id)
    for step in ready(read_dataset(folder), folder / "pixels", IMPORTED, store_of(workspace)):
        on_progress(step.done, step.total)


def cache_of_run(spec: TrainSpec) -> PixelCache:
    """The images as a run saw them; those of the import where its own were let go and no HU window is in them.

    Raises:
        NotFound, InputError: they are gone.
    """
    from medfm_gui.datasets.files import read_dataset
    from medfm_gui.datasets.pixel_making import fitting
    from medfm_gui.datasets.pixels import Look, PixelCache

    look = Look(spec.pixels_side, hu_bounds(spec.recipe.hu_window))
    if look.clamp is not None:
        look = fitting(read_dataset(Path(spec.dataset.path).parent), look)
    try:
        cache = PixelCache(Path(spec.pixels), look)
        cache.check()
        return cache
    except (NotFound, InputError):
        if look.clamp is not None:
            raise
        return PixelCache(Path(spec.pixels))


def needed_side(spec: TrainSpec) -> int:
    """The shorter side that an image must have for a run, in pixels, so that it need not be enlarged."""
    size = suitable_size(spec.card, spec.recipe.input_size or spec.card.input_size)
    return round(size * _CROP[0] / _CROP[1]) if spec.recipe.geometry == "centre-crop" else size


def sized(drafts: Sequence[TrainSpec]) -> list[TrainSpec]:
    """The same orders, with one size of cached images for all those of a dataset that need more than its import made.

    A run that does with what the import made keeps to that, so that its result does not depend on which other models
    are chosen beside it, and stored features serve it.
    """
    largest: dict[tuple[str, str], int] = {}
    for draft in drafts:
        key = (draft.pixels, draft.recipe.hu_window)
        largest[key] = max(largest.get(key, _HIGHEST_DEFAULT), needed_side(draft))
    return [
        replace(draft, pixels_side=_HIGHEST_DEFAULT)
        if needed_side(draft) <= _HIGHEST_DEFAULT
        else replace(draft, pixels_side=largest[draft.pixels, draft.recipe.hu_window])
        for draft in drafts
    ]


def needs_of(workspace: Workspace, drafts: Sequence[TrainSpec]) -> tuple[PixelNeed, ...]:
    """What would have to be decoded before these runs."""
    from medfm_gui.datasets.files import read_dataset
    from medfm_gui.datasets.pixel_making import needed_bytes, usable
    from medfm_gui.datasets.pixels import Look

    store = store_of(workspace)
    looks = {(draft.dataset_id, Look(draft.pixels_side, hu_bounds(draft.recipe.hu_window))) for draft in drafts}
    found = []
    for dataset_id, look in sorted(looks, key=lambda one: (one[0], one[1].side)):
        folder = workspace.dataset(dataset_id)
        dataset = read_dataset(folder)
        if usable(dataset, folder / "pixels", look, store) is None:
            need = needed_bytes(dataset, look.side)
            found.append(PixelNeed(dataset_id, look.side, len(dataset.samples), need))
    return tuple(found)
