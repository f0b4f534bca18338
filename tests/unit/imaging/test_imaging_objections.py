from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from medfm_gui.imaging.dicom import read_header
from medfm_gui.imaging.header import DicomHeader
from medfm_gui.imaging.objections import Expectation, objections

CT = "1.2.840.10008.5.1.4.1.1.2"
SLICE = DicomHeader(
    sop_class_uid=CT,
    modality="CT",
    patient_position="HFS",
    patient_sex="M",
    bits_stored=12,
    position=(0.0, 0.0, 0.0),
    orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    rescale_slope=1.0,
)


def test_a_proper_slice_meets_none() -> None:
    assert objections(SLICE) == ()
    assert objections(SLICE, Expectation(frozenset({"ct"}), frozenset({"CHEST"}))) == ()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"modality": "DX"}, "stored as an image of CT"),
        ({"position": None}, "does not look like a slice"),
        ({"rescale_slope": None}, "no rescale"),
        ({"patient_position": "XX"}, "no known position"),
        ({"patient_sex": "MALE"}, "not M, F or O"),
        ({"sop_class_uid": "", "modality": "CR"}, "position of a slice"),
    ],
)
def test_contradictions(changes: dict[str, object], word: str) -> None:
    said = objections(replace(SLICE, **changes))  # type: ignore[arg-type]
    assert any(word in sentence for sentence in said)


@pytest.mark.parametrize("position", ["HFS", "FFP", "HFDR", "FFDL", "LFS", "AFDR", "PA", "AP"])
def test_known_positions_and_views_written_there_by_habit(position: str) -> None:
    assert objections(replace(SLICE, patient_position=position)) == ()


def test_surprises_only_where_something_was_expected() -> None:
    header = replace(SLICE, body_part="RIBCAGE")
    said = objections(header, Expectation(frozenset({"CT"}), frozenset({"CHEST", "THORAX"})))
    assert said == ("Body Part Examined (0018,0015) is “RIBCAGE”; expected was CHEST or THORAX.",)
    assert objections(header, Expectation()) == objections(header) == ()
    assert "Modality" in objections(SLICE, Expectation(modalities=frozenset({"MR"})))[0]


def test_the_six_real_radiographs(shared: Path) -> None:
    expected = Expectation(frozenset({"DX"}), frozenset({"CHEST"}))
    said = {
        number: objections(read_header(shared / "cxr-dicom" / f"test{number}.dcm"), expected) for number in range(1, 7)
    }
    assert said[1] == said[2] == said[3] == ()
    assert any("RIBCAGE" in sentence for sentence in said[4])
    assert any("does not look like a slice" in sentence for sentence in said[5])
    assert any("“XX”" in sentence for sentence in said[6])
    alone = objections(read_header(shared / "cxr-dicom" / "test5.dcm"))
    assert alone, "test5 contradicts itself"
