"""Real images of another kind look unlike the training images, real images of the same kind do not."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.command import Medfm, medfm_in

SMALL = ("--model", "efficientnet-lite0", "--adapt", "linear", "--set", "input_size=64")


@pytest.fixture(scope="module")
def tumours(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Medfm:
    """A finished run of every third slice of a public collection of brain tumours."""
    folder = tmp_path_factory.mktemp("tumours")
    medfm = medfm_in(folder)
    with (shared_data / "brain-mri" / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::3]
    with (folder / "brain.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerows([("image", "tumour"), *((row["file"], row["tumour"]) for row in rows)])
    images = shared_data / "brain-mri" / "images"
    medfm.json("import", "csv", folder / "brain.csv", "--label", "tumour", "--images", images)
    medfm.json("split", "brain", "--ratios", "50/15/20/15")
    (row,) = medfm.json("train", "--dataset", "brain", *SMALL)["runs"]
    assert row["state"] == "finished", row
    return medfm


def _said(medfm: Medfm, files: list[Path], folder: Path) -> list[dict[str, Any]]:
    folder.mkdir()
    for number, file in enumerate(files):
        shutil.copyfile(file, folder / f"{number:03d}{file.suffix}")
    found: list[dict[str, Any]] = medfm.json("predict", folder, "--run", "r0001", "--class-sets")["predictions"]
    assert len(found) == len(files)
    return found


def test_another_modality_and_noise_are_unlike(tumours: Medfm, shared_data: Path, tmp_path: Path) -> None:
    noise = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)).save(noise)
    photographs = sorted((shared_data / "isic-uda1" / "images").iterdir())[::60]
    radiographs = sorted((shared_data / "nih-cxr" / "images").iterdir())[::120]
    for said in _said(tumours, [noise, *photographs, *radiographs], tmp_path / "other"):
        assert said["outlier"] is True and said["outlier_score"] > said["outlier_limit"], said["source"]
        assert said["class_set"] == [] and "unlike the training images" in said["class_set_note"]
        assert "calibration images" in said["outlier_note"]
        distances = [case["distance"] for case in said["similar"]]
        assert len(distances) == 5 and distances == sorted(distances)


def test_few_images_of_the_same_kind_are(tumours: Medfm, shared_data: Path, tmp_path: Path) -> None:
    images = sorted((shared_data / "brain-mri" / "images").iterdir())[1::31]  # neither learned from nor calibrated on
    with (tumours.workspace.parent / "brain.csv").open(encoding="utf-8", newline="") as file:
        known = {row["image"] for row in csv.DictReader(file)}
    said = _said(tumours, [file for file in images if file.name not in known], tmp_path / "same")
    assert len(said) > 15 and np.mean([one["outlier"] for one in said]) <= 0.2
    assert {case["label"] for one in said for case in one["similar"]} == {"glioma", "meningioma", "pituitary"}


def test_a_table_of_the_opened_test_says_which_images_are(tumours: Medfm, tmp_path: Path) -> None:
    tumours.json("evaluate", "r0001", "--open-test", "final evaluation")
    out = tmp_path / "p.csv"
    said = tumours.json("predictions", "r0001", "--out", out, "--outlier")
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == said["rows"] > 15 and list(rows[0])[-2:] == ["outlier_score", "outlier"]
    limit = said["outlier_limit"]["limit"]
    assert all((row["outlier"] == "yes") == (float(row["outlier_score"]) > limit + 1e-5) for row in rows)
    assert np.mean([row["outlier"] == "yes" for row in rows]) <= 0.2


def test_a_model_that_travels_has_nothing_to_compare_with(tumours: Medfm, shared_data: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.medfm"
    tumours.json("model", "export", "r0001", "--out", model)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = medfm_in(tmp_path / "elsewhere")
    elsewhere.json("model", "import", model)
    image = next((shared_data / "brain-mri" / "images").iterdir())
    (said,) = elsewhere.json("predict", image, "--run", "r0001")["predictions"]
    assert (said["outlier"], said["outlier_score"], said["similar"]) == (None, None, [])
    assert "do not travel" in said["outlier_note"]
