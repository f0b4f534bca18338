"""Segmentation layouts as they lie on disk, with their traps; every volume is opened by a real pool."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from medfm_gui.datasets.files import read_dataset, write_dataset
from medfm_gui.datasets.fingerprint import dataset_fingerprint
from medfm_gui.datasets.importers import amos22, btcv, msd, nifti_tree
from medfm_gui.datasets.ingest import ImportOptions, read_source
from medfm_gui.datasets.layouts import choose
from medfm_gui.datasets.mask_pairs import paired
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.datasets.split import SplitRequest, make_split
from medfm_gui.datasets.volumes import SLICES
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.imaging.pool import DecodePool

Read = Callable[..., Dataset]
KEY = b"k" * 32


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as pool:
        yield pool


@pytest.fixture
def take(decoders: DecodePool) -> Read:
    def run(source: Path, layout: str = "auto", **options: Any) -> Dataset:
        return read_source(
            layout,
            source,
            ImportOptions(**options),
            dataset_id="d",
            name="d",
            pixels=None,
            pool=decoders,
            key=KEY,
        )

    return run


def volume(
    path: Path, values: npt.NDArray[Any] | None = None, *, seed: int = 0, origin: float = 0.0, side: float = 1.0
) -> None:
    """A small NIfTI file; noise unless values are given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if values is None:
        values = np.random.default_rng(seed).integers(0, 1000, (6, 5, 4), np.int16)
    affine = np.diag((side, side, side, 1.0))
    affine[:3, 3] = origin
    image: Any = nibabel.Nifti1Image(values, affine)  # type: ignore[no-untyped-call]
    image.to_filename(path)


def labels(*present: int, shape: tuple[int, ...] = (6, 5, 4)) -> npt.NDArray[np.uint8]:
    found = np.zeros(shape, np.uint8)
    for place, value in enumerate(present):
        found[place] = value
    return found


def decathlon(root: Path, *, cases: int = 4, tests: int = 2) -> dict[str, Any]:
    """Task04 as published, with what a Mac leaves beside the files."""
    names = [f"hippocampus_{number:03d}.nii.gz" for number in range(1, cases + 1)]
    for seed, name in enumerate(names):
        volume(root / "imagesTr" / name, seed=seed)
        volume(root / "labelsTr" / name, labels(1, 2))
        (root / "imagesTr" / f"._{name}").write_bytes(b"Mac OS X        ")
        (root / "labelsTr" / f"._{name}").write_bytes(b"Mac OS X        ")
    for number in range(tests):
        volume(root / "imagesTs" / f"hippocampus_{900 + number}.nii.gz", seed=90 + number)
    facts = {
        "name": "Hippocampus",
        "description": "Left and right hippocampus segmentation",
        "reference": "Vanderbilt University Medical Center",
        "licence": "CC-BY-SA 4.0",
        "modality": {"0": "MRI"},
        "labels": {"0": "background", "1": "Anterior", "2": "Posterior"},
        "numTraining": cases,
        "numTest": tests,
        "training": [{"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"} for name in names],
        "test": [],
    }
    (root / "dataset.json").write_text(json.dumps(facts))
    return facts


# -- Medical Segmentation Decathlon


def test_a_decathlon_task(tmp_path: Path, take: Read) -> None:
    root = tmp_path / "Task04_Hippocampus"
    decathlon(root)
    assert choose("auto", root)[0] is msd.LAYOUT
    dataset = take(root)
    assert (dataset.task, dataset.classes, len(dataset.samples)) == (
        Task.SEGMENTATION,
        ("Anterior", "Posterior"),
        4,
    )
    first = dataset.samples[0]
    assert (first.path, first.masks) == (
        "imagesTr/hippocampus_001.nii.gz",
        ("labelsTr/hippocampus_001.nii.gz",),
    )
    assert (first.slices, first.rows, first.columns, first.target) == (4, 5, 6, ())
    assert first.covariates["modality"] == "MRI" and first.covariates["slice_spacing_mm"] == "1"
    assert first.pixels_sha256 != first.masks_sha256 != ""
    assert {item.reason for item in dataset.skipped} == {"no_label"} and len(dataset.skipped) == 2
    assert any("._" in text for text in dataset.warnings)
    counts = {count.what: (count.found, count.known) for count in dataset.counts}
    assert counts["volumes with masks"] == (4, 260) and counts["test volumes without masks"] == (2, 130)
    assert counts[SLICES] == (16, 9270)
    assert any("Not as published" in text for text in dataset.warnings)
    assert dataset.statement.licence == "CC-BY-SA 4.0" and dataset.statement.codes["Anterior"] == "local 1"
    assert dataset.taken["labels"] == "1 Anterior, 2 Posterior"


def test_every_trap_of_a_decathlon_task_is_named(tmp_path: Path, take: Read) -> None:
    root = tmp_path / "Task99_Mine"
    facts = decathlon(root, cases=8)
    facts["name"] = "Mine"
    facts["training"].append({"image": "./imagesTr/../../x.nii.gz", "label": "./labelsTr/x.nii.gz"})
    facts["training"].append({"image": "./imagesTr/gone.nii.gz", "label": "./labelsTr/gone.nii.gz"})
    (root / "dataset.json").write_text(json.dumps(facts))
    name = "hippocampus_00{}.nii.gz"
    (root / "labelsTr" / name.format(1)).unlink()
    volume(root / "labelsTr" / name.format(2), labels(1, 7))
    volume(root / "labelsTr" / name.format(3), labels(1, shape=(6, 5, 3)))
    volume(root / "labelsTr" / name.format(4), labels(1, 2), origin=40.0)
    volume(root / "imagesTr" / name.format(5), np.full((6, 5, 4), np.nan, np.float32))
    volume(root / "labelsTr" / name.format(6), (labels(1, 2) * 0.5).astype(np.float32))
    volume(root / "imagesTr" / "unlisted.nii.gz")
    volume(root / "labelsTr" / "orphan.nii.gz", labels(1))
    (root / "imagesTr" / name.format(7)).write_bytes((root / "imagesTr" / name.format(7)).read_bytes()[:-40])
    dataset = take(root)
    assert [sample.path for sample in dataset.samples] == ["imagesTr/hippocampus_008.nii.gz"]
    said = {Path(item.path).name: (item.reason, item.message) for item in dataset.skipped}
    assert said[name.format(1)] == ("no_label", "This image has no mask.")
    assert said[name.format(2)][0] == "mask_labels" and "7" in said[name.format(2)][1]
    assert said[name.format(3)][0] == "mask_geometry" and "6 × 5 × 3" not in said[name.format(3)][0]
    assert said[name.format(4)][0] == "mask_geometry" and "mm" in said[name.format(4)][1]
    assert said[name.format(5)][0] == "nonfinite"
    assert said[name.format(6)][0] == "bad_mask"
    assert said[name.format(7)][0] == "truncated"
    assert said["unlisted.nii.gz"][0] == "not_listed" and said["orphan.nii.gz"][0] == "missing_image"
    assert said["gone.nii.gz"][0] == "missing_image" and said["x.nii.gz"][0] == "bad_path"


def test_channels_and_a_list_made_by_name(tmp_path: Path, take: Read) -> None:
    root = tmp_path / "Dataset001"
    for number in range(3):
        volume(root / "imagesTr" / f"case_{number}_0000.nii.gz", seed=number)
        volume(root / "labelsTr" / f"case_{number}.nii.gz", labels(1))
    four = np.random.default_rng(5).integers(0, 99, (6, 5, 4, 2), np.int16)
    volume(root / "imagesTr" / "case_9_0000.nii.gz", four)
    volume(root / "labelsTr" / "case_9.nii.gz", labels(1))
    table = {"channel_names": {"0": "T2", "1": "ADC"}, "labels": {"background": 0, "gland": 1}, "numTraining": 4}
    (root / "dataset.json").write_text(json.dumps(table))
    dataset = take(root)
    assert len(dataset.samples) == 4 and dataset.classes == ("gland",)
    assert dataset.samples[0].covariates["modality"] == "T2, ADC"
    assert any("several volumes" in text for text in dataset.warnings)


@pytest.mark.parametrize("text", ["{", "[]", '{"labels": {"0": "background"}}', '{"labels": {"0": "a", "2": "b"}}'])
def test_a_table_that_is_none(tmp_path: Path, take: Read, text: str) -> None:
    decathlon(tmp_path / "Task", cases=1)
    (tmp_path / "Task" / "dataset.json").write_text(text)
    with pytest.raises(InputError, match=r"JSON|table|labels"):
        take(tmp_path / "Task", "msd")


# -- AMOS22 and BTCV


def test_amos_by_parts_and_modality(tmp_path: Path, take: Read) -> None:
    root = tmp_path / "amos22"
    for side, number in (("Tr", 1), ("Tr", 507), ("Va", 13), ("Ts", 2), ("Ts", 600)):
        volume(root / f"images{side}" / f"amos_{number:04d}.nii.gz", seed=number)
        if side != "Ts":
            volume(root / f"labels{side}" / f"amos_{number:04d}.nii.gz", labels(1, 15))
    (root / "dataset.json").write_text("{}")
    volume(root / "imagesTr" / "amos_1.nii.gz")
    volume(root / "labelsVa" / "amos_0400.nii.gz", labels(1))
    volume(root / "extra" / "amos_0401.nii.gz")
    assert choose("auto", tmp_path)[0] is amos22.LAYOUT, "also from the folder above, and before the decathlon's"
    dataset = take(root)
    kinds = {sample.path.split("_")[1][:4]: (sample.fold, sample.covariates["modality"]) for sample in dataset.samples}
    assert kinds == {"0001": ("train", "CT"), "0507": ("train", "MRI"), "0013": ("val", "CT")}
    assert dataset.classes[5] == "liver" and len(dataset.classes) == 15
    assert sorted((item.path, item.reason) for item in dataset.skipped) == [
        ("extra/amos_0401.nii.gz", "not_listed"),
        ("imagesTr/amos_1.nii.gz", "unknown_name"),
        ("imagesTs/amos_0002.nii.gz", "no_label"),
        ("imagesTs/amos_0600.nii.gz", "no_label"),
        ("labelsVa/amos_0400.nii.gz", "missing_image"),
    ]
    assert {count.what: (count.found, count.known) for count in dataset.counts} == {
        "volumes in imagesTr": (3, 240),
        "volumes in imagesVa": (1, 120),
        "volumes in imagesTs": (2, 240),
        "CT volumes in imagesTr": (1, 200),
        "MRI volumes in imagesTr": (1, 40),
        "CT volumes in imagesVa": (1, 100),
        "MRI volumes in imagesVa": (0, 20),
        "CT volumes in imagesTs": (1, 200),
        "MRI volumes in imagesTs": (1, 40),
    }
    study = take(root, preset="study-b")
    assert {sample.covariates["modality"] for sample in study.samples} == {"CT"}
    assert "policy" in {item.reason for item in study.skipped} and study.policies == {"modality": "ct"}


@pytest.mark.parametrize("above", ["", "RawData"])
def test_btcv(tmp_path: Path, take: Read, above: str) -> None:
    root = tmp_path / above
    for number in (1, 2):
        volume(root / "Training" / "img" / f"img{number:04d}.nii.gz", seed=number)
        volume(root / "Training" / "label" / f"label{number:04d}.nii.gz", labels(*range(6)))
    volume(root / "Training" / "img" / "img0003.nii.gz", seed=3)
    volume(root / "Training" / "label" / "label0004.nii.gz", labels(1))
    volume(root / "Testing" / "img" / "img0061.nii.gz", seed=61)
    assert choose("auto", tmp_path)[0] is btcv.LAYOUT
    dataset = take(tmp_path)
    assert [Path(sample.path).name for sample in dataset.samples] == ["img0001.nii.gz", "img0002.nii.gz"]
    assert Path(dataset.samples[0].masks[0]).name == "label0001.nii.gz"
    assert {Path(item.path).name: item.reason for item in dataset.skipped} == {
        "img0003.nii.gz": "no_label",
        "label0004.nii.gz": "missing_image",
        "img0061.nii.gz": "no_label",
    }
    assert [(count.found, count.known) for count in dataset.counts] == [(2, 30), (1, 20)]


# -- trees without a table


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("images/a{}.nii.gz", "labels/a{}.nii.gz"),
        ("x/images/a{}.nii", "x/masks/a{}_mask.nii.gz"),
        ("a{}.nii.gz", "a{}_seg.nii.gz"),
        ("volume-{}.nii", "segmentation-{}.nii"),
        ("case{}/image.nii.gz", "case{}/label.nii.gz"),
        ("imagesTr/a{}_0000.nii.gz", "labelsTr/a{}.nii.gz"),
        ("a{}.nii.gz", "a{}_reader1.nii.gz"),
    ],
)
def test_masks_are_found_by_name(tmp_path: Path, take: Read, image: str, mask: str) -> None:
    for number in range(1, 4):
        volume(tmp_path / image.format(number), seed=number)
        volume(tmp_path / mask.format(number), labels(3, 5))
    assert choose("auto", tmp_path)[0] is nifti_tree.LAYOUT
    dataset = take(tmp_path)
    assert [(sample.path, sample.masks) for sample in dataset.samples] == [
        (image.format(number), (mask.format(number),)) for number in range(1, 4)
    ]
    assert dataset.classes == ("label 3", "label 5") and not dataset.skipped


def test_other_formats_and_headers_without_voxels(tmp_path: Path, take: Read) -> None:
    import SimpleITK as sitk  # noqa: N813 - as the field writes it

    for folder, values in (("images", np.zeros((4, 5, 6), np.int16)), ("labels", labels(1, shape=(4, 5, 6)))):
        (tmp_path / folder).mkdir()
        for name in ("a.mha", "b.nrrd", "c.mhd"):
            image: Any = sitk.GetImageFromArray(values)
            sitk.WriteImage(image, str(tmp_path / folder / name))
        np.save(tmp_path / folder / "d.npy", values)
    dataset = take(tmp_path)
    assert [Path(sample.path).name for sample in dataset.samples] == ["a.mha", "b.nrrd", "d.npy"]
    assert {Path(item.path).name: item.reason for item in dataset.skipped} == {"c.mhd": "unsupported_format"}


def test_pictures_with_masks_of_two_readers(tmp_path: Path, take: Read) -> None:
    for number in range(1, 4):
        noise = np.random.default_rng(number).integers(0, 255, (9, 8, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"Image_0{number}L.png")
        for reader in ("1stHO", "2ndHO"):
            drawn = np.zeros((9, 8), bool)
            drawn[number:, : 1 + (reader == "2ndHO")] = True
            Image.fromarray(drawn).save(tmp_path / f"Image_0{number}L_{reader}.png")
    dataset = take(tmp_path)
    assert (dataset.task, dataset.classes, len(dataset.samples)) == (Task.SEGMENTATION, ("label 1",), 3)
    assert dataset.samples[0].masks == ("Image_01L_1stHO.png",) and dataset.samples[0].slices == 0
    assert {item.reason for item in dataset.skipped} == {"other_reader"} and len(dataset.skipped) == 3


def test_slices_of_class_folders_stay_together(tmp_path: Path, take: Read) -> None:
    for kind in ("covid", "healthy"):
        for number in range(3):
            volume(tmp_path / kind / f"p{number}.nii.gz", seed=number + 10 * (kind == "covid"))
    (tmp_path / "covid" / "bad.nii.gz").write_bytes(b"\x1f\x8b nothing")
    dataset = take(tmp_path)
    assert dataset.layout == "nifti" and dataset.classes == ("covid", "healthy")
    assert len(dataset.samples) == 24 and {sample.frame for sample in dataset.samples} == {0, 1, 2, 3}
    assert dataset.n_patients == 6 and all("nii" not in str(sample.patient) for sample in dataset.samples)
    assert [item.reason for item in dataset.skipped] == ["not_an_image"]
    (split,) = make_split(dataset, SplitRequest(), split_id="s")
    patient_of = {sample.id: sample.patient for sample in dataset.samples}
    pairs = {(patient_of[one.sample], one.partition) for one in split.assignments}
    assert len(pairs) == 6, "every volume stands on one side"
    middle = take(tmp_path, policies={"slices": "middle"})
    assert [sample.frame for sample in middle.samples] == [2] * 6


def test_a_tree_with_neither_masks_nor_classes(tmp_path: Path, take: Read) -> None:
    volume(tmp_path / "a.nii.gz")
    volume(tmp_path / "b.nii.gz", seed=1)
    with pytest.raises(InputError, match="neither masks nor two folders"):
        take(tmp_path, "nifti")
    assert nifti_tree.recognises(tmp_path) is None


def test_names_are_paired_or_named() -> None:
    found = paired(["images/a.nii.gz", "labels/a.nii.gz", "images/b.nii.gz", "labels/c.nii.gz", "images/a.nrrd"])
    assert found.masks == {"images/a.nii.gz": ("labels/a.nii.gz",)}
    assert found.lone_images == ("images/a.nrrd", "images/b.nii.gz") and found.lone_masks == ("labels/c.nii.gz",)
    assert not paired(["a.nii", "b.nii", "a1.nii"]).masks
    assert not paired([f"p{number}.png" for number in range(20)] + ["p1_x.png"]).masks, "one such name is chance"
    assert not paired([]).masks


# -- what is common to all


def test_what_differs_among_volumes_is_said(tmp_path: Path, take: Read) -> None:
    for number in range(5):
        volume(tmp_path / "images" / f"{number}.nii", seed=number)
        volume(tmp_path / "labels" / f"{number}.nii", labels(1))
    volume(tmp_path / "images" / "7.nii", (np.random.default_rng(7).random((6, 5, 4))).astype(np.float32))
    volume(tmp_path / "labels" / "7.nii", labels())
    volume(tmp_path / "images" / "8.nii", np.random.default_rng(8).integers(0, 99, (30, 40, 20), np.int16))
    volume(tmp_path / "labels" / "8.nii", labels(1, shape=(30, 40, 20)))
    volume(tmp_path / "images" / "9.nii", seed=3, side=3.0)
    volume(tmp_path / "labels" / "9.nii", labels(1), side=3.0)
    said = " ".join(take(tmp_path).warnings)
    assert "The mask is empty" in said and "1 mask of 8 without “label 1”" in said
    assert "7 int16" in said and "unlike scales" in said
    assert "far larger than the others (30 × 40 × 20)" in said
    assert "1 to 3 mm apart" in said
    assert "identical" in said and "different labels" not in said


def test_all_masks_empty_or_none_fits(tmp_path: Path, take: Read) -> None:
    volume(tmp_path / "images" / "a.nii")
    volume(tmp_path / "labels" / "a.nii", labels())
    with pytest.raises(InputError, match="empty"):
        take(tmp_path)
    volume(tmp_path / "labels" / "a.nii", labels(1, shape=(3, 3, 3)))
    with pytest.raises(InputError, match="No image fits its mask: 1 file left out"):
        take(tmp_path)
    with pytest.raises(UsageError, match="task is segmentation"):
        take(tmp_path, task="binary")


def test_masks_decide_the_fingerprint_and_are_kept(tmp_path: Path, take: Read) -> None:
    for number in range(3):
        volume(tmp_path / "s" / "images" / f"{number}.nii", seed=number)
        volume(tmp_path / "s" / "labels" / f"{number}.nii", labels(1))
    first = take(tmp_path / "s")
    write_dataset(tmp_path / "kept", first)
    assert read_dataset(tmp_path / "kept") == first
    volume(tmp_path / "s" / "labels" / "2.nii", labels(0, 1))
    second = take(tmp_path / "s")
    assert first.fingerprint != second.fingerprint
    plain = [replace(sample, masks_sha256="") for sample in first.samples]
    assert dataset_fingerprint(first.task, first.classes, plain) != first.fingerprint


def test_the_grid_shows_the_middle_slice(tmp_path: Path) -> None:
    values = np.zeros((6, 5, 4), np.int16)
    values[0, 0, 2] = 1000
    volume(tmp_path / "s" / "images" / "a.nii", values)
    volume(tmp_path / "s" / "labels" / "a.nii", labels(1))
    (tmp_path / "pixels").mkdir()
    with DecodePool(tmp_path / "pixels", processes=1) as pool:
        dataset = read_source(
            "auto",
            tmp_path / "s",
            ImportOptions(),
            dataset_id="d",
            name="d",
            pixels=tmp_path / "pixels",
            pool=pool,
            key=KEY,
        )
    image = PixelCache(tmp_path / "pixels").image(dataset.samples[0].id)
    assert image.shape == (5, 6) and image.dtype == np.uint16 and image[-1, -1] == 65535 and image.sum() == 65535


def test_splits_of_a_segmentation(tmp_path: Path, take: Read) -> None:
    for number in range(10):
        volume(tmp_path / "images" / f"{number}.nii", seed=number)
        volume(tmp_path / "labels" / f"{number}.nii", labels(1))
    dataset = take(tmp_path)
    (split,) = make_split(dataset, SplitRequest(), split_id="s")
    assert len(split.assignments) == 10 and len({one.partition for one in split.assignments}) == 3
    assert len(make_split(dataset, SplitRequest(folds=5), split_id="s")) == 5


# -- real volumes


@pytest.fixture
def hippocampus() -> Path:
    folder = Path(os.environ.get("MEDFM_SHARED") or Path(__file__).parents[4] / "shared") / "data" / "hippocampus"
    if not folder.is_dir():
        pytest.skip("the real images are not on this computer (MEDFM_SHARED)")
    return folder


def test_the_real_hippocampi(hippocampus: Path, take: Read) -> None:
    dataset = take(hippocampus)
    assert (dataset.layout, dataset.task, len(dataset.samples)) == ("nifti", Task.SEGMENTATION, 110)
    assert dataset.classes == ("label 1", "label 2")
    assert any("73 float32" in text and "37 uint8" in text for text in dataset.warnings)
    assert {Path(item.path).name: item.reason for item in dataset.skipped} == {
        "image-without-label-hippocampus_118.nii.gz": "no_label",
        "label-without-image-hippocampus_010.nii.gz": "missing_image",
        "label-without-image-hippocampus_281.nii.gz": "missing_image",
    }


def test_real_hippocampi_in_the_decathlons_layout(hippocampus: Path, tmp_path: Path, take: Read) -> None:
    root = tmp_path / "Task04_Hippocampus"
    root.mkdir()
    facts = decathlon(root, cases=0, tests=0)
    names = sorted(path.name for path in (hippocampus / "images").iterdir())[:12]
    for folder, kind in (("imagesTr", "images"), ("labelsTr", "labels")):
        (root / folder).mkdir()
        for name in names:
            (root / folder / name).symlink_to(hippocampus / kind / name)
    facts["training"] = [{"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"} for name in names]
    (root / "dataset.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match="12 outside"):
        take(root)
    for folder, kind in (("imagesTr", "images"), ("labelsTr", "labels")):
        for name in names:
            (root / folder / name).unlink()
            (root / folder / name).write_bytes((hippocampus / kind / name).read_bytes())
    dataset = take(root)
    assert dataset.layout == "msd" and len(dataset.samples) == 12 and dataset.classes == ("Anterior", "Posterior")
