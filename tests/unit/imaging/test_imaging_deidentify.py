"""The parts of de-identification, and real files of many kinds: what stays says the same, pixels are as before."""

from __future__ import annotations

import dataclasses
import datetime
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sr.codedict import codes
from pydicom.uid import UID

from medfm_gui.domain.deidentification import Dates, Deidentification, Flag
from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging import elements as el
from medfm_gui.imaging.deidentify import codestream, kinds, risk
from medfm_gui.imaging.deidentify.codes import known
from medfm_gui.imaging.deidentify.faces import Slice, faces
from medfm_gui.imaging.deidentify.file import answer_look, answer_write
from medfm_gui.imaging.deidentify.rules import Rules
from medfm_gui.imaging.deidentify.secrets import Secrets, datetime_of, shifted
from medfm_gui.imaging.deidentify.terms import KERNEL, is_term
from medfm_gui.imaging.deidentify.values import age_text
from medfm_gui.imaging.deidentify.words import known_words, maker, tells_of_head

MakeDicom = Callable[..., Path]
STORAGE = "1.2.840.10008.5.1.4.1.1."
SECRETS = Secrets.of(b"a key")
UNDECODABLE = ("JPEG-lossy.dcm", "JPGExtended.dcm")
"""Whose scans no decoder here takes, before as after."""


def order(path: Path, out: Path, options: Deidentification | None = None, **other: Any) -> dict[str, Any]:
    chosen = options or Deidentification()
    with el.quiet():
        patient = el.text(pydicom.dcmread(path, force=True, stop_before_pixels=True), "PatientID")
    words = {
        "path": str(path),
        "out": str(out),
        "options": {**dataclasses.asdict(chosen), "dates": chosen.dates.value},
        "secrets": [SECRETS.uids.hex(), SECRETS.dates.hex(), SECRETS.sites.hex()],
        "patient": patient,
        "pseudonym": "P-ABCDEFGHIJ",
        "study": "1.2.3",
        "series": "1.2.3.4",
        "number": 7,
        "looked_at": False,
        "has_face": False,
    }
    return words | other


# -- real files


def test_packaged_files_keep_their_pixels_and_transfer_syntax(packaged: list[Path], tmp_path: Path) -> None:
    """Every transfer syntax: bytes are equal but for texts inside of streams, which no pixel depends on."""
    out, written, syntaxes = tmp_path / "out.dcm", 0, set()
    for path in packaged:
        try:
            answer_look({"path": str(path)})
        except UnreadableFile:
            continue
        said = answer_write(order(path, out))
        with el.quiet():
            old, new = pydicom.dcmread(path, force=True), pydicom.dcmread(out)
            syntaxes.add(new.file_meta.TransferSyntaxUID)
            written += 1
            if "PixelData" not in old or old.file_meta.get("TransferSyntaxUID") == "1.2.840.10008.1.2.1.99":
                continue
            if said["notes"]:
                assert len(new.PixelData) == len(old.PixelData), path
                if path.name not in UNDECODABLE:
                    np.testing.assert_array_equal(new.pixel_array, old.pixel_array)
            else:
                assert old.PixelData.startswith(new.PixelData), path
                assert not any(old.PixelData[len(new.PixelData) :]), path
    assert written > 60 and len(syntaxes) >= 10


def test_geometry_grey_scale_and_doses_stay(shared: Path, tmp_path: Path) -> None:
    path = sorted((shared / "ct-abdomen").rglob("*.dcm"))[0]
    answer_write(order(path, tmp_path / "out.dcm"))
    old, new = pydicom.dcmread(path), pydicom.dcmread(tmp_path / "out.dcm")
    for keyword in (
        "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "RescaleSlope", "KVP",
        "RescaleIntercept", "WindowCenter", "WindowWidth", "Rows", "BitsStored", "PatientPosition", "InstanceNumber",
        "Modality", "PhotometricInterpretation", "ConvolutionKernel", "XRayTubeCurrent", "Exposure", "ImageType",
    ):  # fmt: skip
        assert new.get(keyword) == old.get(keyword), keyword


def test_no_encapsulated_document_structured_report_or_plan_is_written(packaged: list[Path]) -> None:
    reasons = {}
    for path in packaged:
        if path.name in ("reportsi.dcm", "test-SR.dcm", "rtplan.dcm", "rtdose.dcm", "DICOMDIR"):
            with pytest.raises(UnreadableFile) as refused:
                answer_look({"path": str(path)})
            reasons[path.name] = refused.value.reason
    assert reasons["rtdose.dcm"] == "unsupported_format" and reasons["rtplan.dcm"] == "no_pixels"


def test_big_endian_files_stay_big_endian(packaged: list[Path], tmp_path: Path) -> None:
    path = next(path for path in packaged if path.name == "MR_small_bigendian.dcm")
    answer_write(order(path, tmp_path / "out.dcm"))
    old, new = pydicom.dcmread(path), pydicom.dcmread(tmp_path / "out.dcm")
    assert new.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.2"
    np.testing.assert_array_equal(new.pixel_array, old.pixel_array)


def test_a_segmentation_stays_one_and_its_references_are_replaced_alike(
    dicom_builders: dict[str, Any], tmp_path: Path
) -> None:
    sources = [dicom_builders["slice"]() for _ in range(2)]
    for place, data in enumerate(sources):
        data.FrameOfReferenceUID, data.ImagePositionPatient = "1.2.9", [0, 0, 2 * place]
        data.SliceThickness, data.InstanceNumber = 2, place
        for name in ("PatientBirthDate", "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName"):
            setattr(data, name, "")
    mask = np.zeros((2, 16, 12), np.uint8)
    mask[:, 4:9, 3:8] = 1
    lesion = highdicom.seg.SegmentDescription(
        segment_number=1,
        segment_label="Lesion of Huber",
        segmented_property_category=codes.SCT.Organ,
        segmented_property_type=codes.SCT.Liver,
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
    kind = highdicom.seg.SegmentationTypeValues.BINARY
    whole = highdicom.seg.Segmentation(
        sources, mask, kind, [lesion], "1.2.3.5", 1, "1.2.3.5.1", 1, "Huber", "Huber", "1", "1",
        content_creator_name="Huber^Anna", content_description="of Huber",
    )  # fmt: skip
    whole.save_as(tmp_path / "in.dcm")
    answer_write(order(tmp_path / "in.dcm", tmp_path / "out.dcm"))
    assert b"Huber" not in (tmp_path / "out.dcm").read_bytes()
    made = highdicom.seg.segread(tmp_path / "out.dcm")
    np.testing.assert_array_equal(made.pixel_array, whole.pixel_array)
    assert made.get_segment_description(1).segmented_property_type.value == "10200004"
    assert {uids[2] for uids in made.get_source_image_uids()} == {SECRETS.uid(data.SOPInstanceUID) for data in sources}


def test_what_a_file_leaves_unnamed_is_named_as_in_the_index(make_dicom: MakeDicom, tmp_path: Path) -> None:
    path = make_dicom("x.dcm", StudyInstanceUID=None, SeriesInstanceUID=None)
    answer_write(order(path, tmp_path / "out.dcm"))
    made = pydicom.dcmread(tmp_path / "out.dcm")
    assert (made.StudyInstanceUID, made.SeriesInstanceUID) == (SECRETS.uid("1.2.3"), SECRETS.uid("1.2.3.4"))


def test_another_patients_file_is_refused(make_dicom: MakeDicom, tmp_path: Path) -> None:
    path = make_dicom("x.dcm")
    with pytest.raises(UnreadableFile, match="not what it was"):
        answer_write(order(path, tmp_path / "out.dcm", patient="somebody else"))
    assert not (tmp_path / "out.dcm").exists()


def test_faces_and_looks_are_said_and_a_face_is_never_denied(make_dicom: MakeDicom, tmp_path: Path) -> None:
    path = make_dicom("x.dcm", BurnedInAnnotation="YES", RecognizableVisualFeatures="NO")
    said = []
    for number, (looked_at, has_face) in enumerate([(False, False), (True, False), (True, True)]):
        answer_write(order(path, tmp_path / f"{number}.dcm", looked_at=looked_at, has_face=has_face))
        made = pydicom.dcmread(tmp_path / f"{number}.dcm")
        said.append((made.get("BurnedInAnnotation"), made.get("RecognizableVisualFeatures")))
    assert said == [(None, None), ("NO", None), ("NO", "YES")]


def test_an_age_is_worked_out_and_capped(make_dicom: MakeDicom, tmp_path: Path) -> None:
    keep = Deidentification(keep_patient=True)
    for born, age in (("19900601", "033Y"), ("19201231", "090Y"), ("20250101", None)):
        path = make_dicom(f"{born}.dcm", PatientAge=None, PatientBirthDate=born)
        answer_write(order(path, tmp_path / f"{born}-out.dcm", keep))
        assert pydicom.dcmread(tmp_path / f"{born}-out.dcm").get("PatientAge") == age
    assert [age_text(*one) for one in ((91, "Y"), (42, "Y"), (6, "M"), (999, "W"))] == ["090Y", "042Y", "006M", "999W"]


# -- secrets


def test_uids_are_well_formed_and_depend_on_the_key() -> None:
    made = SECRETS.uid("1.2.840.1")
    assert re.fullmatch(r"2\.25\.[1-9]\d*", made) and len(made) <= 64
    number = int(made.removeprefix("2.25."))
    assert number >> 76 & 0xF == 8 and number >> 62 & 0x3 == 2 and number < 1 << 128
    assert made == Secrets.of(b"a key").uid("1.2.840.1") != Secrets.of(b"another key").uid("1.2.840.1")
    assert len({SECRETS.uid(f"1.2.{place}") for place in range(1000)}) == 1000


def test_sites_have_pseudonyms_and_spelling_does_not_count() -> None:
    assert SECRETS.site("St. Elsewhere") == SECRETS.site("ST.  ELSEWHERE ") != SECRETS.site("Elsewhere")
    assert re.fullmatch(r"S-[A-Z2-7]{10}", SECRETS.site("St. Elsewhere"))


def test_dates_move_into_the_past_and_intervals_stay() -> None:
    days = SECRETS.days("KH-1")
    assert -3650 <= days <= -365 and days == SECRETS.days("KH-1") and days != SECRETS.days("KH-2")
    before = datetime.date(2024, 2, 29) + datetime.timedelta(days=days)
    assert shifted("20240229", days) == before.strftime("%Y%m%d") == shifted("2024.02.29", days)
    assert shifted("20240231", days) == shifted("CANARY", days) == shifted("", days) == ""
    assert datetime_of("20240229101530.5+0100", days) == before.strftime("%Y%m%d") + "101530.5"
    assert datetime_of("20240229CANARY", days) == datetime_of("CANARY", days) == ""


# -- words, terms, codes


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("CT Thorax Prof. Sauerbruch", "CT Thorax"),
        ("Thorax 5.0 mm Huber", "Thorax 5.0 mm"),
        ("T1 MPRAGE 19770401", "T1 MPRAGE"),
        ("93 mm", "93 mm"),
        ("93", ""),
        ("Zwetschgenbaum", ""),
        ("", ""),
    ],
)
def test_only_known_words_of_a_description_stay(text: str, kept: str) -> None:
    assert known_words(text) == kept


def test_a_known_word_that_is_a_name_goes() -> None:
    assert known_words("Chest of Mr Head", {"head"}) == "Chest of Mr"
    assert known_words("Lung", {"lung"}) == ""


def test_makers_terms_and_kernels_are_of_fixed_lists() -> None:
    assert (maker("SIEMENS Healthineers"), maker("Dr. Huber's own")) == ("SIEMENS", "")
    assert is_term("for presentation") and is_term("MONOCHROME2") and not is_term("HUBER")
    assert KERNEL.fullmatch("B30f") and KERNEL.fullmatch("FC08") and not KERNEL.fullmatch("HUBER")
    assert tells_of_head("Neck/Chest") and tells_of_head("Schädel") and not tells_of_head("Thorax")


def test_codes_are_written_with_the_standards_meaning() -> None:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "39607008", "SCT", "Lung of Mr Huber"
    made = known(item)
    assert made is not None and made.CodeMeaning.startswith("Lung structure")
    item.CodeValue, item.CodingSchemeDesignator = "T-28000", "SRT"
    made = known(item)
    assert made is not None and made.CodeMeaning.startswith("Lung structure")
    item.CodeValue = "HUBER"
    assert known(item) is None
    item.CodingSchemeDesignator = "99HOSPITAL"
    assert known(item) is None


def test_every_listed_attribute_is_one_of_the_standard_and_every_kind_has_rules() -> None:
    def names(rules: Rules) -> set[str]:
        return set(rules).union(*(names(rule.items) for rule in rules.values() if rule.items))

    for end in ("1", "2", "2.1", "4.1", "6.1", "7", "20", "66.4", "77.1.4"):
        rules = kinds.rules_of(STORAGE + end)
        assert rules is not None
        assert not [name for name in names(rules) if pydicom.datadict.tag_for_keyword(name) is None]
    for uid in ("1.2.840.10008.5.1.4.1.1.88.33", STORAGE + "104.1", "1.2.3", "", STORAGE + "481.3", STORAGE + "77.1.6"):
        assert kinds.rules_of(uid) is None  # reports, documents, plans, slides


# -- compressed streams


def test_comments_of_jpeg_2000_go_and_compressors_stay() -> None:
    def stream(*comments: bytes) -> bytes:
        size = b"\xff\x51" + struct.pack(">H", 41) + bytes(39)
        notes = b"".join(b"\xff\x64" + struct.pack(">HH", len(text) + 4, 1) + text for text in comments)
        data = b"\xff\x93" + b"pixels"
        part = b"\xff\x90" + struct.pack(">HHLBB", 10, 0, 12 + len(data), 0, 1) + data
        return b"\xff\x4f" + size + notes + part + b"\xff\xd9"

    raw = encapsulate([stream(b"Kakadu-v7.1", b"Huber, Anna")])
    found = codestream.cleaned(raw, 1, "jpeg2000")
    assert found is not None and found.texts == 1 and len(found.value) <= len(raw)
    assert b"Kakadu-v7.1" in found.value and b"Huber" not in found.value and b"pixels" in found.value
    assert b"Huber" not in (codestream.cleaned(encapsulate([stream() + b"Huber"]), 1, "jpeg2000") or found).value


def test_unused_offsets_of_run_lengths_hold_nothing() -> None:
    frame = struct.pack("<16L", 1, 64, *(0x72656248,) * 14) + b"\x01\x02\x03\x00"
    found = codestream.cleaned(encapsulate([frame]), 1, "rle")
    assert found is not None and found.texts == 1 and b"rebH" not in found.value
    assert frame[64:] in found.value


def test_an_offset_table_that_holds_no_offsets_goes() -> None:
    first, second = b"\xff\xd8\xff\xd9" * 2, b"\xff\xd8\xff\xd9" * 3
    raw = encapsulate([first, second])
    found = codestream.cleaned(raw, 2, "jpeg")
    assert found is not None and found.has_offsets
    table = raw[:8] + b"HubrAnna" + raw[16:]
    spoilt = codestream.cleaned(table, 2, "jpeg")
    assert spoilt is not None and not spoilt.has_offsets and b"Hubr" not in spoilt.value
    assert codestream.cleaned(b"no items at all", 1, "jpeg") is None


def test_a_comment_that_fragments_split_goes() -> None:
    """Two frames in four fragments, no offset table: the beginnings of streams tell the frames."""
    comment = b"\xff\xfe" + struct.pack(">H", 14) + b"Huber, Anna!"
    stream = b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + bytes(9) + comment + b"\xff\xd9"
    items = [stream[:28], stream[28:], stream[:28], stream[28:]]
    raw = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<L", len(item)) + item for item in (b"", *items))
    found = codestream.cleaned(raw, 2, "jpeg")
    assert found is not None and found.texts == 2
    assert not any(part in found.value for part in (b"Hub", b"ber", b"Anna"))


# -- what a person must look at


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({}, ()),
        ({"BurnedInAnnotation": "YES"}, (Flag.DECLARED,)),
        ({"SOPClassUID": UID(STORAGE + "6.1"), "Modality": "US"}, (Flag.ULTRASOUND,)),
        ({"SOPClassUID": UID(STORAGE + "6.1"), "Modality": "US", "BurnedInAnnotation": "NO"}, ()),
        ({"SOPClassUID": UID(STORAGE + "7")}, (Flag.CAPTURE,)),
        ({"ConversionType": "DF"}, (Flag.CAPTURE,)),
        ({"SOPClassUID": UID(STORAGE + "77.1.4"), "Modality": "XC"}, (Flag.PHOTOGRAPH,)),
        ({"SOPClassUID": UID(STORAGE + "77.1.1"), "Modality": "ES"}, (Flag.PHOTOGRAPH,)),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"], "BurnedInAnnotation": "NO"}, (Flag.SCREEN,)),
        ({"SamplesPerPixel": 3}, (Flag.SCREEN,)),
    ],
)
def test_what_may_show_a_name_is_flagged(
    changes: dict[str, Any], flags: tuple[Flag, ...], dicom_builders: dict[str, Any]
) -> None:
    data = dicom_builders["slice"]()
    for keyword, value in changes.items():
        setattr(data, keyword, value)
    assert risk.flags_of(data) == flags


def test_overlays_in_bits_of_the_pixels_are_flagged(dicom_builders: dict[str, Any]) -> None:
    data = dicom_builders["slice"]()
    data.add_new((0x6000, 0x0010), "US", 16)
    assert risk.flags_of(data) == ()
    data.add_new((0x6000, 0x0102), "US", 15)
    assert risk.flags_of(data) == (Flag.OVERLAY_BITS,)
    data.add_new((0x6000, 0x3000), "OW", bytes(32))
    assert risk.flags_of(data) == ()


def test_series_with_a_face_are_told_with_the_reason() -> None:
    def series(name: str, modality: str, about: str, field: float | None, count: int = 3) -> list[Slice]:
        return [Slice("s", name, modality, about, 1, field, 4.0 * place) for place in range(count)]

    told = faces(
        [
            *series("head", "CT", "head", 500),
            *series("unnamed", "MR", "", 230),
            *series("chest", "CT", "elsewhere", 230),
            *series("wide", "CT", "", 480),
            *series("whole body", "PT", "elsewhere", 600, 300),
            *series("localiser", "CT", "head", 500, 2),
            *series("radiographs", "DX", "head", 200),
        ]
    )
    assert [face.series for face in told] == ["head", "unnamed", "whole body"]
    assert "230 mm" in told[1].reason and told[2].images == 300


def test_options_tell_their_codes() -> None:
    everything = Deidentification(Dates.KEEP, True, True, True, True)
    assert [code for code, _ in everything.codes()] == ["113100", "113105", "113106", "113108", "113109", "113110"]
    assert [code for code, _ in Deidentification().codes()] == ["113100"]
    assert [Deidentification(dates).temporal for dates in Dates] == ["REMOVED", "MODIFIED", "UNMODIFIED"]
