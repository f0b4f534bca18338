from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medfm_gui.base import wire
from medfm_gui.desk.answers import data as answers
from medfm_gui.desk.asks.data import (
    CheckQuality,
    DeleteDataset,
    DeleteSplit,
    DescribeCohort,
    ImportDataset,
    Imported,
    ListDatasets,
    ListSamples,
    ListSplits,
    LookAtSource,
    MakePreviews,
    MakeSplit,
    PlanSplit,
    PreviewImport,
    ShowSample,
    ShowSplit,
    Thumbnails,
    UnitsOf,
)
from medfm_gui.desk.protocol import Ask, Progress, decode_ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.errors import InputError, Interrupted, LeakError, TableError
from medfm_gui.domain.split import LeakKind, Partition
from medfm_gui.store.rows import SampleFilter
from medfm_gui.workspace import sealing
from medfm_gui.workspace.cohort import SplitWish
from medfm_gui.workspace.place import open_workspace
from medfm_gui.workspace.sources import SourceWish

PATIENTS = 15


def told() -> tuple[Told, list[Progress]]:
    heard: list[Progress] = []
    return Told(lambda _, value: heard.append(value)), heard


def picture(path: Path, seed: int) -> None:
    grey = np.random.default_rng(seed).integers(0, 255, (24, 32), dtype=np.uint8)
    Image.fromarray(grey).save(path)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifteen patients with two images each; one image twice with two labels, a file cut short, a row of nothing."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "images").mkdir()
    rows = ["file,patient_id,finding,sex,age,exam"]
    for patient, view in itertools.product(range(PATIENTS), range(2)):
        name = f"p{patient:02d}_{view}.png"
        picture(folder / "images" / name, seed=0 if (patient, view) in ((0, 0), (1, 0)) else patient * 2 + view + 1)
        finding = "nodule" if patient % 2 else "clear"
        rows.append(f"images/{name},P{patient:02d},{finding},{'FM'[view]},{20 + patient * 5},e{patient}-{view}")
    (folder / "images" / "cut.png").write_bytes((folder / "images" / "p05_0.png").read_bytes()[:60])
    rows += ["images/cut.png,P05,nodule,F,45,e-cut", "images/gone.png,P05,nodule,F,45,e-gone"]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def made(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Room, Imported]]:
    with open_workspace(tmp_path_factory.mktemp("w") / "w") as workspace, Room(workspace) as room:
        yield room, answers.import_dataset(room, ImportDataset(str(source), "Chest, made up"), told()[0])


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_workspace(tmp_path / "w") as workspace, Room(workspace) as opened:
        yield opened


def test_a_look_tells_layout_and_columns_without_decoding(room: Room, source: Path) -> None:
    seen = answers.look_at_source(room, LookAtSource(str(source)), told()[0])
    assert (seen.layout, seen.table, seen.n_rows, seen.problem) == ("csv", "labels.csv", 32, "")
    assert "table" in seen.reason
    assert [column.name for column in seen.columns] == ["file", "patient_id", "finding", "sex", "age", "exam"]
    assert (seen.columns[2].n_values, seen.columns[2].examples) == (2, ("clear", "nodule"))
    assert {layout.name for layout in seen.layouts} >= {"csv", "folder", "dicom", "medmnist"}


def test_a_look_at_a_folder_beside_its_table_offers_that_table(room: Room, source: Path) -> None:
    seen = answers.look_at_source(room, LookAtSource(str(source / "images")), told()[0])
    assert seen.layout == ""
    assert "none of the known layouts" in seen.problem
    assert seen.table == "labels.csv"


def test_a_look_at_nothing_is_refused(room: Room, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        answers.look_at_source(room, LookAtSource(str(tmp_path / "no such")), told()[0])


def test_a_preview_counts_and_keeps_nothing(room: Room, source: Path) -> None:
    line, heard = told()
    report = answers.preview_import(room, PreviewImport(str(source)), line)
    assert report.classes == ("clear", "nodule")
    assert report.counts == (16, 14)
    assert (report.n_samples, report.n_patients, report.positive) == (30, PATIENTS, "nodule")
    assert {group.reason: group.count for group in report.skipped} == {"truncated": 1, "not_found": 1}
    assert report.n_skipped == 2
    assert (report.smallest, report.largest) == ((24, 32), (24, 32))
    assert any("identical pixels" in warning for warning in report.warnings)
    assert report.taken["patient"].startswith("patient_id")
    assert heard[-1] == Progress("Checking images", 31, 31)
    assert list((room.workspace.root / "datasets").iterdir()) == []


def test_a_wish_about_columns_changes_the_preview(room: Room, source: Path) -> None:
    report = answers.preview_import(
        room, PreviewImport(str(source), SourceWish(labels=("sex",), positive="M")), told()[0]
    )
    assert (report.classes, report.positive) == (("F", "M"), "M")
    with pytest.raises(TableError, match="no column “tumour”"):
        answers.preview_import(room, PreviewImport(str(source), SourceWish(labels=("tumour",))), told()[0])


def test_a_cancelled_import_leaves_nothing(room: Room, source: Path) -> None:
    line, heard = told()

    def say(_: str, value: Progress) -> None:
        heard.append(value)
        if value.done:
            line.stopped.set()

    line._say = say
    with pytest.raises(Interrupted):
        answers.import_dataset(room, ImportDataset(str(source), "cancelled"), line)
    assert list((room.workspace.root / "datasets").iterdir()) == []
    assert answers.list_datasets(room, ListDatasets(), told()[0]).datasets == ()


def test_an_import_is_listed_and_can_be_looked_at(made: tuple[Room, Imported]) -> None:
    room, imported = made
    dataset = imported.dataset.id
    assert imported.dataset.name == "Chest, made up"
    assert answers.list_datasets(room, ListDatasets(), told()[0]).datasets == (imported.dataset,)
    page = answers.list_samples(room, ListSamples(dataset, limit=4, only=SampleFilter(class_index=1)), told()[0])
    assert (page.total, len(page.samples)) == (14, 4)
    sheet = answers.thumbnails(room, Thumbnails(dataset, ("s000003", "s000001", "none"), 16), told()[0])
    assert [(tile.sample, tile.rows, tile.columns) for tile in sheet.tiles] == [
        ("s000003", 12, 16),
        ("s000001", 12, 16),
        ("none", 0, 0),
    ]
    assert sheet.tiles[2].message
    assert [tile.offset for tile in sheet.tiles] == [0, 192, 384]
    assert len(sheet.payload) == 384
    whole = answers.show_sample(room, ShowSample(dataset, "s000003"), told()[0])
    expected = np.asarray(Image.open(Path(imported.dataset.source) / "images" / "p01_0.png"))
    assert whole.payload == expected.tobytes()


def test_quality_names_identical_images_and_what_can_be_divided_by(made: tuple[Room, Imported]) -> None:
    room, imported = made
    found = answers.check_quality(room, CheckQuality(imported.dataset.id), told()[0])
    assert (found.n_twins, found.twins[0].is_torn) == (1, True)
    assert found.twins[0].paths == ("images/p00_0.png", "images/p01_0.png")
    assert found.twins[0].labels == ("clear", "nodule")
    assert found.units == ("patient", "image", "age")
    assert found.has_patients
    assert found.n_skipped == 2


def test_characteristics_add_up_in_every_partition(made: tuple[Room, Imported]) -> None:
    room, imported = made
    dataset = imported.dataset.id
    split = answers.make_split(room, MakeSplit(dataset, SplitWish(ratios="60/20/20")), told()[0]).splits[0]
    whole = answers.describe_cohort(room, DescribeCohort(dataset), told()[0])
    assert (whole.columns, whole.images, whole.patients) == (("all",), (30,), (PATIENTS,))
    table = answers.describe_cohort(room, DescribeCohort(dataset, split.id), told()[0])
    assert table.columns == ("all", "train", "val", "test")
    assert table.images == (30, *(split.sizes[side] for side in ("train", "val", "test")))
    titles = {section.title: section for section in table.sections}
    assert list(titles) == ["Class", "Patients with a class", "Sex", "Age"]
    assert table.left_out == ("Exam",)
    for section in (titles["Class"], titles["Sex"], titles["Age"]):
        sums = tuple(sum(line.counts[at] or 0 for line in section.lines) for at in range(4))
        shown = table.images if section.title != "Class" else (30 - table.n_hidden, *table.images[1:3], 0)
        assert sums == shown
    assert [line.name for line in titles["Age"].lines] == [
        "18–39 years",
        "40–59 years",
        "60–79 years",
        "80 years and older",
    ]


def test_the_units_of_a_dataset_are_told(made: tuple[Room, Imported]) -> None:
    room, imported = made
    found = answers.units_of(room, UnitsOf(imported.dataset.id), told()[0])
    assert found.units == ("image", "study", "patient"), "the column Exam names studies"


def test_a_plan_freezes_nothing_and_tells_leaks(made: tuple[Room, Imported]) -> None:
    room, imported = made
    dataset = imported.dataset.id
    before = answers.list_splits(room, ListSplits(dataset), told()[0])
    plan = answers.plan_split(room, PlanSplit(dataset, SplitWish(by="image", seed=3)), told()[0])
    assert plan.folds == ()
    assert plan.n_leaks == len(plan.leaks) > 0
    assert {line.leak.kind for line in plan.leaks} == {LeakKind.PATIENT}
    sides = [(line.path_a, line.leak.a) for line in plan.leaks] + [(line.path_b, line.leak.b) for line in plan.leaks]
    assert all(place.startswith("images/p") or place == name for place, name in sides), "of a sealed test, the id"
    assert 0 < plan.n_drop <= plan.n_leaks
    dropped = answers.plan_split(room, PlanSplit(dataset, SplitWish(by="image", seed=3, drop=True)), told()[0])
    assert sum(dropped.folds[0].sizes.values()) == 30 - plan.n_drop
    folds = answers.plan_split(room, PlanSplit(dataset, SplitWish(folds=3)), told()[0])
    assert len(folds.folds) == 3
    hidden = len(sealing.sealed_samples(room.workspace, dataset))
    for fold in folds.folds:
        counted = sum(sum(number or 0 for number in line.counts) for line in fold.lines)
        assert counted == sum(fold.sizes.values()) - hidden, "labels of a sealed test are not counted"
    assert answers.list_splits(room, ListSplits(dataset), told()[0]) == before


def test_leaks_stop_a_split_until_somebody_decides(made: tuple[Room, Imported]) -> None:
    room, imported = made
    dataset = imported.dataset.id
    wish = SplitWish(by="image", seed=3)
    with pytest.raises(LeakError) as caught:
        answers.make_split(room, MakeSplit(dataset, wish), told()[0])
    assert caught.value.leaks
    accepted = SplitWish(by="image", seed=3, accept="to measure what leakage is worth")
    split = answers.make_split(room, MakeSplit(dataset, accepted), told()[0]).splits[0]
    facts = answers.show_split(room, ShowSplit(dataset, split.id), told()[0])
    assert (split.acceptance, len(facts.leaks)) == ("to measure what leakage is worth", split.n_leaks)
    assert facts.columns == ("train", "val", "test")
    sums = tuple(sum(line.counts[at] or 0 for line in facts.lines) for at in range(3))
    assert sums == (split.sizes[Partition.TRAIN], split.sizes[Partition.VAL], 0)  # the test is sealed
    drop = SplitWish(by="image", seed=3, drop=True)
    without = answers.make_split(room, MakeSplit(dataset, drop), told()[0]).splits[0]
    shown = answers.show_split(room, ShowSplit(dataset, without.id), told()[0])
    assert without.n_leaks == 0
    assert len(shown.dropped) == without.n_dropped > 0


@pytest.mark.parametrize(
    "ask",
    [
        PreviewImport("/x", SourceWish(labels=("a", "b"), task="multilabel")),
        ListSamples("d", only=SampleFilter(split="s", partition=Partition.TEST, text="é")),
        MakeSplit("d", SplitWish(folds=5, accept="why")),
    ],
)
def test_questions_survive_the_wire(ask: Ask[Any]) -> None:
    assert decode_ask(type(ask), wire.encode(ask)) == ask


def test_previews_are_made_again_and_a_dataset_is_deleted(room: Room, source: Path) -> None:
    dataset = answers.import_dataset(room, ImportDataset(str(source), "Gone"), told()[0]).dataset.id
    split = answers.make_split(room, MakeSplit(dataset, SplitWish()), told()[0]).id
    shutil.rmtree(room.workspace.root / "pixels")
    sheet = answers.thumbnails(room, Thumbnails(dataset, ("s000001", "s000002")), told()[0])
    assert all(not tile.rows and tile.message for tile in sheet.tiles)
    watch, heard = told()
    made = answers.make_previews(room, MakePreviews(dataset), watch)
    assert made.images == 29, "identical files are decoded once"
    assert heard[-1].text == "Making the previews" and heard[-1].done == heard[-1].total
    sheet = answers.thumbnails(room, Thumbnails(dataset, ("s000001", "s000002")), told()[0])
    assert all(tile.rows for tile in sheet.tiles)
    gone = answers.delete_split(room, DeleteSplit(split), told()[0])
    assert gone.splits == (split,) and answers.list_splits(room, ListSplits(dataset), told()[0]).splits == ()
    gone = answers.delete_dataset(room, DeleteDataset(dataset), told()[0])
    assert gone.dataset == dataset and Path(gone.place).is_dir()
    assert answers.list_datasets(room, ListDatasets(), told()[0]).datasets == ()
