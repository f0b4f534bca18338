"""A table with one row an image: columns recognised, images found, odd rows left out and named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError, TableError

Tree = Callable[[Mapping[str, str | bytes]], Path]
Read = Callable[..., Dataset]


def reasons(dataset: Dataset) -> list[tuple[str, str]]:
    return sorted((item.path, item.reason) for item in dataset.skipped)


def images(*names: str) -> dict[str, str | bytes]:
    return {name: name for name in names}


def test_columns_are_recognised_and_told(tree: Tree, read: Read) -> None:
    text = "Image Index,Patient ID,diagnosis,age,fold\na.png,1,nevus,50,1\nb.png,1,melanoma,60,2\nc.png,2,nevus,,2\n"
    dataset = read(tree({"labels.csv": text, **images("deep/a.png", "b.png", "deep/er/c.png")}))
    assert dataset.layout == "csv"
    assert [sample.path for sample in dataset.samples] == ["b.png", "deep/a.png", "deep/er/c.png"]
    assert [sample.id for sample in dataset.samples] == ["s000001", "s000002", "s000003"]
    assert dataset.classes == ("melanoma", "nevus")
    assert dataset.positive == "melanoma"
    assert dataset.n_patients == 2
    assert [sample.fold for sample in dataset.samples] == ["2", "1", "2"]
    assert [dict(sample.covariates) for sample in dataset.samples] == [{"age": "60"}, {"age": "50"}, {}]
    for role, column in {"path": "Image Index", "patient": "Patient ID", "label": "diagnosis", "fold": "fold"}.items():
        assert dataset.taken[role].startswith(column)


def test_columns_may_be_named(tree: Tree, read: Read) -> None:
    text = "where,who,what,left\nx/a,p1,ill,g1\nx/b,p2,well,g1\n"
    dataset = read(
        tree({"t.csv": text, **images("x/a.jpg", "x/b.jpg")}),
        "csv",
        path="WHERE",
        patient="who",
        labels=("what",),
        group="left",
    )
    assert [(sample.patient, sample.group) for sample in dataset.samples] == [("p1", "g1"), ("p2", "g1")]
    assert dataset.positive == "ill"


def test_a_column_that_is_not_there_lists_those_that_are(tree: Tree, read: Read) -> None:
    source = tree({"t.csv": "file,label\na.png,x\nb.png,y\n", **images("a.png", "b.png")})
    with pytest.raises(TableError, match="no column “lable”") as caught:
        read(source, "csv", labels=("lable",))
    assert "Did you mean “label”" in caught.value.hint
    with pytest.raises(TableError, match="for the fold"):
        read(source, "csv", fold="fold")


def test_the_path_column_is_recognised_by_its_contents(tree: Tree, read: Read) -> None:
    dataset = read(tree({"t.csv": "label,zzz,id\nx,a.png,9\ny,b.png,8\n", **images("a.png", "b.png")}))
    assert dataset.taken["path"] == "zzz (by its contents)"


def test_the_label_column_is_recognised_by_its_contents(tree: Tree, read: Read) -> None:
    rows = "".join(f"{number}.png,{'ab'[number % 2]},{number / 7}\n" for number in range(6))
    dataset = read(tree({"t.csv": f"file,zzz,size\n{rows}", **images(*(f"{n}.png" for n in range(6)))}))
    assert "by its contents" in dataset.taken["label"]
    assert dataset.classes == ("a", "b")


def test_a_label_that_is_not_plain_is_asked_for(tree: Tree, read: Read) -> None:
    with pytest.raises(TableError, match="not plain") as caught:
        read(tree({"t.csv": "file,q,r\na.png,1,0\nb.png,0,1\n", **images("a.png", "b.png")}))
    assert "q, r" in caught.value.hint


def test_a_name_that_ends_in_label_will_do(tree: Tree, read: Read) -> None:
    dataset = read(tree({"t.csv": "file,folder_label\na.png,1\nb.png,0\n", **images("a.png", "b.png")}))
    assert dataset.taken["label"].startswith("folder_label")


def test_a_table_without_images_or_without_a_header(tree: Tree, read: Read) -> None:
    with pytest.raises(TableError, match="No column"):
        read(tree({"t.csv": "file,label\na.png,x\nb.png,y\n"}))
    with pytest.raises(TableError, match="no header row"):
        read(tree({"t.csv": "a.png,x\nq.png,y\n", **images("a.png")}))


def test_paths_that_lead_elsewhere_are_refused(tree: Tree, read: Read, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_text("secret")
    source = tree(images("a.png", "b.png"))
    bad = [
        "../secret.png",
        str(tmp_path / "secret.png"),
        "\\\\server\\share\\a.png",
        "file:///etc/passwd",
        "C:\\a.png",
        "~/a.png",
    ]
    text = "path,label\na.png,x\nb.png,y\n./x/../a.png,x\n" + "".join(f"{path},x\n" for path in bad)
    (source / "t.csv").write_text(text)
    dataset = read(source)
    assert len(dataset.samples) == 2
    assert reasons(dataset) == sorted((path, "outside") for path in bad)


def test_images_are_found_by_the_end_of_their_path(tree: Tree, read: Read) -> None:
    text = (
        "path,label\nRelease-1.0/train/p1/1.jpg,x\nRelease-1.0/train/p2/1.jpg,y\nother/1.jpg,y\nabsent.jpg,x\n,x\n"
        "windows\\b.png,x\nB.PNG,x\nuid.1.2.3,y\n"
    )
    source = tree({"t.csv": text, **images("train/p1/1.jpg", "train/p2/1.jpg", "windows/b.png", "uid.1.2.3.dcm")})
    dataset = read(source)
    assert [sample.path for sample in dataset.samples] == [
        "train/p1/1.jpg",
        "train/p2/1.jpg",
        "uid.1.2.3.dcm",
        "windows/b.png",
    ]
    assert reasons(dataset) == [("absent.jpg", "not_found"), ("other/1.jpg", "ambiguous"), ("t.csv, line 6", "no_path")]
    assert any("1 row repeated" in warning for warning in dataset.warnings)


def test_a_table_elsewhere_with_an_image_folder(tree: Tree, read: Read) -> None:
    source = tree(
        {"tables/t.csv": "file,label\na,x\nb,y\n", **images("pictures/a.png", "pictures/b.png", "pictures/c.png")}
    )
    dataset = read(source / "tables" / "t.csv", "auto", images=source / "pictures")
    assert [sample.path for sample in dataset.samples] == ["a.png", "b.png"]
    assert dataset.source == str(source / "pictures")
    assert any("1 image in the image folder" in warning for warning in dataset.warnings)


def test_doubled_rows(tree: Tree, read: Read) -> None:
    text = "file,patient,label\na.png,1,x\na.png,1,x\nb.png,2,x\nb.png,2,y\nc.png,3,y\nc.png,4,y\nd.png,5,y\n"
    dataset = read(tree({"t.csv": text, **images("a.png", "b.png", "c.png", "d.png")}))
    assert [sample.path for sample in dataset.samples] == ["a.png", "d.png"]
    assert reasons(dataset) == [
        ("b.png", "conflicting_labels"),
        ("b.png", "conflicting_labels"),
        ("c.png", "conflicting_rows"),
        ("c.png", "conflicting_rows"),
    ]


def test_an_empty_label_is_skipped_and_said(tree: Tree, read: Read) -> None:
    dataset = read(tree({"t.csv": "file,label\na.png,x\nb.png,y\nc.png,\n", **images("a.png", "b.png", "c.png")}))
    assert reasons(dataset) == [("c.png", "no_label")]


def test_the_order_of_rows_changes_nothing(tree: Tree, read: Read) -> None:
    rows = ["a.png,x", "b.png,y", "c.png,x"]
    source = tree({"1.csv": "\n".join(["file,label", *rows]), **images("a.png", "b.png", "c.png")})
    (source / "2.csv").write_text("\n".join(["file,label", *reversed(rows)]))
    first, second = read(source / "1.csv", "csv"), read(source / "2.csv", "csv")
    assert first.samples == second.samples
    assert first.fingerprint == second.fingerprint


def test_names_of_persons_are_not_kept(tree: Tree, read: Read) -> None:
    text = "file,PatientName,BirthDate,label\na.png,Doe^Jane,1970,x\nb.png,Roe^Rick,1980,y\n"
    source = tree({"t.csv": text, **images("a.png", "b.png")})
    dataset = read(source)
    assert "Doe" not in repr(dataset)
    assert "1970" not in repr(dataset)
    assert any("PatientName" in warning for warning in dataset.warnings)
    named = read(source, "csv", patient="PatientName")
    assert "Doe" not in repr(named)
    assert named.n_patients == 2


def test_several_label_columns(tree: Tree, read: Read) -> None:
    text = "Path,Edema,Mass\na.png,1,0\nb.png,,1\nc.png,-1,\n"
    dataset = read(tree({"t.csv": text, **images("a.png", "b.png", "c.png")}), labels=("Edema", "Mass"))
    assert dataset.task is Task.MULTILABEL
    assert [sample.target for sample in dataset.samples] == [(1, 0), (-1, 1)]
    assert reasons(dataset) == [("c.png", "no_label")]


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("split", ("train", "Test"), True),
        ("split", ("left", "right"), False),
        ("fold", ("0", "1"), True),
        ("set", ("1", "2"), False),
        ("patient_fold", ("1", "2"), True),
        ("scaffold", ("1", "2"), False),
    ],
)
def test_official_folds_are_recognised_by_name_and_contents(
    tree: Tree, read: Read, column: str, values: tuple[str, str], found: bool
) -> None:
    text = f"file,label,{column}\na.png,x,{values[0]}\nb.png,y,{values[1]}\n"
    dataset = read(tree({"t.csv": text, **images("a.png", "b.png")}))
    assert [sample.fold for sample in dataset.samples] == (list(values) if found else [None, None])


def test_which_table_of_several(tree: Tree, read: Read) -> None:
    table = "file,label\na.png,x\nb.png,y\n"
    source = tree({"labels.csv": table, "other.csv": "q,w\n1,2\n", **images("a.png", "b.png")})
    assert read(source).taken["table"].startswith("labels.csv")
    (source / "labels2.csv").write_text(table)
    with pytest.raises(TableError, match="3 tables"):
        read(source)
    with pytest.raises(TableError, match="0 tables"):
        read(tree({"empty/x.png": ""}) / "empty", "csv")


def test_no_usable_row_at_all(tree: Tree, read: Read) -> None:
    source = tree({"t.csv": "file,label\na.png,x\na.png,y\n", **images("a.png")})
    with pytest.raises(InputError, match="2 conflicting_labels"):
        read(source)
