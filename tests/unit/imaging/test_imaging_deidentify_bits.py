"""Old overlays stand in bits of the pixels that belong to no value: they do not come along, and every value stays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, RLELossless

from medfm_gui.domain.deidentification import Deidentification, Flag
from medfm_gui.imaging.deidentify.file import answer_look, answer_write
from medfm_gui.imaging.deidentify.secrets import Secrets
from medfm_gui.imaging.dicom import read_values

MakeDicom = Callable[..., Path]
SECRETS = Secrets.of(b"a key")
OVERLAY = ((0x0010, 16), (0x0011, 12), (0x0100, 16), (0x0102, 15))
RNG = np.random.default_rng(6)
GREY = RNG.integers(0, 1 << 12, (16, 12)).astype("<u2")
NAME = RNG.integers(0, 2, (16, 12)).astype("<u2")
"""A name, drawn in one bit a pixel."""


def written(path: Path, out: Path) -> list[str]:
    options = Deidentification()
    words = {
        "path": str(path), "out": str(out), "options": {**dataclasses.asdict(options), "dates": options.dates.value},
        "secrets": [SECRETS.uids.hex(), SECRETS.dates.hex(), SECRETS.sites.hex()], "patient": "P7",
        "pseudonym": "P-ABCDEFGHIJ", "study": "1.2.3", "series": "1.2.3.4", "number": 1, "looked_at": False,
        "has_face": False,
    }  # fmt: skip
    notes: list[str] = answer_write(words)["notes"]
    return notes


def overlaid(path: Path) -> Path:
    data = pydicom.dcmread(path)
    for element, value in OVERLAY:
        data.add_new((0x6000, element), "US", value)
    data.save_as(path)
    return path


def test_an_overlay_in_the_pixels_is_cleared_and_its_file_is_written(make_dicom: MakeDicom, tmp_path: Path) -> None:
    path = overlaid(make_dicom("in.dcm", GREY | NAME << 15, BitsStored=12, HighBit=11))
    assert answer_look({"path": str(path)})["flags"] == []
    notes = written(path, tmp_path / "out.dcm")
    made = pydicom.dcmread(tmp_path / "out.dcm")
    assert made.PixelData == GREY.tobytes() and any("overlay" in note for note in notes)
    assert not [tag for tag in made.keys() if tag.group == 0x6000]  # noqa: SIM118 - a data set iterates over its values


def test_bits_of_which_the_header_says_nothing_stay(make_dicom: MakeDicom, tmp_path: Path) -> None:
    """Values that need more bits than the header says: whoever knows better can still read them."""
    pixels = GREY | NAME << 13
    assert not written(make_dicom("in.dcm", pixels, BitsStored=12, HighBit=11), tmp_path / "out.dcm")
    assert pydicom.dcmread(tmp_path / "out.dcm").PixelData == pixels.tobytes()


@pytest.mark.parametrize(
    ("kind", "stored"), [("<u2", 12), ("<i2", 12), ("<i2", 10), ("u1", 7), ("i1", 5), ("<u4", 20), ("<i4", 24)]
)
def test_values_of_every_kind_stay(make_dicom: MakeDicom, tmp_path: Path, kind: str, stored: int) -> None:
    signed = "i" in kind
    values = RNG.integers(-(1 << stored - 1) if signed else 0, 1 << stored - signed, (16, 12)).astype(kind)
    bits = values.view(kind.replace("i", "u")) & ((1 << stored) - 1)
    hidden = (bits | NAME.astype(bits.dtype) << stored).view(kind)
    for name, pixels in (("hidden", hidden), ("plain", bits.view(kind)), ("repeated", values)):
        path = overlaid(make_dicom(f"{name}.dcm", pixels, BitsStored=stored, HighBit=stored - 1, RescaleIntercept=0))
        notes = written(path, tmp_path / "out.dcm")
        assert np.array_equal(read_values(tmp_path / "out.dcm"), values.astype(np.float32))
        assert bool(notes) == (name == "hidden")
        if name != "hidden":
            assert pydicom.dcmread(tmp_path / "out.dcm").PixelData == pixels.tobytes()


def test_padding_may_have_bits_of_its_own(make_dicom: MakeDicom, tmp_path: Path) -> None:
    pixels = GREY.copy()
    pixels[:4] = 0xF830
    path = overlaid(make_dicom("in.dcm", pixels, BitsStored=12, HighBit=11, PixelPaddingValue=0xF830))
    written(path, tmp_path / "out.dcm")
    assert pydicom.dcmread(tmp_path / "out.dcm").PixelData == pixels.tobytes()


def test_words_of_big_endian(dicom_builders: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    usual = dicom_builders["slice"](GREY)
    data = Dataset(usual)
    data.file_meta = usual.file_meta
    data.BitsStored, data.HighBit = 12, 11
    data.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    for element, value in OVERLAY:
        data.add_new((0x6000, element), "US", value)
    data.PixelData = (GREY | NAME << 15).astype(">u2").tobytes()
    data.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    written(tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert pydicom.dcmread(tmp_path / "out.dcm").PixelData == GREY.astype(">u2").tobytes()


def test_what_cannot_be_cleared_is_still_held_back(make_dicom: MakeDicom) -> None:
    """Compressed pixels, cells without room above their values, and values at the upper end of their cells."""

    def flags(path: Path) -> list[str]:
        found: list[str] = answer_look({"path": str(path)})["flags"]
        return found

    pixels: npt.NDArray[np.uint16] = GREY | NAME << 15
    assert flags(overlaid(make_dicom("full.dcm", pixels))) == [Flag.OVERLAY_BITS]
    assert flags(overlaid(make_dicom("upper.dcm", GREY << 4, BitsStored=12, HighBit=15))) == [Flag.OVERLAY_BITS]
    path = overlaid(make_dicom("packed.dcm", pixels, BitsStored=12, HighBit=11))
    data = pydicom.dcmread(path)
    data.BitsStored, data.HighBit = 16, 15
    data.compress(RLELossless)
    data.BitsStored, data.HighBit = 12, 11
    data.save_as(path)
    assert flags(path) == [Flag.OVERLAY_BITS]
