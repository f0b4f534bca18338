"""Folders of cases with volumes: no case becomes a class, and an image finds its mask under the names people use."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.datasets.importers import btcv, busi, msd, nifti_tree
from medfm_gui.datasets.ingest import read_source
from medfm_gui.datasets.layout import Tools
from medfm_gui.datasets.layouts import choose
from medfm_gui.datasets.listing import ImportOptions, Listing
from medfm_gui.datasets.mask_pairs import paired
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError
from medfm_gui.imaging.pool import DecodePool


def listed(root: Path, names: list[str]) -> Listing:
    """What the layout makes of files by their names alone."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert choose("auto", root)[0] is nifti_tree.LAYOUT
    with DecodePool(processes=1) as pool:
        return nifti_tree.read(root, ImportOptions(), Tools(pool, b"k" * 32))


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("case_{}/imaging.nii.gz", "case_{}/segmentation.nii.gz"),
        ("case_{0}/case_{0}_ct.nii.gz", "case_{0}/case_{0}_seg.nii.gz"),
        ("case_{0}/t2w.nii.gz", "case_{0}/tumour_mask.nii.gz"),
        ("sub-{0}/anat/sub-{0}_T1w.nii.gz", "sub-{0}/anat/sub-{0}_T1w_lesion_mask.nii.gz"),
        ("images/a{}_ct.nii.gz", "labels/a{}.nii.gz"),
        ("a{}-ct.nii", "a{}-label.nii"),
    ],
)
def test_a_mask_finds_the_image_that_says_what_it_is(tmp_path: Path, image: str, mask: str) -> None:
    names = [one.format(number) for number in range(1, 4) for one in (image, mask)]
    listing = listed(tmp_path, names)
    assert listing.task is Task.SEGMENTATION and not listing.skipped
    assert [(entry.path, entry.masks) for entry in listing.entries] == [
        (image.format(number), (str(tmp_path / mask.format(number)),)) for number in range(1, 4)
    ]
    assert listing.policies == {}, "which slices are images is asked where folders are classes"


def test_of_several_sequences_the_same_one_is_taken_in_every_case(tmp_path: Path) -> None:
    kinds = ("flair", "t1", "t1ce", "t2")
    names = [f"B_{number}/B_{number}_{kind}.nii.gz" for number in range(1, 5) for kind in (*kinds, "seg")]
    names += [f"B_{number}/B_{number}_{kind}.nii.gz" for number in (5, 6) for kind in ("flair", "seg")]
    names += ["B_7/B_7_t1.nii.gz", "B_7/B_7_seg.nii.gz"]  # a case without the sequence that the others have
    listing = listed(tmp_path, names)
    assert [entry.path for entry in listing.entries] == [
        f"B_{number}/B_{number}_flair.nii.gz" for number in range(1, 7)
    ]
    reasons = Counter(item.reason for item in listing.skipped)
    assert reasons == {"other_image": 12, "no_label": 1, "missing_image": 1}
    assert any(text.startswith("4 masks with several images: “B_1/B_1_flair.nii.gz”") for text in listing.warnings)


def test_what_is_left_of_exact_pairs_finds_no_partner_by_chance() -> None:
    exact = [f"{folder}/p{number}.nii.gz" for number in range(3) for folder in ("images", "labels")]
    lone = ["images/p7_followup.nii.gz", "labels/p7.nii.gz", "dirty/x.nii.gz", "dirty/y_seg.nii.gz"]
    found = paired([*exact, *lone])
    assert len(found.masks) == 3 and not found.siblings
    assert {*found.lone_images, *found.lone_masks} == set(lone)


def test_masks_without_images_are_no_classes(tmp_path: Path) -> None:
    names = [f"s{number}/segmentations/{organ}.nii.gz" for number in range(3) for organ in ("liver", "spleen")]
    with pytest.raises(InputError, match=r"6 volumes in .* are masks by their names") as caught:
        listed(tmp_path, [*names, *(f"s{number}/ct.nii.gz" for number in range(3))])
    assert "one mask an image" in caught.value.hint


def test_many_masks_without_images_take_no_quadratic_time() -> None:
    names = [f"labels/m{number}.nii" for number in range(4_000)] + [f"images/i_{number}.nii" for number in range(4_000)]
    found = paired(names)
    assert not found.masks and (len(found.lone_images), len(found.lone_masks)) == (4_000, 4_000)


def test_rubbish_is_told_of_any_folder(tree: Callable[..., Path], read: Callable[..., Dataset], tmp_path: Path) -> None:
    rubbish = {"ill/._a.png": b"Mac OS X", "ill/Thumbs.db": b"x", ".DS_Store": b"x"}
    source = tree({"ill/a.png": "1", "well/b.png": "2", **rubbish})
    said = "3 files of file managers left out: .DS_Store, ill/._a.png, ill/Thumbs.db."
    assert said in read(source, "folder").warnings
    (source / "labels.csv").write_text("image,label\nill/a.png,ill\nwell/b.png,well\n")
    assert said in read(source, "csv").warnings


def test_policies_that_mean_nothing_here_are_not_told(tree: Callable[..., Path], read: Callable[..., Dataset]) -> None:
    two = read(tree({"COVID/Covid (1).png": "1", "non-COVID/Non-Covid (1).png": "2"}), "sars-cov2-ct")
    assert two.policies == {} and two.task is Task.BINARY


def test_every_layout_of_study_b_has_its_preset() -> None:
    assert all("study-b" in layout.presets for layout in (msd.LAYOUT, btcv.LAYOUT))
    assert msd.LAYOUT.chosen(ImportOptions(preset="study-b")) == {}
    assert set(busi.LAYOUT.chosen(ImportOptions())) == {"task", "classes"}


def test_opening_every_file_is_told_before_decoding(tmp_path: Path, pool: Any) -> None:
    for number in range(6):
        path = tmp_path / "in" / f"{number}.dcm"
        path.parent.mkdir(exist_ok=True)
        facts = {"header": {"sop_instance_uid": f"1.{number}", "rows": 4, "columns": 5}, "pixels": str(number)}
        path.write_bytes(b"\0" * 128 + b"DICM" + json.dumps(facts).encode())
    rows = "".join(f"1.{number},{'ill' if number % 2 else 'well'}\n" for number in range(6))
    (tmp_path / "in" / "labels.csv").write_text("SOPInstanceUID,label\n" + rows)
    told: list[tuple[int, int]] = []
    read_source(
        "dicom",
        tmp_path / "in",
        ImportOptions(),
        dataset_id="d",
        name="d",
        pixels=None,
        pool=pool,
        key=b"k" * 32,
        on_progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(done, 6) for done in range(1, 7)] * 2


def test_the_table_of_a_release_stands_for_its_folder(tmp_path: Path) -> None:
    truth = tmp_path / "ISIC_2019_Training_GroundTruth.csv"
    truth.write_text("image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC\n")
    lesions = tmp_path / "HAM10000_metadata.csv"
    lesions.write_text("lesion_id,image_id,dx,dx_type,age,sex,localization\n")
    grades = tmp_path / "train.csv"
    grades.write_text("id_code,diagnosis\n")
    assert [choose("auto", path)[0].name for path in (truth, lesions, grades)] == ["isic2019", "ham10000", "aptos2019"]
