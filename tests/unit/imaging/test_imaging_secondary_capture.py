from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.read import read_picture
from medfm_gui.imaging.secondary_capture import with_notice, write_secondary_capture

MakeDicom = Callable[..., Path]

RGB = np.random.default_rng(2).integers(0, 256, (65, 71, 3), dtype=np.uint8)
NOTICE = "Research use only - not for clinical use"


def _write(out: Path, source: Path | None, title: str = "Grad-CAM for cancer") -> None:
    write_secondary_capture(out, RGB, source=source, title=title, notice=NOTICE)


def test_it_joins_the_study_of_its_source(tmp_path: Path, make_dicom: MakeDicom) -> None:
    source = make_dicom(
        preamble=b"MZ".ljust(128, b"x"), InstitutionName="Clinic", StationName="CT1", PatientBirthDate="19800101"
    )
    out = tmp_path / "map.dcm"
    _write(out, source)
    data, origin = dcmread(out), dcmread(source)
    for name in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate"):
        assert data[name].value == origin[name].value, name
    assert data.SeriesInstanceUID != origin.SeriesInstanceUID
    assert data.SOPInstanceUID != origin.SOPInstanceUID
    assert data.SourceImageSequence[0].ReferencedSOPInstanceUID == origin.SOPInstanceUID
    assert out.read_bytes()[:128] == bytes(128)
    assert b"Clinic" not in out.read_bytes() and b"CT1" not in out.read_bytes(), "only what is listed travels"


def test_it_says_what_it_is(tmp_path: Path, make_dicom: MakeDicom) -> None:
    out = tmp_path / "map.dcm"
    _write(out, make_dicom())
    data = dcmread(out)
    assert data.SOPClassUID == data.file_meta.MediaStorageSOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
    assert data.ImageComments == NOTICE
    assert NOTICE in data.DerivationDescription and "Grad-CAM for cancer" in data.DerivationDescription
    assert list(data.ImageType)[:2] == ["DERIVED", "SECONDARY"]
    assert data.Modality == "OT" and data.SeriesDescription == "Grad-CAM for cancer"
    required = "PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName StudyID"
    for name in [*required.split(), "AccessionNumber", "Manufacturer", "ConversionType", "SeriesNumber"]:
        assert name in data, f"{name} is type 1 or 2 of the Secondary Capture IOD"


@pytest.mark.parametrize(("source_says", "said"), [("NO", "NO"), ("YES", "YES"), (None, "YES")])
def test_burned_in_text_is_denied_only_where_the_source_denies_it(
    tmp_path: Path, make_dicom: MakeDicom, source_says: str | None, said: str
) -> None:
    changes = {"BurnedInAnnotation": source_says} if source_says else {}
    _write(tmp_path / "map.dcm", make_dicom(**changes))
    assert dcmread(tmp_path / "map.dcm").BurnedInAnnotation == said


def test_the_image_is_whole_and_the_notice_is_below_it(tmp_path: Path) -> None:
    _write(tmp_path / "map.dcm", None)
    pixels = read_picture(tmp_path / "map.dcm").pixels
    np.testing.assert_array_equal(pixels[:65], RGB)
    assert pixels.shape[0] > 75 and pixels.shape[1] == 71
    assert pixels[65:].max() > 200, "something is written there"
    wide = with_notice(np.zeros((10, 800, 3), np.uint8), NOTICE)
    assert wide.shape[1] == 800 and wide.shape[0] < 60


def test_without_a_dicom_source_it_is_nobodys(tmp_path: Path) -> None:
    for name in ("a.dcm", "b.dcm"):
        _write(tmp_path / name, None, title="x" * 500)
    first, second = dcmread(tmp_path / "a.dcm"), dcmread(tmp_path / "b.dcm")
    assert first.PatientID == "" and str(first.PatientName) == "" and first.StudyDate == ""
    assert first.StudyInstanceUID != second.StudyInstanceUID
    assert len(first.SeriesDescription) == 64
    assert "SourceImageSequence" not in first


def test_a_source_without_uids_or_with_hostile_ones(tmp_path: Path, make_dicom: MakeDicom) -> None:
    _write(tmp_path / "map.dcm", make_dicom(StudyInstanceUID="../../evil", SOPInstanceUID=""))
    data = dcmread(tmp_path / "map.dcm")
    assert data.StudyInstanceUID.startswith("2.25.")
    assert "SourceImageSequence" not in data


def test_names_of_all_alphabets_survive(tmp_path: Path, make_dicom: MakeDicom) -> None:
    source = make_dicom(SpecificCharacterSet="ISO_IR 192", PatientName="Yamada^Tarou=山田^太郎", PatientID="Ä7")
    _write(tmp_path / "map.dcm", source)
    data = dcmread(tmp_path / "map.dcm")
    assert str(data.PatientName) == "Yamada^Tarou=山田^太郎" and data.PatientID == "Ä7"


def test_loss_stays_declared(tmp_path: Path, make_dicom: MakeDicom) -> None:
    _write(tmp_path / "map.dcm", make_dicom(LossyImageCompression="01", LossyImageCompressionRatio=12))
    assert dcmread(tmp_path / "map.dcm").LossyImageCompression == "01"


def test_a_source_that_is_no_dicom_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "x.dcm"
    text.write_text("text")
    with pytest.raises(UnreadableFile):
        _write(tmp_path / "map.dcm", text)
    assert not (tmp_path / "map.dcm").exists()


def test_a_real_slice(shared: Path, tmp_path: Path) -> None:
    source = next((shared / "ct-abdomen" / "series").iterdir())
    _write(tmp_path / "map.dcm", source)
    assert dcmread(tmp_path / "map.dcm").StudyDate == "20221208"


def test_the_frame_it_was_made_from_is_named(tmp_path: Path, make_dicom: MakeDicom) -> None:
    source = make_dicom(pixels=np.zeros((5, 16, 12), np.uint16))
    image = np.zeros((16, 12, 3), np.uint8)
    for frame, said in ((None, None), (3, 4)):
        out = tmp_path / f"{frame}.dcm"
        write_secondary_capture(out, image, source=source, title="map", notice="no", frame=frame)
        (reference,) = dcmread(out).SourceImageSequence
        assert reference.get("ReferencedFrameNumber") == said
