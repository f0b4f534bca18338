from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from medfm_gui.imaging.dicom import read_header
from medfm_gui.imaging.header import DicomHeader, clean_text, clean_uid, header_from_plain, header_to_plain, years

MakeDicom = Callable[..., Path]


def test_a_plain_header(make_dicom: MakeDicom) -> None:
    header = read_header(make_dicom(BodyPartExamined="CHEST", ViewPosition="PA", ImageLaterality="L"))
    assert (header.rows, header.columns, header.frames, header.bits_stored) == (16, 12, 1, 16)
    assert header.pixel_spacing == (0.5, 0.5)
    assert header.position == (0.0, 0.0, 0.0)
    assert header.orientation == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    assert (header.rescale_slope, header.rescale_intercept) == (1.0, -1000.0)
    assert header.patient_id == "P7" and header.study_uid == "1.2.3"
    assert header.transfer_syntax == "1.2.840.10008.1.2.1"
    assert header.irregular == 0


def test_covariates_identify_nobody(make_dicom: MakeDicom) -> None:
    header = read_header(make_dicom(BodyPartExamined="CHEST", Manufacturer="Acme", StationName="ROOM7"))
    kept = header.covariates()
    assert kept == {"modality": "CT", "body_part": "CHEST", "sex": "F", "age": "42", "manufacturer": "Acme"}
    assert not any(word in str(kept) for word in ("P7", "Doe", "2024", "ROOM7"))


def test_a_header_crosses_a_process_border(make_dicom: MakeDicom) -> None:
    header = read_header(make_dicom())
    assert header_from_plain(json.loads(json.dumps(header_to_plain(header)))) == header
    assert header_from_plain(json.loads(json.dumps(header_to_plain(DicomHeader())))) == DicomHeader()


@pytest.mark.parametrize(
    ("age", "said"),
    [
        ("042Y", "42"),
        ("006M", "0.5"),
        ("81", "81"),
        ("093Y", "90"),
        ("", ""),
        ("abc", ""),
        ("014D", "0"),
        ("0042Y", ""),
    ],
)
def test_ages_in_years_and_none_above_ninety(age: str, said: str) -> None:
    assert years(age) == said


def test_uids_are_digits_and_points(make_dicom: MakeDicom) -> None:
    assert clean_uid("1.2.3\0") == "1.2.3"
    assert clean_uid("../../../etc") == "" and clean_uid("1" * 65) == "" and clean_uid("") == ""
    header = read_header(make_dicom(SeriesInstanceUID="../../evil", StudyInstanceUID="1.2\\..\\3"))
    assert header.series_uid == ""
    assert header.study_uid in ("", "1.2")


def test_an_anonymised_file_takes_its_uid_from_the_file_meta(make_dicom: MakeDicom) -> None:
    header = read_header(make_dicom(SOPInstanceUID="", SOPClassUID="", StudyInstanceUID=""))
    assert header.sop_instance_uid.startswith("2.25.")
    assert header.study_uid == ""


def test_hostile_text_becomes_visible_and_short() -> None:
    assert clean_text("a\x1b[31mb\nc\0d") == "a␛[31mb␊c␀d"
    assert clean_text("ab\u202egnp.exe\u200b") == "ab\ufffdgnp.exe\ufffd"
    assert clean_text("x" * 1_000_000).endswith("…") and len(clean_text("x" * 1_000_000)) == 320
    assert clean_text("Müller^Jürgen=山田") == "Müller^Jürgen=山田"


@given(st.text(), st.integers(1, 50))
def test_cleaned_text_is_always_short_and_encodable(text: str, limit: int) -> None:
    cleaned = clean_text(text, limit)
    assert len(cleaned) <= limit
    assert cleaned.encode().decode() == cleaned
    assert not any(ord(character) < 32 for character in cleaned)


def test_a_megabyte_of_name_does_no_harm(make_dicom: MakeDicom) -> None:
    header = read_header(make_dicom(PatientID="\u202e" + "A" * 50_000, StudyDescription="Doe <img src='/etc/passwd'>"))
    assert len(header.patient_id) == 320
    assert header.study_description == "Doe <img src='/etc/passwd'>", "markup is kept as text; escaping is the shower's"


def test_impossible_numbers_are_absent(make_dicom: MakeDicom) -> None:
    def raw(tag: int, value: bytes) -> RawDataElement:
        return RawDataElement(Tag(tag), "DS", len(value), value, 0, False, True)

    path = make_dicom()
    data = dcmread(path)
    data[0x00280030] = raw(0x00280030, b"0\\-1")
    data[0x00281053] = raw(0x00281053, b"nan ")
    data[0x00281052] = raw(0x00281052, b"1e400 ")
    data.save_as(path)
    header = read_header(path)
    assert header.pixel_spacing is None
    assert header.rescale_slope is None and header.rescale_intercept is None
    assert header.irregular == 2
