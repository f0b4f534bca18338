from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging import raster
from medfm_gui.imaging.picture import stored_sha256
from medfm_gui.imaging.raster import CMYK, FIRST_FRAME, ON_BLACK, REDUCED, STRETCHED
from medfm_gui.imaging.read import read_picture
from medfm_gui.imaging.stored import open_file

GREY = np.arange(48, dtype=np.uint8).reshape(8, 6) * 5
COLOUR = np.stack([GREY, GREY[::-1], 255 - GREY], axis=-1)


def _saved(tmp_path: Path, image: Image.Image, kind: str = "png", **options: object) -> Path:
    path = tmp_path / f"image.{kind}"
    image.save(path, format=kind, **options)
    return path


@pytest.mark.parametrize("kind", ["png", "tiff", "bmp"])
@pytest.mark.parametrize("pixels", [GREY, COLOUR], ids=["grey", "colour"])
def test_eight_bit_pixels_come_back_unchanged(tmp_path: Path, kind: str, pixels: np.ndarray) -> None:
    picture = read_picture(_saved(tmp_path, Image.fromarray(pixels), kind))
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.pixels.dtype == np.uint8
    assert picture.stored_sha256 == stored_sha256(pixels)
    assert (picture.rows, picture.columns) == (8, 6)
    assert picture.notes == () and picture.header == {}


def test_jpeg_and_webp_keep_the_shape(tmp_path: Path) -> None:
    assert read_picture(_saved(tmp_path, Image.fromarray(COLOUR), "jpeg")).pixels.shape == (8, 6, 3)
    assert read_picture(_saved(tmp_path, Image.fromarray(GREY), "jpeg")).pixels.shape == (8, 6)
    lossless = read_picture(_saved(tmp_path, Image.fromarray(COLOUR), "webp", lossless=True))
    np.testing.assert_array_equal(lossless.pixels, COLOUR)


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bit_grey_keeps_its_depth(tmp_path: Path, kind: str) -> None:
    values = np.linspace(100, 4000, 64 * 64).astype(np.uint16).reshape(64, 64)
    picture = read_picture(_saved(tmp_path, Image.fromarray(values), kind))
    assert picture.pixels.dtype == np.uint16
    assert (picture.pixels.min(), picture.pixels.max()) == (0, 65535)
    assert len(np.unique(picture.pixels)) > 3000, "8 bits would leave 256"
    assert np.all(np.diff(picture.pixels.reshape(-1).astype(int)) >= 0)
    assert picture.stored_sha256 == stored_sha256(values)
    assert picture.notes == (STRETCHED,)


def test_a_constant_image_is_black_and_no_error(tmp_path: Path) -> None:
    picture = read_picture(_saved(tmp_path, Image.fromarray(np.full((8, 8), 777, np.uint16))))
    assert picture.pixels.max() == 0


def test_floats_are_windowed_and_must_be_finite(tmp_path: Path) -> None:
    values = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)
    assert read_picture(_saved(tmp_path, Image.fromarray(values), "tiff")).pixels.dtype == np.uint16
    values[3, 3] = np.nan
    with pytest.raises(UnreadableFile) as caught:
        read_picture(_saved(tmp_path, Image.fromarray(values), "tiff"))
    assert caught.value.reason == "nonfinite"


def test_transparent_parts_are_laid_on_black(tmp_path: Path) -> None:
    alpha = np.full((8, 6), 255, np.uint8)
    opaque = read_picture(_saved(tmp_path, Image.fromarray(np.dstack([COLOUR, alpha]))))
    np.testing.assert_array_equal(opaque.pixels, COLOUR)
    assert opaque.notes == ()
    alpha[0] = 0
    clear = read_picture(_saved(tmp_path, Image.fromarray(np.dstack([COLOUR, alpha]))))
    assert clear.pixels[0].max() == 0
    np.testing.assert_array_equal(clear.pixels[1:], COLOUR[1:])
    assert clear.notes == (ON_BLACK,)
    grey = read_picture(_saved(tmp_path, Image.fromarray(np.dstack([GREY, alpha]), mode="LA")))
    assert grey.pixels.shape == (8, 6) and grey.pixels[0].max() == 0


def test_palettes_become_what_their_colours_are(tmp_path: Path) -> None:
    grey = Image.fromarray(GREY, mode="P")
    grey.putpalette([level for level in range(256) for _ in range(3)])
    np.testing.assert_array_equal(read_picture(_saved(tmp_path, grey)).pixels, GREY)
    red = Image.fromarray(GREY, mode="P")
    red.putpalette([value for level in range(256) for value in (level, 0, 0)])
    picture = read_picture(_saved(tmp_path, red))
    np.testing.assert_array_equal(picture.pixels[..., 0], GREY)
    assert picture.pixels[..., 1:].max() == 0
    clear = read_picture(_saved(tmp_path, red, transparency=0))
    assert clear.pixels.shape == (8, 6, 3)


def test_one_bit_images_are_black_and_white(tmp_path: Path) -> None:
    picture = read_picture(_saved(tmp_path, Image.fromarray(GREY > 100)))
    assert picture.pixels.dtype == np.uint8
    np.testing.assert_array_equal(picture.pixels, np.where(GREY > 100, 255, 0))


def test_print_colours_are_turned_into_rgb_and_said(tmp_path: Path) -> None:
    picture = read_picture(_saved(tmp_path, Image.fromarray(COLOUR).convert("CMYK"), "tiff"))
    assert picture.pixels.shape == (8, 6, 3) and CMYK in picture.notes


def test_sixteen_bit_colour_is_said_to_be_reduced(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in COLOUR)
    path.write_bytes(_png(6, 8, depth=16, colour=2, data=zlib.compress(rows)))
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, COLOUR)
    assert picture.notes == (REDUCED,)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_picture_and_not_the_fingerprint(tmp_path: Path, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "Jane Doe"
    path = _saved(tmp_path, Image.fromarray(COLOUR), "png", exif=exif)
    picture = read_picture(path)
    with Image.open(path) as image:
        np.testing.assert_array_equal(picture.pixels, np.asarray(ImageOps.exif_transpose(image)))
    assert picture.stored_sha256 == stored_sha256(COLOUR)
    assert "Jane" not in str(picture.header) + str(picture.notes)


def test_of_several_images_the_first_or_the_chosen_one(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (10, 20, 30)]
    for kind in ("tiff", "png"):
        path = _saved(tmp_path, frames[0], kind, save_all=True, append_images=frames[1:])
        first = read_picture(path)
        assert first.pixels.flat[0] == 10 and first.notes == (FIRST_FRAME,)
        assert read_picture(path, frame=2).pixels.flat[0] == 30
        with pytest.raises(UnreadableFile) as caught:
            read_picture(path, frame=9)
        assert caught.value.reason == "no_such_frame"


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "bmp", "webp"])
def test_a_file_cut_anywhere_is_named(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(7)
    stream = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (40, 40), dtype=np.uint8)).save(stream, format=kind)
    whole = stream.getvalue()
    reasons = []
    for length in range(1, len(whole), max(1, len(whole) // 60)):
        path = tmp_path / "cut"
        path.write_bytes(whole[:length])
        try:
            read_picture(path)
            reasons.append("read")
        except UnreadableFile as error:
            reasons.append(error.reason)
    assert set(reasons) <= {"truncated", "not_an_image", "undecodable", "read", "bad_header"}
    assert reasons.count("truncated") > 0.8 * len(reasons), reasons


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    for columns, rows in ((10_000, 10_000), (30_000, 30_000), (2**31 - 1, 1)):
        path.write_bytes(_png(columns, rows, depth=8, colour=0, data=zlib.compress(bytes(1000))))
        with pytest.raises(UnreadableFile) as caught:
            read_picture(path)
        assert caught.value.reason == "too_large", (columns, rows)


def test_damage_inside_is_undecodable(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(_png(8, 8, depth=8, colour=0, data=b"this is no zlib stream"))
    with pytest.raises(UnreadableFile) as caught:
        read_picture(path)
    assert caught.value.reason == "undecodable"


def test_only_whole_formats_reach_pillow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened = []
    plain = Image.open

    def noted(handle: io.BufferedReader, formats: tuple[str, ...]) -> Image.Image:
        opened.append(formats)
        return plain(handle, "r", formats)

    monkeypatch.setattr(Image, "open", noted)
    read_picture(_saved(tmp_path, Image.fromarray(GREY)))
    assert opened == [("PNG",)]


def _png(columns: int, rows: int, *, depth: int, colour: int, data: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))

    header = struct.pack(">LLBBBBB", columns, rows, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_pages_beyond_a_limit_are_left_out_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in range(5)]
    path = _saved(tmp_path, pages[0], "tiff", save_all=True, append_images=pages[1:])
    opened = open_file(path)
    assert opened.frames == 5 and opened.facts(0, opened.stored(0))["notes"] == []
    monkeypatch.setattr(raster, "MOST_PAGES", 3)
    opened = open_file(path)
    assert opened.frames == 3
    assert opened.facts(0, opened.stored(0))["notes"] == ["Of the file's images only the first 3 are read."]
