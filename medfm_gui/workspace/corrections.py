"""Corrections of labels and exclusions: a draft beside the dataset, then a new version of it; the original stays.

``datasets/<id>/draft.json`` is the draft with what can be undone. ``save_version`` writes ``datasets/<id>-v2/`` with
the same sample ids and the same pixels, tells every change in the journal, and carries splits over: each image keeps
its side.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medfm_gui.base import wire
from medfm_gui.domain.correction import (
    Correction,
    CorrectionDraft,
    CorrectionKind,
    check_target,
    corrected,
)
from medfm_gui.domain.dataset import UNKNOWN, Dataset, Sample, Task
from medfm_gui.domain.errors import InputError, NotFound, SplitError, UsageError
from medfm_gui.domain.split import Split
from medfm_gui.workspace import data, sealing
from medfm_gui.workspace.journal import note
from medfm_gui.workspace.place import Workspace, made_folder, now
from medfm_gui.workspace.statements import STATEMENT

DRAFT = "draft.json"
VERSION = "version.json"


@dataclass(frozen=True, slots=True)
class Version:
    """``version.json`` of a corrected dataset: of which it is a version, and every change that made it."""

    parent: str
    parent_fingerprint: str
    created: str
    corrections: tuple[Correction, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """The new version, the splits that were carried over, and why others were not (split id, reason)."""

    dataset: str
    splits: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()


def draft_of(workspace: Workspace, dataset_id: str) -> CorrectionDraft:
    """The draft of a dataset; an empty one where nothing was changed yet.

    Raises:
        NotFound: there is no such dataset.
    """
    from medfm_gui.datasets.files import read_manifest

    folder = workspace.dataset(dataset_id)
    if (folder / DRAFT).exists():
        return wire.read(CorrectionDraft, folder / DRAFT)
    return CorrectionDraft(dataset_id, read_manifest(folder).fingerprint)


def correct_label(
    workspace: Workspace, dataset_id: str, sample_id: str, target: tuple[int, ...], reason: str
) -> CorrectionDraft:
    """Draft another label for an image.

    Raises:
        NotFound: there is no such dataset or sample.
        SealError: the image is in a sealed test.
        UsageError: the label is none of the dataset's, or no reason is given.
    """
    row, sample = _sample(workspace, dataset_id, sample_id)
    sealing.refuse_sealed(workspace, dataset_id, sample_id)
    check_target(row.task, len(row.classes), target)
    draft = draft_of(workspace, dataset_id)
    now_is = draft.in_force.get(sample_id)
    before = now_is.after if now_is is not None and now_is.kind is CorrectionKind.LABEL else sample.target
    if before == target:
        raise UsageError("The image has this label already.", "Choose another one.")
    change = Correction(CorrectionKind.LABEL, sample_id, _reason(reason), before, target, sample.path)
    return _kept(workspace, draft.added(change))


def exclude(workspace: Workspace, dataset_id: str, sample_ids: Sequence[str], reason: str) -> CorrectionDraft:
    """Draft to leave images out. Those of a sealed test too: what is wrong with a picture needs no label.

    Raises:
        NotFound: there is no such dataset or sample.
        UsageError: no reason is given.
    """
    draft = draft_of(workspace, dataset_id)
    reason = _reason(reason)
    for sample_id in dict.fromkeys(sample_ids):
        _, sample = _sample(workspace, dataset_id, sample_id)
        draft = draft.added(Correction(CorrectionKind.EXCLUDE, sample_id, reason, path=sample.path))
    return _kept(workspace, draft)


def undo(workspace: Workspace, dataset_id: str) -> CorrectionDraft:
    """Take the last change of the draft back."""
    return _kept(workspace, draft_of(workspace, dataset_id).undo())


def redo(workspace: Workspace, dataset_id: str) -> CorrectionDraft:
    """Do again what was taken back last."""
    return _kept(workspace, draft_of(workspace, dataset_id).redo())


def discard(workspace: Workspace, dataset_id: str) -> CorrectionDraft:
    """Forget the draft."""
    (workspace.dataset(dataset_id) / DRAFT).unlink(missing_ok=True)
    return draft_of(workspace, dataset_id)


def save_version(workspace: Workspace, dataset_id: str, *, splits: Sequence[str] = ()) -> Saved:
    """Make the draft a new version of the dataset and carry splits over to it.

    Raises:
        NotFound: there is no such dataset or split.
        UsageError: the draft is empty, or is of other labels than the dataset has.
        InputError: too little would be left, e.g. one class.
        DiskFull: the files do not fit.
    """
    from medfm_gui.datasets.files import write_dataset

    parent = data.read(workspace, dataset_id)
    draft = draft_of(workspace, dataset_id)
    if not draft.in_force:
        raise UsageError("Nothing is to be changed: the draft is empty.", "Correct a label or leave an image out.")
    if draft.fingerprint != parent.fingerprint:
        raise UsageError("The draft was made for another state of this dataset.", "Discard it and begin anew.")
    chosen = [split for name in splits for split in data.splits_of(workspace, name)]
    with made_folder(workspace.root / "datasets", _stem(workspace, dataset_id)) as folder:
        made = _version(parent, draft, folder.name)
        _share_pixels(workspace.dataset(dataset_id), folder)
        changes = tuple(draft.in_force.values())
        wire.write(folder / VERSION, Version(dataset_id, parent.fingerprint, made.created, changes))
        if (workspace.dataset(dataset_id) / STATEMENT).exists():
            shutil.copyfile(workspace.dataset(dataset_id) / STATEMENT, folder / STATEMENT)
        write_dataset(folder, made)
        workspace.store.put_dataset(made, str(folder))
    note(workspace, "dataset corrected", made.id, parent=dataset_id, fingerprint=made.fingerprint)
    for change in changes:
        note(workspace, f"sample {_DID[change.kind]}", made.id, **_told(parent, change))
    carried, left = _carry(workspace, made, chosen)
    (workspace.dataset(dataset_id) / DRAFT).unlink(missing_ok=True)
    return Saved(made.id, tuple(carried), tuple(left))


_DID = {CorrectionKind.LABEL: "relabelled", CorrectionKind.EXCLUDE: "left out"}


def _sample(workspace: Workspace, dataset_id: str, sample_id: str) -> tuple[_Row, Sample]:
    """One sample of the database: an edit of one label does not read 250,000."""
    from medfm_gui.store import queries
    from medfm_gui.store.rows import SampleFilter

    with workspace.store.reading() as reader:
        row = queries.dataset(reader, dataset_id)
        found = queries.samples_page(reader, dataset_id, limit=1, only=SampleFilter(ids=(sample_id,))).samples
    if not found:
        raise NotFound(f"The dataset has no sample “{sample_id}”.", "Search for it on the Datasets page.")
    return _Row(row.task, row.classes), found[0]


@dataclass(frozen=True, slots=True)
class _Row:
    task: Task
    classes: tuple[str, ...]


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if not reason:
        raise UsageError("A correction needs a reason.", "Write in a few words why, e.g. “second reader, 2026-11”.")
    return reason


def _kept(workspace: Workspace, draft: CorrectionDraft) -> CorrectionDraft:
    wire.write(workspace.dataset(draft.dataset) / DRAFT, draft)
    return draft


def _stem(workspace: Workspace, dataset_id: str) -> str:
    """``<id>-v2``, or the next number that is free."""
    base = re.sub(r"-v\d+$", "", dataset_id)
    number = 2
    while (workspace.root / "datasets" / f"{base}-v{number}").exists():
        number += 1
    return f"{base}-v{number}"


def _version(parent: Dataset, draft: CorrectionDraft, name: str) -> Dataset:
    from medfm_gui.datasets.fingerprint import dataset_fingerprint
    from medfm_gui.domain.units import counted

    samples = corrected(parent.samples, draft)
    if parent.task not in (Task.MULTILABEL, Task.SEGMENTATION):
        missing = set(range(len(parent.classes))) - {sample.target[0] for sample in samples}
        if missing:
            names = ", ".join(parent.classes[number] for number in sorted(missing))
            raise InputError(f"No image of “{names}” would be left.", "Undo a change: every class needs an image.")
    changes = draft.in_force.values()
    labels = sum(change.kind is CorrectionKind.LABEL for change in changes)
    said = f"{counted(labels, 'label')} changed, {counted(len(changes) - labels, 'image')} left out"
    number = re.search(r"-v(\d+)", name.removeprefix(re.sub(r"-v\d+$", "", parent.id)))
    title = re.sub(r" \(version \d+\)$", "", parent.name)
    return replace(
        parent,
        id=name,
        name=f"{title} (version {number[1]})" if number else name,
        samples=samples,
        fingerprint=dataset_fingerprint(parent.task, parent.classes, samples),
        created=now(),
        taken={**parent.taken, "corrections": f"{said}, against {parent.id}"},
        parent=parent.id,
    )


def _share_pixels(old: Path, new: Path) -> None:
    """The same pixels for the new version: its files are linked, or copied where the disk has no links."""
    if not (old / "pixels").is_dir():
        return
    for path in sorted((old / "pixels").rglob("*")):
        goal = new / path.relative_to(old)
        if path.is_dir():
            goal.mkdir(parents=True, exist_ok=True)
        elif path.suffix not in (".lock", ".tmp"):
            goal.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):
                os.link(path, goal)
            if not goal.exists():
                shutil.copyfile(path, goal)


def _told(parent: Dataset, change: Correction) -> dict[str, str]:
    told = {"sample": change.sample, "reason": change.reason}
    if change.kind is CorrectionKind.LABEL:
        told |= {"from": words(parent, change.before), "to": words(parent, change.after)}
    return told


def words(dataset: Dataset, target: tuple[int, ...]) -> str:
    """A target in words: the class, or the findings and what was not assessed."""
    if dataset.task is not Task.MULTILABEL:
        return dataset.classes[target[0]] if target else ""
    named = [name for name, value in zip(dataset.classes, target, strict=True) if value == 1]
    unsure = [name for name, value in zip(dataset.classes, target, strict=True) if value == UNKNOWN]
    return (", ".join(named) or "no finding") + (f"; not assessed: {', '.join(unsure)}" if unsure else "")


# -- splits


def _carry(workspace: Workspace, dataset: Dataset, splits: Sequence[Split]) -> tuple[list[str], list[tuple[str, str]]]:
    """Freeze the same sides for the new version; a split that loses a whole side stays behind, and why."""
    from medfm_gui.datasets.files import write_split

    carried: list[str] = []
    left: list[tuple[str, str]] = []
    stems: dict[str, str] = {}
    for split in splits:
        try:
            made = carried_over(dataset, split, _split_id(workspace, dataset.id, split, stems))
        except SplitError as error:
            left.append((split.id, error.message))
            continue
        path = workspace.root / "splits" / f"{made.id}.json"
        write_split(path, made)
        workspace.store.put_split(made, str(path))
        note(workspace, "split carried over", made.id, fingerprint=made.fingerprint, source=split.id)
        carried.append(made.id)
    return carried, left


def _split_id(workspace: Workspace, dataset_id: str, split: Split, stems: dict[str, str]) -> str:
    family = split.family or split.id
    if family not in stems:
        stems[family] = data.free_split_id(workspace, dataset_id)
    return f"{stems[family]}-f{split.fold}" if split.fold is not None else stems[family]


def carried_over(dataset: Dataset, split: Split, split_id: str) -> Split:
    """A split of the parent as a split of the new version: same sides, other fingerprints, own id.

    Raises:
        SplitError: training or test would be empty.
    """
    from medfm_gui.datasets.certificate import certificate
    from medfm_gui.datasets.fingerprint import split_fingerprint

    there = {sample.id for sample in dataset.samples}
    assignments = tuple(item for item in split.assignments if item.sample in there)
    sides = {item.sample: item.partition for item in assignments}
    leaks = tuple(leak for leak in split.leaks if leak.a in there and leak.b in there)
    unlooked = f"The split was carried over from {split.id}; its certificate says what was found there."
    family = split_id.removesuffix(f"-f{split.fold}") if split.fold is not None else None
    return replace(
        split,
        id=split_id,
        dataset=dataset.id,
        dataset_fingerprint=dataset.fingerprint,
        rule=f"{split.rule.partition('; carried over')[0]}; carried over from {split.id}",
        assignments=assignments,
        fingerprint=split_fingerprint(dataset, sides),
        created=now(),
        leaks=leaks,
        dropped=tuple(name for name in split.dropped if name in there),
        family=family,
        settings={**split.settings, "carried over from": split.id},
        certificate=certificate(dataset, sides, leaks, accepted=split.acceptance, near_reason=unlooked),
    )
