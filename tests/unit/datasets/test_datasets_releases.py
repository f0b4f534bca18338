"""Mammography, skin, fundus and ultrasound releases, each in the layout in which people have it, with its traps."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from medfm_gui.datasets.ingest import ImportOptions, read_source
from medfm_gui.datasets.split import SplitRequest, make_split
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError, LeakError, TableError, UsageError
from medfm_gui.domain.split import LeakKind
from medfm_gui.imaging.pool import DecodePool
from tests.fixtures import releases

Read = Callable[..., Dataset]


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as made:
        yield made


@pytest.fixture
def imported(tmp_path: Path, decoders: DecodePool) -> Read:
    """Write a release and import it as ``auto`` would."""

    places = (tmp_path / f"download {number}" for number in itertools.count())

    def run(files: Mapping[str, bytes], layout: str = "auto", **options: Any) -> Dataset:
        root = releases.plant(next(places), {**files, **{f"x/{n}": c for n, c in releases.JUNK.items()}})
        asked = ImportOptions(**options)
        return read_source(layout, root, asked, dataset_id="d", name="d", pixels=None, pool=decoders, key=b"k" * 32)

    return run


def classes(dataset: Dataset) -> dict[str, int]:
    found = Counter(dataset.classes[sample.target[0]] for sample in dataset.samples)
    return dict(found)


def reasons(dataset: Dataset) -> dict[str, int]:
    return dict(Counter(item.reason for item in dataset.skipped))


def counted(dataset: Dataset) -> dict[str, tuple[int, int | None]]:
    return {item.what: (item.found, item.known) for item in dataset.counts}


def said(dataset: Dataset, words: str) -> bool:
    return any(words in text for text in dataset.warnings)


# -- CBIS-DDSM

FORMS: Mapping[str, Callable[[], releases.Files]] = {"tcia": releases.cbis_tcia, "jpeg": releases.cbis_jpeg}


@pytest.mark.parametrize("form", FORMS)
def test_cbis_mammograms(form: str, imported: Read) -> None:
    dataset = imported(FORMS[form]())
    assert dataset.taken["layout"] == "cbis-ddsm (there is “mass_case_description_train_set.csv”)"
    assert dataset.taken["form"].startswith("DICOM" if form == "tcia" else "JPEG")
    assert (dataset.task, dataset.classes, dataset.positive) == (Task.BINARY, ("benign", "malignant"), "malignant")
    told = {(s.patient, s.fold, s.covariates["view"], s.covariates["abnormality"]): s for s in dataset.samples}
    assert len(told) == len(dataset.samples) == 6
    both = told["P_00001", "train", "CC", "mass"]
    assert dataset.classes[both.target[0]] == "malignant" and both.covariates["abnormalities"] == "2"
    assert dataset.classes[told["P_00001", "train", "MLO", "mass"].target[0]] == "benign"
    calc = told["P_00001", "test", "CC", "calc"]
    assert dataset.classes[calc.target[0]] == "malignant", "the view's worst finding stands in another table"
    assert dataset.classes[told["P_00002", "train", "CC", "mass"].target[0]] == "benign"
    assert both.covariates["breast density"] == calc.covariates["breast density"] == "3"
    assert {(sample.rows, sample.columns) for sample in dataset.samples} == {(60, 40)}
    assert not dataset.skipped
    assert counted(dataset)["whole mammograms"] == (6, 3103)
    assert counted(dataset)["rows of mass_case_description_train_set.csv"] == (4, 1318)
    assert counted(dataset)["patients"] == (4, 1566)
    number = 7 if form == "tcia" else 6
    assert said(dataset, f"Not as published ({number} of {number} numbers): 1,318 rows of mass_case_description_train")
    assert said(dataset, "of file managers left out") is (form == "tcia")


@pytest.mark.parametrize("form", FORMS)
def test_cbis_crops_are_told_from_masks_whatever_their_number(form: str, imported: Read) -> None:
    dataset = imported(FORMS[form](), policies={"image": "crop"})
    assert len(dataset.samples) == 7
    assert {(sample.rows, sample.columns) for sample in dataset.samples} == {(16, 14)}
    assert classes(dataset) == {"benign": 5, "malignant": 2}
    assert counted(dataset)["crops"] == (7, 3568)
    assert not dataset.skipped


@pytest.mark.parametrize("form", FORMS)
def test_cbis_crops_without_descriptions(form: str, imported: Read) -> None:
    """Nothing says what a file is: sizes decide where headers tell them, else the pixels."""
    files = releases.cbis_tcia(descriptions=False) if form == "tcia" else releases.cbis_jpeg(info=False)
    dataset = imported(files, policies={"image": "crop"})
    assert {(sample.rows, sample.columns) for sample in dataset.samples} == {(16, 14)}
    assert len(dataset.samples) == 7


def test_cbis_series_uids_that_match_nothing_are_joined_on_patient(imported: Read) -> None:
    files = releases.cbis_tcia()
    for name in [name for name in files if name.endswith(".csv")]:
        files[name] = files[name].replace(releases.uid("full", "Mass-Test_P_00003_LEFT_CC").encode(), b"9.9.9")
    assert len(imported(files).samples) == 6


def test_cbis_crops_where_the_mammograms_are_lacking(imported: Read) -> None:
    """Of two files of a series the larger is the mask, whatever the mammogram's size."""
    files = {name: data for name, data in releases.cbis_tcia().items() if "full mammogram" not in name}
    dataset = imported(files, policies={"image": "crop"})
    assert {(sample.rows, sample.columns) for sample in dataset.samples} == {(16, 14)}
    assert len(dataset.samples) == 7


def test_cbis_a_crop_that_cannot_be_told_from_its_mask(imported: Read) -> None:
    """Two masks under the UID of crop and mask: none is taken for a crop."""
    files = releases.cbis_jpeg(info=False)
    row = releases.SOME[4]
    series = f"jpeg/{releases.uid('both', row)}"
    files[f"{series}/1-241.jpg"] = files[f"{series}/2-039.jpg"]
    dataset = imported(files, policies={"image": "crop"})
    assert len(dataset.samples) == 6
    assert said(dataset, "1 row whose crop cannot be told from its mask")
    assert reasons(dataset) == {"missing_image": 1}


def test_cbis_policies(imported: Read) -> None:
    three = imported(releases.cbis_jpeg(), policies={"pathology": "callback"})
    assert three.task is Task.MULTICLASS
    assert classes(three) == {"benign without callback": 1, "benign": 2, "malignant": 3}
    fewer = imported(releases.cbis_jpeg(), policies={"pathology": "excluded", "lesions": "mass"})
    assert classes(fewer) == {"benign": 1, "malignant": 2}
    assert reasons(fewer) == {"policy": 1}
    assert fewer.policies == {"pathology": "excluded", "image": "full", "lesions": "mass"}
    study = imported(releases.cbis_jpeg(), preset="study-a")
    assert study.policies["image"] == "full"
    assert said(study, "with the layout ddsm alone")


def test_cbis_missing_image_and_missing_table(imported: Read) -> None:
    files = releases.cbis_jpeg()
    del files[f"jpeg/{releases.uid('full', 'Mass-Test_P_00003_LEFT_CC')}/1-204.jpg"]
    del files["csv/calc_case_description_test_set.csv"]
    dataset = imported(files)
    assert [(item.reason, item.path.split("/")[0]) for item in dataset.skipped] == [
        ("missing_image", "Mass-Test_P_00003_LEFT_CC")
    ]
    assert said(dataset, "There is no “calc_case_description_test_set.csv”")


def test_cbis_without_images_or_with_an_unknown_pathology(imported: Read) -> None:
    with pytest.raises(InputError, match="neither DICOM files nor"):
        imported(releases.cbis_tables(releases.SOME))
    files = releases.cbis_jpeg()
    name = "csv/mass_case_description_test_set.csv"
    files[name] = files[name].replace(b"MALIGNANT", b"MALIGN")
    with pytest.raises(TableError, match="line 3 holds the pathology “MALIGN”"):
        imported(files)


def test_cbis_as_png_without_tables(imported: Read) -> None:
    dataset = imported(releases.cbis_png())
    assert dataset.taken["layout"].startswith("cbis-ddsm-png (the folders Calc and Mass hold")
    assert classes(dataset) == {"malignant": 3, "benign": 2}
    assert {(s.patient, s.fold) for s in dataset.samples} == {
        ("P_00001", "train"), ("P_00002", "train"), ("P_00003", "test"), (None, "test")
    }  # fmt: skip
    first = [dataset.classes[sample.target[0]] for sample in dataset.samples if sample.patient == "P_00001"]
    assert first == ["malignant", "malignant"], "the worst in a view counts"
    assert reasons(dataset) == {"unknown_name": 1}
    assert counted(dataset)["masks"] == (5, None)
    assert said(dataset, "1 image whose name tells no patient")
    assert len(imported(releases.cbis_png(), policies={"lesions": "mass"}).samples) == 3


# -- DDSM

LISTS = {
    "train": ("normal_01-A_0002", "cancer_05-B_3021", "benign_without_callback_02-C_0440", "benign_01-B_3099"),
    "val": ("normal_01-A_0003", "benign_13-B_3021"),
    "test": ("normal_02-A_0004", "cancer_01-A_1141"),
}


def test_ddsm(imported: Read) -> None:
    dataset = imported(releases.ddsm(LISTS))
    assert dataset.taken["layout"] == "ddsm (there are lists of films: train.txt, val.txt, test.txt)"
    assert (dataset.task, dataset.classes, dataset.positive) == (Task.BINARY, ("normal", "lesion"), "lesion")
    assert Counter(sample.fold for sample in dataset.samples) == {"train": 16, "val": 8, "test": 8}
    assert classes(dataset) == {"normal": 12, "lesion": 20}
    assert counted(dataset)["films on the list val"] == (8, 1040)
    assert counted(dataset)["cases"] == (7, 2587)
    assert counted(dataset)["films of lesion in train"] == (12, 6120)
    shared = {sample.fold for sample in dataset.samples if sample.patient == "B_3021"}
    assert shared == {"train", "val"}, "one case in two volumes and on two lists is one woman"
    assert dataset.samples[0].covariates["laterality"] == "left"


def test_ddsm_policies(imported: Read) -> None:
    files = releases.ddsm(LISTS)
    three = imported(files, policies={"pathology": "three-classes"})
    assert classes(three) == {"normal": 12, "benign": 12, "cancer": 8}
    two = imported(files, policies={"pathology": "benign-vs-cancer", "without-callback": "excluded"})
    assert classes(two) == {"benign": 8, "cancer": 8}
    assert two.positive == "cancer"
    assert reasons(two) == {"policy": 16}
    assert imported(files, preset="study-a").policies == {
        "pathology": "normal-vs-lesion",
        "without-callback": "benign",
    }


def test_ddsm_traps(imported: Read) -> None:
    files = releases.ddsm(LISTS)
    del files["DDSM/ddsm_raw/normal_01-A_0002_1.LEFT_CC.LJPEG.1.jpg"]
    files["DDSM/ddsm_raw_image_lists/val.txt"] += b"odd.jpg\n"
    files["DDSM/ddsm_raw/not_listed.jpg"] = releases.picture(999)
    dataset = imported(files)
    assert reasons(dataset) == {"missing_image": 1, "unknown_name": 1}
    assert said(dataset, "no row names them: 1 image (DDSM/ddsm_raw/not_listed.jpg)")


def test_ddsm_without_lists(imported: Read) -> None:
    files = {name: data for name, data in releases.ddsm(LISTS).items() if "lists" not in name}
    dataset = imported(files)
    assert dataset.taken["layout"] == "ddsm (the folder ddsm_raw holds films named as in DDSM)"
    assert {sample.fold for sample in dataset.samples} == {None}
    assert said(dataset, "no official partitions are known")


# -- skin


@pytest.mark.parametrize(("nested", "unk"), [(True, True), (False, False)])
def test_isic2019(nested: bool, unk: bool, imported: Read) -> None:
    dataset = imported(releases.isic2019(nested=nested, unk=unk))
    assert dataset.taken["layout"] == "isic2019 (there is “ISIC_2019_Training_GroundTruth.csv”)"
    assert dataset.classes == releases.ISIC_CLASSES
    assert set(classes(dataset).values()) == {2}
    assert sum(sample.group is None for sample in dataset.samples) == 1
    assert Counter(sample.group for sample in dataset.samples)["L_0"] == 4
    assert dataset.n_patients is None
    second = next(sample for sample in dataset.samples if "ISIC_0000001" in sample.path)
    assert second.covariates["age"] == "55" and second.covariates["site"] == "anterior torso"
    assert counted(dataset)["training images"] == (16, 25331)
    assert counted(dataset)["images of NV"] == (2, 12875)
    assert dataset.statement.licence == "CC BY-NC 4.0"


def test_isic2019_traps(imported: Read) -> None:
    files = releases.isic2019()
    folder = "ISIC_2019_Training_Input/ISIC_2019_Training_Input/"
    files[f"{folder}ISIC_0000003.jpg"] = files.pop(f"{folder}ISIC_0000003_downsampled.jpg")
    del files[f"{folder}ISIC_0000004.jpg"]
    files[f"{folder}ISIC_0000007.jpg"] = files[f"{folder}ISIC_0000007.jpg"][:60]
    files["ISIC_2019_Training_Input/ISIC_0000008.jpg"] = files[f"{folder}ISIC_0000008.jpg"]
    del files["ISIC_2019_Training_Metadata.csv"]
    dataset = imported(files)
    assert len(dataset.samples) == 14
    assert sorted(item.reason for item in dataset.skipped)[0] == "missing_image" and len(dataset.skipped) == 2
    assert said(dataset, "Second copies that count once: 1 image")
    assert said(dataset, "no lesions are known")


def test_isic2019_official_test(imported: Read) -> None:
    files = releases.isic2019()
    columns = ("image", *releases.ISIC_CLASSES, "UNK")
    rows = [["ISIC_0034321", 1.0, *[0.0] * 8], ["ISIC_0034322", *[0.0] * 8, 1.0]]
    files["ISIC_2019_Test_GroundTruth.csv"] = releases.table(columns, rows)
    for number in (1, 2):
        files[f"ISIC_2019_Test_Input/ISIC_003432{number}.jpg"] = releases.picture(90 + number, kind="JPEG")
    without = imported(files)
    assert len(without.samples) == 16 and said(without, "2 images of the official test left out")
    dataset = imported(files, policies={"official-test": "included"})
    assert Counter(sample.fold for sample in dataset.samples) == {"train": 16, "test": 1}
    assert [(item.path, item.reason) for item in dataset.skipped] == [
        ("ISIC_2019_Test_Input/ISIC_0034322.jpg", "no_label")
    ]


def test_isic2019_refuses_an_image_of_two_classes(imported: Read) -> None:
    files = releases.isic2019()
    name = "ISIC_2019_Training_GroundTruth.csv"
    files[name] = files[name].replace(b"ISIC_0000000,1.0,0.0", b"ISIC_0000000,1.0,1.0")
    with pytest.raises(TableError, match="gives “ISIC_0000000” 2 classes"):
        imported(files)


def test_ham10000(imported: Read) -> None:
    dataset = imported(releases.ham10000())
    assert dataset.taken["layout"] == "ham10000 (there is “HAM10000_metadata.csv”)"
    assert dataset.classes == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    assert len({sample.group for sample in dataset.samples}) == 7
    assert counted(dataset)["images"] == (14, 10015)
    assert counted(dataset)["lesions"] == (7, 7470)
    assert dataset.samples[0].covariates["confirmed by"] == "histo"
    assert said(dataset, "Second copies that count once: 7 images")
    assert not dataset.skipped


# -- fundus


def test_aptos_competition(imported: Read) -> None:
    dataset = imported(releases.aptos_competition())
    assert dataset.taken["layout"] == "aptos2019 (“train.csv” has id_code and diagnosis: the competition's files)"
    assert dataset.task is Task.ORDINAL
    assert dataset.classes == ("0 no DR", "1 mild", "2 moderate", "3 severe", "4 proliferative DR")
    assert sorted(sample.target for sample in dataset.samples) == [(n,) for n in range(5) for _ in range(2)]
    assert {sample.fold for sample in dataset.samples} == {None}
    assert reasons(dataset) == {"no_label": 2}
    assert counted(dataset)["graded images"] == (10, 3662)
    assert counted(dataset)["images without a grade"] == (2, 1928)


def test_aptos_rehost(imported: Read) -> None:
    dataset = imported(releases.aptos_rehost())
    assert "the re-host in three partitions" in dataset.taken["layout"]
    assert Counter(sample.fold for sample in dataset.samples) == {"train": 6, "val": 2, "test": 2}
    assert counted(dataset)["rows of train_1.csv"] == (6, 2930)
    joined = imported(releases.aptos_rehost(), policies={"partitions": "joined"})
    assert {sample.fold for sample in joined.samples} == {None} and len(joined.samples) == 10
    study = imported(releases.aptos_rehost(), preset="study-a")
    assert len(study.samples) == 6
    assert said(study, "2 images of “valid.csv” left out (policy partitions)")
    assert not said(study, "no row names them")


def test_aptos_traps(imported: Read) -> None:
    files = releases.aptos_rehost()
    del files["train_images/train_images/000000000001.png"]
    del files["valid.csv"]
    dataset = imported(files)
    assert reasons(dataset) == {"missing_image": 1}
    assert said(dataset, "There is no “valid.csv”")
    files["test.csv"] = files["test.csv"].replace(b",3", b",7")
    with pytest.raises(TableError, match="the grade “7”"):
        imported(files)


# -- ultrasound


def test_busi(imported: Read) -> None:
    dataset = imported(releases.busi())
    assert dataset.taken["layout"].startswith("busi (the folders benign and malignant hold")
    assert dataset.classes == ("normal", "benign", "malignant")
    assert classes(dataset) == {"normal": 3, "benign": 3, "malignant": 3}
    third = next(sample for sample in dataset.samples if sample.path.endswith("benign (3).png"))
    assert third.covariates["lesions drawn"] == "2"
    assert [(item.path, item.reason) for item in dataset.skipped] == [
        ("malignant/malignant (9)_mask.png", "missing_image")
    ]
    assert counted(dataset) == {
        "images": (9, 780),
        "normal images": (3, 133),
        "benign images": (3, 437),
        "malignant images": (3, 210),
        "masks": (11, None),
    }
    assert said(dataset, "says of no image whose it is")


def test_busi_two_classes_and_a_lost_mask(imported: Read) -> None:
    files = releases.busi()
    del files["Dataset_BUSI_with_GT/malignant/malignant (1)_mask.png"]
    dataset = imported(files, policies={"classes": "benign-vs-malignant"})
    assert (dataset.task, dataset.positive) == (Task.BINARY, "malignant")
    assert reasons(dataset) == {"policy": 3, "missing_image": 1}
    assert said(dataset, "1 image of a lesion without a mask: malignant/malignant (1).png")


def test_busi_lesions_as_masks(imported: Read) -> None:
    files = releases.busi()
    del files["Dataset_BUSI_with_GT/malignant/malignant (1)_mask.png"]
    dataset = imported(files, policies={"task": "lesion"})
    assert (dataset.task, dataset.classes) == (Task.SEGMENTATION, ("lesion",))
    third = next(sample for sample in dataset.samples if sample.path.endswith("benign (3).png"))
    assert third.masks == ("benign/benign (3)_mask.png", "benign/benign (3)_mask_1.png")
    assert reasons(dataset)["missing_mask"] == 1
    assert len(dataset.samples) == 8


def test_columns_named_for_a_release_are_not_used_and_that_is_said(imported: Read) -> None:
    dataset = imported(releases.busi(), labels=("kind",), patient="who")
    assert said(dataset, "“busi” knows its own columns and folders; not used: labels, patient")


# -- leaks that the published lists bring


def test_the_lists_of_ddsm_leak_and_the_gate_says_so(imported: Read) -> None:
    dataset = imported(releases.ddsm(LISTS))
    with pytest.raises(LeakError) as caught:
        make_split(dataset, SplitRequest(official=True), split_id="d-s1", created="")
    assert {(leak.kind, leak.partitions) for leak in caught.value.leaks} == {(LeakKind.PATIENT, ("train", "val"))}


def test_the_tables_of_cbis_leak_and_the_gate_says_so(imported: Read) -> None:
    """A patient with masses in training and a calcification in the test: the same exposure on both sides."""
    dataset = imported(releases.cbis_jpeg())
    with pytest.raises(LeakError) as caught:
        make_split(dataset, SplitRequest(official=True), split_id="d-s1", created="")
    assert {leak.kind for leak in caught.value.leaks} == {LeakKind.PATIENT, LeakKind.PIXELS}


# -- every release


RELEASES: Mapping[str, Callable[[], releases.Files]] = {
    "cbis-ddsm": releases.cbis_jpeg,
    "ddsm": lambda: releases.ddsm(LISTS),
    "isic2019": releases.isic2019,
    "ham10000": releases.ham10000,
    "aptos2019": releases.aptos_rehost,
    "busi": releases.busi,
}


@pytest.mark.parametrize("name", RELEASES)
def test_the_folder_that_was_unpacked_may_lie_deeper(name: str, imported: Read) -> None:
    dataset = imported(
        {f"kaggle/archive/{path}" if name != "ddsm" else path: data for path, data in RELEASES[name]().items()}
    )
    assert dataset.layout == name
    assert dataset.statement.unit
    assert any(item.known for item in dataset.counts)


@pytest.mark.parametrize("name", RELEASES)
def test_a_policy_that_is_none_is_refused(name: str, imported: Read) -> None:
    with pytest.raises(UsageError, match=r"no policy “colour”"):
        imported(RELEASES[name](), policies={"colour": "red"})
    with pytest.raises(UsageError, match="no preset “study-z”"):
        imported(RELEASES[name](), preset="study-z")


@pytest.mark.parametrize("name", [name for name in RELEASES if name != "cbis-ddsm"])
def test_a_named_layout_without_its_files_says_what_is_lacking(name: str, imported: Read) -> None:
    with pytest.raises(InputError) as caught:
        imported({"readme.txt": b"nothing"}, layout=name)
    assert caught.value.hint
