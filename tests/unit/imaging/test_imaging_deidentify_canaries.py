"""Every element of the dictionary, private blocks, nested items, preamble, file meta, overlays: nothing survives."""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID, JPEGBaseline8Bit

from medfm_gui.domain.deidentification import Dates, Deidentification
from medfm_gui.imaging import elements as el
from medfm_gui.imaging.deidentify import kinds, rewrite
from medfm_gui.imaging.deidentify.file import answer_write
from medfm_gui.imaging.deidentify.rules import Do, Rule
from medfm_gui.imaging.deidentify.secrets import Secrets
from tests.fixtures.canaries import Canaries, canary_image, save

KEY = b"a key of a workspace, for tests."
CT, STORAGE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1."
KINDS = {
    "CT": "2", "CT enhanced": "2.1", "MR": "4", "MR enhanced": "4.1", "CR": "1", "DX": "1.1", "MG": "1.2", "US": "6.1",
    "SC": "7", "SEG": "66.4", "PT": "128", "NM": "20", "XA": "12.1", "XC": "77.1.4",
}  # fmt: skip
STRICT = Deidentification()
OPEN = Deidentification(Dates.KEEP, keep_uids=True, clean_descriptors=True, keep_patient=True, keep_device=True)
UIDS = {"SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"}
DATES = {
    "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "AcquisitionDateTime",
    "StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime",
}  # fmt: skip
DEVICE = {
    "Manufacturer", "ManufacturerModelName", "StationName", "DeviceSerialNumber", "SoftwareVersions",
    "GantryID", "DetectorID",
}  # fmt: skip
BODY = {"PatientSize", "PatientWeight"}


def ordered(source: Path, out: Path, data: Dataset, options: Deidentification, **other: Any) -> dict[str, Any]:
    secrets = Secrets.of(KEY)
    words = {
        "path": str(source),
        "out": str(out),
        "options": {**dataclasses.asdict(options), "dates": options.dates.value},
        "secrets": [secrets.uids.hex(), secrets.dates.hex(), secrets.sites.hex()],
        "patient": el.text(data, "PatientID"),
        "pseudonym": "P-ABCDEFGHIJ",
        "study": "1.2.3",
        "series": "1.2.3.4",
        "number": 1,
        "looked_at": False,
        "has_face": False,
    }
    return words | other


@functools.cache
def built(implicit: bool) -> tuple[FileDataset, Canaries]:
    """One image for all tests; only its kind is changed before it is written."""
    return canary_image(CT, "CT", implicit=implicit)


def survivors(
    folder: Path, kind: str, options: Deidentification, *, implicit: bool = False
) -> tuple[dict[str, bytes], Path]:
    """Marks that are in the result, by the place where they were put."""
    data, canaries = built(implicit)
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = UID(STORAGE + kind)
    save(data, folder / "in.dcm")
    said = answer_write(ordered(folder / "in.dcm", folder / "out.dcm", data, options))
    assert not any(mark.encode() in repr(said).encode() for mark in ("CANARY", "1.2.826.77777"))
    return canaries.found_in((folder / "out.dcm").read_bytes()), folder / "out.dcm"


@pytest.mark.parametrize("implicit", [False, True])
def test_all_marks_are_in_the_file_before(implicit: bool, tmp_path: Path) -> None:
    data, canaries = built(implicit)
    assert len(canaries.marks) > 15_000
    assert set(canaries.found_in(save(data, tmp_path / "in.dcm"))) == set(canaries.marks.values())


def numbers_of(kind: str) -> set[str]:
    """Attributes whose numbers may stay: sizes, doses and times of the examination."""
    rules = kinds.rules_of(STORAGE + kind)
    assert rules is not None
    return {name for name, rule in rules.items() if rule.do is Do.NUMBER}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_nothing_survives_the_strict_profile_but_numbers_of_the_examination(kind: str, tmp_path: Path) -> None:
    found, out = survivors(tmp_path, kind, STRICT)
    assert set(found) <= numbers_of(kind)
    assert not any(mark.isalpha() or b"CANARY" in mark for mark in found.values())
    raw = out.read_bytes()
    assert b"CANARY" not in raw and raw[:128] == bytes(128) and raw[128:132] == b"DICM"


def test_nothing_survives_of_a_file_without_written_representations(tmp_path: Path) -> None:
    found, _ = survivors(tmp_path, "2", STRICT, implicit=True)
    assert set(found) <= numbers_of("2")


@pytest.mark.parametrize(
    ("options", "more"),
    [
        (Deidentification(keep_uids=True), UIDS),
        (Deidentification(Dates.KEEP), DATES),
        (Deidentification(keep_device=True), DEVICE),
        (Deidentification(keep_patient=True), BODY),
        (Deidentification(clean_descriptors=True), set()),
        (Deidentification(Dates.SHIFT), DATES),
        (OPEN, UIDS | DATES | DEVICE | BODY),
    ],
    ids=["UIDs", "dates", "device", "patient", "descriptors", "shifted", "all"],
)
def test_each_option_keeps_exactly_what_it_says(options: Deidentification, more: set[str], tmp_path: Path) -> None:
    strict, _ = survivors(tmp_path / "strict", "2", STRICT)
    found, _ = survivors(tmp_path / "option", "2", options)
    added = set(found) - set(strict)
    if options.dates is Dates.SHIFT:  # days are moved, times of day stay
        more = {name for name in more if name.endswith("Time") and name != "AcquisitionDateTime"}
    assert added == more


def test_a_broken_rule_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reverse: with one rule too many, and with a rule that copies, the same search finds what was left."""
    real = kinds.rules_of

    def broken(sop_class: str) -> Mapping[str, Rule] | None:
        return {**(real(sop_class) or {}), "InstitutionAddress": Rule(Do.DEVICE), "PatientComments": Rule(Do.DEVICE)}

    monkeypatch.setattr("medfm_gui.imaging.deidentify.file.rules_of", broken)
    found, _ = survivors(tmp_path, "2", Deidentification(keep_device=True))
    assert {"InstitutionAddress", "PatientComments"} <= set(found)


def test_a_rule_that_copies_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrite, "make", lambda do, keyword, element, making: element.value)
    found, _ = survivors(tmp_path, "2", STRICT)
    assert {"StudyDescription", "StudyInstanceUID", "AccessionNumber"} <= set(found)


def test_only_listed_attributes_are_in_the_result(tmp_path: Path) -> None:
    _, out = survivors(tmp_path, "2", OPEN)
    written = {
        "SpecificCharacterSet", "PatientIdentityRemoved", "DeidentificationMethod", "PixelData",
        "DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified",
    }  # fmt: skip
    names = {element.keyword for element in pydicom.dcmread(out)}
    assert names <= set(kinds.rules_of(CT) or ()) | written
    assert "RecognizableVisualFeatures" not in names and "BurnedInAnnotation" not in names


def test_pixels_are_as_they_were_and_what_stands_behind_them_is_gone(tmp_path: Path) -> None:
    _, out = survivors(tmp_path, "2", STRICT)
    made = pydicom.dcmread(out)
    assert made.PixelData == (np.arange(192, dtype="<u2") * 10).tobytes()


def test_wrong_representations_smuggle_nothing(tmp_path: Path) -> None:
    """Text in an element of numbers, in explicit form under a representation that is not the dictionary's."""
    data, canaries = canary_image(CT, "CT")
    for keyword in ("PixelSpacing", "KVP", "SeriesNumber", "WindowCenter", "ImagePositionPatient", "TableHeight"):
        data[keyword].VR = "LO"
        data[keyword].value = canaries.text(f"wrong {keyword}")
    for keyword in ("ExposureTime", "SliceThickness"):
        data[keyword].VR = "UN"
        data[keyword].value = canaries.raw(f"unknown {keyword}")
    data.Modality = canaries.text("wrong modality")
    save(data, tmp_path / "in.dcm")
    answer_write(ordered(tmp_path / "in.dcm", tmp_path / "out.dcm", data, OPEN))
    found = canaries.found_in((tmp_path / "out.dcm").read_bytes())
    assert not [place for place in found if place.startswith(("wrong", "unknown"))]


def _nested(rules: Mapping[str, Rule], names: list[str], canaries: Canaries, within: str) -> Dataset:
    """An item with a mark in every attribute that any rule knows, and such items in each sequence that may stay."""
    item = Dataset()
    for name in names:
        kind = dictionary_VR(name)
        if kind in ("LO", "SH", "PN", "CS", "UI", "DT", "DA", "TM", "LT", "ST"):
            item.add(DataElement(tag_for_keyword(name) or 0, kind, canaries.text(f"{within}/{name}")))
    block = item.private_block(0x0009, canaries.text(f"{within} creator"), create=True)
    block.add_new(1, "LO", canaries.text(within))
    for name, rule in rules.items():
        if rule.do in (Do.ITEMS, Do.CODES):
            setattr(item, name, [_nested(rule.items or {}, names, canaries, f"{within}/{name}")])
    return item


@pytest.mark.parametrize("kind", ["2.1", "4.1", "66.4", "3.1", "128.1"])
def test_nothing_survives_within_the_sequences_that_stay(kind: str, tmp_path: Path) -> None:
    rules = kinds.rules_of(STORAGE + kind) or {}
    names = sorted({name for one in KINDS.values() for name in every_name(kinds.rules_of(STORAGE + one) or {})})
    names += ["OperatorsName", "PatientComments", "CodeMeaning", "CodeValue", "TextValue", "DeviceUID", "SegmentLabel"]
    data, canaries = canary_image(STORAGE + kind, "CT")
    with el.quiet():
        for name, rule in rules.items():
            if rule.do in (Do.ITEMS, Do.CODES):
                setattr(data, name, [_nested(rule.items or {}, names, canaries, name) for _ in range(2)])
        save(data, tmp_path / "in.dcm")
    answer_write(ordered(tmp_path / "in.dcm", tmp_path / "out.dcm", data, STRICT))
    raw = (tmp_path / "out.dcm").read_bytes()
    assert b"CANARY" not in raw and b"1.2.826.77777" not in raw
    if kind == "4.1":  # the items of frames keep their places, even where nothing of one may stay
        assert len(pydicom.dcmread(tmp_path / "out.dcm").PerFrameFunctionalGroupsSequence) == 2


def every_name(rules: Mapping[str, Rule]) -> set[str]:
    """Keywords of rules and of rules inside."""
    return set(rules).union(*(every_name(rule.items) for rule in rules.values() if rule.items))


def _photograph(canaries: Canaries) -> bytes:
    """A JPEG with a comment, EXIF, another application segment and bytes behind its end."""
    rng = np.random.default_rng(5)
    plain = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (32, 32), dtype=np.uint8)).save(
        plain, "JPEG", comment=canaries.text("comment")
    )
    stream = plain.getvalue()
    more = b""
    for marker, place in ((0xE1, "EXIF"), (0xED, "IPTC"), (0xFE, "second comment"), (0xE8, "SPIFF"), (0xEB, "APP11")):
        body = canaries.raw(place)
        more += bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body
    return stream[:2] + more + stream[2:] + canaries.raw("behind the end")


def test_texts_inside_compressed_pixels_are_overwritten_and_pixels_stay(tmp_path: Path) -> None:
    data, canaries = canary_image(STORAGE + "77.1.4", "XC")
    stream = _photograph(canaries)
    data.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    data.Rows = data.Columns = 32
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit = 7
    data.PixelData = encapsulate([stream])
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    before = save(data, tmp_path / "in.dcm")
    assert {"comment", "EXIF", "IPTC", "second comment", "SPIFF", "APP11", "behind the end"} <= set(
        canaries.found_in(before)
    )
    said = answer_write(ordered(tmp_path / "in.dcm", tmp_path / "out.dcm", data, STRICT))
    assert b"CANARY" not in (tmp_path / "out.dcm").read_bytes()
    assert any("overwritten" in words for words in said["notes"])
    made = pydicom.dcmread(tmp_path / "out.dcm")
    (frame,) = generate_frames(made.PixelData, number_of_frames=1)
    with Image.open(io.BytesIO(stream)) as old, Image.open(io.BytesIO(frame)) as new:
        np.testing.assert_array_equal(np.asarray(old), np.asarray(new))


def test_the_child_says_nothing_of_values_where_it_fails(tmp_path: Path) -> None:
    """A file that breaks off: neither the answer nor what the process prints names anybody."""
    data, canaries = canary_image(CT, "CT")
    raw = save(data, tmp_path / "in.dcm")
    (tmp_path / "in.dcm").write_bytes(raw[: len(raw) // 2])
    words = ordered(tmp_path / "in.dcm", tmp_path / "out.dcm", data, STRICT)
    orders = '{"memory_bytes": null}\n' + json.dumps({"id": 1, "work": "deidentify", **words}) + "\n"
    child = subprocess.run(
        [sys.executable, "-P", "-m", "medfm_gui.imaging.child"],
        input=orders.encode(), capture_output=True, timeout=60, cwd=Path(__file__).parents[3], check=True,
    )  # fmt: skip
    assert b'"ok": false' in child.stdout and not (tmp_path / "out.dcm").exists()
    assert not canaries.found_in(child.stdout + child.stderr)
