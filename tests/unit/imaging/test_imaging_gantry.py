"""Tilted gantries and gaps among the frames of one file are noticed and said."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from medfm_gui.imaging.gantry import shear_remark
from medfm_gui.imaging.header import DicomHeader
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.imaging.series import scan
from medfm_gui.imaging.stored import open_file

MakeDicom = Callable[..., Path]
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as opened:
        yield opened


def test_a_tilted_gantry_is_said(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    turn = math.radians(15)
    plane = [1, 0, 0, 0, math.cos(turn), math.sin(turn)]
    for number in range(4):
        make_dicom(f"head/{number}.dcm", ImagePositionPatient=[0, 0, 5 * number], ImageOrientationPatient=plane)
    (series,) = scan(tmp_path, decoders).studies[0].series
    assert [item.position_mm for item in series.instances] == pytest.approx(
        [5 * number * math.cos(turn) for number in range(4)], abs=1e-3
    )
    assert any("15.0°" in warning and "gantry tilt" in warning for warning in series.warnings)


@pytest.mark.parametrize("degrees", [0.0, 0.3, 0.8, 20.0])
def test_only_what_can_be_seen(degrees: float) -> None:
    shift = math.tan(math.radians(degrees))
    headers = [
        DicomHeader(position=(0.0, shift * place, float(place)), orientation=AXIAL) for place in (-10, 40, 90, 200)
    ]
    assert bool(shear_remark(headers)) == (degrees >= 0.5)


def test_nothing_is_said_where_nothing_is_known() -> None:
    placed = DicomHeader(position=(0.0, 0.0, 0.0), orientation=AXIAL)
    flat = DicomHeader(position=(0.0, 0.0, 5.0), orientation=(1.0, 0.0, 0.0, 1.0, 0.0, 0.0))
    for headers in ([], [placed], [placed, placed], [DicomHeader(), DicomHeader()], [flat, placed]):
        assert shear_remark(headers) == ()


def test_gaps_and_doubles_among_frames(make_dicom: MakeDicom) -> None:
    groups = []
    for position in (0.0, 2.0, 2.0, 4.0, 8.0):
        group, place = Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, position]
        group.PlanePositionSequence = Items([place])
        groups.append(group)
    frames = np.arange(5 * 192, dtype=np.uint16).reshape(5, 16, 12)
    opened = open_file(make_dicom("many.dcm", pixels=frames, PerFrameFunctionalGroupsSequence=Items(groups)))
    notes = opened.facts(0, opened.stored(0))["notes"]
    assert any("1 slice is missing" in note for note in notes)
    assert any("1 image lies where another one lies" in note for note in notes)
