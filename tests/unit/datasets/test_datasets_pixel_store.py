"""Pixels made from files: shared, made again, interrupted, and refused where a file became another."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from medfm_gui.datasets.ingest import ImportOptions, read_source
from medfm_gui.datasets.pixel_check import Step, check_files
from medfm_gui.datasets.pixel_making import needed_bytes, ready, share
from medfm_gui.datasets.pixel_sources import SOURCES, read_sources
from medfm_gui.datasets.pixel_store import PixelStore
from medfm_gui.datasets.pixels import IMPORTED, INDEX, Look, PixelCache, store_of
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import DiskFull, InputError, NotFound
from medfm_gui.imaging.pool import DecodePool

SIDE = 640
LARGE = Look(600)


def grey(seed: int, rows: int = SIDE, columns: int = SIDE + 60) -> npt.NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    small = random.integers(0, 255, (rows // 20, columns // 20), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((columns, rows), Image.Resampling.BICUBIC))


def write(root: Path, count: int = 4, kind: str = "png") -> Path:
    for number in range(count):
        path = root / ("ill" if number % 2 else "well") / f"{number}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grey(number)).save(path)
    return root


def imported(workspace: Path, source: Path, name: str, *, shared: bool = True) -> tuple[Dataset, Path]:
    folder = workspace / "datasets" / name / "pixels"
    folder.mkdir(parents=True)
    with DecodePool(folder, processes=1) as pool:
        dataset = read_source(
            "folder", source, ImportOptions(), dataset_id=name, name=name, pixels=folder, pool=pool, key=b"k" * 32
        )
    if shared:
        share(dataset, folder, PixelStore(store_of(folder)))
    return dataset, folder


def driven(steps: Generator[Step, None, Any]) -> tuple[Any, list[Step]]:
    said: list[Step] = []
    while True:
        try:
            said.append(next(steps))
        except StopIteration as end:
            return end.value, said


def made(dataset: Dataset, folder: Path, look: Look, store: PixelStore | None = None) -> PixelCache:
    cache: PixelCache = driven(ready(dataset, folder, look, store or PixelStore(store_of(folder)), processes=1))[0]
    return cache


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Path]:
    """A workspace's folder, and a source of four images."""
    return tmp_path / "w", write(tmp_path / "source")


def test_two_datasets_of_the_same_files_share_one_set(place: tuple[Path, Path], tmp_path: Path) -> None:
    workspace, source = place
    _, first = imported(workspace, source, "a")
    copy = tmp_path / "elsewhere"
    shutil.copytree(source, copy)  # other times, the same contents
    _, second = imported(workspace, copy, "b")
    one, other = PixelCache(first), PixelCache(second)
    assert one.set == other.set != ""
    assert sorted(path.name for path in second.iterdir()) == [INDEX, SOURCES]
    assert np.array_equal(one.image("s000001"), other.image("s000001"))


def test_a_part_of_the_files_takes_the_larger_set(place: tuple[Path, Path]) -> None:
    workspace, source = place
    _, whole = imported(workspace, source, "a")
    (source / "ill" / "3.png").unlink()
    _, part = imported(workspace, source, "b")
    assert PixelCache(part).set == PixelCache(whole).set


def test_images_that_suffice_are_not_made_again(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a")
    cache, said = driven(ready(dataset, folder, Look(300), PixelStore(store_of(folder))))
    assert cache.look == IMPORTED
    assert not said


def test_a_larger_size_is_made_from_the_files_and_once(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a")
    cache, said = driven(ready(dataset, folder, LARGE, PixelStore(store_of(folder)), processes=1))
    assert [min(cache.image(sample.id).shape) for sample in dataset.samples] == [600] * 4
    assert (said[0].done, said[-1].done, said[-1].total) == (0, 4, 4)
    assert min(PixelCache(folder).image("s000001").shape) == 512  # what the import made stays
    again, said = driven(ready(dataset, folder, LARGE, PixelStore(store_of(folder))))
    assert again.set == cache.set
    assert not said


def test_images_are_never_enlarged(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a")
    cache = made(dataset, folder, Look(2000))
    assert cache.image("s000001").shape == (SIDE, SIDE + 60)
    small, small_folder = imported(place[0], small_images(place[1].parent), "b")
    assert made(small, small_folder, Look(2000)).look == IMPORTED  # as large as they are, already


def small_images(root: Path) -> Path:
    for number in range(2):
        path = root / "small" / "ab"[number] / f"{number}.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(grey(number, 100, 120)).save(path)
    return root / "small"


def test_what_was_removed_comes_back_bit_by_bit(tmp_path: Path) -> None:
    source = write(tmp_path / "source", kind="png")
    for number in range(2):  # large enough for draft scaling
        Image.fromarray(grey(number + 10, 1100, 1300)).save(source / "well" / f"large{number}.jpg", quality=90)
    dataset, folder = imported(tmp_path / "w", source, "a")
    before = {sample.id: PixelCache(folder).image(sample.id).copy() for sample in dataset.samples}
    shutil.rmtree(store_of(folder))
    with pytest.raises(InputError):
        PixelCache(folder).check()
    cache = made(dataset, folder, Look(512))
    assert all(np.array_equal(cache.image(one), pixels) for one, pixels in before.items())


def test_a_kill_leaves_no_half_cache_and_loses_no_image(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a")
    store = PixelStore(store_of(folder))
    steps = ready(dataset, folder, LARGE, store, processes=1)
    while next(steps).done < 2:
        pass
    steps.close()
    assert not (folder / LARGE.index).exists()
    (making,) = [path for path in store.root.glob("making-*") if path.is_dir()]
    kept = (making / "done.jsonl").read_bytes()
    assert len(kept.splitlines()) == 2
    (making / "done.jsonl").write_bytes(kept + kept[:30])  # a line that a kill tore
    cache, said = driven(ready(dataset, folder, LARGE, store, processes=1))
    assert said[0].done == 2  # gone on from
    assert [min(cache.image(sample.id).shape) for sample in dataset.samples] == [600] * 4
    assert not making.exists()


def test_a_shard_that_was_cut_is_decoded_again(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a")
    store = PixelStore(store_of(folder))
    steps = ready(dataset, folder, LARGE, store, processes=1)
    while next(steps).done < 3:
        pass
    steps.close()
    (making,) = [path for path in store.root.glob("making-*") if path.is_dir()]
    (shard,) = making.glob("*.pixels")
    last = max(json.loads(line)[2] for line in (making / "done.jsonl").read_bytes().splitlines())
    os.truncate(shard, last + 1000)
    cache, said = driven(ready(dataset, folder, LARGE, store, processes=1))
    assert said[0].done == 2
    fresh = made(*imported(place[0] / "other", place[1], "a"), LARGE)
    assert all(np.array_equal(cache.image(one.id), fresh.image(one.id)) for one in dataset.samples)


def test_a_file_with_other_pixels_is_refused_by_name(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a")
    Image.fromarray(grey(77)).save(place[1] / "ill" / "1.png")
    with pytest.raises(InputError, match=r"ill/1\.png"):
        driven(check_files(dataset, folder))
    with pytest.raises(InputError, match=r"ill/1\.png"):
        made(dataset, folder, LARGE)
    assert not (folder / LARGE.index).exists()


def test_a_file_with_the_same_pixels_is_noted(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a")
    path = place[1] / "ill" / "1.png"
    Image.fromarray(grey(1)).save(path, compress_level=1)
    _, said = driven(check_files(dataset, folder))
    assert [step.note for step in said if step.note] == [
        "1 file changed since the import, but not in any pixel (for example ill/1.png)."
    ]
    sources = read_sources(folder)
    assert sources is not None
    assert sources.facts["s000001"].size == path.stat().st_size
    assert driven(check_files(dataset, folder)) == (None, [])  # told once


def test_a_touched_file_is_hashed_and_forgotten(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a")
    os.utime(place[1] / "ill" / "1.png", ns=(1, 1))
    assert not any(step.note for step in driven(check_files(dataset, folder))[1])
    assert driven(check_files(dataset, folder)) == (None, [])


def test_without_the_files_what_is_there_serves(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a")
    shutil.rmtree(place[1])
    assert driven(check_files(dataset, folder)) == (None, [])
    assert made(dataset, folder, Look(512)).image("s000001").shape[0] == 512
    with pytest.raises(InputError, match="cannot be"):
        made(dataset, folder, LARGE)


def test_a_dataset_of_an_earlier_version_is_made_larger_too(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a", shared=False)
    (folder / SOURCES).unlink()
    assert PixelCache(folder).set == ""
    assert made(dataset, folder, Look(512)).look == IMPORTED
    assert min(made(dataset, folder, LARGE).image("s000001").shape) == 600
    assert read_sources(folder) is not None  # learnt on the way
    Image.fromarray(grey(77)).save(place[1] / "ill" / "1.png")
    with pytest.raises(InputError, match=r"ill/1\.png"):
        driven(check_files(dataset, folder))


def test_unused_pixels_go_first_and_used_ones_never(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a")
    root = store_of(folder)
    held = made(dataset, folder, LARGE)
    imported_set = PixelCache(folder).set
    store = PixelStore(root, limit_bytes=1)
    assert not store.make_room(0)
    assert not (root / imported_set).exists()  # nobody holds it
    assert held.image("s000001") is not None
    held.check()
    again = made(dataset, folder, LARGE)
    assert len(list((root / held.set).glob("use-*.lock"))) == 2
    del held, again
    held = made(dataset, folder, LARGE)
    assert len(list((root / held.set).glob("use-*.lock"))) == 1  # of those who are gone nothing is left
    del held
    assert store.make_room(0)
    with pytest.raises(InputError):
        PixelCache(folder, LARGE).check()


def test_a_new_set_drives_out_the_longest_unused(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a")
    root = store_of(folder)
    first = made(dataset, folder, LARGE).set
    os.utime(root / first / "used", (1, 1))
    made(dataset, folder, Look(620), PixelStore(root, limit_bytes=needed_bytes(dataset, 620) + 2_000_000))
    assert not (root / first).exists()


def test_what_was_never_finished_is_swept_away_after_a_week(place: tuple[Path, Path]) -> None:
    dataset, folder = imported(*place, "a")
    store = PixelStore(store_of(folder), limit_bytes=1 << 40)
    steps = ready(dataset, folder, LARGE, store, processes=1)
    next(steps)
    (making,) = [path for path in store.root.glob("making-*") if path.is_dir()]
    os.utime(making, (1, 1))
    store.make_room(0)
    assert making.exists()  # somebody is at it
    steps.close()
    os.utime(making, (1, 1))
    store.make_room(0)
    assert not making.exists()


def test_a_disk_that_is_too_small_is_named_beforehand(
    place: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, folder = imported(*place, "a")
    free = shutil.disk_usage(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: free._replace(free=1_000_000))
    with pytest.raises(DiskFull, match="600 pixels"):
        made(dataset, folder, LARGE)


def test_an_index_names_no_folder_elsewhere(place: tuple[Path, Path]) -> None:
    _, folder = imported(*place, "a")
    index = folder / INDEX
    index.write_text(index.read_text().replace('"set":"', '"set":"../../'))
    with pytest.raises(InputError):
        PixelCache(folder)
    with pytest.raises(NotFound):
        PixelCache(folder, LARGE)


def test_looks_have_names_of_their_own() -> None:
    assert Look().index == Look(512).index == INDEX
    assert Look(1024).index == "index-1024.json"
    assert Look(512, (-1024, 600)).index == "index-512-hu-1024to600.json"
    assert Look().key == ""
    assert Look(1024).key == "1024"
