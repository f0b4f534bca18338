from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging import dicom
from medfm_gui.imaging.dicom import read_header
from medfm_gui.imaging.frames import stream_size
from medfm_gui.imaging.read import read_picture
from medfm_gui.imaging.reasons import Reason

MakeDicom = Callable[..., Path]


def _reason(path: Path) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_picture(path)
    assert "Doe" not in caught.value.message and "P7" not in caught.value.message
    return caught.value.reason


def test_a_header_cut_anywhere_is_named(make_dicom: MakeDicom, tmp_path: Path) -> None:
    whole = make_dicom().read_bytes()
    cut = tmp_path / "cut.dcm"
    reasons = set()
    for length in range(132, len(whole), 7):
        cut.write_bytes(whole[:length])
        reasons.add(_reason(cut))
        with pytest.raises(UnreadableFile):
            read_header(cut)
    assert reasons <= {"truncated", "no_pixels", "bad_header"}
    assert "truncated" in reasons


def test_pixels_one_byte_short(make_dicom: MakeDicom) -> None:
    path = make_dicom()
    path.write_bytes(path.read_bytes()[:-2])
    assert _reason(path) == "truncated"


def test_encapsulated_pixels_cut(packaged: list[Path], tmp_path: Path) -> None:
    whole = next(path for path in packaged if path.name == "MR_small_jp2klossless.dcm").read_bytes()
    cut = tmp_path / "cut.dcm"
    end = whole.rindex(b"\xfe\xff\xdd\xe0")  # other elements follow the pixels
    for length in (end, end - 1, end - 9, end - 3000):
        cut.write_bytes(whole[:length])
        assert _reason(cut) == "truncated", length


def test_a_pixel_element_that_claims_four_gigabytes(make_dicom: MakeDicom) -> None:
    path = make_dicom()
    content = bytearray(path.read_bytes())
    place = content.rindex(b"\xe0\x7f\x10\x00OW")
    content[place + 8 : place + 12] = struct.pack("<L", 0xFFFFFFFE)
    path.write_bytes(content)
    tracemalloc.start()
    assert _reason(path) == "truncated"
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Rows": 65535, "Columns": 65535}, "too_large"),
        ({"Rows": 65535, "Columns": 65535, "NumberOfFrames": 1000}, "too_large"),
        ({"Rows": 0}, "bad_header"),
        ({"Columns": None}, "bad_header"),
        ({"NumberOfFrames": 0}, "bad_header"),
        ({"NumberOfFrames": -1}, "bad_header"),
        ({"NumberOfFrames": 5}, "truncated"),
        ({"BitsStored": 24}, "bad_header"),
        ({"BitsAllocated": 13}, "bad_header"),
        ({"SamplesPerPixel": 2}, "bad_header"),
        ({"PixelRepresentation": None}, "bad_header"),
        ({"PhotometricInterpretation": None}, "bad_header"),
        ({"PixelData": None}, "no_pixels"),
    ],
)
def test_impossible_claims(make_dicom: MakeDicom, changes: dict[str, object], reason: str) -> None:
    assert _reason(make_dicom(**changes)) == reason


def _with_tail_before_pixels(path: Path, element: bytes) -> None:
    content = path.read_bytes()
    place = content.rindex(b"\xe0\x7f\x10\x00OW")
    path.write_bytes(content[:place] + element + content[place:])


@pytest.mark.parametrize("depth", [300, 5_000, 100_000])
def test_sequences_nested_without_end(make_dicom: MakeDicom, depth: int) -> None:
    path = make_dicom()
    sequence = struct.pack("<HH2sHL", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF)
    item = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    _with_tail_before_pixels(path, (sequence + item) * depth)
    assert _reason(path) in ("bad_header", "truncated")


def test_a_deflated_bomb_is_stopped(make_dicom: MakeDicom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom, "MAX_INFLATED_BYTES", 1 << 20)
    path = make_dicom()
    content = path.read_bytes()
    plain = b"1.2.840.10008.1.2.1\0"
    meta_end = content.index(b"\x08\x00\x16\x00UI")
    head = content[:meta_end].replace(
        struct.pack("<H", len(plain)) + plain, struct.pack("<H", len(plain) + 2) + b"1.2.840.10008.1.2.1.99"
    )
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    honest = squeezer.compress(content[meta_end:]) + squeezer.flush()
    path.write_bytes(head + honest)
    assert read_picture(path).pixels.shape == (16, 12)
    path.write_bytes(head + honest[:-40])
    assert _reason(path) in ("truncated", "bad_header")
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    path.write_bytes(head + squeezer.compress(content[meta_end:] + bytes(50 << 20)) + squeezer.flush())
    with pytest.raises(UnreadableFile) as caught:
        read_header(path)
    assert caught.value.reason == "too_large"


def test_a_file_without_preamble_passes_only_if_it_plainly_is_a_data_set(make_dicom: MakeDicom, tmp_path: Path) -> None:
    content = make_dicom().read_bytes()
    bare = tmp_path / "bare"
    bare.write_bytes(content[content.index(b"\x08\x00\x16\x00UI") :])
    assert read_picture(bare).pixels.shape == (16, 12)
    bare.write_bytes(content[132:])
    assert read_picture(bare).pixels.shape == (16, 12)
    bare.write_bytes(b"\x08\x00\x05\x00CS\x04\x00abcd" + bytes(100))
    assert _reason(bare) == "not_an_image"


def test_a_stream_that_claims_another_size(make_dicom: MakeDicom) -> None:
    siz = b"\xff\x4f\xff\x51" + struct.pack(">HH8L", 41, 0, 60_000, 60_000, 0, 0, 60_000, 60_000, 0, 0)
    path = make_dicom()
    data = dcmread(path)
    data.file_meta.TransferSyntaxUID = JPEG2000Lossless
    data.PixelData = encapsulate([siz + bytes(101)])
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    assert _reason(path) == "bad_header"


def test_garbage_in_compressed_pixels(make_dicom: MakeDicom) -> None:
    path = make_dicom()
    data = dcmread(path)
    for syntax in (JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless):
        data.file_meta.TransferSyntaxUID = syntax
        data.PixelData = encapsulate([b"\x07" * 200])
        data["PixelData"].is_undefined_length = True
        data.save_as(path)
        assert _reason(path) == "undecodable"


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.55", "1.2.3.4.5", "1.2.840.10008.1.2.4.100"])
def test_a_transfer_syntax_that_nobody_decodes_is_named(make_dicom: MakeDicom, syntax: str) -> None:
    path = make_dicom()
    data = dcmread(path)
    data.file_meta.TransferSyntaxUID = UID(syntax)
    data.PixelData = encapsulate([bytes(100)])
    data["PixelData"].is_undefined_length = True
    data.save_as(path, implicit_vr=False, little_endian=True, enforce_file_format=False)
    assert _reason(path) == "undecodable"


def test_values_that_are_not_numbers(make_dicom: MakeDicom) -> None:
    path = make_dicom()
    data = dcmread(path)
    values = np.ones((16, 12), "<f4")
    values[2, 2] = np.inf
    del data.PixelData, data.BitsStored, data.HighBit, data.PixelRepresentation
    data.BitsAllocated = 32
    data.FloatPixelData = values.tobytes()
    data.save_as(path)
    assert _reason(path) == "nonfinite"
    values[2, 2] = 5
    data.FloatPixelData = values.tobytes()
    data.save_as(path)
    assert read_picture(path).pixels.dtype == np.uint16


def test_text_and_junk_behind_the_magic(tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    for content in (b"", b"hello, this is a text " * 20, bytes(500), b"\xff" * 3000):
        path.write_bytes(bytes(128) + b"DICM" + content)
        assert _reason(path) in ("bad_header", "truncated", "no_pixels", "not_an_image")


def test_sizes_of_streams() -> None:
    siz = b"\xff\x4f\xff\x51" + struct.pack(">HH4L", 41, 0, 640, 480, 0, 0)
    assert stream_size(siz) == (480, 640)
    sof = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xc0\x00\x0b\x08" + struct.pack(">HH", 100, 200) + bytes(6)
    assert stream_size(sof) == (100, 200)
    assert stream_size(sof.replace(b"\xff\xc0", b"\xff\xf7")) == (100, 200)
    assert stream_size(b"\xff\xd8\xff") is None and stream_size(b"RLE?") is None


def test_mutations_of_real_files_are_pictures_or_refusals(packaged: list[Path], tmp_path: Path) -> None:
    rng = np.random.default_rng(20240711)
    chosen = (path for path in packaged if path.suffix == ".dcm" and path.stat().st_size < 5000)
    seeds = [path.read_bytes() for path in chosen if "rle" not in path.name]  # pylibjpeg-rle panics: the child's part
    target = tmp_path / "mutant.dcm"
    outcomes = set()
    for _ in range(200):
        content = bytearray(seeds[rng.integers(len(seeds))])
        for _ in range(int(rng.integers(1, 12))):
            content[rng.integers(len(content))] = rng.integers(256)
        target.write_bytes(content)
        try:
            outcomes.add(read_picture(target).pixels.dtype.name)
        except UnreadableFile as error:
            outcomes.add(Reason(error.reason))
    assert len(outcomes) > 3
