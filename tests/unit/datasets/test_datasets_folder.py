"""One folder a class."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError

Tree = Callable[[Mapping[str, str | bytes]], Path]
Read = Callable[..., Dataset]


def test_the_first_folder_is_the_class(tree: Tree, read: Read) -> None:
    files = {
        "ill/a.png": "1",
        "ill/deep/b.png": "2",
        "well/c": "3",
        "well/notes.txt": "4",
        "README.md": "5",
        "stray.png": "6",
    }
    dataset = read(tree(files))
    assert dataset.layout == "folder"
    assert dataset.classes == ("ill", "well")
    assert dataset.positive == "ill"
    assert [(sample.path, sample.target) for sample in dataset.samples] == [
        ("ill/a.png", (0,)),
        ("ill/deep/b.png", (0,)),
        ("well/c", (1,)),
    ]
    assert [(item.path, item.reason) for item in dataset.skipped] == [
        ("stray.png", "no_label"),
        ("well/notes.txt", "not_an_image"),
    ]


def test_train_and_test_above_the_classes_are_official_folds(tree: Tree, read: Read) -> None:
    files = {"Train/a/1.png": "1", "Train/b/2.png": "2", "test/a/3.png": "3", "valid/b/4.png": "4", "Train/5.png": "5"}
    dataset = read(tree(files))
    assert dataset.classes == ("a", "b")
    assert [sample.fold for sample in dataset.samples] == ["train", "train", "test", "val"]
    assert [item.path for item in dataset.skipped] == ["Train/5.png"]


def test_train_and_test_without_classes_are_no_classes(tree: Tree, read: Read) -> None:
    with pytest.raises(InputError, match="no folder a class"):
        read(tree({"train/1.png": "1", "test/2.png": "2"}))


def test_one_folder_around_the_classes_is_pointed_out(tree: Tree, read: Read) -> None:
    source = tree({"data/a/1.png": "1", "data/b/2.png": "2"})
    with pytest.raises(InputError) as caught:
        read(source, "folder")
    assert str(source / "data") in caught.value.hint


def test_one_folder_beside_a_table_is_pointed_out(tree: Tree, read: Read) -> None:
    with pytest.raises(InputError) as caught:
        read(tree({"images/1.png": "1", "labels.csv": "x"}), "folder")
    assert "labels.csv" in caught.value.hint


def test_one_class_and_no_class(tree: Tree, read: Read, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="only one class"):
        read(tree({"only/1.png": "1"}), "folder")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="No image was found"):
        read(tmp_path / "empty", "folder")
    with pytest.raises(InputError, match="not a folder"):
        read(tmp_path / "source" / "only" / "1.png", "folder")
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "absent")


def test_folders_without_images_are_said(tree: Tree, read: Read) -> None:
    source = tree({"a/1.png": "1", "b/2.png": "2"})
    (source / "empty").mkdir()
    assert any("empty" in warning for warning in read(source).warnings)


def test_grades_as_folders(tree: Tree, read: Read) -> None:
    dataset = read(tree({f"{grade}/{grade}.png": str(grade) for grade in (0, 2, 10)}), task="ordinal")
    assert (dataset.task, dataset.classes) == (Task.ORDINAL, ("0", "2", "10"))


def test_names_with_commas_and_odd_letters(tree: Tree, read: Read) -> None:
    source = tree({"a, b/1.png": "1", "NA/2.png": "2"})
    odd = os.fsencode(source / "NA") + b"/\xff\xe9.png"
    Path(os.fsdecode(odd)).write_text("3")
    dataset = read(source)
    assert dataset.classes == ("a, b", "NA")
    assert all(sample.path.isprintable() for sample in dataset.samples)
    assert len(dataset.samples) == 3
