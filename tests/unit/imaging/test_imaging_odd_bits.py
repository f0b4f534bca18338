"""Values whose bits stand where most do not: at the upper end of their cell, or in frames without a gap."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from medfm_gui.imaging.dicom import read_values
from medfm_gui.imaging.quick import quick_header

MakeDicom = Callable[..., Path]
RNG = np.random.default_rng(4)


@pytest.mark.parametrize(
    ("kind", "stored", "high"),
    [("u2", 12, 15), ("u2", 12, 14), ("i2", 12, 15), ("i2", 10, 13), ("u4", 24, 31), ("i4", 20, 27), ("u1", 5, 7)],
)
def test_values_at_the_upper_end_of_their_cells(make_dicom: MakeDicom, kind: str, stored: int, high: int) -> None:
    low, top = (-(1 << stored - 1), 1 << stored - 1) if kind[0] == "i" else (0, 1 << stored)
    values = RNG.integers(low, top, (16, 12))
    width = int(kind[1]) * 8
    cells = (values << high + 1 - stored) & ((1 << high + 1) - 1) | RNG.integers(0, 2, (16, 12)) << width - 1
    if high == width - 1:
        cells = (values << high + 1 - stored) & ((1 << width) - 1)
    pixels = cells.astype(f"<u{kind[1]}").view(f"<{kind}")
    path = make_dicom("x.dcm", pixels, BitsStored=stored, HighBit=high, RescaleIntercept=0)
    assert np.array_equal(read_values(path), values.astype(np.float32))


def test_an_overlay_below_the_values_is_left_out(make_dicom: MakeDicom) -> None:
    values = RNG.integers(0, 1 << 12, (16, 12)).astype("<u2")
    cells = values << 4 | RNG.integers(0, 2, (16, 12)).astype("<u2")
    path = make_dicom("x.dcm", cells, BitsStored=12, HighBit=15, RescaleIntercept=0)
    data = pydicom.dcmread(path)
    for element, value in ((0x0010, 16), (0x0011, 12), (0x0100, 16), (0x0102, 0)):
        data.add_new((0x6000, element), "US", value)
    data.save_as(path)
    assert np.array_equal(read_values(path), values)


def test_a_wrong_high_bit_is_not_believed(make_dicom: MakeDicom) -> None:
    """Bits below the “value” that nothing accounts for: it stands where today's standard wants it."""
    values = RNG.integers(0, 1 << 12, (16, 12)).astype("<u2")
    path = make_dicom("x.dcm", values, BitsStored=12, HighBit=15, RescaleIntercept=0)
    assert np.array_equal(read_values(path), values)


def test_values_at_the_upper_end_in_big_endian(dicom_builders: dict[str, Callable[..., Any]], tmp_path: Path) -> None:
    values = RNG.integers(0, 1 << 12, (16, 12)).astype("<u2")
    usual = dicom_builders["slice"](values << 4)
    data = Dataset(usual)
    data.file_meta = usual.file_meta
    data.BitsStored, data.HighBit, data.RescaleIntercept = 12, 15, 0
    data.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    data.PixelData = (values << 4).astype(">u2").tobytes()
    data.save_as(tmp_path / "x.dcm", enforce_file_format=True)
    assert np.array_equal(read_values(tmp_path / "x.dcm"), values)


def test_no_short_cut_is_taken_for_them(make_dicom: MakeDicom) -> None:
    """Small values would look ordinary to whoever only looks whether the upper bits are empty."""
    values = RNG.integers(0, 1 << 8, (16, 12)).astype("<u2")
    odd = make_dicom("odd.dcm", values << 4, BitsStored=12, HighBit=15).read_bytes()
    usual = make_dicom("usual.dcm", values, BitsStored=12, HighBit=11).read_bytes()
    assert quick_header(odd, len(odd)) is None and quick_header(usual, len(usual)) is not None


@pytest.mark.parametrize(("rows", "columns"), [(5, 7), (11, 13), (3, 1), (8, 5), (16, 12)])
def test_frames_of_single_bits_that_begin_within_a_byte(make_dicom: MakeDicom, rows: int, columns: int) -> None:
    bits: npt.NDArray[np.uint8] = RNG.integers(0, 2, (9, rows, columns), np.uint8)
    path = make_dicom("x.dcm", bits, RescaleIntercept=0)
    data = pydicom.dcmread(path)
    data.BitsAllocated, data.BitsStored, data.HighBit = 1, 1, 0
    packed = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    data.PixelData = packed + bytes(len(packed) % 2)
    data.save_as(path)
    for index, wanted in enumerate(bits):
        assert np.array_equal(read_values(path, frame=index), wanted)
