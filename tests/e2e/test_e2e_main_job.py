"""The main job as a user does it: DICOM tree → split → runs → sealed test → comparison → study → PDF."""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile
from pathlib import Path

import pydicom
import pypdf
import pytest
from sqlite_utils import Database

from tests.fixtures.command import Medfm, medfm_in

RUNS = ("r0001", "r0002")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, phantom: Path) -> Medfm:
    medfm = medfm_in(tmp_path_factory.mktemp("main-job"))
    table = ("--table", phantom / "labels.csv", "--label", "nodule", "--positive", "nodule", "--name", "thorax")
    dataset = medfm.json("import", "dicom", phantom / "radiographs", *table)
    assert dataset["dataset"] == "thorax" and dataset["task"] == "binary"
    assert dataset["n_patients"] == 26 and dataset["skipped"] == []
    split = medfm.json("split", "thorax", "--ratios", "50/20/30")
    assert split["leaks"] == [] and sum(split["sizes"].values()) == dataset["n_samples"]
    adapted = ("--adapt", "linear", "--adapt", "knn", "--set", "k=5")
    runs = medfm.json("train", "--dataset", "thorax", "--model", "efficientnet-lite0", *adapted)["runs"]
    assert [(row["run"], row["state"]) for row in runs] == [(run, "finished") for run in RUNS]
    assert 0 < runs[0]["metrics"]["auc"] <= 1 and runs[0]["seconds"] > 0
    return medfm


@pytest.fixture(scope="module")
def opened(trained: Medfm) -> Medfm:
    found = trained.json("evaluate", *RUNS, "--open-test", "a test of the test")
    assert found["test_openings"] == 2
    return trained


def test_patients_are_pseudonyms_everywhere(trained: Medfm) -> None:
    kept = [path for path in trained.workspace.rglob("*") if path.is_file() and path.suffix in {".json", ".jsonl"}]
    assert kept
    assert not [path for path in kept if b"PHANTOM-0" in path.read_bytes() or b"Phantom^0" in path.read_bytes()]
    samples = (trained.workspace / "datasets" / "thorax" / "samples.jsonl").read_text()
    assert '"patient":"P-' in samples


def test_the_test_set_is_sealed_until_it_is_opened(tmp_path: Path, phantom: Path) -> None:
    medfm = medfm_in(tmp_path)
    medfm.json("import", "dicom", phantom / "radiographs", "--table", phantom / "labels.csv", "--label", "nodule")
    medfm.json("train", "--dataset", "radiographs", "--model", "efficientnet-lite0", "--adapt", "linear")
    run = medfm.workspace / "runs" / "r0001"
    assert [path.name for path in (run / "predictions").iterdir()] == ["val.npz"]
    for command in (
        ("evaluate",),
        ("report", "--out", tmp_path / "r.pdf"),
        ("predictions", "--out", tmp_path / "p.csv"),
    ):
        assert medfm.refused(command[0], "r0001", *command[1:])["kind"] == "seal_error"
    assert medfm.refused("evaluate", "r0001", "--open-test", "  ")["kind"] == "seal_error"
    assert not (tmp_path / "r.pdf").exists()


def test_every_number_has_its_interval_and_its_method(opened: Medfm) -> None:
    found = opened.json("evaluate", *RUNS)
    assert found["test_openings"] == 2  # reading again is no opening
    rows = {(row["run"], row["metric"]): row for row in found["evaluations"]}
    for run in RUNS:
        for metric in ("auc", "accuracy", "balanced_accuracy", "sensitivity", "specificity"):
            row = rows[run, metric]
            assert row["low"] <= row["value"] <= row["high"] and row["method"] and row["n"] > 0
        assert "patients" in rows[run, "auc"]["method"] or "cluster" in rows[run, "auc"]["method"]


def test_predictions_as_a_table(opened: Medfm, tmp_path: Path) -> None:
    opened.json("predictions", "r0001", "--subset", "test", "--out", tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert list(rows[0]) == ["sample", "patient", "subset", "label", "no nodule", "nodule"]
    assert all(abs(float(row["nodule"]) + float(row["no nodule"]) - 1) < 1e-5 for row in rows)


def test_a_model_leaves_as_one_file_without_places_or_patients(opened: Medfm, tmp_path: Path) -> None:
    made = opened.json("model", "export", "r0001", "--out", tmp_path / "nodule.medfm")
    again = opened.json("model", "export", "r0001", "--out", tmp_path / "again.medfm")
    assert made["sha256"] == again["sha256"] == hashlib.sha256((tmp_path / "nodule.medfm").read_bytes()).hexdigest()
    with zipfile.ZipFile(tmp_path / "nodule.medfm") as archive:
        card = json.loads(archive.read("card.json"))
        assert {name: hashlib.sha256(archive.read(name)).hexdigest() for name in card["files"]} == card["files"]
        words = archive.read("card.json") + archive.read("spec.json")
    assert {*card["files"]} >= {"spec.json", "weights/backbone.safetensors", "weights/head.safetensors"}
    assert card == made["card"] and card["classes"] == ["no nodule", "nodule"] and card["licence"] == "Apache-2.0"
    assert str(opened.workspace).encode() not in words and str(Path.home()).encode() + b"/" not in words
    assert b"PHANTOM" not in words and b'"/' not in words
    assert opened.refused("model", "export", "r0001", "--out", tmp_path)["kind"] == "usage_error"
    assert not [path.name for path in opened.workspace.iterdir() if path.name.startswith(".export")]


def test_a_comparison_says_what_may_be_concluded(opened: Medfm) -> None:
    found = opened.json("compare", *RUNS)
    pair = next(pair for pair in found["pairs"] if pair["metric"] == "auc")
    assert pair["low"] <= pair["difference"] <= pair["high"] and 0 <= pair["p"] <= 1
    assert found["reference"] == "r0001" and {pair["a"], pair["b"]} == set(RUNS)
    assert "equal" not in found["sentence"] and "no difference" not in found["sentence"]
    assert opened.refused("compare", "r0001")["kind"] == "usage_error"


def test_the_report_carries_its_evidence(opened: Medfm, tmp_path: Path) -> None:
    written = opened.json("report", *RUNS, "--out", tmp_path / "report.pdf")
    reader = pypdf.PdfReader(written["path"])
    assert len(reader.pages) == written["pages"]
    assert all("not for clinical use" in page.extract_text() for page in reader.pages)
    assert {"runs.json", "results.json", "split.csv", "predictions-r0001.csv"} <= set(reader.attachments)
    results = json.loads(reader.attachments["results.json"][0])
    auc = next(row for row in results if row["run"] == "r0001" and row["metric"] == "auc")
    text = " ".join(page.extract_text() for page in reader.pages)
    assert f"{auc['value']:.3f}" in text
    assert "PHANTOM-0" not in text and not any(b"PHANTOM-0" in item[0] for item in reader.attachments.values())


def test_one_study_with_a_heat_map(opened: Medfm, phantom: Path, tmp_path: Path) -> None:
    source = phantom / "radiographs" / "0000" / "1.dcm"
    options = ("--run", "r0001", "--run", "r0002", "--explain", "gradcam", "--dicom", "sc", "--out", tmp_path)
    linear, knn = opened.json("predict", source, *options)["predictions"]
    assert set(linear["classes"]) == {"no nodule", "nodule"} and linear["decision"] in linear["classes"]
    assert linear["threshold"] is not None and "val" in linear["threshold_note"]
    assert Path(linear["explanation"]["path"]).read_bytes().startswith(b"\x89PNG")
    capture = pydicom.dcmread(linear["explanation"]["dicom"])
    original = pydicom.dcmread(source)
    assert capture.StudyInstanceUID == original.StudyInstanceUID
    assert capture.SeriesInstanceUID != original.SeriesInstanceUID
    assert "not for clinical use" in str(capture)
    assert knn["explanation"]["path"] == "" and knn["explanation"]["note"]


def test_a_ct_series_is_one_prediction(opened: Medfm, phantom: Path) -> None:
    found = opened.json("predict", phantom / "ct" / "0000", "--run", "r0001")["predictions"]
    assert len(found) == 1 and found[0]["slices"] >= 40
    assert any("CT" in text for text in found[0]["warnings"])  # the run learnt from radiographs


def test_the_database_can_be_made_again(opened: Medfm, phantom: Path) -> None:
    opened.json("predict", phantom / "radiographs" / "0001" / "1.dcm", "--run", "r0001")
    opened.json("compare", *RUNS)
    before = _everything(opened)
    database = opened.workspace / "medfm.sqlite"
    database.unlink()
    assert opened.json("rebuild")["runs"] == 2
    assert _everything(opened) == before


def _everything(medfm: Medfm) -> dict[str, list[str]]:
    """All rows of all tables, sorted."""
    database = Database(str(medfm.workspace / "medfm.sqlite"))
    try:
        return {table.name: sorted(repr(row) for row in table.rows) for table in database.tables}
    finally:
        database.close()


def test_what_is_there_is_listed(opened: Medfm, phantom: Path) -> None:
    assert [row["dataset"] for row in opened.json("datasets")["datasets"]] == ["thorax"]
    assert [row["run"] for row in opened.json("runs")["runs"]] == list(RUNS)
    studies = opened.json("study", "import", phantom / "ct")["studies"]
    assert len(studies) == 2 and studies[0]["series"][0]["instances"] >= 40
    assert len(opened.json("study", "list")["studies"]) >= 2


def test_doctor_and_models(medfm: Medfm) -> None:
    found = medfm.json("doctor")
    assert {"cpu"} <= {device["id"] for device in found["devices"]}
    assert found["network"] == "off" and found["torch"]
    rows = {row["name"]: row for row in medfm.json("models")["models"]}
    assert rows["efficientnet-lite0"]["weights"]["state"] == "bundled"
    assert rows["dinov2-s"]["weights"]["state"] == "absent"
    assert rows["dinov2-s"]["family"] == "DINOv2" and rows["mae-b"]["family"] == "MAE"
