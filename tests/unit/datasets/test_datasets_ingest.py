"""From a source to a dataset: what decoding tells, what is left out, and when two datasets are the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from medfm_gui.datasets.files import read_dataset, write_dataset
from medfm_gui.datasets.ingest import ImportOptions, read_source
from medfm_gui.datasets.layouts import LAYOUTS, choose
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import InputError, UsageError
from medfm_gui.imaging.pool import DecodePool

Tree = Callable[[Mapping[str, str | bytes]], Path]
Read = Callable[..., Dataset]
FOUR = {"a/1.png": "1", "a/2.png": "2", "b/3.png": "3", "b/4.png": "4"}


def test_every_layout_is_chosen_by_its_name(tmp_path: Path) -> None:
    for layout in LAYOUTS:
        assert choose(layout.name, tmp_path) == (layout, "as named")
        assert layout.title
        assert layout.task


def test_an_unknown_layout_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        choose("folders", tmp_path)
    assert "Did you mean “folder”" in caught.value.hint
    with pytest.raises(UsageError, match="no layout"):
        choose("zzzzzz", tmp_path)


def test_auto_says_when_nothing_fits(tmp_path: Path) -> None:
    (tmp_path / "x.txt").touch()
    for source in (tmp_path, tmp_path / "x.txt"):
        with pytest.raises(InputError, match="none of the known layouts"):
            choose("auto", source)


def test_auto_tells_why(tree: Tree, read: Read) -> None:
    assert read(tree(FOUR)).taken["layout"] == "folder (there are 2 folders with images: a, b)"


def test_files_that_do_not_decode_are_skipped(tree: Tree, read: Read) -> None:
    dataset = read(tree({**FOUR, "a/bad.png": "broken"}))
    assert [(item.path, item.reason) for item in dataset.skipped] == [("a/bad.png", "truncated")]
    assert [sample.id for sample in dataset.samples] == ["s000001", "s000002", "s000003", "s000004"]


def test_a_class_that_lost_its_last_image_is_gone(tree: Tree, read: Read) -> None:
    dataset = read(tree({**FOUR, "c/bad.png": "broken"}))
    assert dataset.classes == ("a", "b")
    with pytest.raises(InputError, match="only one class"):
        read(tree({"a/1.png": "broken", "a/2.png": "broken"}))


def test_nothing_decodes(tree: Tree, read: Read) -> None:
    with pytest.raises(InputError, match="2 truncated"):
        read(tree({"a/1.png": "broken1", "b/2.png": "broken2"}))


def test_fewer_images_than_classes(tree: Tree, read: Read) -> None:
    table = "file,A,B,C\n1.png,1,0,1\n2.png,0,1,1\n"
    with pytest.raises(InputError, match="2 images for 3 classes"):
        read(tree({"t.csv": table, "1.png": "1", "2.png": "2"}), labels=("A", "B", "C"))


def test_a_positive_class_needs_two_classes(tree: Tree, read: Read) -> None:
    with pytest.raises(UsageError, match="multiclass with 3 classes"):
        read(tree({**FOUR, "c/5.png": "5"}), positive="a")


def test_an_unknown_task() -> None:
    with pytest.raises(UsageError, match="no task"):
        ImportOptions(task="regression")


def test_progress_reaches_the_end(tree: Tree, pool: Any) -> None:
    seen: list[tuple[int, int]] = []
    read_source(
        "folder", tree(FOUR), ImportOptions(), dataset_id="", name="", pixels=None, pool=pool, key=b"k",
        on_progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_notes_identical_images_and_mixed_kinds_are_said(
    tree: Tree, read: Read, dicom_file: Callable[..., bytes]
) -> None:
    files: dict[str, str | bytes] = {
        "a/1.png": "odd 1",
        "a/2.png": "odd 2",
        "a/3.png": "same",
        "b/4.png": "same",
        "b/5.dcm": dicom_file(modality="CT"),
        "b/6.dcm": dicom_file(modality="DX"),
    }
    found = read(tree(files))
    warnings = found.warnings
    assert "2 images: the colours are odd" in warnings
    twins = " = ".join(item.id for item in found.samples if item.path in ("a/3.png", "b/4.png"))
    assert any(twins in text and "different labels" in text for text in warnings)
    assert any("differ in modality" in text for text in warnings)


def test_the_fingerprint_follows_contents_alone(tree: Tree, read: Read, tmp_path: Path) -> None:
    source = tree(FOUR)
    first = read(source)
    moved = tmp_path / "moved"
    shutil.copytree(source, moved)
    (moved / "a" / "1.png").rename(moved / "a" / "renamed.png")
    assert read(moved).fingerprint == first.fingerprint
    (moved / "b" / "5.png").write_text("5")
    assert read(moved).fingerprint != first.fingerprint
    (moved / "b" / "5.png").unlink()
    (moved / "a" / "2.png").rename(moved / "b" / "2.png")
    assert read(moved).fingerprint != first.fingerprint


def test_the_fingerprint_follows_who_belongs_together_not_their_names(tree: Tree, read: Read) -> None:
    images = {f"{n}.png": str(n) for n in range(4)}
    tables = {
        "none": "",
        "one": ",patient\n,p\n,p\n,q\n,r\n",
        "same": ",patient\n,X\n,X\n,Y\n,Z\n",
        "other": ",patient\n,p\n,q\n,q\n,r\n",
        "fold": ",fold\n,1\n,1\n,2\n,2\n",
        "group": ",group\n,p\n,p\n,q\n,r\n",
    }
    prints = {}
    for name, extra in tables.items():
        tails = extra.splitlines() or [""] * 5
        rows = [f"{n}.png,{'xxyy'[n]}" for n in range(4)]
        text = "\n".join(head + tail for head, tail in zip(["file,label", *rows], tails, strict=True))
        source = tree({**images, f"{name}.csv": text})
        prints[name] = read(source / f"{name}.csv").fingerprint
    assert prints.pop("same") == prints["one"]
    assert len(set(prints.values())) == len(prints)


def test_real_pictures_through_the_real_pool(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for number, name in enumerate(("a", "a", "b", "b")):
        (source / name).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (number * 20, 0, 0)).save(source / name / f"{number}.png")
    Image.new("L", (900, 700), 7).save(source / "b" / "large.png")
    (source / "b" / "text.png").write_text("no image")
    folder = tmp_path / "dataset"
    pixels = folder / "pixels"
    pixels.mkdir(parents=True)
    with DecodePool(pixels, processes=1) as pool:
        dataset = read_source(
            "auto", source, ImportOptions(), dataset_id="d", name="d", pixels=pixels, pool=pool, key=b"k"
        )
    write_dataset(folder, dataset)
    assert read_dataset(folder) == dataset
    cache = PixelCache(pixels)
    cache.check()
    shapes = [cache.image(sample.id).shape for sample in dataset.samples]
    assert shapes[:4] == [(30, 40, 3)] * 4
    assert min(shapes[4]) == 512
    assert (dataset.samples[4].rows, dataset.samples[4].columns) == (700, 900)
    assert int(cache.image("s000002")[0, 0, 0]) == 20
    assert [item.path for item in dataset.skipped] == ["b/text.png"]
