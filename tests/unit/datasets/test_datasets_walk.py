"""Names below a folder, and words made safe to show."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfm_gui.datasets.text import cell, examples, natural, nearest, shown
from medfm_gui.datasets.walk import has_dicom_mark, suffix_of, walk, without_image_suffix
from medfm_gui.domain.errors import InputError
from medfm_gui.domain.units import counted


def test_files_come_sorted_and_without_rubbish(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/1.png", "a.png", ".hidden/x.png", "b/Thumbs.db", "b/.DS_Store"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert walk(tmp_path).files == ("a.png", "b/1.png", "b/2.png")


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "x.png").touch()
    (tmp_path / "inside" / "loop").symlink_to(tmp_path)
    tree = walk(tmp_path)
    assert tree.files == ("inside/x.png",)
    assert [(item.path, item.reason) for item in tree.skipped] == [("inside/loop", "link")]


def test_very_deep_folders_end_somewhere(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 40)
    deep.mkdir(parents=True)
    (item,) = walk(tmp_path).skipped
    assert item.reason == "too_deep"


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert [item.reason for item in walk(tmp_path).skipped] == ["unreadable"]
    with pytest.raises(InputError, match="Permission denied"):
        walk(tmp_path / "closed")


def test_dicom_is_told_by_its_mark_and_nothing_blocks(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0" * 128 + b"DICM")
    (tmp_path / "b").write_bytes(b"short")
    os.mkfifo(tmp_path / "pipe")
    assert has_dicom_mark(tmp_path / "a")
    assert not any(has_dicom_mark(tmp_path / name) for name in ("b", "pipe", "absent"))


def test_dicom_mark_of_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()

    def denied(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", denied)
    assert not has_dicom_mark(tmp_path / "a")


def test_endings() -> None:
    assert [suffix_of(name) for name in ("a/b.PNG", "a.b/c", ".png", "x.tar.gz")] == [".png", "", "", ".gz"]
    assert [without_image_suffix(name) for name in ("a.jpg", "1.2.840.4")] == ["a", "1.2.840.4"]


@given(st.text())
def test_what_is_shown_is_printable_and_one_line(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 300


def test_bidirectional_marks_are_spelt_out() -> None:
    assert shown("a\u202egnp.exe") == "a\\x202egnp.exe"
    assert cell("  e\u0301 ") == "é"


@given(st.lists(st.text(alphabet="aB1290 ", max_size=6)))
def test_natural_order_is_an_order(names: list[str]) -> None:
    backwards = list(reversed(names))
    assert sorted(names, key=natural) == sorted(backwards, key=natural)


def test_words_for_sentences() -> None:
    assert counted(1, "image") == "1 image"
    assert counted(2, "box", "boxes") == "2 boxes"
    assert examples(["a", "b", "c", "d"]) == "a, b, c and 1 more"
    assert nearest("Lable", ["label", "path"]) == ["label"]
