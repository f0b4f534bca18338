"""ChestX-ray14: commas within brackets, nested folders, lists, boxes, fifteen labels or fourteen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from medfm_gui.datasets.boxes import own_boxes
from medfm_gui.datasets.importers import nih_cxr14
from medfm_gui.datasets.importers.nih_cxr14 import FINDINGS
from medfm_gui.datasets.ingest import ImportOptions, read_source
from medfm_gui.datasets.layouts import choose
from medfm_gui.datasets.table import read_table
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import InputError, TableError
from medfm_gui.imaging.pool import DecodePool

Tree = Callable[[Mapping[str, str | bytes]], Path]
Read = Callable[..., Dataset]

HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)
ROWS = (
    "00000001_000.png,Cardiomegaly|Pleural_Thickening,0,1,57,M,PA,2682,2749,0.143,0.143",
    "00000001_001.png,No Finding,1,1,058Y,M,AP,2894,2729,0.143,0.143",
    "00000002_000.png,Hernia,0,2,411,F,PA,2500,2048,0.168,0.168",
    "00000003_000.png,No Finding,0,3,74,F,PA,2500,2048,0.168,0.168",
)
NAMES = tuple(row.partition(",")[0] for row in ROWS)
BOXES = (
    "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
    "00000001_000.png,Cardiomegaly,1,1,2,2,,,\n"
    "00000001_000.png,Infiltrate,0.0,1.0,5.0,3.0,,,\n"
    "00000003_000.png,Nodule,x,1,2,2,,,\n"
)


def release(*, trailing: str = "", nested: bool = True) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {
        "Data_Entry_2017.csv": "".join(f"{line}{trailing}\n" for line in (HEADER, *ROWS)),
        "train_val_list.txt": "\n".join(NAMES[:3]) + "\n",
        "test_list.txt": "\r\n".join(NAMES[3:]) + "\r\n\r\n",
    }
    for number, name in enumerate(NAMES):
        folder = f"images_{number + 1:03d}/images" if nested else "images"
        files[f"{folder}/{name}"] = f"pixels of {name}"
    return files


def by_name(dataset: Dataset) -> dict[str, Sample]:
    return {sample.path.rpartition("/")[2]: sample for sample in dataset.samples}


@pytest.mark.parametrize("trailing", ["", ","])
@pytest.mark.parametrize("nested", [True, False])
def test_either_table_and_either_way_of_folders(tree: Tree, read: Read, trailing: str, nested: bool) -> None:
    source = tree(release(trailing=trailing, nested=nested))
    assert choose("auto", source)[1] == "“Data_Entry_2017.csv” has the columns of NIH ChestX-ray14"
    dataset = read(source)
    assert (dataset.layout, dataset.task, dataset.classes) == ("nih-cxr14", Task.MULTILABEL, FINDINGS)
    found = by_name(dataset)
    first = found[NAMES[0]]
    assert [FINDINGS[position] for position, mark in enumerate(first.target) if mark] == [
        "Cardiomegaly", "Pleural_Thickening",
    ]  # fmt: skip
    assert set(found[NAMES[1]].target) == {0}
    assert (first.patient, first.fold) == ("1", "train")
    assert found[NAMES[3]].fold == "test"
    assert dict(first.covariates) == {"age": "57", "sex": "M", "view": "PA", "followup": "0"}
    assert found[NAMES[1]].covariates["age"] == "58"
    assert "age" not in found[NAMES[2]].covariates
    assert any("1 image with an age above 120" in warning for warning in dataset.warnings)
    counts = {count.what: (count.known, count.found) for count in dataset.counts}
    assert counts["images"] == (112_120, 4)
    assert counts["patients"] == (30_805, 3)
    assert counts["rows “No Finding”"] == (60_361, 2)
    assert counts["rows with a hernia"] == (227, 1)
    assert counts["names in train_val_list.txt"] == (86_524, 3)


def test_no_finding_as_a_class_and_one_view(tree: Tree, read: Read) -> None:
    dataset = read(tree(release()), policies={"no-finding": "class", "views": "PA"})
    assert dataset.classes == (*FINDINGS, "No Finding")
    assert set(by_name(dataset)) == {NAMES[0], NAMES[2], NAMES[3]}
    assert by_name(dataset)[NAMES[3]].target[-1] == 1
    assert [(item.path.rpartition("/")[2], item.reason) for item in dataset.skipped] == [(NAMES[1], "policy")]


def test_boxes_in_pixels_become_boxes_of_the_images(tree: Tree, read: Read) -> None:
    dataset = read(tree({**release(), "BBox_List_2017.csv": BOXES}))
    assert by_name(dataset)[NAMES[0]].covariates["boxes"] == "1.0 1.0 3.0 3.0; 0.0 1.0 5.0 4.0"
    boxes = own_boxes(dataset)
    assert [(box.x0, box.y0, box.x1, box.y1) for box in boxes] == [(0.2, 0.25, 0.6, 0.75), (0.0, 0.25, 1.0, 1.0)]
    assert "2 boxes" in dataset.taken["boxes"]


def test_validation_of_study_b(tree: Tree, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = read(tree(release()), preset="study-b")
    assert {sample.fold for sample in dataset.samples} == {"train", "test"}
    assert any("cannot be made of 3 names" in warning for warning in dataset.warnings)
    monkeypatch.setattr(nih_cxr14, "LAST", 1)
    found = by_name(read(tree(release()), preset="study-b"))
    assert [found[name].fold for name in NAMES] == ["train", "train", "val", "test"]
    assert len(found[NAMES[0]].target) == 15


def test_lists_of_three_sides_and_their_overlap(tree: Tree, read: Read) -> None:
    files = release()
    del files["train_val_list.txt"]
    files["labels.csv"] = files.pop("Data_Entry_2017.csv")
    files |= {
        "train_list.txt": f"train/{NAMES[0]}\n",
        "val_list.txt": f"{NAMES[1]}\n",
        "test_list.txt": f"{NAMES[3]}\n{NAMES[1]}\n",
    }
    dataset = read(tree(files), preset="study-b")
    found = by_name(dataset)
    assert [found[name].fold for name in NAMES] == ["train", "test", None, "test"]
    assert not any("cannot be made" in warning for warning in dataset.warnings)
    assert any("1 image stand in two lists (00000001_001); test counts" in warning for warning in dataset.warnings)


def test_missing_images_copies_and_rows_without_a_finding(tree: Tree, read: Read) -> None:
    files = release()
    del files[f"images_001/images/{NAMES[0]}"]
    files["images/" + NAMES[3]] = files[f"images_004/images/{NAMES[3]}"]
    files["Data_Entry_2017.csv"] = str(files["Data_Entry_2017.csv"]).replace("Hernia", "")
    dataset = read(tree(files))
    assert {(item.path, item.reason) for item in dataset.skipped} == {
        (NAMES[0], "missing_image"),
        (f"images_003/images/{NAMES[2]}", "no_label"),
    }
    assert set(by_name(dataset)) == {NAMES[1], NAMES[3]}


def test_what_is_no_chestxray14(tree: Tree, read: Read) -> None:
    files = release()
    files["Data_Entry_2017.csv"] = str(files["Data_Entry_2017.csv"]).replace("Hernia", "Scoliosis")
    with pytest.raises(TableError, match="Scoliosis"):
        read(tree(files))
    source = tree({"labels.csv": "file,finding_labels\na.png,x\n", "Data_Entry_2017.csv": "a,b\n1,2\n"})
    assert nih_cxr14.recognises(source) is None
    with pytest.raises(InputError, match="no table of NIH"):
        read(source, "nih-cxr14")


def test_real_radiographs_in_the_layout_of_the_release(tmp_path: Path) -> None:
    shared = Path(os.environ.get("MEDFM_SHARED") or Path(__file__).resolve().parents[4] / "shared") / "data/nih-cxr"
    if not shared.is_dir():
        pytest.skip("the shared images are not on this computer")
    rows = read_table(shared / "labels_all.csv").rows[::40]
    lines = [HEADER]
    folder = tmp_path / "images_001" / "images"
    folder.mkdir(parents=True)
    files = {path.name: path for path in (shared / "images").rglob("*.jpg")}
    for name, patient, _, findings, view, age, sex, followup in rows:
        png = Path(name).stem + ".png"
        lines.append(f"{png},{findings},{followup},{patient},{age},{sex},{view},2500,2048,0.168,0.168")
        shutil.copy(files[name], folder)
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text("\n".join(lines))
    with DecodePool(tmp_path / "shards", processes=1) as pool:
        dataset = read_source(
            "auto", tmp_path, ImportOptions(), dataset_id="d", name="d", pixels=None, pool=pool, key=b"k"
        )
    assert (dataset.layout, len(dataset.samples)) == ("nih-cxr14", len(rows))
    assert dataset.n_patients == len({row[1] for row in rows})
    assert not dataset.skipped
    told = {row[0]: set(row[3].split("|")) - {"No Finding"} for row in rows}
    for sample in dataset.samples:
        marked = {name for name, mark in zip(FINDINGS, sample.target, strict=True) if mark}
        assert marked == told[Path(sample.path).name]
