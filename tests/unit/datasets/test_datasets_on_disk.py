"""What people really have on disk around a release or a table: folders above it, other delimiters, other computers."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medfm_gui.datasets.importers import msd
from medfm_gui.datasets.layout import Tools
from medfm_gui.datasets.layouts import choose, entered
from medfm_gui.datasets.listing import ImportOptions
from medfm_gui.datasets.mask_pairs import paired
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError
from medfm_gui.imaging.pool import DecodePool

Tree = Callable[[Mapping[str, str | bytes]], Path]
Read = Callable[..., Dataset]
ROWS = "path;label\nimages/a.png;x\nimages/b.png;y\n"
FINDINGS = (
    "Path;Sex;Age;Frontal/Lateral;AP/PA;No Finding;Enlarged Cardiomediastinum;Cardiomegaly;Lung Opacity;Lung Lesion;"
    "Edema;Consolidation;Pneumonia;Atelectasis;Pneumothorax;Pleural Effusion;Pleural Other;Fracture;Support Devices"
)


def images(*names: str) -> dict[str, str | bytes]:
    return {name: name for name in names}


@pytest.mark.parametrize("above", ["Export/", "Export/Export/", "a/b/c/"])
def test_auto_enters_the_one_folder_that_a_folder_holds(tree: Tree, read: Read, above: str) -> None:
    source = tree({f"{above}labels.csv": ROWS, **images(f"{above}images/a.png", f"{above}images/b.png")})
    (source / ".hidden").touch()
    dataset = read(source)
    assert dataset.layout == "csv"
    assert f"in “{above.rstrip('/')}”" in dataset.taken["layout"]
    assert dataset.source == str(source / above)


def test_auto_stays_where_something_is_recognised_or_nothing_is_below(tree: Tree, tmp_path: Path) -> None:
    source = tree(images("a/x.png", "b/y.png"))
    assert entered(source) == source
    assert entered(source / "a" / "x.png") == source / "a" / "x.png"
    (tmp_path / "one" / "two").mkdir(parents=True)
    assert entered(tmp_path / "one") == tmp_path / "one"
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "source").symlink_to(source)
    assert entered(tmp_path / "link") == tmp_path / "link"


def test_absolute_paths_of_another_computer_mean_the_image_of_that_folder_and_name(tree: Tree, read: Read) -> None:
    names = images("images/a.png", "images/b.png", "images/c.png", "images/d.png", "e.png")
    cells = [
        "C:\\Users\\me\\Export\\images\\a.png",
        "\\\\server\\share\\images\\B.PNG",
        "/home/me/images/c.png",
        "d:/images/d",
        "C:\\Users\\me\\e.png",
        "C:\\elsewhere\\..\\f.png",
        "file:///images/a.png",
        "/etc/passwd",
    ]
    text = "path,label\n" + "".join(f"{path},{'xy'[place % 2]}\n" for place, path in enumerate(cells))
    dataset = read(tree({"t.csv": text, **names}))
    assert [sample.path for sample in dataset.samples] == [f"images/{name}.png" for name in "abcd"]
    assert {(item.path, item.reason) for item in dataset.skipped} == {(path, "outside") for path in cells[4:]}
    assert any(warning.startswith("7 paths of some computer") for warning in dataset.warnings)


def test_names_that_a_computer_writes_in_two_letters_are_found(tree: Tree, read: Read) -> None:
    parted = unicodedata.normalize("NFD", "images/Müller.png")
    source = tree({"t.csv": "path,label\nimages/Müller.png,x\nimages/b.png,y\n", **images(parted, "images/b.png")})
    assert len(read(source).samples) == 2


def test_rubbish_beside_a_table_is_no_table(tree: Tree, read: Read) -> None:
    files = {"labels.csv": ROWS, "._labels.csv": "junk", "~$labels.csv": "junk", "Thumbs.db": "junk"}
    dataset = read(tree({**files, **images("images/a.png", "images/b.png")}))
    assert dataset.taken["table"].startswith("labels.csv")


def test_a_workbook_beside_images_is_recognised(tree: Tree, read: Read) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    source = tree(images("images/a.png", "images/b.png"))
    book = openpyxl.Workbook()
    for row in (("path", "label"), ("images/a.png", "x"), ("images/b.png", "y")):
        book.active.append(row)
    book.save(source / "labels.xlsx")
    dataset = read(source)
    assert (dataset.layout, len(dataset.samples)) == ("csv", 2)
    (source / "labels.csv").write_text(ROWS)
    assert read(source).taken["table"].startswith("labels.csv")


@pytest.mark.parametrize("mark", [";", "\t"])
def test_releases_saved_again_by_a_spreadsheet_are_recognised(tree: Tree, read: Read, mark: str) -> None:
    views = [f"train/patient0000{number}/study1/view1_frontal.jpg" for number in (1, 2)]
    rows = [f"CheXpert-v1.0-small/{view};Male;60;Frontal;AP;{mark.join(['1.0'] * 14)}" for view in views]
    text = "\ufeff" + "\r\n".join([FINDINGS, *rows]).replace(";", mark)
    assert read(tree({"train.csv": text, **images(*views)})).layout == "chexpert"


@pytest.mark.parametrize(
    ("table", "header", "layout"),
    [
        ("Data_Entry_2017.csv", "Image Index;Finding Labels;Patient ID", "nih-cxr14"),
        ("stage_2_train_labels.csv", "patientId;x;y;width;height;Target", "rsna-pneumonia"),
    ],
)
def test_headers_with_other_marks(tree: Tree, table: str, header: str, layout: str) -> None:
    assert choose("auto", tree({table: f"\ufeff{header}\r\n"}))[0].name == layout


def test_archives_that_were_not_unpacked_are_named(tree: Tree, read: Read) -> None:
    header = "Image Index,Finding Labels,Patient ID\n"
    rows = "00000001_000.png,No Finding,1\n00000002_000.png,Mass,2\n00000003_000.png,Hernia,3\n"
    files = {"Data_Entry_2017.csv": header + rows, "images/images_002.tar.gz": "packed"}
    with pytest.raises(InputError) as caught:
        read(tree(files))
    assert caught.value.hint == "Unpack images_002.tar.gz first."
    dataset = read(tree(images("images/00000001_000.png", "images/00000002_000.png")))
    assert any("1 image missing, and images_002.tar.gz may not be unpacked" in said for said in dataset.warnings)


def test_parts_of_a_release_are_paired_within_themselves() -> None:
    names = [f"{kind}{part}/v_1.nii.gz" for kind in ("images", "labels") for part in ("Tr", "Va", "Ts")]
    assert paired(names).masks == {f"images{part}/v_1.nii.gz": (f"labels{part}/v_1.nii.gz",) for part in _PARTS}


_PARTS = ("Tr", "Ts", "Va")


@pytest.mark.parametrize("above", ["", "again/", "once/again/"])
def test_releases_of_volumes_in_folders_of_their_own_name(tree: Tree, above: str) -> None:
    amos = tree({f"{above}imagesTr/amos_0001.nii.gz": "", f"{above}labelsTr/amos_0001.nii.gz": ""})
    assert choose("auto", amos)[0].name == "amos22"
    (amos / above / "imagesTr" / "amos_0001.nii.gz").rename(amos / above / "imagesTr" / "la_003.nii.gz")
    (amos / above / "dataset.json").write_text("{}")
    assert choose("auto", amos)[0].name == "msd"


def test_archives_of_arrays_in_a_folder(tmp_path: Path, read: Read) -> None:
    for name in ("pneumoniamnist.NPZ", "._pneumoniamnist.npz"):
        with (tmp_path / name).open("wb") as handle:
            arrays: dict[str, Any] = {f"{side}_images": np.zeros((2, 8, 8), np.uint8) for side in ("train", "test")}
            arrays |= {f"{side}_labels": np.array([[0], [1]]) for side in ("train", "test")}
            np.savez(handle, **arrays)
    assert read(tmp_path).layout == "medmnist"
    (tmp_path / "breastmnist.npz").touch()
    with pytest.raises(InputError, match=r"2 archives: breastmnist.npz, pneumoniamnist.NPZ"):
        read(tmp_path, "medmnist")


def test_of_several_tasks_in_a_folder_the_others_are_named(tree: Tree) -> None:
    tasks = ("Task02_Heart", "Task04_Hippocampus", "Task09_Spleen")
    table = '{"labels": {"0": "background", "1": "x"}, "training": []}'
    source = tree({f"{task}/{part}/a.nii.gz": "" for task in tasks for part in ("imagesTr", "labelsTr")})
    for task in tasks:
        (source / task / "dataset.json").write_text(table)
    with DecodePool(processes=1) as pool:
        tools = Tools(pool, b"k" * 32)
        listing = msd.read(source, ImportOptions(), tools)
        alone = msd.read(source / "Task09_Spleen", ImportOptions(), tools)
    said = "“Task02_Heart” was taken; not taken were Task04_Hippocampus, Task09_Spleen beside it"
    assert any(warning.startswith(said) for warning in listing.warnings)
    assert not any("beside it" in warning for warning in alone.warnings)
