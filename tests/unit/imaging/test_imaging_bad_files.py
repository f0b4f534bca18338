"""Odd and hostile files of every kind: each a picture as it should be, or a refusal with a reason, in a child."""

from __future__ import annotations

import json
import math
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import pixel_array
from pydicom.uid import EncapsulatedPDFStorage, JPEGExtended12Bit, RLELossless

from medfm_gui.base.children import clean_environment
from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.dicom import read_header, read_values
from medfm_gui.imaging.gate import admit
from medfm_gui.imaging.header import clean_text
from medfm_gui.imaging.pool import DecodePool, PictureJob
from medfm_gui.imaging.presentation import BAD_RESCALE
from medfm_gui.imaging.raster import read_stored
from medfm_gui.imaging.read import read_picture
from medfm_gui.imaging.series import scan
from medfm_gui.imaging.stored import open_file

MakeDicom = Callable[..., Path]


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1, memory_bytes=2 << 30) as pool:
        yield pool


def reason_of(path: Path) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_picture(path)
    return caught.value.reason


# -- DICOM


def test_run_lengths_one_byte_too_long_cost_one_file(make_dicom: MakeDicom, decoders: DecodePool) -> None:
    """A decoder written in Rust panics on it, past every ``except Exception``."""
    import pydicom

    path = make_dicom(Rows=2000, Columns=2000, PixelData=b"\0\0")
    data = pydicom.dcmread(path)
    segment = b"\x81\x00" * (2000 * 2000 // 128 + 1) + b"\x81"
    header = struct.pack("<16L", 2, 64, 64 + len(segment), *(0,) * 13)
    data.file_meta.TransferSyntaxUID = RLELossless
    data.PixelData = encapsulate([header + segment + segment])
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    good = make_dicom("good.dcm")
    results = {one.key: one for one in decoders.pictures([PictureJob("bad", str(path)), PictureJob("good", str(good))])}
    assert results["good"].ok
    assert results["bad"].ok or results["bad"].reason in ("undecodable", "decoder_died", "too_large")


@pytest.mark.parametrize("character_set", ["ISO_IR 999", ["", "ISO 2022 IR 87"], "GB18030", "nonsense"])
def test_unknown_and_switching_character_sets(make_dicom: MakeDicom, character_set: object) -> None:
    name = "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B"
    path = make_dicom(SpecificCharacterSet=character_set, PatientName=name, StudyDescription="Kopf\x00\x1b[31m")
    header = read_header(path)
    assert header.study_description.isprintable() and read_picture(path).pixels.shape == (16, 12)


def test_an_index_beyond_the_palette_takes_its_last_colour(make_dicom: MakeDicom) -> None:
    table = np.arange(0, 16 * 4096, 4096, dtype=np.uint16)
    palette = {
        f"{name}PaletteColorLookupTable{part}": value
        for name in ("Red", "Green", "Blue")
        for part, value in (("Descriptor", [16, 0, 16]), ("Data", table.tobytes()))
    }
    path = make_dicom(
        pixels=np.array([[0, 15], [16, 255]], np.uint8), PhotometricInterpretation="PALETTE COLOR", **palette
    )
    pixels = read_picture(path).pixels
    assert pixels.shape == (2, 2, 3)
    assert np.array_equal(pixels[1, 0], pixels[0, 1]) and np.array_equal(pixels[1, 1], pixels[0, 1])


def test_documents_inside_dicom_are_no_images(make_dicom: MakeDicom) -> None:
    path = make_dicom(
        PixelData=None,
        Rows=None,
        Columns=None,
        SOPClassUID=EncapsulatedPDFStorage,
        MIMETypeOfEncapsulatedDocument="application/pdf",
        EncapsulatedDocument=b"%PDF-1.7 /etc/passwd ",
        Modality="DOC",
    )
    assert reason_of(path) == "no_pixels"


def test_dicom_as_json_opens_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.write_text(json.dumps({"7FE00010": {"vr": "OW", "BulkDataURI": "file:///etc/passwd"}}))
    assert reason_of(path) == "not_an_image"


def test_hostile_names_of_patients_become_harmless(make_dicom: MakeDicom) -> None:
    name = "Doe\u202egnp.exe\x1b[2J\n<img src='/etc/passwd'>" + "x" * 100_000
    path = make_dicom(PatientID=name, StudyDescription=name, SpecificCharacterSet="ISO_IR 192")
    header = read_header(path)
    for text in (header.patient_id, header.study_description, clean_text(name)):
        assert len(text) <= 320 and text.isprintable() and "\u202e" not in text


@pytest.mark.parametrize(
    ("before", "after", "slope"),
    [
        (b"1.000001", b"0       ", 1.0),
        (b"1.000001", b"nan     ", 1.0),
        (b"1.000001", b"1e400   ", 1.0),
        (b"1.000001", b"-inf    ", 1.0),
        (b"1.000001", b"one     ", 1.0),
        (b"0.51\\0.52", b"0\\-1     ", 1.000001),
        (b"0.51\\0.52", b"nan\\1    ", 1.000001),
        (b"0.51\\0.52", b"0.5      ", 1.000001),
    ],
)
def test_numbers_that_cannot_be(make_dicom: MakeDicom, before: bytes, after: bytes, slope: float) -> None:
    """Put into the file byte by byte, for pydicom does not write them; the intercept is 0."""
    path = make_dicom(RescaleSlope="1.000001", RescaleIntercept=0, PixelSpacing=["0.51", "0.52"])
    whole, stored = path.read_bytes(), read_values(path) / np.float32(1.000001)
    assert whole.count(before) == 1 and len(before) == len(after)
    assert read_header(path).pixel_spacing == (0.51, 0.52)
    path.write_bytes(whole.replace(before, after))
    header, notes = read_header(path), read_picture(path).notes
    assert (header.pixel_spacing is None) == before.startswith(b"0.51")
    assert header.rescale_slope is None or math.isfinite(header.rescale_slope)
    assert read_values(path) == pytest.approx(stored * np.float32(slope), rel=1e-6)
    assert BAD_RESCALE in notes or before.startswith(b"0.51")


def test_a_folder_with_loops_pipes_and_devices_is_read_once(
    make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool
) -> None:
    make_dicom("study/a.dcm")
    (tmp_path / "study" / "loop").symlink_to(tmp_path / "study", target_is_directory=True)
    (tmp_path / "study" / "self.dcm").symlink_to("self.dcm")
    (tmp_path / "study" / "zero.dcm").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "study" / "pipe.dcm")
    found = scan(tmp_path / "study", decoders)
    assert sum(len(series.instances) for study in found.studies for series in study.series) == 1
    assert {Path(item.path).name for item in found.skipped} >= {"self.dcm", "zero.dcm", "pipe.dcm"}


# -- pictures


def test_a_text_bomb_in_a_png(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("L", (4, 4)).save(path)
    raw = path.read_bytes()
    squeezed = zlib.compress(bytes(80 << 20), 9)
    chunk = b"zTXt" + b"Comment\0\0" + squeezed
    packed = struct.pack(">L", len(chunk) - 4) + chunk + struct.pack(">L", zlib.crc32(chunk))
    path.write_bytes(raw[:33] + packed + raw[33:])
    try:
        assert read_picture(path).pixels.shape == (4, 4)
    except UnreadableFile as error:
        assert error.reason in ("undecodable", "too_large")


def test_names_in_metadata_never_come_along(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "Jane Doe", 6
    note = PngInfo()
    note.add_text("Patient", "Jane Doe")
    wide = np.zeros((4, 8), np.uint8)
    wide[0] = 200
    Image.fromarray(wide).save(tmp_path / "a.png", pnginfo=note, exif=exif)
    Image.fromarray(wide).save(tmp_path / "a.jpg", exif=exif, quality=95)
    for name in ("a.png", "a.jpg"):
        picture = read_picture(tmp_path / name)
        assert picture.pixels.shape == (8, 4), "upright, as the orientation says"
        assert "Doe" not in json.dumps([dict(picture.header), picture.notes])


@pytest.mark.parametrize("depth", [8, 12, 16])
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_grey_of_every_depth_keeps_its_order(tmp_path: Path, kind: str, depth: int) -> None:
    values = np.linspace(0, 2**depth - 1, 4096).reshape(64, 64)
    stored = values.astype(np.uint8 if depth == 8 else np.uint16)
    path = tmp_path / f"grey.{kind}"
    Image.fromarray(stored).save(path)
    pixels = read_picture(path).pixels
    assert pixels.dtype == stored.dtype
    if depth == 8:
        assert np.array_equal(pixels, stored)
    else:
        assert len(np.unique(pixels)) > 3000 and (np.diff(pixels.reshape(-1).astype(int)) >= 0).all()


def test_twelve_bits_packed_in_a_tiff(tmp_path: Path) -> None:
    values = (np.arange(64 * 8) * 8).astype(np.uint16).reshape(8, 64)
    bits = "".join(f"{value:012b}" for value in values.reshape(-1).tolist())
    raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
    tags = ((256, 64), (257, 8), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 8), (279, len(raw)))
    directory = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags)
    path = tmp_path / "grey.tif"
    path.write_bytes(
        b"II*\0" + struct.pack("<L", 8 + len(raw)) + raw + struct.pack("<H", len(tags)) + directory + bytes(4)
    )
    with admit(path) as admitted:
        stored, _ = read_stored(admitted)
    assert np.array_equal(stored, values) and read_picture(path).pixels.dtype == np.uint16


@pytest.mark.parametrize("kind", ["bmp", "webp"])
def test_bitmaps_and_webp_without_loss(tmp_path: Path, kind: str) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (9, 7, 3), np.uint8)
    path = tmp_path / f"a.{kind}"
    Image.fromarray(colours).save(path, format=kind, lossless=True)
    assert np.array_equal(read_picture(path).pixels, colours)


def test_a_damaged_jpeg_is_known_by_its_hash(tmp_path: Path) -> None:
    """Forty bytes of noise inside decode without a word; the print of the pixels tells the file from the whole one."""
    path = tmp_path / "a.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save(path, quality=90)
    whole, raw = read_picture(path).stored_sha256, bytearray(path.read_bytes())
    for place in range(len(raw) // 2, len(raw) // 2 + 40):
        raw[place] = (raw[place] + 7) % 254
    path.write_bytes(raw)
    try:
        assert read_picture(path).stored_sha256 != whole
    except UnreadableFile as error:
        assert error.reason in ("undecodable", "truncated")


# -- the children


def test_the_environment_of_children_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ITK_AUTOLOAD_PATH", "QT_PLUGIN_PATH", "PYTHONPATH", "LD_PRELOAD"):
        monkeypatch.setenv(name, "/foreign/place")
    assert not {"ITK_AUTOLOAD_PATH", "QT_PLUGIN_PATH", "LD_PRELOAD"} & set(clean_environment({}))
    assert "/foreign/place" not in clean_environment({}).get("PYTHONPATH", "")


def test_a_child_reads_every_kind_of_volume(tmp_path: Path, decoders: DecodePool) -> None:
    np.save(tmp_path / "v.npy", np.zeros((3, 4, 5), np.int16))
    (tmp_path / "v.mhd").write_text("ObjectType = Image\nNDims = 2\nElementDataFile = /etc/passwd\n")
    jobs = [PictureJob(f"{frame}", str(tmp_path / "v.npy"), frame=frame) for frame in range(4)]
    jobs.append(PictureJob("header", str(tmp_path / "v.mhd")))
    results = {one.key: one for one in decoders.pictures(jobs)}
    assert {key for key, one in results.items() if one.ok} == {"0", "1", "2"}
    assert results["3"].reason == "no_such_frame" and results["header"].reason == "unsupported_format"


def test_twelve_bits_of_jpeg_extended_are_decoded_by_the_one_that_can(packaged: list[Path]) -> None:
    path = next(path for path in packaged if path.name == "JPGExtended.dcm")
    data = dcmread(path)
    assert data.file_meta.TransferSyntaxUID == JPEGExtended12Bit and data.BitsStored == 12
    found = open_file(path).stored(0).pixels
    np.testing.assert_array_equal(found, pixel_array(data, decoding_plugin="pylibjpeg"))
    assert found.max() > 255, "no eight bits"
