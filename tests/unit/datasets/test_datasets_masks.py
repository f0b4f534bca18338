"""Masks find their images, and boxes cover what they mark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medfm_gui.datasets.masks import boxes_of_mask, mask_files
from medfm_gui.domain.dataset import Dataset, Sample, Task
from medfm_gui.domain.errors import InputError


def _dataset(*paths: str) -> Dataset:
    samples = tuple(Sample(f"s{number}", path, (number % 2,)) for number, path in enumerate(paths))
    return Dataset("d", "d", "csv", Task.BINARY, ("no", "yes"), "/x", samples, "f", positive="yes")


def _folder(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def test_a_mask_is_called_like_its_image(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "a/1.png", "b/1_mask.png", "3.PNG", "notes.txt", "elsewhere/4-mask.tif")
    found = mask_files(folder, _dataset("a/1.jpg", "b/1.jpg", "x/3.jpg", "4.jpg", "5.jpg"))
    assert {name: path.relative_to(folder).as_posix() for name, path in found.items()} == {
        "s0": "a/1.png", "s1": "b/1_mask.png", "s2": "3.PNG", "s3": "elsewhere/4-mask.tif",
    }  # fmt: skip


def test_a_name_that_two_have_belongs_to_none(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "1.png", "p/2.png", "q/2.png", "3.png")
    assert set(mask_files(folder, _dataset("a/1.jpg", "b/1.jpg", "2.jpg", "3.jpg"))) == {"s3"}
    with pytest.raises(InputError, match="No file"):
        mask_files(folder, _dataset("7.jpg"))
    with pytest.raises(InputError, match="cannot be read"):
        mask_files(tmp_path / "none", _dataset("7.jpg"))


@pytest.mark.parametrize("seed", range(4))
def test_boxes_cover_a_mask_exactly_and_once(seed: int) -> None:
    mask = np.random.default_rng(seed).random((9, 13)) < 0.4
    times = np.zeros(mask.shape, int)
    for box in boxes_of_mask("s", mask.astype(np.uint8) * 255):
        rows, columns = (slice(round(a), round(b)) for a, b in ((box.y0 * 9, box.y1 * 9), (box.x0 * 13, box.x1 * 13)))
        times[rows, columns] += 1
    np.testing.assert_array_equal(times, mask.astype(int))


def test_colours_count_and_large_masks_are_thinned() -> None:
    mask = np.zeros((1024, 512, 3), np.uint8)
    mask[256:512, 128:256, 1] = 9
    (box,) = boxes_of_mask("s", mask)
    assert (box.x0, box.y0, box.x1, box.y1) == (0.25, 0.25, 0.5, 0.5)
    assert boxes_of_mask("s", np.zeros((4, 4), np.uint8)) == ()
