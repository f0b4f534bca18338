"""Datasets and splits that nobody needs: moved to ``deleted/`` of the workspace, never erased.

What a run, a test of a run, reads or a locked protocol rests on stays; the sentence names them. The files decide, and
the database follows. A deletion that was cut short is finished by asking for it again. What a test set's openings are
counted by lies with the evaluations and in the journal, so that the same images, imported again, are as open as before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.datasets.text import examples
from medfm_gui.domain.errors import InputError, MedfmError, NotFound, UsageError
from medfm_gui.domain.split import Split
from medfm_gui.domain.units import counted
from medfm_gui.store import queries
from medfm_gui.workspace.data import splits_of
from medfm_gui.workspace.deletion import Deleted
from medfm_gui.workspace.elsewhere import ExternalTest
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace
from medfm_gui.workspace.protocol import every_protocol
from medfm_gui.workspace.readers import ReadsFile
from medfm_gui.workspace.training import spec_of

FOLDER = "deleted"


@dataclass(frozen=True, slots=True)
class _User:
    """Something that rests on a dataset, and on one split of it (empty: on any)."""

    name: str
    dataset: str
    split: str = ""


def delete_dataset(workspace: Workspace, dataset_id: str) -> Deleted:
    """Move a dataset with all its splits out of the workspace's data.

    Raises:
        NotFound: there is none of that id.
        UsageError: something rests on it.
        InputError: the folder cannot be moved; nothing was.
    """
    folder = workspace.root / "datasets" / dataset_id
    if not _is_known(workspace, dataset_id):
        workspace.dataset(dataset_id)  # says what it says of every unknown id
        raise NotFound(f"“{dataset_id}” is no dataset.", "“medfm datasets” lists them.")
    splits = [split.id for split in _splits(workspace) if split.dataset == dataset_id]
    _refuse(f"The dataset “{dataset_id}”", [user.name for user in _users(workspace) if user.dataset == dataset_id])
    with workspace.store.reading() as reader:
        rows = [row.id for row in queries.splits(reader, dataset_id)]
    place = _new_place(workspace, dataset_id)
    if folder.exists():
        _move(folder, place / "dataset")
    _finish(workspace, place, dict.fromkeys([*splits, *rows]), dataset_id)
    note(workspace, "dataset deleted", dataset_id, splits=", ".join(splits), place=_relative(workspace, place))
    return Deleted(dataset_id, tuple(splits), str(place))


def delete_split(workspace: Workspace, name: str) -> Deleted:
    """Move a split, or all folds of a cross-validation with the folds within them, out of the workspace's data.

    Raises:
        NotFound: there is none of that id.
        UsageError: something rests on it, or it is one fold of several.
        InputError: a file cannot be moved.
    """
    found = [split for split in _splits(workspace) if name in (split.id, split.family) or _is_within(split, name)]
    with workspace.store.reading() as reader:
        rows = [row.id for row in queries.splits(reader) if name in (row.id, row.family)]
    if not found and not rows:
        raise NotFound(f"There is no split “{name}” in this workspace.", "“medfm split DATASET” makes one.")
    alone = next((split for split in found if split.id == name), None)
    if alone is not None and alone.family not in (None, name):
        raise UsageError(
            f"“{name}” is one fold of “{alone.family}”.", f"Delete all of its folds together: “{alone.family}”."
        )
    ids = dict.fromkeys([*(split.id for split in found), *rows])
    _refuse(f"The split “{name}”", [user.name for user in _users(workspace) if user.split in {name, *ids}])
    place = _new_place(workspace, name)
    _finish(workspace, place, ids, None)
    dataset = found[0].dataset if found else ""
    note(workspace, "split deleted", name, dataset=dataset, place=_relative(workspace, place))
    return Deleted("", tuple(ids), str(place))


def check_belongs(workspace: Workspace, dataset_id: str, name: str) -> None:
    """See that a split (or cross-validation) is one of a dataset.

    Raises:
        NotFound: there is no such split.
        UsageError: it divides another dataset.
    """
    other = splits_of(workspace, name)[0].dataset
    if other != dataset_id:
        raise UsageError(f"The split “{name}” divides “{other}”, not “{dataset_id}”.", f"Name “{other}”.")


def _is_known(workspace: Workspace, dataset_id: str) -> bool:
    if (workspace.root / "datasets" / dataset_id / "manifest.json").exists() and Path(dataset_id).name == dataset_id:
        return True
    with workspace.store.reading() as reader:
        return any(row.id == dataset_id for row in queries.datasets(reader))


def _is_within(split: Split, name: str) -> bool:
    """Whether it is a fold within a fold of that cross-validation."""
    return split.family is not None and split.family.startswith(f"{name}-f")


def _splits(workspace: Workspace) -> Iterator[Split]:
    from medfm_gui.datasets.files import read_split

    for path in sorted((workspace.root / "splits").glob("*.json")):
        try:
            yield read_split(path)
        except MedfmError:  # a damaged file is nobody's; “medfm verify” names it
            continue


def _users(workspace: Workspace) -> Iterator[_User]:
    """Whatever rests on data of this workspace: by the files, for the database may be behind."""
    root = workspace.root
    for path in sorted((root / "runs").glob("*/spec.json")):
        try:
            spec = spec_of(path.parent)
        except MedfmError:
            continue
        yield _User(spec.run, spec.dataset_id, spec.split_id)
    for path in sorted((root / "evaluations").glob("*-on-*.json")):
        try:
            test = wire.read(ExternalTest, path)
        except MedfmError:
            continue
        yield _User(f"the test of {test.run} on it", test.dataset)
    for path in sorted((root / "readers").glob("reads-*.json")):
        try:
            reads = wire.read(ReadsFile, path)
        except MedfmError:
            continue
        yield _User(reads.id, reads.dataset, reads.split)
    for locked in every_protocol(workspace):
        yield _User(locked.id, locked.protocol.dataset, locked.protocol.split or "")


def _refuse(what: str, users: Sequence[str]) -> None:
    """
    Raises:
        UsageError: there are any.
    """
    if users:
        named = tuple(dict.fromkeys(users))
        raise UsageError(
            f"{what} is used by {counted(len(named), 'record')} and stays: {examples(named)}.",
            "Runs, tests, reads and locked protocols can only be checked as long as their data are there.",
        )


def _new_place(workspace: Workspace, name: str) -> Path:
    number = 1
    while (place := workspace.root / FOLDER / f"{name}-{number}").exists():
        number += 1
    try:
        place.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"“{place}” cannot be made ({error.strerror}).", "Check the workspace's folder.") from error
    return place


def _finish(workspace: Workspace, place: Path, splits: Collection[str], dataset: str | None) -> None:
    for split in splits:
        path = workspace.root / "splits" / f"{split}.json"
        if path.exists():
            (place / "splits").mkdir(exist_ok=True)
            _move(path, place / "splits" / path.name)
    workspace.store.removals.forget(tuple(splits), dataset)


def _move(source: Path, target: Path) -> None:
    """
    Raises:
        InputError: it cannot be moved, e.g. since another program has it open.
    """
    try:
        source.rename(target)
    except OSError as error:
        raise InputError(
            f"“{source.name}” cannot be moved ({error.strerror}).",
            "Close programs that have its files open, and do it again.",
        ) from error


def _relative(workspace: Workspace, place: Path) -> str:
    return place.relative_to(workspace.root).as_posix()
