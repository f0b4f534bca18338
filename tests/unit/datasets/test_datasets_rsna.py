"""The pneumonia challenge: several rows an image, three classes, patients that only RSNA's own list tells."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from medfm_gui.datasets.boxes import own_boxes
from medfm_gui.datasets.importers import rsna
from medfm_gui.datasets.layouts import choose
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import InputError

Tree = Callable[[Mapping[str, str | bytes]], Path]
Read = Callable[..., Dataset]

A, B, C, D = (f"000{letter}-uuid" for letter in "abcd")


@pytest.fixture
def release(dicom_file: Callable[..., bytes]) -> dict[str, str | bytes]:
    labels = (
        "patientId,x,y,width,height,Target\n"
        f"{A},,,,,0\n{B},,,,,0\n{C},1.0,1.0,2.0,2.0,1\n{C},3.0,0.0,2.0,4.0,1\n{D},0.0,0.0,1.0,1.0,1\n"
    )
    classes = (
        "patientId,class\n"
        f"{A},Normal\n{B},No Lung Opacity / Not Normal\n{C},Lung Opacity\n{C},Lung Opacity\n{D},Lung Opacity\n"
    )
    images = {
        f"stage_2_train_images/{name}.dcm": dicom_file(name, patient_id=name, sop_instance_uid=name)
        for name in (A, B, C, D)
    }
    return {
        "stage_2_train_labels.csv": labels,
        "stage_2_detailed_class_info.csv": classes,
        "stage_2_test_images/x.dcm": dicom_file("x"),
        **images,
    }


def by_name(dataset: Dataset) -> dict[str, Sample]:
    return {Path(sample.path).stem: sample for sample in dataset.samples}


def test_two_classes_and_boxes(tree: Tree, read: Read, release: dict[str, str | bytes]) -> None:
    source = tree(release)
    assert choose("auto", source)[0].name == "rsna-pneumonia"
    dataset = read(source)
    assert (dataset.task, dataset.classes) == (Task.BINARY, ("no lung opacity", "lung opacity"))
    assert dataset.positive == "lung opacity"
    found = by_name(dataset)
    assert [found[name].target for name in (A, B, C, D)] == [(0,), (0,), (1,), (1,)]
    assert found[C].covariates["boxes"] == "1.0 1.0 3.0 3.0; 3.0 0.0 5.0 4.0"
    assert found[B].covariates["detailed_class"] == "No Lung Opacity / Not Normal"
    assert len(own_boxes(dataset)) == 3
    assert dataset.n_patients == 4
    assert A not in {sample.patient for sample in dataset.samples}
    assert any("one patient may stand on two sides" in warning for warning in dataset.warnings)
    assert dataset.taken["test images"].startswith("not taken")
    assert {count.what: (count.known, count.found) for count in dataset.counts} == {
        "rows in the table": (30_227, 5),
        "images": (26_684, 4),
    }


def test_three_classes(tree: Tree, read: Read, release: dict[str, str | bytes]) -> None:
    dataset = read(tree(release), policies={"classes": "three"})
    assert dataset.task is Task.MULTICLASS
    assert dataset.classes == ("Normal", "No Lung Opacity / Not Normal", "Lung Opacity")
    assert "detailed_class" not in dataset.samples[0].covariates
    del release["stage_2_detailed_class_info.csv"]
    bare = tree(release)
    (bare / "stage_2_detailed_class_info.csv").unlink()
    with pytest.raises(InputError, match="Three classes need"):
        read(bare, policies={"classes": "three"})
    assert len(read(bare).samples) == 4


def test_patients_by_rsnas_own_list(tree: Tree, read: Read, release: dict[str, str | bytes]) -> None:
    rows = [
        {"subset_img_id": name, "img_id": f"0000000{patient}_00{number}.png"}
        for number, (name, patient) in enumerate([(A, 1), (B, 1), (C, 2), (D, 3)])
    ]
    release[rsna.MAPPING] = json.dumps(rows)
    dataset = read(tree(release))
    found = by_name(dataset)
    assert found[A].patient == found[B].patient != found[C].patient
    assert dataset.n_patients == 3
    release[rsna.MAPPING] = json.dumps({"a": 1})
    with pytest.raises(InputError, match="not RSNA's list"):
        read(tree(release))


def test_rows_that_contradict_one_another(tree: Tree, read: Read, release: dict[str, str | bytes]) -> None:
    release["stage_2_train_labels.csv"] = (
        f"patientId,x,y,width,height,Target\n{A},,,,,0\n{A},1,1,2,2,1\n{B},,,,,1\n{C},1,1,2,2,1\n{D},,,,,0\ngone,,,,,0\n"
    )
    dataset = read(tree(release))
    assert {(Path(item.path).stem, item.reason) for item in dataset.skipped} == {
        (A, "conflicting_labels"), ("gone", "missing_image"),
    }  # fmt: skip
    assert any("2 images with a Target that does not fit" in warning for warning in dataset.warnings)


def test_what_is_not_the_challenge(tree: Tree, read: Read) -> None:
    source = tree({"stage_2_train_labels.csv": "a,b\n1,2\n"})
    assert rsna.recognises(source) is None
    assert rsna.recognises(source / "nothing") is None
    with pytest.raises(InputError, match="holds no"):
        read(tree({"other.csv": "a,b\n1,2\n"}) / "other.csv", "rsna-pneumonia")
