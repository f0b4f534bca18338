"""Datasets, splits and pixels come back from disk as they went, or a named error says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medfm_gui.base.atomic import sha256_file
from medfm_gui.datasets.files import read_dataset, read_manifest, read_split, write_dataset, write_split
from medfm_gui.datasets.pixels import INDEX, PixelCache, Place, ShardWriter, write_index
from medfm_gui.datasets.split import SplitRequest, make_split
from medfm_gui.domain.dataset import Dataset, Skipped
from medfm_gui.domain.errors import InputError, NotFound

Make = Callable[..., Dataset]
TWENTY = [{"target": (n % 2,), "patient": f"p{n // 2}", "covariates": {"age": str(n)}} for n in range(20)]


def test_a_dataset_comes_back_whole(tmp_path: Path, make: Make) -> None:
    dataset = replace(
        make(TWENTY),
        taken={"label": "x"},
        warnings=("w",),
        skipped=(Skipped("a", "b", "c"),),
        created="2026-01-01T00:00:00Z",
    )
    reference = write_dataset(tmp_path, dataset)
    assert read_dataset(tmp_path) == dataset
    assert reference.path == str(tmp_path / "manifest.json")
    assert reference.sha256 == sha256_file(Path(reference.path))
    assert (read_manifest(tmp_path).n_samples, read_manifest(tmp_path).n_patients) == (20, 10)


def test_changed_lost_and_foreign_samples_are_named(tmp_path: Path, make: Make) -> None:
    write_dataset(tmp_path, make(TWENTY))
    samples = tmp_path / "samples.jsonl"
    whole = samples.read_bytes()
    samples.write_bytes(whole.replace(b'"p1"', b'"p2"'))
    with pytest.raises(InputError, match="changed after the import"):
        read_dataset(tmp_path)
    samples.write_bytes(b"{}\n")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["samples_sha256"] = sha256_file(samples)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="another version"):
        read_dataset(tmp_path)
    samples.unlink()
    with pytest.raises(NotFound, match=r"lost “samples\.jsonl”"):
        read_dataset(tmp_path)
    with pytest.raises(NotFound):
        read_dataset(tmp_path / "absent")


def test_a_split_comes_back_whole(tmp_path: Path, make: Make) -> None:
    (split,) = make_split(make(TWENTY), SplitRequest(), split_id="d-s1", created="2026-01-01T00:00:00Z")
    reference = write_split(tmp_path / "s.json", split)
    assert read_split(tmp_path / "s.json") == split
    assert reference.sha256 == sha256_file(tmp_path / "s.json")


# -- pixels


@pytest.fixture
def cache(tmp_path: Path) -> tuple[Path, dict[str, np.ndarray[Any, Any]]]:
    rng = np.random.default_rng(0)
    images: dict[str, np.ndarray[Any, Any]] = {
        "s1": rng.integers(0, 255, (4, 7), dtype=np.uint8),
        "s2": rng.integers(0, 255, (3, 5, 3), dtype=np.uint8),
        "s3": rng.integers(0, 65535, (2, 3), dtype=np.uint16),
    }
    places: dict[str, Place] = {}
    for name in ("one.pixels", "two.pixels"):
        writer = ShardWriter(tmp_path, name)
        chosen = [key for key in images if (key == "s2") == (name == "one.pixels")]
        places |= {key: writer.append(images[key][:, ::1]) for key in chosen}
        writer.close()
    write_index(tmp_path, places)
    return tmp_path, images


def test_images_come_back_as_views(cache: tuple[Path, dict[str, np.ndarray[Any, Any]]]) -> None:
    folder, images = cache
    pixels = PixelCache(folder)
    pixels.check()
    assert len(pixels) == 3
    assert "s1" in pixels
    assert "s9" not in pixels
    for name, image in images.items():
        found = pixels.image(name)
        assert found.dtype == image.dtype
        assert np.array_equal(found, image)
        assert not found.flags.owndata
        assert not found.flags.writeable
    pixels.close()
    assert np.array_equal(pixels.image("s1"), images["s1"])


def test_an_image_that_is_not_there(cache: tuple[Path, dict[str, np.ndarray[Any, Any]]], tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="s9"):
        PixelCache(cache[0]).image("s9")
    with pytest.raises(NotFound, match="no pixel cache"):
        PixelCache(tmp_path / "absent")


@pytest.mark.parametrize("harm", ["cut", "gone", "empty"])
def test_a_lost_shard_is_named(cache: tuple[Path, dict[str, np.ndarray[Any, Any]]], harm: str) -> None:
    folder, _ = cache
    shard = folder / "two.pixels"
    whole = shard.read_bytes()
    shard.unlink()
    if harm != "gone":
        shard.write_bytes(whole[:-1] if harm == "cut" else b"")
    pixels = PixelCache(folder)
    with pytest.raises(InputError, match=r"two\.pixels") as caught:
        pixels.check()
    assert "Import the dataset again" in caught.value.hint
    with pytest.raises(InputError, match=r"two\.pixels"):
        pixels.image("s3")
    assert pixels.image("s2").shape == (3, 5, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"shards": ["../one.pixels", "two.pixels"]},
        {"shards": [1, 2]},
        {"shard": [0, 0, 9]},
        {"offset": [-1, 0, 0]},
        {"rows": ["1", 2, 3]},
        {"rows": [1]},
        {"type": [0, 0, 5]},
        {"samples": None},
    ],
)
def test_a_damaged_index_is_named(cache: tuple[Path, dict[str, np.ndarray[Any, Any]]], change: dict[str, Any]) -> None:
    path = cache[0] / INDEX
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match="damaged"):
        PixelCache(cache[0])


def test_an_index_that_is_no_json(cache: tuple[Path, dict[str, np.ndarray[Any, Any]]]) -> None:
    for text in ("{", "[]"):
        (cache[0] / INDEX).write_text(text)
        with pytest.raises(InputError, match="damaged"):
            PixelCache(cache[0])


def test_an_empty_cache(tmp_path: Path) -> None:
    write_index(tmp_path, {})
    pixels = PixelCache(tmp_path)
    pixels.check()
    assert len(pixels) == 0
