"""Datasets and splits that are deleted: what stays, what goes, and that a test once opened stays opened."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medfm_gui.base import wire
from medfm_gui.base.plugins import read_plugins
from medfm_gui.datasets.ingest import ImportOptions
from medfm_gui.datasets.split import SplitRequest, sample_set_hash
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import NotFound, UsageError
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.run import FileRef, TrainSpec
from medfm_gui.domain.split import Partition
from medfm_gui.store import queries
from medfm_gui.workspace import data, deleting, journal, sealing, verifying
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.readers import ReadsFile
from medfm_gui.workspace.rebuild import rebuild


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "images").mkdir(parents=True)
    rows = ["file,patient_id,finding"]
    for patient, view in itertools.product(range(12), range(2)):
        name = f"p{patient:02d}_{view}.png"
        grey = np.random.default_rng(patient * 2 + view).integers(0, 255, (70, 72), dtype=np.uint8)
        Image.fromarray(grey).save(folder / "images" / name)
        rows.append(f"images/{name},P{patient:02d},{'nodule' if patient % 2 else 'clear'}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "w") as opened:
        yield opened


def imported(room: Workspace, source: Path, name: str = "chest") -> Dataset:
    options = ImportOptions(labels=("finding",), patient="patient_id")
    return data.import_dataset(room, "csv", source, options, name=name)


def divided(room: Workspace, dataset: Dataset, request: SplitRequest | None = None) -> data.SplitOutcome:
    return data.make_split(room, dataset.id, request or SplitRequest("50/25/25"), look=False)


def rows(room: Workspace) -> tuple[list[str], list[str]]:
    with room.store.reading() as reader:
        return [row.id for row in queries.datasets(reader)], [row.id for row in queries.splits(reader)]


def counts(room: Workspace) -> tuple[int, ...]:
    with room.store.reading() as reader:
        return tuple(reader.db[table].count for table in ("datasets", "samples", "splits", "assignments"))


def test_a_dataset_goes_with_its_splits_and_nothing_else(room: Workspace, source: Path) -> None:
    chest, other = imported(room, source), imported(room, source, "other")
    divided(room, chest), divided(room, other)
    gone = deleting.delete_dataset(room, chest.id)
    assert (gone.dataset, gone.splits) == ("chest", ("chest-s1",))
    assert rows(room) == (["other"], ["other-s1"]) and counts(room) == (1, 24, 1, 24)
    place = Path(gone.place)
    assert place == room.root / "deleted" / "chest-1"
    assert sorted(path.name for path in place.iterdir()) == ["dataset", "splits"]
    assert (place / "dataset" / "manifest.json").exists() and (place / "splits" / "chest-s1.json").exists()
    assert not (room.root / "datasets" / "chest").exists()
    last = journal.entries(room.root)[-1]
    assert (last.what, last.subject) == ("dataset deleted", "chest")
    assert dict(last.details) == {"splits": "chest-s1", "place": "deleted/chest-1"}
    with pytest.raises(NotFound):
        deleting.delete_dataset(room, chest.id)
    assert sealing.sealed_splits(room, "other") == ("other-s1",)


def test_rebuilding_agrees(room: Workspace, source: Path) -> None:
    chest, other = imported(room, source), imported(room, source, "other")
    divided(room, chest), divided(room, other), divided(room, other)
    deleting.delete_dataset(room, chest.id)
    deleting.delete_split(room, "other-s1")
    before = rows(room), counts(room)
    room.store.flush()
    made = rebuild(room.root)
    assert (made.datasets, made.splits) == (1, 1)
    with open_workspace(room.root) as again:
        assert (rows(again), counts(again)) == before
        assert [entry.what for entry in journal.entries(again.root)][-2:] == ["dataset deleted", "split deleted"]


def test_a_split_goes_alone_and_its_id_is_not_given_again(room: Workspace, source: Path) -> None:
    chest = imported(room, source)
    divided(room, chest), divided(room, chest)
    assert deleting.delete_split(room, "chest-s2").splits == ("chest-s2",)
    assert rows(room) == (["chest"], ["chest-s1"])
    assert divided(room, chest).id == "chest-s3"
    with pytest.raises(NotFound, match="chest-s2"):
        deleting.delete_split(room, "chest-s2")


def test_all_folds_go_together(room: Workspace, source: Path) -> None:
    chest = imported(room, source)
    made = divided(room, chest, SplitRequest(folds=3, nested=True))
    assert made.inner
    with pytest.raises(UsageError, match="one fold of"):
        deleting.delete_split(room, made.splits[0].id)
    gone = deleting.delete_split(room, made.id)
    assert set(gone.splits) == {split.id for split in (*made.splits, *made.inner)}
    assert rows(room)[1] == [] and not list((room.root / "splits").iterdir())


def test_what_something_rests_on_stays_and_the_sentence_names_it(room: Workspace, source: Path) -> None:
    chest = imported(room, source)
    divided(room, chest), divided(room, chest)
    (room.root / "readers").mkdir(exist_ok=True)
    reads = ReadsFile("reads-1", chest.id, chest.fingerprint, "chest-s1", "image", "2026-11-22", "0" * 64, ())
    wire.write(room.root / "readers" / "reads-1.json", reads)
    for delete, name in ((deleting.delete_dataset, "chest"), (deleting.delete_split, "chest-s1")):
        with pytest.raises(UsageError, match="reads-1"):
            delete(room, name)
    assert rows(room) == (["chest"], ["chest-s1", "chest-s2"]) and not (room.root / "deleted").exists()
    deleting.delete_split(room, "chest-s2")


def test_a_dataset_and_a_split_with_runs_stay(room: Workspace, source: Path) -> None:
    chest = imported(room, source)
    divided(room, chest), divided(room, chest)
    file = FileRef("", "")
    card = read_plugins().card("efficientnet-lite0")
    spec = TrainSpec(
        "r0001", file, file, "", "", card, "linear", Recipe(), 0, "cpu", None, dataset_id="chest", split_id="chest-s1"
    )
    (room.root / "runs" / "r0001").mkdir()
    (room.root / "runs" / "r0001" / "spec.json").write_bytes(wire.encode_spec(spec))
    for delete, name in ((deleting.delete_dataset, "chest"), (deleting.delete_split, "chest-s1")):
        with pytest.raises(UsageError, match="r0001"):
            delete(room, name)
    assert rows(room) == (["chest"], ["chest-s1", "chest-s2"])
    assert deleting.delete_split(room, "chest-s2").splits == ("chest-s2",)


def test_a_test_that_was_opened_stays_opened(room: Workspace, source: Path) -> None:
    chest = imported(room, source)
    (split,) = divided(room, chest).splits
    test = frozenset(split.samples_in(Partition.TEST))
    room.store.put_opening("r0001", "test", sample_set_hash(chest, test), "to see", "2026-11-22T10:00:00Z")
    assert sealing.sealed_splits(room, chest.id) == ()
    deleting.delete_dataset(room, chest.id)
    again = imported(room, source)
    divided(room, again)
    assert sealing.sealed_splits(room, again.id) == (), "the same images are as open as before"
    with room.store.reading() as reader:
        assert len(queries.openings(reader)) == 1


def test_a_deletion_that_was_cut_short_is_finished_by_asking_again(room: Workspace, source: Path) -> None:
    chest = imported(room, source)
    divided(room, chest)
    (room.root / "deleted" / "chest-1").mkdir(parents=True)
    (room.root / "datasets" / "chest").rename(room.root / "deleted" / "chest-1" / "dataset")
    gone = deleting.delete_dataset(room, "chest")
    assert gone.splits == ("chest-s1",) and counts(room) == (0, 0, 0, 0)
    assert (room.root / "deleted" / "chest-2" / "splits" / "chest-s1.json").exists()


@pytest.mark.parametrize("name", ["nothing", "../w", "", ".", "chest/pixels"])
def test_what_is_not_there_cannot_be_deleted(room: Workspace, source: Path, name: str) -> None:
    imported(room, source)
    for delete in (deleting.delete_dataset, deleting.delete_split):
        with pytest.raises(NotFound):
            delete(room, name)
    assert rows(room)[0] == ["chest"] and (room.root / "datasets" / "chest" / "manifest.json").exists()


def test_the_workspace_still_verifies(room: Workspace, source: Path) -> None:
    chest = imported(room, source)
    divided(room, chest)
    deleting.delete_dataset(room, chest.id)
    assert verifying.verify_journal(room).ok
