from __future__ import annotations

import struct
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from medfm_gui.domain.errors import InternalError
from medfm_gui.imaging.overlay import as_rgb, cividis, overlay, thumbnail, to_eight_bit, write_png
from medfm_gui.imaging.shrink import resize, shrink

GREY = np.full((20, 30), 100, np.uint8)


def test_the_colour_map_is_matplotlibs() -> None:
    theirs = np.rint(matplotlib.colormaps["cividis"](np.arange(256))[:, :3] * 255)
    np.testing.assert_array_equal(cividis(), theirs)


def test_opacity_follows_the_value() -> None:
    heat = np.zeros((20, 30), np.float32)
    heat[:, 15:] = 1
    mixed = overlay(GREY, heat, opacity=0.5)
    assert mixed.shape == (20, 30, 3) and mixed.dtype == np.uint8
    np.testing.assert_array_equal(mixed[:, :15], 100)
    np.testing.assert_allclose(mixed[0, 20], (100 + cividis()[255].astype(float)) / 2, atol=1)
    flat = overlay(GREY, heat, opacity=1.0, follow_value=False)
    np.testing.assert_array_equal(flat[0, 0], cividis()[0])
    np.testing.assert_array_equal(overlay(GREY, heat, opacity=0), as_rgb(GREY))


def test_any_picture_and_a_smaller_map() -> None:
    deep = np.linspace(0, 65535, 600).astype(np.uint16).reshape(20, 30)
    heat = np.array([[0, 0], [0, 1]], np.float32)
    for pixels in (deep, as_rgb(deep), np.dstack([deep] * 3)):
        mixed = overlay(pixels, heat)
        assert mixed.shape == (20, 30, 3)
        assert np.abs(mixed[0, 0].astype(int) - to_eight_bit(deep)[0, 0]).max() <= 1
        assert mixed[-1, -1].tolist() != [255, 255, 255]


@pytest.mark.parametrize("heat", [np.full((2, 2), np.nan), np.zeros((2, 2, 3)), np.full((2, 2), np.inf)])
def test_a_map_that_is_none(heat: np.ndarray) -> None:
    with pytest.raises(InternalError):
        overlay(GREY, heat)


def test_eight_bits_span_the_full_range() -> None:
    np.testing.assert_array_equal(to_eight_bit(np.array([[0, 257, 65535]], np.uint16)), [[0, 1, 255]])
    assert to_eight_bit(GREY).dtype == np.uint8


def test_thumbnails_fit_and_are_never_enlarged() -> None:
    assert thumbnail(np.zeros((300, 100), np.uint16), 60).shape == (60, 20)
    assert thumbnail(GREY, 60).shape == (20, 30)
    assert thumbnail(np.zeros((5, 1000), np.uint8), 100).shape == (1, 100)


def test_shrinking_keeps_aspect_depth_and_mean() -> None:
    rng = np.random.default_rng(5)
    deep = (rng.random((60, 90)) * 65535).astype(np.uint16)
    small = shrink(deep, 20)
    assert small.shape == (20, 30) and small.dtype == np.uint16
    assert abs(float(small.mean()) - float(deep.mean())) < 600
    assert shrink(deep, None) is deep and shrink(deep, 60) is deep
    colour = np.dstack([deep, deep // 2, deep // 4])
    np.testing.assert_array_equal(resize(colour, 20, 30)[..., 0], small)


@pytest.mark.parametrize(
    "pixels", [GREY, np.dstack([GREY] * 3), np.arange(600, dtype=np.uint16).reshape(20, 30) * 100], ids=["g", "c", "d"]
)
def test_a_png_holds_pixels_and_nothing_else(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "sub" / "x.png"
    write_png(path, pixels)
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)
    content, position, chunks = path.read_bytes(), 8, []
    while position < len(content):
        length, name = struct.unpack(">L4s", content[position : position + 8])
        chunks.append(name)
        position += 12 + length
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}
    assert [item.name for item in path.parent.iterdir()] == ["x.png"]
