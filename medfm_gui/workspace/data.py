"""Datasets and splits: import a folder, a table or a DICOM tree; divide it; look at what is there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError, NotFound, UsageError
from medfm_gui.domain.split import Split
from medfm_gui.workspace.importing import remove_abandoned, told_of_twin, working_on
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.pixels import share_pixels
from medfm_gui.workspace.place import Workspace, new_folder, now, pseudonym_key, slug

if TYPE_CHECKING:
    from medfm_gui.datasets.ingest import ImportOptions
    from medfm_gui.datasets.pixel_sources import Sources
    from medfm_gui.datasets.split import SplitRequest

Progress = Callable[[int, int], None]


def import_dataset(
    workspace: Workspace,
    layout: str,
    source: Path,
    options: ImportOptions,
    *,
    name: str = "",
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> Dataset:
    """Read a source into the workspace, or only look at it (``dry_run``); nothing of the source is changed.

    Raises:
        InputError: the source cannot be read as that layout.
    """
    from medfm_gui.datasets.files import write_dataset
    from medfm_gui.datasets.ingest import read_source
    from medfm_gui.datasets.text import shown
    from medfm_gui.imaging.pool import DecodePool

    source = source.expanduser().absolute()
    if not source.exists():
        raise InputError(f"“{source}” does not exist.", "Check the path.")
    title = shown(name or source.stem) or "dataset"
    if not dry_run:
        remove_abandoned(workspace)
    folder = None if dry_run else new_folder(workspace.root / "datasets", slug(title))
    pixels = folder / "pixels" if folder else None
    with working_on(workspace, folder) if folder else contextlib.nullcontext():
        if pixels:
            pixels.mkdir()
        with DecodePool(pixels) as pool:
            dataset = read_source(
                layout,
                source,
                options,
                dataset_id=folder.name if folder else "",
                name=title,
                pixels=pixels,
                pool=pool,
                key=pseudonym_key(workspace),
                created=now(),
                on_progress=on_progress,
            )
        dataset = told_of_twin(workspace, dataset)
        if folder and pixels:
            share_pixels(workspace, dataset, pixels)
            write_dataset(folder, dataset)
            workspace.store.put_dataset(dataset, str(folder))
            note(workspace, "dataset imported", dataset.id, fingerprint=dataset.fingerprint, layout=dataset.layout)
    return dataset


def read(workspace: Workspace, dataset_id: str) -> Dataset:
    """A dataset of this workspace.

    Raises:
        NotFound: there is none of that id.
    """
    from medfm_gui.datasets.files import read_dataset

    return read_dataset(workspace.dataset(dataset_id))


def files_of(workspace: Workspace, dataset: Dataset) -> Sources:
    """Where the file of each sample lies; the paths of a dataset of DICOM may be pseudonyms."""
    from medfm_gui.datasets.pixel_sources import Sources, read_sources

    return (read_sources(workspace.dataset(dataset.id) / "pixels") if "paths" in dataset.taken else None) or Sources()


def every_dataset(workspace: Workspace) -> list[Dataset]:
    """All datasets of the workspace, by id."""
    return [read(workspace, folder.name) for folder in _dataset_folders(workspace)]


def _dataset_folders(workspace: Workspace) -> list[Path]:
    return [path.parent for path in sorted((workspace.root / "datasets").glob("*/manifest.json"))]


@dataclass(frozen=True, slots=True)
class SplitOutcome:
    """The frozen split, or one split a fold; ``id`` names them all together. ``inner`` are folds within folds."""

    id: str
    splits: tuple[Split, ...]
    inner: tuple[Split, ...] = ()


def make_split(
    workspace: Workspace,
    dataset_id: str,
    request: SplitRequest,
    *,
    look: bool | None = None,
    why_not: str = "It was not asked for.",
    on_progress: Progress | None = None,
) -> SplitOutcome:
    """Divide a dataset and freeze the result with its certificate.

    Args:
        look: look for near-duplicates; None: unless the dataset is so large that it would take long.
        why_not: what the certificate says where ``look`` is False.
        on_progress: told how far that look is; raises where it is to stop, and then nothing is frozen.

    Raises:
        LeakError: an official list puts a patient or an image on two sides and nobody accepted it.
        SplitError: the dataset cannot be divided like that.
    """
    from medfm_gui.datasets import split as dividing
    from medfm_gui.datasets.files import write_split
    from medfm_gui.workspace import near

    dataset = read(workspace, dataset_id)
    stem = free_split_id(workspace, dataset_id)
    looked = near.known(workspace, dataset) if look is not False else near.Looked(None, why_not)
    if look is not False and (looked.found is None or near.can_say_more(workspace, dataset)):
        if look or not near.is_large(dataset):
            dividing.make_split(dataset, replace(request, alike=""))  # refused before the look
        looked = near.near_duplicates(workspace, dataset, always=bool(look), on_progress=on_progress)
    splits = dividing.make_split(
        dataset, request, split_id=stem, created=now(), near=looked.found, near_reason=looked.reason
    )
    outer = tuple(split for split in splits if split.family in (None, stem))
    inner = tuple(split for split in splits if split.family not in (None, stem))
    for split in (*inner, *outer):  # the newest file is the one that a run takes by itself
        path = workspace.root / "splits" / f"{split.id}.json"
        write_split(path, split)
        workspace.store.put_split(split, str(path))
        details = {"fingerprint": split.fingerprint, "dataset": dataset_id}
        if split.certificate:
            details["certificate"] = split.certificate.sha256
        if split.acceptance:
            details["leaks accepted because"] = split.acceptance
        note(workspace, "split made", split.id, **details)
    return SplitOutcome(stem, outer, inner)


def export_split(workspace: Workspace, name: str, out: Path) -> Path:
    """Write a split as a table (sample, path, partition, group) that ``split --file`` reads back; returns its place.

    Raises:
        NotFound: there is no such split.
        UsageError: the name means several folds.
    """
    from medfm_gui.datasets.split_file import write_split_table

    splits = splits_of(workspace, name)
    if len(splits) > 1:
        raise UsageError(f"“{name}” has {len(splits)} folds.", f"Export one of them: {splits[0].id} …")
    out = out.expanduser().absolute()
    write_split_table(out, read(workspace, splits[0].dataset), splits[0])
    return out


def free_split_id(workspace: Workspace, dataset_id: str) -> str:
    """An id that no split of the dataset has or had: ``<dataset>-s1``, ``-s2`` and so on."""
    number = 1
    places = ("splits", "deleted/*/splits")
    taken = {path.stem for place in places for path in workspace.root.glob(f"{place}/{dataset_id}-s*.json")}
    while any(name == f"{dataset_id}-s{number}" or name.startswith(f"{dataset_id}-s{number}-") for name in taken):
        number += 1
    return f"{dataset_id}-s{number}"


def splits_of(workspace: Workspace, name: str) -> list[Split]:
    """The split of that id, or all folds of that cross-validation.

    Raises:
        NotFound: neither exists.
    """
    from medfm_gui.datasets.files import read_split

    folder = workspace.root / "splits"
    if (folder / f"{name}.json").exists():
        return [read_split(workspace.split(name))]
    folds = [read_split(path) for path in folder.glob(f"{name}-f*.json")]
    folds = sorted((split for split in folds if split.family == name), key=lambda split: split.fold or 0)
    if not folds:
        raise NotFound(f"There is no split “{name}” in this workspace.", "“medfm split DATASET” makes one.")
    return folds


def newest_split(workspace: Workspace, dataset_id: str) -> str | None:
    """The id of the newest split of a dataset (of all its folds together), or None."""
    from medfm_gui.datasets.files import read_split

    paths = sorted((workspace.root / "splits").glob(f"{dataset_id}-s*.json"), key=lambda path: path.stat().st_mtime_ns)
    for path in reversed(paths):
        split = read_split(path)
        if split.dataset == dataset_id:
            return split.family or split.id
    return None
