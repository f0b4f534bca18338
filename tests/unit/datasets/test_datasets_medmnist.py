"""MedMNIST archives, and archives that only look like one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medfm_gui.datasets import archive
from medfm_gui.datasets.ingest import ImportOptions, read_source
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain.dataset import Dataset, Task
from medfm_gui.domain.errors import InputError

Read = Callable[..., Dataset]
Arrays = dict[str, np.ndarray[Any, Any]]


def arrays(
    labels: list[int] | list[list[int]], shape: tuple[int, ...] = (6, 5), sides: str = "train val test"
) -> Arrays:
    made: Arrays = {}
    for seed, side in enumerate(sides.split()):
        rng = np.random.default_rng(seed)
        made[f"{side}_images"] = rng.integers(0, 255, (len(labels), *shape), dtype=np.uint8)
        made[f"{side}_labels"] = np.array(labels, dtype=np.uint8)
    return made


def save(folder: Path, contents: Arrays, name: str = "thing.npz") -> Path:
    path = folder / name
    np.savez_compressed(path, **contents)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("labels", [[0, 1, 1], [[0], [1], [1]]])
def test_images_labels_and_official_folds(tmp_path: Path, read: Read, labels: list[int]) -> None:
    dataset = read(save(tmp_path, arrays(labels), "breastmnist_28.npz"))
    assert dataset.layout == "medmnist"
    assert dataset.classes == ("malignant", "normal, benign")
    assert dataset.positive == "malignant"
    assert len(dataset.samples) == 9
    first = dataset.samples[0]
    assert (first.path, first.frame, first.fold) == ("breastmnist_28.npz#test", 0, "test")
    assert (first.rows, first.columns) == (6, 5)
    assert {sample.fold for sample in dataset.samples} == {"train", "val", "test"}


def test_pixels_go_into_the_cache(tmp_path: Path, pool: Any) -> None:
    contents = arrays([0, 1], (6, 5, 3))
    path = save(tmp_path, contents)
    pixels = tmp_path / "pixels"
    pixels.mkdir()
    seen: list[tuple[int, int]] = []
    dataset = read_source(
        "auto", tmp_path, ImportOptions(), dataset_id="d", name="d", pixels=pixels, pool=pool, key=b"k",
        on_progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    cache = PixelCache(pixels)
    cache.check()
    assert len(cache) == 6
    for sample in dataset.samples:
        assert sample.frame is not None
        assert np.array_equal(cache.image(sample.id), contents[f"{sample.fold}_images"][sample.frame])
    assert seen[-1] == (6, 6)
    assert path.stem in dataset.samples[0].path


def test_a_channel_axis_of_one_is_grey(tmp_path: Path, read: Read) -> None:
    flat = read(save(tmp_path, arrays([0, 1], (4, 4)), "a.npz"))
    (tmp_path / "other").mkdir()
    deep = {
        name: array[..., None] if name.endswith("images") else array for name, array in arrays([0, 1], (4, 4)).items()
    }
    assert read(save(tmp_path / "other", deep, "a.npz")).fingerprint == flat.fingerprint


def test_several_labels_an_image(tmp_path: Path, read: Read) -> None:
    dataset = read(save(tmp_path, arrays([[0, 1, 1], [1, 0, 0]])))
    assert dataset.task is Task.MULTILABEL
    assert dataset.classes == ("finding 1", "finding 2", "finding 3")
    chest = read(save(tmp_path, arrays([[0] * 13 + [1], [1] * 14] * 3), "chestmnist.npz"))
    assert chest.classes[-1] == "hernia"


def test_unknown_names_are_numbers_and_grades_are_ordinal(tmp_path: Path, read: Read) -> None:
    assert read(save(tmp_path, arrays([0, 2, 1]))).classes == ("0", "1", "2")
    assert read(save(tmp_path, arrays([0, 3, 4]), "retinamnist.npz")).task is Task.ORDINAL
    assert read(save(tmp_path, arrays([0, 7]), "breastmnist.npz")).classes == ("0", "7")


def test_an_archive_without_validation(tmp_path: Path, read: Read) -> None:
    assert len(read(save(tmp_path, arrays([0, 1], sides="train test"))).samples) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train_images": np.zeros((2, 8, 8, 8), np.uint8)}, "volumes"),
        ({"train_images": np.zeros((2, 8, 8, 8, 1), np.uint8)}, "volumes"),
        ({"train_images": np.zeros((2, 8), np.uint8)}, "not images"),
        ({"train_images": np.zeros((2, 8, 8), np.float32)}, "not images"),
        ({"train_images": np.zeros((2, 0, 8), np.uint8)}, "not usable"),
        ({"train_labels": np.zeros(3, np.uint8)}, "do not fit"),
        ({"train_labels": np.zeros(2, np.float64)}, "do not fit"),
        ({"train_labels": np.array(["a", "b"])}, "not numbers"),
        ({"train_labels": None}, "lacks train_labels"),
        ({"train_images": None, "val_images": None, "test_images": None}, "lacks"),
    ],
)
def test_what_is_no_such_archive(tmp_path: Path, read: Read, change: Arrays, said: str) -> None:
    contents = {name: value for name, value in {**arrays([0, 1]), **change}.items() if value is not None}
    with pytest.raises(InputError, match=said):
        read(save(tmp_path, contents))


def test_objects_are_never_unpickled(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "evil.npz"
    np.savez(path, train_images=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="not numbers"):
        read(path)


def npy(shape: tuple[int, ...], data: bytes, *, fortran: bool = False) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": fortran, "shape": shape})
    return header.getvalue() + data


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, raw in members.items():
            zipped.writestr(name, raw)
    return path


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"a.npy": npy((1000,), b"123")}, "declares more than it holds"),
        ({"a.npy": b"no array"}, "is no array"),
        ({"a.npy": b"\x93NUMPY\x09\x00junk"}, "is no array"),
    ],
)
def test_members_that_lie(tmp_path: Path, members: dict[str, bytes], said: str) -> None:
    with pytest.raises(InputError, match=said):
        archive.members(packed(tmp_path / "a.npz", members))


def test_a_member_that_is_longer_or_stored_by_column(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.npz", {"a.npy": npy((2,), b"123"), "b.npy": npy((2, 2), b"1234", fortran=True)})
    assert set(archive.members(path)) == {"a", "b"}
    with pytest.raises(InputError, match="longer"):
        list(archive.rows(path, "a"))
    with pytest.raises(InputError, match="column by column"):
        list(archive.rows(path, "b"))


def test_a_declared_size_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_RATIO", 2)
    with pytest.raises(InputError, match="cannot be"):
        archive.members(packed(tmp_path / "a.npz", {"a.npy": npy((100_000,), bytes(100_000))}))


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST_MEMBERS", 1)
    with pytest.raises(InputError, match="too many"):
        archive.members(packed(tmp_path / "a.npz", {"a.npy": npy((1,), b"1"), "b.npy": npy((1,), b"1")}))


def test_cut_and_broken_archives_are_named(tmp_path: Path, read: Read) -> None:
    whole = save(tmp_path, arrays([0, 1] * 50)).read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path = tmp_path / "cut.npz"
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"not a sound \.npz"):
            read(path)
    spoilt = bytearray(whole)
    spoilt[400:440] = bytes(40)
    path.write_bytes(spoilt)
    with pytest.raises(InputError, match=r"not a sound \.npz"):
        read(path)


def test_what_is_no_archive_at_all(tmp_path: Path, read: Read) -> None:
    with pytest.raises(InputError, match=r"no \.npz"):
        read(tmp_path, "medmnist")
    with pytest.raises(InputError, match="cannot be read"):
        archive.members(tmp_path)


def volumes(labels: list[int], size: int = 4, sides: str = "train val test") -> Arrays:
    return arrays(labels, (size, size, size), sides)


@pytest.mark.parametrize("shape", ["(n,)", "(n, 1)"])
def test_a_volume_is_a_patient_with_slices(tmp_path: Path, pool: Any, shape: str) -> None:
    contents = volumes([0, 1, 1])
    if shape == "(n, 1)":
        contents = {name: array[:, None] if name.endswith("labels") else array for name, array in contents.items()}
    path = save(tmp_path, contents, "nodulemnist3d.npz")
    pixels = tmp_path / "pixels"
    pixels.mkdir()
    dataset = read_source("auto", path, ImportOptions(), dataset_id="d", name="d", pixels=pixels, pool=pool, key=b"k")
    assert (dataset.classes, dataset.positive) == (("benign", "malignant"), "malignant")
    assert len(dataset.samples) == 3 * 3 * 4
    assert dataset.n_patients == 9
    first = next(sample for sample in dataset.samples if sample.fold == "train")
    assert (first.path, first.frame, first.patient) == ("nodulemnist3d.npz#train/000000", 0, "train volume 0")
    assert first.covariates["slice"] == "1"
    assert "every slice of 4" in dataset.taken["slices"]
    cache = PixelCache(pixels)
    for sample in dataset.samples:
        assert sample.frame is not None
        volume = contents[f"{sample.fold}_images"][int(sample.path.rpartition("/")[2])]
        assert np.array_equal(cache.image(sample.id), volume[sample.frame])
    counts = {count.what: (count.known, count.found) for count in dataset.counts}
    assert counts["volumes in train"] == (1_158, 3)
    for patient in {sample.patient for sample in dataset.samples}:
        assert len({(sample.target, sample.fold) for sample in dataset.samples if sample.patient == patient}) == 1


def test_the_middle_slice_alone(tmp_path: Path, read: Read) -> None:
    dataset = read(save(tmp_path, volumes([0, 1]), "adrenalmnist3d_64.npz"), policies={"slices": "middle"})
    assert {sample.frame for sample in dataset.samples} == {2}
    assert (len(dataset.samples), dataset.positive) == (6, "hyperplasia")
    assert dataset.policies == {"slices": "middle"}


def test_volumes_with_one_channel(tmp_path: Path, read: Read) -> None:
    contents = {name: array[..., None] if name.endswith("images") else array for name, array in volumes([0, 1]).items()}
    assert len(read(save(tmp_path, contents)).samples) == 24


def test_volumes_of_two_sizes(tmp_path: Path, read: Read) -> None:
    contents = volumes([0, 1], 4, "train val") | volumes([0, 1], 6, "test")
    with pytest.raises(InputError, match="do not fit together"):
        read(save(tmp_path, contents))
