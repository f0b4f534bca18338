"""Real images as they lie on a disk: tables with messy columns, official folds, an archive with a leak, odd DICOM."""

from __future__ import annotations

import csv
import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import pydicom.data
import pytest

from tests.fixtures.command import Medfm, medfm_in

SMALL = ("--model", "efficientnet-lite0", "--adapt", "linear", "--set", "input_size=64")
KINDS = ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Medfm:
    """One workspace for all that is only imported and divided."""
    return medfm_in(tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, shared_data: Path, phantom: Path) -> Medfm:
    """A workspace with two finished runs: r0001 of real images of six kinds, r0002 of simulated radiographs."""
    folder = tmp_path_factory.mktemp("reader")
    medfm = medfm_in(folder)
    with (folder / "kinds.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("image", "kind"))
        for kind in KINDS:
            images = sorted((shared_data / "mednist" / kind).iterdir())[:20]
            table.writerows((f"{kind}/{image.name}", kind) for image in images)
    medfm.json("import", "csv", folder / "kinds.csv", "--label", "kind", "--images", shared_data / "mednist")
    labels = ("--table", phantom / "labels.csv", "--label", "nodule", "--name", "thorax")
    medfm.json("import", "dicom", phantom / "radiographs", *labels)
    for dataset in ("kinds", "thorax"):
        (row,) = medfm.json("train", "--dataset", dataset, *SMALL)["runs"]
        assert row["state"] == "finished", row
    return medfm


def _samples(medfm: Medfm, dataset: str) -> dict[str, dict[str, Any]]:
    text = (medfm.workspace / "datasets" / dataset / "samples.jsonl").read_text(encoding="utf-8")
    return {row["id"]: row for row in map(json.loads, text.splitlines())}


def _sides(medfm: Medfm, split: str) -> dict[str, str]:
    document = json.loads((medfm.workspace / "splits" / f"{split}.json").read_bytes())
    return {row["sample"]: row["partition"] for row in document["assignments"]}


def test_dermoscopy(room: Medfm, shared_data: Path) -> None:
    found = room.json("import", "auto", shared_data / "isic-uda1", "--label", "benign_malignant", "--name", "skin")
    assert (found["layout"], found["task"], found["n_samples"]) == ("csv", "binary", 557)
    assert found["classes"] == ["benign", "malignant"] and found["positive"] == "malignant"
    assert found["n_patients"] is None and found["skipped"] == []
    (twins,) = (text for text in found["warnings"] if "identical pixels" in text)
    samples = _samples(room, "skin")
    identical = ("ISIC_0000279", "ISIC_0000280", "ISIC_0000477", "ISIC_0000512")
    assert all(name in twins for name, row in samples.items() if Path(row["path"]).stem in identical)
    assert sum(row["target"] == [1] for row in samples.values()) == 159
    first = next(row for row in samples.values() if row["path"].endswith("ISIC_0000000.jpg"))
    assert (first["covariates"]["age_approx"], first["covariates"]["sex"]) == ("55", "female")
    split = room.json("split", "skin", "--folds", "5")
    assert split["leaks"] == [] and any("No patients are known" in text for text in split["warnings"])
    names = {Path(row["path"]).stem: name for name, row in samples.items()}
    tested: list[str] = []
    for fold in split["folds"]:
        sides = _sides(room, fold["split"])
        assert sides[names["ISIC_0000279"]] == sides[names["ISIC_0000280"]]
        assert sides[names["ISIC_0000477"]] == sides[names["ISIC_0000512"]]
        tested += [name for name, side in sides.items() if side == "test"]
    assert sorted(tested) == sorted(samples)


def test_radiographs_by_patient(room: Medfm, shared_data: Path) -> None:
    table = shared_data / "nih-cxr" / "labels_all.csv"
    found = room.json("import", "csv", table, "--label", "folder_label", "--name", "chest")
    assert (found["n_samples"], found["n_patients"], found["task"]) == (1000, 682, "binary")
    assert found["positive"] == "Pneumonia"
    assert "patient_id" in found["taken"]["patient"]
    split = room.json("split", "chest")
    assert split["leaks"] == [] and sum(split["sizes"].values()) == 1000
    samples, sides = _samples(room, "chest"), defaultdict(set)
    for name, side in _sides(room, split["split"]).items():
        sides[samples[name]["patient"]].add(side)
    assert len(sides) == 682 and all(len(found) == 1 for found in sides.values())


def test_findings_joined_by_a_bar(room: Medfm, shared_data: Path) -> None:
    table = shared_data / "nih-cxr" / "labels_all.csv"
    found = room.json("import", "csv", table, "--label", "finding_labels", "--dry-run")
    assert found["task"] == "multilabel" and len(found["classes"]) == 14 and found["positive"] is None
    assert {"Infiltration", "Pleural_Thickening", "Hernia"} < set(found["classes"])
    assert "No Finding" not in found["classes"] and found["dry_run"]
    assert [row["dataset"] for row in room.json("datasets")["datasets"] if "labels" in row["dataset"]] == []


def test_official_folds_of_patients(room: Medfm, shared_data: Path) -> None:
    table = shared_data / "brain-mri" / "labels.csv"
    options = ("--label", "tumour", "--fold", "patient_fold", "--name", "tumours")
    found = room.json("import", "csv", table, *options)
    assert (found["n_samples"], found["task"]) == (1022, "multiclass")
    assert found["classes"] == ["glioma", "meningioma", "pituitary"]
    split = room.json("split", "tumours")
    samples = _samples(room, "tumours")
    assert len(split["folds"]) == 5
    for fold in split["folds"]:
        held = defaultdict(set)
        for name, side in _sides(room, fold["split"]).items():
            held[side].add(samples[name]["fold"])
        assert len(held["test"]) == len(held["val"]) == 1 and len(held["train"]) == 3
        assert sum(fold["sizes"].values()) == 1022
    shares = room.json("split", "tumours", "--ratios", "70/15/15")
    assert "folds" not in shares and any("official" in text for text in shares["warnings"])


def test_an_official_split_that_leaks(room: Medfm, shared_data: Path) -> None:
    found = room.json("import", "auto", shared_data / "breastmnist", "--name", "breast")
    assert (found["layout"], found["n_samples"]) == ("medmnist", 780)
    assert found["positive"] == "malignant"
    assert any("different labels" in text for text in found["warnings"])
    done = room.run("split", "breast", "--json")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    refused = json.loads(done.stdout)
    assert refused["error"]["kind"] == "leak_error" and "--drop-leaks" in refused["error"]["hint"]
    (leak,) = refused["leaks"]
    samples = _samples(room, "breast")
    pair = {(samples[leak[key]]["fold"], samples[leak[key]]["frame"]) for key in ("a", "b")}
    assert leak["kind"] == "identical pixels" and pair == {("train", 115), ("test", 76)}
    assert room.refused("train", "--dataset", "breast", *SMALL)["kind"] == "leak_error"
    accepted = room.json("split", "breast", "--accept-leaks", "as published")
    assert accepted["sizes"] == {"train": 546, "val": 78, "cal": 0, "test": 156}
    assert accepted["leaks"] == [leak] and accepted["accepted"] == "as published"
    dropped = room.json("split", "breast", "--drop-leaks")
    assert dropped["sizes"] == {"train": 545, "val": 78, "cal": 0, "test": 156}
    assert dropped["leaks"] == [] and dropped["dropped"] == [leak["a"]] and dropped["accepted"] is None


def test_a_folder_a_class(room: Medfm, shared_data: Path) -> None:
    found = room.json("import", "auto", shared_data / "mednist", "--dry-run")
    assert (found["layout"], found["task"], found["n_samples"]) == ("folder", "multiclass", 1500)
    assert set(found["classes"]) == set(KINDS)


def test_magnetic_resonance_study(room: Medfm, shared_data: Path) -> None:
    found = room.json("study", "import", shared_data / "mr-brain-study")
    (study,) = found["studies"]
    series = {row["description"]: row for row in study["series"]}
    assert study["modality"] == "MR" and set(series) == {"T1post", "T1pre_reg", "FLAIR_reg", "T2_reg", "HippoCrop"}
    assert {row["instances"] for row in series.values()} == {22, 40}
    assert (series["T1post"]["rows"], series["T1post"]["columns"]) == (320, 280)
    assert series["T1post"]["slice_spacing_mm"] == pytest.approx(6.5)
    assert {Path(row["path"]).name for row in found["skipped"]} == {"MANIFEST.csv", "SOURCE.txt"}


def test_overlapping_slices(room: Medfm, shared_data: Path) -> None:
    ((series,),) = (study["series"] for study in room.json("study", "import", shared_data / "ct-abdomen")["studies"])
    assert (series["instances"], series["rows"], series["modality"]) == (20, 512, "CT")
    assert series["slice_spacing_mm"] == pytest.approx(2.0)  # the files say that slices are 3 mm thick
    assert any("overlap" in text for text in series["warnings"])


def test_radiographs_that_claim_the_same_uid(room: Medfm, shared_data: Path) -> None:
    found = room.json("study", "import", shared_data / "cxr-dicom")
    assert {study["description"] for study in found["studies"]} == {"No Finding", "Cardiomegaly", "Effusion"}
    said = {Path(row["path"]).name: row["message"] for row in found["skipped"] if row["reason"] == "duplicate"}
    assert "RIBCAGE" in said["test4.dcm"] and "CT" in said["test5.dcm"] and "XX" in said["test6.dcm"]


def test_what_was_learnt_from_real_images_holds_on_others(reader: Medfm) -> None:
    rows = reader.json("evaluate", "r0001", "--open-test", "six kinds")["evaluations"]
    values = {row["metric"]: row["value"] for row in rows if not row.get("label")}
    assert {row["n"] for row in rows if row["metric"] == "accuracy"} == {18}
    assert values["accuracy"] >= 0.75 and values["auc_macro_ovr"] >= 0.8  # 84 images of 64 pixels; chance is 0.17


@pytest.mark.parametrize(
    ("file", "objection"), [("test4.dcm", "RIBCAGE"), ("test5.dcm", "modality CT"), ("test6.dcm", "Patient Position")]
)
def test_objections_to_odd_radiographs(reader: Medfm, shared_data: Path, file: str, objection: str) -> None:
    kind, nodule = _read(reader, shared_data / "cxr-dicom" / file)
    assert kind["decision"] == "CXR" and nodule["run"] == "r0002"
    said = nodule["warnings"]
    assert any(objection in text for text in said) and len(set(said)) == len(said)


def test_one_image_each_of_three_modalities(reader: Medfm, shared_data: Path, tmp_path: Path) -> None:
    images = {
        "CT": sorted((shared_data / "ct-abdomen" / "series").iterdir())[10],
        "MR": next(path for path in sorted((shared_data / "mr-brain-study").rglob("*.dcm")) if "T1post" in str(path)),
        "DX": shared_data / "cxr-dicom" / "test2.dcm",
    }
    for modality, path in images.items():
        shutil.copyfile(path, tmp_path / f"{modality}.dcm")
    rows = {(Path(row["source"]).stem, row["run"]): row for row in _read(reader, tmp_path)}
    assert set(rows) == {(modality, run) for modality in images for run in ("r0001", "r0002")}
    assert rows["CT", "r0001"]["decision"] == "AbdomenCT" and rows["DX", "r0001"]["decision"] == "CXR"
    assert all(sum(row["classes"].values()) == pytest.approx(1) and row["series"] for row in rows.values())
    assert rows["DX", "r0002"]["warnings"] == []
    for modality in ("CT", "MR"):  # the run learnt from radiographs
        assert any(modality in text and "expected" in text for text in rows[modality, "r0002"]["warnings"])


def test_foreign_files_are_scored_or_refused_by_name(reader: Medfm, tmp_path: Path) -> None:
    scored = {"CT_small.dcm", "MR_small.dcm", "693_J2KI.dcm", "SC_rgb_jpeg_gdcm.dcm", "examples_palette.dcm"}
    scored |= {"examples_ybr_color.dcm"}  # 30 frames
    refused = {
        "MR_truncated.dcm": "truncated",
        "badVR.dcm": "bad_header",
        "rtplan.dcm": "no_pixels",
        "waveform_ecg.dcm": "no_pixels",
        "rtdose.dcm": "no_pixels",
        "JPEG2000-embedded-sequence-delimiter.dcm": "bad_header",
    }
    packaged = Path(pydicom.data.__file__).parent / "test_files"
    for name in {*scored, *refused}:
        shutil.copyfile(packaged / name, tmp_path / name)
    found = reader.json("predict", tmp_path, "--run", "r0001")
    assert {Path(row["source"]).name for row in found["predictions"]} == scored
    films = [Path(row["source"]).name for row in found["predictions"] if row["slices"] == 30]
    assert films == ["examples_ybr_color.dcm"]
    assert {Path(row["path"]).name: row["reason"] for row in found["skipped"]} == refused
    assert all(row["message"] for row in found["skipped"])
    assert reader.refused("predict", packaged / "reportsi.dcm", "--run", "r0001")["kind"] == "unreadable_file"


def _read(medfm: Medfm, source: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = medfm.json("predict", source, "--run", "r0001", "--run", "r0002")["predictions"]
    return rows
