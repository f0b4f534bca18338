"""Montgomery and Shenzhen: labels in names, readings in free words, masks of lungs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medfm_gui.datasets.importers.chest_readings import Reading, reading_of
from medfm_gui.datasets.ingest import ImportOptions, read_source
from medfm_gui.datasets.layouts import choose
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.imaging.pool import DecodePool

Tree = Callable[[Mapping[str, str | bytes]], Path]
Read = Callable[..., Dataset]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Patient's Sex: F\nPatient's Age: 027Y\nnormal\n", Reading("F", "27", "normal")),
        ("Patient's Sex: M \r\nPatient's Age: 045Y\r\nold\r\ncavity ", Reading("M", "45", "old cavity")),
        ("male 45yrs\nnormal", Reading("M", "45", "normal")),
        ("Female, 28 yrs \n\nbilateral PTB", Reading("F", "28", "bilateral PTB")),
        ("female 33years\n1. PTB in the left upper field", Reading("F", "33", "1. PTB in the left upper field")),
        ("male28yrs\nSTB", Reading("M", "28", "STB")),
        ("Male 6 months\nprimary complex", Reading("M", "0", "primary complex")),
        ("femal 61yr\n", Reading("F", "61", "")),
        ("no words that help", Reading("", "", "no words that help")),
        ("", Reading()),
        ("male 40yrs\n" + "a" * 300, Reading("M", "40", "a" * 119 + "…")),
    ],
)  # fmt: skip
def test_readings_in_free_words(text: str, expected: Reading) -> None:
    assert reading_of(text) == expected


def montgomery() -> dict[str, str | bytes]:
    names = [f"MCUCXR_{number:04d}_{number % 2}" for number in range(1, 5)]
    files: dict[str, str | bytes] = {}
    for name in names:
        files[f"MontgomerySet/CXR_png/{name}.png"] = f"chest {name}"
        files[f"MontgomerySet/ClinicalReadings/{name}.txt"] = "Patient's Sex: F\nPatient's Age: 027Y\nnormal"
        for side in ("left", "right"):
            files[f"MontgomerySet/ManualMask/{side}Mask/{name}.png"] = f"{side} {name}"
    files["MontgomerySet/CXR_png/Thumbs.db"] = b"junk"
    files["MontgomerySet/NLM-MontgomeryCXRSet-ReadMe.pdf"] = b"%PDF"
    return files


def by_name(dataset: Dataset) -> dict[str, Sample]:
    return {Path(sample.path).stem: sample for sample in dataset.samples}


def test_tuberculosis_by_the_last_digit(tree: Tree, read: Read) -> None:
    source = tree(montgomery())
    layout, why = choose("auto", source)
    assert (layout.name, why) == (
        "montgomery", "“MCUCXR_0001_1.png” is called like a radiograph of Montgomery County",
    )  # fmt: skip
    dataset = read(source)
    assert (dataset.task, dataset.classes, dataset.positive) == (
        Task.BINARY, ("normal", "tuberculosis"), "tuberculosis",
    )  # fmt: skip
    assert len(dataset.samples) == 4
    first = by_name(dataset)["MCUCXR_0001_1"]
    assert (first.target, first.patient) == ((1,), "MCUCXR_0001")
    assert dict(first.covariates) == {"age": "27", "sex": "F", "reading": "normal"}
    assert {count.what: (count.known, count.found) for count in dataset.counts} == {
        "images": (138, 4), "images without tuberculosis": (80, 2), "images with tuberculosis": (58, 2),
    }  # fmt: skip
    assert not any("no row names" in warning for warning in dataset.warnings)


def test_shenzhen_beside_montgomery(tree: Tree, read: Read) -> None:
    files = montgomery()
    files["MontgomerySet/CXR_png/CHNCXR_0001_0.png"] = "china 1"
    dataset = read(tree(files))
    assert dataset.layout == "montgomery"
    assert any("1 image called otherwise" in warning for warning in dataset.warnings)
    china = {f"CXR_png/CHNCXR_{number:04d}_{number % 2}.png": f"china {number}" for number in range(1, 4)}
    china["ClinicalReadings/CHNCXR_0001_1.txt"] = "male 45yrs\nPTB"
    (source := tree({f"ChinaSet_AllFiles/{name}": text for name, text in china.items()}))
    dataset = read(source / "ChinaSet_AllFiles")
    assert (dataset.layout, len(dataset.samples)) == ("shenzhen", 3)
    assert any("2 images without a clinical reading" in warning for warning in dataset.warnings)
    assert by_name(dataset)["CHNCXR_0001_1"].covariates["age"] == "45"


def test_what_is_neither(tree: Tree, read: Read) -> None:
    source = tree({"CXR_png/a.png": "a"})
    for layout in ("montgomery", "shenzhen"):
        with pytest.raises(InputError, match="holds no radiographs of"):
            read(source, layout)


def chest(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 4096, (24, 20)).astype(np.uint16)
    Image.fromarray(values).save(path)


def mask(path: Path, columns: slice, *, one_bit: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    marked = np.zeros((24, 20), np.uint8)
    marked[4:20, columns] = 255
    image = Image.fromarray(marked)
    (image.convert("1") if one_bit else image).save(path)


def imported(source: Path, shards: Path, **options: object) -> Dataset:
    with DecodePool(shards, processes=1) as pool:
        return read_source(
            "auto", source, ImportOptions(**options), dataset_id="d", name="d", pixels=None, pool=pool, key=b"k"  # type: ignore[arg-type]
        )  # fmt: skip


def test_lungs_left_and_right_of_real_files(tmp_path: Path) -> None:
    source = tmp_path / "MontgomerySet"
    for number in range(1, 4):
        name = f"MCUCXR_{number:04d}_0.png"
        chest(source / "CXR_png" / name, number)
        mask(source / "ManualMask/leftMask" / name, slice(12, 18), one_bit=True)
        right = "rightMask" if number != 3 else "masks"  # a mask of both lungs, as re-hosts have it
        mask(source / "ManualMask" / right / name, slice(2, 8))
    dataset = imported(source, tmp_path / "a", preset="study-b")
    assert (dataset.task, dataset.classes) == (Task.SEGMENTATION, ("left lung", "right lung"))
    assert [item.reason for item in dataset.skipped] == ["missing_mask"]
    assert "There is no mask of the right lung." in dataset.skipped[0].message
    first = dataset.samples[0]
    assert first.masks == ("ManualMask/leftMask/MCUCXR_0001_0.png", "ManualMask/rightMask/MCUCXR_0001_0.png")
    assert (first.rows, first.columns, first.target) == (24, 20, ())
    assert {count.what: count.found for count in dataset.counts}["images with masks"] == 2
    assert dict(dataset.statement.codes) == {"left lung": "SCT 44029006", "right lung": "SCT 3341006"}


def test_lungs_that_overlap_make_no_third_class(tmp_path: Path) -> None:
    for number in range(1, 3):
        name = f"MCUCXR_{number:04d}_0.png"
        chest(tmp_path / "CXR_png" / name, number)
        mask(tmp_path / "ManualMask/leftMask" / name, slice(8 if number == 1 else 10, 18))
        mask(tmp_path / "ManualMask/rightMask" / name, slice(2, 10))
    dataset = imported(tmp_path, tmp_path / "a", policies={"task": "lungs"})
    assert dataset.classes == ("left lung", "right lung")
    assert any("1 image: Masks of two classes overlap" in warning for warning in dataset.warnings)


def test_twelve_bits_in_sixteen_are_spread(tmp_path: Path) -> None:
    for number in range(1, 4):
        chest(tmp_path / "CXR_png" / f"MCUCXR_{number:04d}_{number % 2}.png", number)
    dataset = imported(tmp_path, tmp_path / "pixels")
    assert dataset.task is Task.BINARY
    assert any("shown between their 1st and 99th percentile" in warning for warning in dataset.warnings)


def test_lungs_of_shenzhen_where_others_drew_them(tmp_path: Path) -> None:
    source = tmp_path / "ChinaSet_AllFiles"
    for number in range(1, 5):
        chest(source / "CXR_png" / f"CHNCXR_{number:04d}_{number % 2}.png", number)
        if number > 1:
            mask(source / "masks" / f"CHNCXR_{number:04d}_{number % 2}_mask.png", slice(2, 18))
    dataset = imported(source, tmp_path / "a", policies={"task": "lungs"})
    assert (dataset.task, dataset.classes, len(dataset.samples)) == (Task.SEGMENTATION, ("lungs",), 3)
    assert [item.reason for item in dataset.skipped] == ["missing_mask"]
    assert len(imported(source, tmp_path / "b").samples) == 4
