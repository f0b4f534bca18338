from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medfm_gui.base import wire
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.imaging.series import scan

MakeDicom = Callable[..., Path]


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as opened:
        yield opened


def _slices(make_dicom: MakeDicom, positions: list[float], **changes: object) -> None:
    for number, position in enumerate(positions):
        name = f"{changes.pop('folder', 'study')}/{number:03d}-{position}.dcm"
        make_dicom(name, ImagePositionPatient=[0, 0, position], InstanceNumber=100 - number, **changes)


def test_slices_are_sorted_by_position_not_by_number(
    make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool
) -> None:
    _slices(make_dicom, [4.0, 0.0, 2.0, 6.0])
    found = scan(tmp_path, decoders)
    (study,) = found.studies
    (series,) = study.series
    assert [item.position_mm for item in series.instances] == [0, 2, 4, 6]
    assert series.slice_spacing_mm == 2 and series.spacing_mm == (0.5, 0.5)
    assert (series.rows, series.columns, series.modality) == (16, 12, "CT")
    assert series.warnings == () and found.skipped == ()
    assert (study.uid, study.patient, study.date, study.sex, study.age) == ("1.2.3", "P7", "20240102", "F", "042Y")
    assert wire.decode(type(found), wire.encode(found)) == found


def test_missing_and_uneven_slices_are_said(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    _slices(make_dicom, [0, 1, 2, 5, 6])
    (series,) = scan(tmp_path, decoders).studies[0].series
    assert series.slice_spacing_mm == 1
    assert series.warnings == ("2 slices are missing (spacing 1.00 mm).",)
    _slices(make_dicom, [0, 1, 2.4, 3.4], folder="other", SeriesInstanceUID="1.9")
    uneven = next(item for item in scan(tmp_path, decoders).studies[0].series if item.uid == "1.9")
    assert uneven.warnings == ("Slice spacing is uneven: 1.00 to 1.40 mm.",)


def test_thick_slices_that_overlap(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    _slices(make_dicom, [0, 2, 4], SliceThickness=3)
    (series,) = scan(tmp_path, decoders).studies[0].series
    assert series.slice_spacing_mm == 2
    assert series.warnings == ("Slices overlap: 3.00 mm thick, 2.00 mm apart; the positions give the distance.",)


def test_two_images_at_one_place(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    _slices(make_dicom, [0, 1, 1, 2])
    (series,) = scan(tmp_path, decoders).studies[0].series
    assert "1 image lies where another one lies" in series.warnings[0]
    assert series.slice_spacing_mm == 1


def test_oblique_positions_are_measured_along_the_normal(
    make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool
) -> None:
    turn = [1, 0, 0, 0, 0.8, 0.6]
    for number in range(3):
        place = [0, -0.6 * 3 * number, 0.8 * 3 * number]
        make_dicom(f"{number}.dcm", ImageOrientationPatient=turn, ImagePositionPatient=place)
    (series,) = scan(tmp_path, decoders).studies[0].series
    assert series.slice_spacing_mm == pytest.approx(3)


def test_mixed_geometries_are_taken_apart(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    _slices(make_dicom, [0, 1, 2])
    make_dicom("scout.dcm", ImageOrientationPatient=[0, 1, 0, 0, 0, -1], pixels=np.zeros((20, 30), np.uint16))
    series = scan(tmp_path, decoders).studies[0].series
    assert sorted(len(item.instances) for item in series) == [1, 3]
    assert all("mixes 2 geometries" in item.warnings[0] for item in series)


def test_directions_that_differ_by_rounding_are_one_series(
    make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool
) -> None:
    for number in range(6):
        turned = [1, 0.0005 + (-1) ** number * 1e-6, 0, 0, 1, 0]
        make_dicom(f"{number}.dcm", ImagePositionPatient=[0, 0, number], ImageOrientationPatient=turned)
    (series,) = scan(tmp_path, decoders).studies[0].series
    assert len(series.instances) == 6
    assert series.warnings == ()


def test_a_uid_twice(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    first = make_dicom("a.dcm", SOPInstanceUID="1.5")
    make_dicom("b.dcm", pixels=np.full((16, 12), 9, np.uint16), SOPInstanceUID="1.5")
    make_dicom("c.dcm", SOPInstanceUID="1.5", BodyPartExamined="KNEE", PatientID="P7")
    (tmp_path / "d.dcm").write_bytes(first.read_bytes())
    found = scan(tmp_path, decoders)
    (series,) = found.studies[0].series
    assert [Path(item.path).name for item in series.instances] == ["a.dcm"]
    assert [(Path(item.path).name, item.reason) for item in found.skipped] == [
        ("b.dcm", "uid_clash"),
        ("c.dcm", "duplicate"),
        ("d.dcm", "duplicate"),
    ]
    assert "body part “KNEE” instead of “”" in found.skipped[1].message
    assert any("other pixels" in warning for warning in series.warnings)


def test_a_damaged_file_gives_way_to_a_whole_one_of_its_uid(
    make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool
) -> None:
    damaged = make_dicom("a.dcm", SOPInstanceUID="1.5")
    damaged.write_bytes(damaged.read_bytes()[:-100])
    make_dicom("b.dcm", SOPInstanceUID="1.5")
    found = scan(tmp_path, decoders)
    (series,) = found.studies[0].series
    assert [Path(item.path).name for item in series.instances] == ["b.dcm"] and series.warnings == ()
    (skipped,) = found.skipped
    assert Path(skipped.path).name == "a.dcm" and skipped.reason == "truncated"


def test_patients_and_studies_stay_apart(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    make_dicom("1.dcm")
    make_dicom("2.dcm", PatientID="P8")
    make_dicom("3.dcm", StudyInstanceUID="1.2.4", StudyDate="20250101")
    studies = scan(tmp_path, decoders).studies
    assert [(study.patient, study.uid) for study in studies] == [("P7", "1.2.3"), ("P7", "1.2.4"), ("P8", "1.2.3")]


def test_files_without_uids_are_grouped_by_folder(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    for folder in ("one", "two"):
        for number in range(2):
            make_dicom(
                f"{folder}/{number}.dcm",
                StudyInstanceUID="",
                SeriesInstanceUID="",
                ImagePositionPatient=[0, 0, number],
            )
    found = scan(tmp_path, decoders)
    assert len(found.studies) == 2
    assert len({study.uid for study in found.studies}) == 2
    assert all(study.uid.startswith("2.25.") and len(study.uid) <= 64 for study in found.studies)
    assert scan(tmp_path, decoders) == found, "the made UIDs are the same each time"
    assert "no Series Instance UID" in found.studies[0].series[0].warnings[0]


@pytest.mark.timeout(30)
def test_whatever_lies_in_a_folder(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    make_dicom("images/1.dcm")
    (tmp_path / ".hidden").write_bytes(b"x")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("text")
    Image.new("L", (4, 4)).save(tmp_path / "photo.png")
    os.mkfifo(tmp_path / "pipe.dcm")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "out.dcm").symlink_to(Path(__file__))
    make_dicom("odd.dcm").rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.dcm"))
    found = scan(tmp_path, decoders)
    assert len(found.studies) == 1
    reasons = {Path(item.path).name: item.reason for item in found.skipped}
    assert reasons == {
        tmp_path.name: "hidden",
        "notes.txt": "not_an_image",
        "photo.png": "not_dicom",
        "pipe.dcm": "not_regular",
        "out.dcm": "outside",
        "\\xff.dcm": "bad_name",
    }
    assert "2 hidden" in next(item.message for item in found.skipped if item.reason == "hidden")
    wire.encode(found)


def test_one_file(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool, monkeypatch: pytest.MonkeyPatch) -> None:
    make_dicom("x.dcm", PresentationIntentType="FOR PROCESSING", BurnedInAnnotation="YES", Modality="DX")
    make_dicom("y.dcm")
    monkeypatch.chdir(tmp_path)
    (study,) = scan(Path("x.dcm"), decoders).studies
    assert study.series[0].instances[0].path == str(tmp_path / "x.dcm")
    said = " ".join(study.series[0].warnings)
    assert "FOR PROCESSING" in said and "burned in" in said and "DX" in said


def test_multi_frame_files_are_their_own_series(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    make_dicom("many.dcm", pixels=np.zeros((3, 16, 12), np.uint16))
    make_dicom("one.dcm")
    series = scan(tmp_path, decoders).studies[0].series
    assert sorted(item.instances[0].frames for item in series) == [1, 3]


def test_detector_spacing_is_said(make_dicom: MakeDicom, tmp_path: Path, decoders: DecodePool) -> None:
    make_dicom("x.dcm", PixelSpacing=None, ImagerPixelSpacing=[0.1, 0.1], Modality="US")
    (series,) = scan(tmp_path, decoders).studies[0].series
    assert series.spacing_mm == (0.1, 0.1)
    assert any("detector" in warning for warning in series.warnings)


def test_a_packaged_file_set_with_its_index(packaged: list[Path], decoders: DecodePool) -> None:
    folder = next(path.parent for path in packaged if path.name == "DICOMDIR-reordered")
    found = scan(folder, decoders)
    assert {study.patient for study in found.studies} == {"77654033", "98890234"}
    assert sum(len(series.instances) for study in found.studies for series in study.series) == 31
    assert {item.reason for item in found.skipped} == {"no_pixels", "not_an_image"}


def test_the_real_studies(shared: Path, decoders: DecodePool) -> None:
    (brain,) = scan(shared / "mr-brain-study", decoders).studies
    slices = {item.description: (len(item.instances), item.slice_spacing_mm) for item in brain.series}
    assert slices.pop("HippoCrop") == (40, 1.0)
    assert slices == dict.fromkeys(("T1post", "T1pre_reg", "FLAIR_reg", "T2_reg"), (22, 6.5))
    (abdomen,) = scan(shared / "ct-abdomen", decoders).studies
    assert abdomen.series[0].slice_spacing_mm == 2.0 and len(abdomen.series[0].instances) == 20
