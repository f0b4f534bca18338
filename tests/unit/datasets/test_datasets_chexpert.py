"""CheXpert under each of its names, and what each policy makes of 1, 0, -1 and blank."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from medfm_gui.datasets.importers import chexpert
from medfm_gui.datasets.importers.chexpert_labels import FIVE, LABELS
from medfm_gui.datasets.layouts import choose
from medfm_gui.domain.dataset import UNKNOWN, Dataset, Sample, Task
from medfm_gui.domain.errors import InputError, TableError, UsageError
from tests.fixtures.chexpert_release import release, row, table

Tree = Callable[[Mapping[str, str | bytes]], Path]
Read = Callable[..., Dataset]


def by_path(dataset: Dataset) -> dict[str, Sample]:
    return {sample.path: sample for sample in dataset.samples}


def marks(dataset: Dataset, path: str) -> dict[str, int]:
    return dict(zip(dataset.classes, by_path(dataset)[path].target, strict=True))


FIRST = "train/patient00001/study1/view1_frontal.jpg"
SECOND = "train/patient00002/study1/view1_frontal.jpg"
LATERAL = "train/patient00002/study1/view2_lateral.jpg"
THIRD = "train/patient00002/study2/view1_frontal.jpg"


def test_a_small_release_is_recognised_and_read(tree: Tree, read: Read) -> None:
    source = tree(release())
    layout, why = choose("auto", source)
    assert (layout.name, why) == ("chexpert", "“train.csv” has the findings of CheXpert")
    dataset = read(source)
    assert dataset.task is Task.MULTILABEL
    assert dataset.classes == LABELS
    first = by_path(dataset)[FIRST]
    assert (first.patient, first.group, first.fold) == ("patient00001", "patient00001/study1", "train")
    assert dict(first.covariates) == {"sex": "Female", "age": "60", "projection": "AP", "view": "frontal"}
    assert by_path(dataset)[LATERAL].covariates["view"] == "lateral"
    assert {sample.fold for sample in dataset.samples} == {"train", "val"}
    assert dataset.n_patients == 4
    assert dataset.policies == {
        "uncertain": "zeros", "unmentioned": "zeros", "no-finding": "as-is", "views": "all", "labels": "14",
    }  # fmt: skip
    counts = {count.what: (count.known, count.found) for count in dataset.counts}
    assert counts["training images"] == (223_414, 4)
    assert counts["training patients"] == (64_540, 2)
    assert counts["frontal training rows"] == (191_027, 3)
    assert counts["frontal training rows uncertain in one of five findings"] == (55_533, 1)
    assert counts["training rows without a positive finding"] == (11_141, 3)
    assert counts["validation images"] == (234, 2)
    assert any("._train.csv" in warning for warning in dataset.warnings)


@pytest.mark.parametrize(
    ("uncertain", "unmentioned", "expected"),
    [
        ("zeros", "zeros", {"Cardiomegaly": 0, "Pleural Effusion": 0, "Fracture": 0}),
        ("ones", "zeros", {"Cardiomegaly": 1, "Pleural Effusion": 0, "Fracture": 0}),
        ("ignore", "zeros", {"Cardiomegaly": UNKNOWN, "Pleural Effusion": 0, "Fracture": 0}),
        ("ones", "ignore", {"Cardiomegaly": 1, "Pleural Effusion": 0, "Fracture": UNKNOWN}),
        ("label", "zeros", {"Cardiomegaly": 0, "Fracture": 0, "Uncertain": 1}),
    ],
)
def test_policies_of_uncertain_and_unmentioned(
    tree: Tree, read: Read, uncertain: str, unmentioned: str, expected: dict[str, int]
) -> None:
    dataset = read(tree(release()), policies={"uncertain": uncertain, "unmentioned": unmentioned})
    found = marks(dataset, SECOND)
    assert {name: found[name] for name in expected} == expected
    assert ("Uncertain" in dataset.classes) == (uncertain == "label")


def test_the_preset_of_study_a_fills_no_finding(tree: Tree, read: Read) -> None:
    dataset = read(tree(release()), preset="study-a")
    assert marks(dataset, SECOND)["No Finding"] == 1  # no positive once the uncertain one counts as absent
    assert marks(dataset, THIRD)["No Finding"] == 1
    assert marks(dataset, FIRST)["No Finding"] == 0
    assert len(dataset.samples) == 6


def test_nothing_is_filled_where_a_finding_is_unknown(tree: Tree, read: Read) -> None:
    dataset = read(tree(release()), policies={"uncertain": "ignore", "no-finding": "filled"})
    assert marks(dataset, SECOND)["No Finding"] == 0
    assert marks(dataset, THIRD)["No Finding"] == 1


def test_the_preset_of_study_b_takes_frontal_images_and_six_labels(tree: Tree, read: Read) -> None:
    dataset = read(tree(release()), preset="study-b")
    assert dataset.classes == (*FIVE, "Uncertain")
    assert LATERAL not in by_path(dataset)
    assert [(item.path, item.reason) for item in dataset.skipped] == [(LATERAL, "policy")]
    assert marks(dataset, FIRST)["Uncertain"] == 0  # pneumonia is uncertain, and is none of the five
    assert marks(dataset, FIRST)["Edema"] == 1
    assert marks(dataset, SECOND)["Uncertain"] == 1


def test_a_release_in_batches_and_a_path_with_another_prefix(tree: Tree, read: Read) -> None:
    files = release("CheXpert-v1.0/")
    moved = {}
    for name, contents in files.items():
        folder = "CheXpert-v1.0 batch 1 (validate & csv)"
        if name.startswith("train/"):
            folder = "CheXpert-v1.0 batch 2 (train 1)" if "00001" in name else "CheXpert-v1.0 batch 3 (train 2)"
        moved[f"{folder}/{name.removeprefix('train/')}"] = contents
    dataset = read(tree(moved))
    assert dataset.layout == "chexpert"
    assert len(dataset.samples) == 6
    place = "CheXpert-v1.0 batch 2 (train 1)/patient00001/study1/view1_frontal.jpg"
    assert by_path(dataset)[place].fold == "train"


def test_images_that_are_missing_and_images_that_nothing_names(tree: Tree, read: Read) -> None:
    files = dict(release())
    del files[f"{LATERAL}"]
    files["train/patient00009/study1/view1_frontal.jpg"] = "unlisted"
    dataset = read(tree(files))
    assert [(item.path, item.reason) for item in dataset.skipped] == [
        (f"CheXpert-v1.0-small/{LATERAL}", "missing_image")
    ]
    assert any("train/patient00009/study1/view1_frontal.jpg" in warning for warning in dataset.warnings)
    counts = {count.what: count.found for count in dataset.counts}
    assert (counts["rows in train.csv"], counts["training images"]) == (4, 3)


def test_the_official_test_of_chexlocalize(tree: Tree, read: Read) -> None:
    plain = "Path," + ",".join(LABELS)
    ones = ",".join("1.0" if label == "Edema" else "0.0" for label in LABELS)
    zeros = ",".join("0.0" for _ in LABELS)
    source = tree(
        {
            "CheXpert/test_labels.csv": f"{plain}\ntest/patient64741/study1/view1_frontal.jpg,{ones}\n",
            "CheXpert/val_labels.csv": f"{plain}\nCheXpert-v1.0/valid/patient64541/study1/view1_frontal.jpg,{zeros}\n",
            "CheXpert/test/patient64741/study1/view1_frontal.jpg": "a",
            "CheXpert/val/patient64541/study1/view1_frontal.jpg": "b",
        }
    )
    dataset = read(source)
    assert {(sample.patient, sample.fold) for sample in dataset.samples} == {
        ("patient64741", "test"),
        ("patient64541", "val"),
    }
    assert "sex" not in dataset.samples[0].covariates


def test_labels_of_a_study_go_to_all_of_its_images(tree: Tree, read: Read) -> None:
    names = [*LABELS[:3], "Airspace Opacity", *LABELS[4:]]
    cells = ",".join("1" if name == "Airspace Opacity" else "0" for name in names)
    source = tree(
        {
            "groundtruth.csv": f"Study,{','.join(names)}\nCheXpert-v1.0/test/patient64741/study1,{cells}\n",
            "test/patient64741/study1/view1_frontal.jpg": "a",
            "test/patient64741/study1/view2_lateral.jpg": "b",
        }
    )
    dataset = read(source)
    assert len(dataset.samples) == 2
    assert all(marks(dataset, sample.path)["Lung Opacity"] == 1 for sample in dataset.samples)


def test_a_second_table_that_says_otherwise_is_told(tree: Tree, read: Read) -> None:
    files = dict(release())
    other = row("valid/patient64541/study1/view1_frontal.jpg", Fracture="1.0")
    files["val_labels.csv"] = table(other)
    dataset = read(tree(files))
    assert any("1 image stand in two tables" in warning for warning in dataset.warnings)
    assert any("1 image have other labels in a second table" in warning for warning in dataset.warnings)
    assert marks(dataset, "valid/patient64541/study1/view1_frontal.jpg")["Fracture"] == 0


def test_rows_and_cells_that_make_no_sense(tree: Tree, read: Read) -> None:
    files = dict(release())
    files["train.csv"] = str(files["train.csv"]) + row("somewhere/else.jpg", Edema="1.0") + "\n"
    dataset = read(tree(files))
    assert any("1 row name no patient, study and view" in warning for warning in dataset.warnings)
    files["train.csv"] = table(row("train/patient00001/study1/view1_frontal.jpg", Edema="7"))
    with pytest.raises(TableError, match="Edema"):
        read(tree(files))


def test_what_is_no_chexpert(tree: Tree, read: Read) -> None:
    source = tree({"train.csv": "id_code,diagnosis\na,1\n", "a.png": "a"})
    assert chexpert.recognises(source) is None
    with pytest.raises(InputError, match=r"no table of CheXpert"):
        read(source, "chexpert")
    with pytest.raises(UsageError, match="no policy"):
        read(tree(release()), policies={"view": "frontal"})
    with pytest.raises(UsageError, match="no preset"):
        read(tree(release()), preset="study-c")


def test_only_the_table_is_named(tree: Tree, read: Read) -> None:
    dataset = read(tree(release()) / "train.csv")
    assert len(dataset.samples) == 4
    assert {sample.fold for sample in dataset.samples} == {"train"}
