"""Headers read the quick way: the same as pydicom's, or none at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian, JPEG2000Lossless

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.dicom import read_header
from medfm_gui.imaging.grid import Grid
from medfm_gui.imaging.plain_frame import plain_frame
from medfm_gui.imaging.quick import quick_header
from medfm_gui.imaging.stored import open_file

MakeDicom = Callable[..., Path]


def quickly(path: Path, first: int = 64 << 10) -> Any:
    data = path.read_bytes()
    return quick_header(data[:first], len(data))


def refused(path: Path) -> bool:
    try:
        read_header(path)
    except UnreadableFile:
        return True
    return False


def test_an_ordinary_header_is_the_same(make_dicom: MakeDicom) -> None:
    path = make_dicom(
        SeriesDescription="  Axial T2 ", ImageType=["ORIGINAL", "PRIMARY"], WindowCenter=["40", "80"], FrameTime="33.3"
    )
    found = quickly(path)
    assert found is not None and found == read_header(path)
    assert (found.image_type, found.frame_time_ms, found.patient_id) == ("ORIGINAL\\PRIMARY", 33.3, "P7")


@pytest.mark.parametrize("character_set", ["ISO_IR 100", "ISO_IR 192"])
def test_texts_of_known_character_sets(make_dicom: MakeDicom, character_set: str) -> None:
    path = make_dicom(SpecificCharacterSet=character_set, SeriesDescription="Schädel")
    found = quickly(path)
    assert found is not None and found == read_header(path) and found.series_description == "Schädel"


def test_implicit_elements_and_sequences_without_length(make_dicom: MakeDicom, tmp_path: Path) -> None:
    data = dcmread(make_dicom())
    inner, item = Dataset(), Dataset()
    inner.CodeMeaning = "inside"
    item.ProcedureCodeSequence = Sequence([inner])
    item.ReferencedSOPInstanceUID = "1.2.3"
    for one in (data, item, inner):
        for element in one:
            element.is_undefined_length = element.VR == "SQ"
    data.ReferencedStudySequence = Sequence([item])
    data["ReferencedStudySequence"].is_undefined_length = True
    item.is_undefined_length_sequence_item = inner.is_undefined_length_sequence_item = True
    for syntax in (data.file_meta.TransferSyntaxUID, ImplicitVRLittleEndian):
        again = dcmread(make_dicom(f"{syntax}.dcm"))
        again.update({element.tag: element for element in data if element.keyword == "ReferencedStudySequence"})
        again.file_meta.TransferSyntaxUID = syntax
        path = tmp_path / f"nested-{syntax}.dcm"
        again.save_as(path, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
        assert b"\xff\xff\xff\xff" in path.read_bytes()
        found = quickly(path)
        assert found is not None and found == read_header(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"SpecificCharacterSet": "ISO 2022 IR 87"},
        {"SpecificCharacterSet": "ISO_IR 13"},
        {"PixelSpacing": ["0", "nan"]},
        {"RescaleSlope": "1e400"},
        {"InstanceNumber": "1.0"},
        {"Rows": 0},
        {"Rows": 600},
        {"BitsStored": 24},
        {"NumberOfFrames": "-1"},
        {"PhotometricInterpretation": None},
        {"SeriesDescription": "evil\x1b[31m"},
    ],
    ids=str,
)
def test_whatever_is_odd_is_left_to_the_general_way(make_dicom: MakeDicom, changes: dict[str, Any]) -> None:
    path = make_dicom(**changes)
    found = quickly(path)
    assert found is None or (not refused(path) and found == read_header(path))
    if "Character" not in next(iter(changes)):
        assert found is None


def test_a_file_that_is_cut_or_no_dicom(make_dicom: MakeDicom) -> None:
    path = make_dicom()
    whole = path.read_bytes()
    assert quickly(path) is not None
    for end in (0, 100, 132, 300, len(whole) - 200):
        assert quick_header(whole[:end], end) is None
    assert quick_header(whole[: len(whole) - 10], len(whole) - 10) is None, "the pixels are cut"
    assert quick_header(b"MZ" * 4000, 8000) is None


@pytest.mark.parametrize("name", ["image_dfl.dcm", "ExplVR_BigEnd.dcm"])
def test_other_encodings_are_left_to_the_general_way(packaged: list[Path], name: str) -> None:
    (path,) = [one for one in packaged if one.name == name]
    assert quickly(path) is None and not refused(path)


def test_random_damage_never_gives_another_header(make_dicom: MakeDicom, tmp_path: Path) -> None:
    whole = bytearray(make_dicom().read_bytes())
    random = np.random.default_rng(7)
    path = tmp_path / "damaged.dcm"
    for _ in range(150):
        damaged = bytearray(whole)
        for place in random.integers(132, len(whole) - 500, 3):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        found = quickly(path)
        if found is not None:
            assert not refused(path) and found == read_header(path)


def test_pydicoms_own_files(packaged: list[Path]) -> None:
    agreed = 0
    for path in packaged:
        found = quickly(path)
        if found is not None:
            assert found == read_header(path), path.name
            agreed += 1
    assert agreed > 60


def test_real_images(shared: Path) -> None:
    agreed = 0
    for folder in ("ct-abdomen", "mr-brain-study", "cxr-dicom"):
        for path in sorted((shared / folder).rglob("*.dcm"))[:40]:
            found = quickly(path)
            assert found is None or found == read_header(path), path.name
            agreed += found is not None
    assert agreed > 20


# -- values taken out of the file


def values(path: Path) -> np.ndarray[Any, Any]:
    return open_file(path).stored(0).pixels


def test_values_of_an_ordinary_image_are_the_decoders(make_dicom: MakeDicom) -> None:
    path = make_dicom(RescaleSlope="1", RescaleIntercept="-1000")
    found = plain_frame(str(path), Grid(16, 12, 1, "uint16", 1.0, -1000.0))
    assert found is not None
    np.testing.assert_array_equal(found, values(path))
    assert plain_frame(str(path), Grid(16, 12, 1, "uint16", 2.0, -1000.0)) is None, "another scale"
    assert plain_frame(str(path), Grid(12, 16, 1, "uint16", 1.0, -1000.0)) is None
    assert plain_frame(str(path), Grid(16, 12, 1, "int16", 1.0, -1000.0)) is None
    assert plain_frame(str(path.with_name("gone.dcm")), Grid(16, 12)) is None


def test_bits_beyond_those_that_are_stored_go_the_general_way(make_dicom: MakeDicom) -> None:
    pixels = np.full((16, 12), 0x0FFF, np.uint16)
    scale = Grid(16, 12, 1, "uint16", 1.0, 0.0)
    clean = make_dicom("a.dcm", pixels, BitsStored=12, HighBit=11, RescaleIntercept="0", RescaleSlope="1")
    assert plain_frame(str(clean), scale) is not None
    pixels[3, 3] = 0x8001
    overlay = make_dicom("b.dcm", pixels, BitsStored=12, HighBit=11, RescaleIntercept="0", RescaleSlope="1")
    assert plain_frame(str(overlay), scale) is None


def packed(path: Path) -> Path:
    """The same image in JPEG 2000."""
    data = dcmread(path)
    data.compress(JPEG2000Lossless, generate_instance_uid=False)
    data.save_as(path)
    return path


@pytest.mark.parametrize("kind", ["uint16", "int16", "uint8"])
def test_an_ordinary_image_in_jpeg_2000_is_the_decoders(make_dicom: MakeDicom, kind: str) -> None:
    drawn = np.random.default_rng(1).integers(0, 200, (64, 48)).astype(kind)
    if kind == "int16":
        drawn -= 100
    path = packed(make_dicom(pixels=drawn, RescaleSlope="1", RescaleIntercept="-7"))
    found = plain_frame(str(path), Grid(64, 48, 1, kind, 1.0, -7.0))  # type: ignore[arg-type]
    assert found is not None
    np.testing.assert_array_equal(found, drawn)
    np.testing.assert_array_equal(found, values(path))
    assert plain_frame(str(path), Grid(64, 48, 1, kind, 1.0, 0.0)) is None, "another scale"  # type: ignore[arg-type]


def test_a_stream_that_its_header_contradicts_goes_the_general_way(make_dicom: MakeDicom) -> None:
    drawn = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)
    scale = Grid(64, 48, 1, "uint16", 1.0, 0.0)
    path = packed(make_dicom(pixels=drawn, RescaleSlope="1", RescaleIntercept="0"))
    whole = path.read_bytes()
    assert plain_frame(str(path), scale) is not None
    begin = whole.index(b"\xff\x4f\xff\x51")
    for place, value in ((8 + 3, 47), (42, 11), (42, 0x8F), (43, 2), (60, 0xFF)):  # width, bits, sign, sampling, damage
        path.write_bytes(whole[: begin + place] + bytes([value]) + whole[begin + place + 1 :])
        assert plain_frame(str(path), scale) is None, place
    path.write_bytes(whole[: begin + 30])
    assert plain_frame(str(path), scale) is None


def test_a_link_or_a_pipe_is_not_read_quickly(make_dicom: MakeDicom, tmp_path: Path) -> None:
    path = make_dicom(RescaleSlope="1", RescaleIntercept="0")
    (tmp_path / "link.dcm").symlink_to(path)
    assert plain_frame(str(tmp_path / "link.dcm"), Grid(16, 12, 1, "uint16", 1.0, 0.0)) is None
    os.mkfifo(tmp_path / "pipe.dcm")
    assert plain_frame(str(tmp_path / "pipe.dcm"), Grid(16, 12, 1, "uint16", 1.0, 0.0)) is None
