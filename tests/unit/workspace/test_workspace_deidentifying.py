"""Studies go in, copies that name nobody come out: folder, report, journal, and what happens when it goes wrong."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - its name everywhere
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, UltrasoundImageStorage

from medfm_gui.base.settings import Settings
from medfm_gui.domain.deidentification import Dates, Deidentification
from medfm_gui.domain.errors import DiskFull, InputError, Interrupted, NotFound, WorkspaceBusy
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.workspace.deidentified_folder import new_folder_of
from medfm_gui.workspace.deidentifying import Watch, Wish, deidentify, examine, find_studies
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.studies import import_studies
from tests.fixtures.canaries import canary_image, save

STUDY, OTHER = "1.2.3", "1.2.4"
NAME, NUMBER = "Zwetschgenbaum^Kunigunde", "KH-99118822"


@pytest.fixture(scope="module")
def pool() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as opened:
        yield opened


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as opened:
        yield opened


def write(path: Path, study: str, number: int, **changes: Any) -> None:
    """A slice of a phantom of 64 × 64 pixels, 4 mm apart."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = changes.get("SOPClassUID", CTImageStorage)
    meta.MediaStorageSOPInstanceUID = UID(f"{study}.1.{number}")
    data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    described: dict[str, Any] = {
        "SOPClassUID": CTImageStorage, "SOPInstanceUID": f"{study}.1.{number}", "StudyInstanceUID": study,
        "SeriesInstanceUID": f"{study}.1", "FrameOfReferenceUID": f"{study}.9", "PatientName": NAME,
        "PatientID": NUMBER, "PatientBirthDate": "19300115", "PatientSex": "F", "StudyDate": "20240110",
        "StudyTime": "101530", "StudyDescription": "Thorax Prof. Sauerbruch", "InstitutionName": "St. Elsewhere",
        "Modality": "CT", "BodyPartExamined": "CHEST", "Manufacturer": "SIEMENS Healthineers",
        "InstanceNumber": number, "ImagePositionPatient": [0, 0, number * 4.0],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [5.0, 5.0], "SliceThickness": 4,
        "RescaleSlope": 1, "RescaleIntercept": -1000, "Rows": 64, "Columns": 64, "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11,
        "PixelRepresentation": 0,
    }  # fmt: skip
    for keyword, value in (described | changes).items():
        setattr(data, keyword, value)
    data.PixelData = (np.arange(64 * 64, dtype="<u2") % 4096 + number).astype("<u2").tobytes()
    data["PixelData"].VR = "OW"
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)


@pytest.fixture
def originals(tmp_path: Path, workspace: Workspace, pool: DecodePool) -> Path:
    """Two studies of one patient, of three slices each, indexed; the folder bears the patient's name."""
    folder = tmp_path / "originals" / NAME
    for number in (1, 2, 3):
        write(folder / "a" / f"{number}.dcm", STUDY, number)
        write(folder / "b" / f"{number}.dcm", OTHER, number, StudyDate="20240310")
    import_studies(workspace, folder, pool=pool)
    return folder


def copies(out: Path) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted(out.rglob("*.dcm"))]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_copies_are_complete_and_the_originals_untouched(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    before = files_of(originals)
    done = deidentify(workspace, Wish((STUDY, OTHER), tmp_path / "out"), pool=pool)
    assert files_of(originals) == before
    assert done.written == 6 and len(done.patients) == 1 and not done.held
    made = copies(tmp_path / "out")
    assert {data.PatientID for data in made} == set(done.patients)
    assert sorted(data.PixelData for data in made[:3]) == sorted(
        pydicom.dcmread(path).PixelData for path in sorted((originals / "a").glob("*.dcm"))
    )
    names = "\n".join(str(path) for path in (tmp_path / "out").rglob("*"))
    everything = b"".join(files_of(tmp_path / "out").values()) + names.encode()
    for secret in (
        "Zwetschgenbaum",
        "Kunigunde",
        NUMBER,
        "Sauerbruch",
        "Elsewhere",
        "19300115",
        "20240110",
        STUDY + ".1",
    ):
        assert secret.encode() not in everything.replace(b"1.2.840.10008", b"")
    assert {data.PatientIdentityRemoved for data in made} == {"YES"}
    assert {data.LongitudinalTemporalInformationModified for data in made} == {"REMOVED"}
    assert not any("RecognizableVisualFeatures" in data or "BurnedInAnnotation" in data for data in made)


def test_other_programs_and_our_own_index_read_the_copies(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    done = deidentify(workspace, Wish((STUDY,), tmp_path / "out"), pool=pool)
    with open_workspace(tmp_path / "other", settings=Settings()) as other:
        (study,) = import_studies(other, tmp_path / "out", pool=pool).studies
    assert (study.patient, len(study.series[0].instances)) == (done.patients[0], 3)
    assert study.series[0].slice_spacing_mm == pytest.approx(4.0)
    paths = [item.path for item in study.series[0].instances]
    volume = sitk.ReadImage(paths)
    assert sitk.GetArrayFromImage(volume).shape == (3, 64, 64)
    old = sitk.ReadImage([str(originals / "a" / f"{number}.dcm") for number in (1, 2, 3)])
    np.testing.assert_array_equal(sitk.GetArrayFromImage(volume), sitk.GetArrayFromImage(old))


def test_pseudonyms_and_uids_are_the_same_in_a_second_run_and_others_elsewhere(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    deidentify(workspace, Wish((STUDY,), tmp_path / "one"), pool=pool)
    deidentify(workspace, Wish((STUDY, OTHER), tmp_path / "two"), pool=pool)
    one, two = copies(tmp_path / "one"), copies(tmp_path / "two")
    assert [data.SOPInstanceUID for data in one] == [data.SOPInstanceUID for data in two[:3]]
    assert all(str(data.SOPInstanceUID).startswith("2.25.") for data in one)
    assert len({data.FrameOfReferenceUID for data in one}) == 1
    with open_workspace(tmp_path / "other", settings=Settings()) as other:
        import_studies(other, originals, pool=pool)
        deidentify(other, Wish((STUDY,), tmp_path / "three"), pool=pool)
    three = copies(tmp_path / "three")
    assert three[0].SOPInstanceUID != one[0].SOPInstanceUID and three[0].PatientID != one[0].PatientID


def test_dates_move_by_one_number_of_days_for_a_patient(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    options = Deidentification(Dates.SHIFT, clean_descriptors=True, keep_patient=True)
    deidentify(workspace, Wish((STUDY, OTHER), tmp_path / "out", options), pool=pool)
    first, second = copies(tmp_path / "out")[0], copies(tmp_path / "out")[3]
    days = [np.datetime64(f"{date[:4]}-{date[4:6]}-{date[6:]}") for date in (first.StudyDate, second.StudyDate)]
    assert (days[1] - days[0]).astype(int) == 60
    assert first.StudyDate != "20240110" and first.StudyTime == "101530"
    assert first.LongitudinalTemporalInformationModified == "MODIFIED"
    assert (first.PatientAge, first.PatientSex, first.StudyDescription) == ("090Y", "F", "Thorax")
    codes = [item.CodeValue for item in first.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107", "113108"]


def test_the_report_counts_and_names_no_value(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    done = deidentify(workspace, Wish((STUDY,), tmp_path / "out"), pool=pool)
    report = json.loads((tmp_path / "out" / "deidentification.json").read_text())
    actions = {(one["keyword"], one["action"]): one["count"] for one in report["attributes"]}
    assert actions["PatientName", "replaced"] == actions["StudyDate", "removed"] == 3
    assert actions["SliceThickness", "kept"] == 3 and report["written"] == 3
    lines = (tmp_path / "out" / "deidentification.csv").read_text().splitlines()
    assert "(0010,0010),PatientName,,replaced,3" in [line.replace('"', "") for line in lines]
    assert done.report == str(tmp_path / "out" / "deidentification.json")


def test_marks_are_in_no_file_of_the_workspace_and_of_the_copies(
    workspace: Workspace, pool: DecodePool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The index keeps what the tree shows (id, date, descriptions); journal, keys and copies hold none of it."""
    data, _ = canary_image(CTImageStorage, "CT")
    save(data, tmp_path / "in" / "a.dcm")
    (study,) = import_studies(workspace, tmp_path / "in", pool=pool).studies
    done = deidentify(workspace, Wish((study.uid,), tmp_path / "out", all_looked_at=True), pool=pool)
    told = files_of(tmp_path / "out") | {
        "journal": (workspace.root / "journal.jsonl").read_bytes(),
        "log": caplog.text.encode(),
        "said": repr((done.removals, done.notes, done.patients, done.studies)).encode(),
    }
    for path in workspace.root.rglob("*"):
        if path.is_file() and "studies" not in path.parts and not path.name.startswith("medfm.sqlite"):
            told[str(path)] = path.read_bytes()
    for name, raw in told.items():
        assert b"CANARY" not in raw and b"1.2.826.77777" not in raw, name


# -- what a person must look at


@pytest.fixture
def ultrasound(tmp_path: Path, workspace: Workspace, pool: DecodePool) -> Path:
    folder = tmp_path / "us"
    for number in (1, 2):
        write(folder / f"{number}.dcm", "1.2.7", number, SOPClassUID=UltrasoundImageStorage, Modality="US")
    write(folder / "ct.dcm", "1.2.7", 9, SeriesInstanceUID="1.2.7.2", SOPInstanceUID="1.2.7.2.1")
    import_studies(workspace, folder, pool=pool)
    return folder


def test_images_that_may_show_a_name_wait_for_a_look(
    workspace: Workspace, ultrasound: Path, pool: DecodePool, tmp_path: Path
) -> None:
    found = examine(workspace, ("1.2.7",), pool=pool)
    assert [one.flags for one in found.flagged] == [("ultrasound",)] * 2 and found.files == 3
    done = deidentify(workspace, Wish(("1.2.7",), tmp_path / "none"), pool=pool)
    assert done.written == 1 and {one.reason for one in done.held} == {"burned_in"}
    assert "BurnedInAnnotation" not in copies(tmp_path / "none")[0]
    seen = frozenset({str(ultrasound / "1.dcm")})
    done = deidentify(workspace, Wish(("1.2.7",), tmp_path / "one", looked_at=seen), pool=pool)
    assert done.written == 2
    flags = {data.Modality: data.get("BurnedInAnnotation") for data in copies(tmp_path / "one")}
    assert flags == {"US": "NO", "CT": None}
    deidentify(workspace, Wish(("1.2.7",), tmp_path / "all", all_looked_at=True), pool=pool)
    report = json.loads((tmp_path / "all" / "deidentification.json").read_text())
    assert report["burned_in"] == {"flagged_and_written": {"ultrasound": 2}, "a_person_looked": True}
    assert "a person looked" in (workspace.root / "journal.jsonl").read_text()


def test_overlays_in_unused_bits_are_never_written(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    """Where they can be cleared, the file is written without; where no bit is unused, it is not written."""
    for number, bits in ((1, 12), (2, 16)):
        path = originals / "a" / f"{number}.dcm"
        data = pydicom.dcmread(path)
        data.add_new((0x6000, 0x0100), "US", 16)
        data.add_new((0x6000, 0x0102), "US", 15)
        data.BitsStored, data.HighBit = bits, bits - 1
        values = np.arange(64 * 64, dtype="<u2") % 4096
        data.PixelData = (values | 1 << 15).astype("<u2").tobytes()
        data.save_as(path)
    done = deidentify(workspace, Wish((STUDY,), tmp_path / "out", all_looked_at=True), pool=pool)
    assert done.written == 2 and [(one.path, one.reason) for one in done.held] == [(str(path), "overlay_bits")]
    assert copies(tmp_path / "out")[0].PixelData == values.tobytes()
    assert any("overlay" in note for note in done.notes)


def test_nothing_to_write_is_an_error_and_leaves_nothing(
    workspace: Workspace, ultrasound: Path, pool: DecodePool, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="nobody has looked"):
        deidentify(workspace, Wish(("1.2.7",), tmp_path / "out", series=("1.2.7.1",)), pool=pool)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize(
    ("changes", "is_face"),
    [
        ({"BodyPartExamined": "HEAD"}, True),
        ({"BodyPartExamined": "", "SeriesDescription": "Schädel nativ"}, True),
        ({"BodyPartExamined": "", "StudyDescription": "", "PixelSpacing": [3.5, 3.5]}, True),
        ({"BodyPartExamined": "", "StudyDescription": "", "PixelSpacing": [6.0, 6.0]}, False),
        ({"BodyPartExamined": "CHEST"}, False),
        ({"BodyPartExamined": "CHEST", "PixelSpacing": [3.5, 3.5]}, False),
    ],
    ids=["body part", "word", "field", "wide field", "chest", "small chest"],
)
def test_volumes_of_heads_say_that_a_face_might_be_rebuilt(
    changes: dict[str, Any], is_face: bool, workspace: Workspace, pool: DecodePool, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        write(tmp_path / "in" / f"{number}.dcm", "1.2.8", number, **changes)
    import_studies(workspace, tmp_path / "in", pool=pool)
    done = deidentify(workspace, Wish(("1.2.8",), tmp_path / "out", faces_known=True), pool=pool)
    assert bool(done.faces) is is_face
    said = {data.get("RecognizableVisualFeatures") for data in copies(tmp_path / "out")}
    assert said == ({"YES"} if is_face else {None})
    assert ("a person knows it" in (workspace.root / "journal.jsonl").read_text()) is is_face


# -- what goes wrong


def test_the_folder_must_be_new_and_away_from_the_originals(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not an empty folder"):
        deidentify(workspace, Wish((STUDY,), tmp_path / "full"), pool=pool)
    with pytest.raises(InputError, match="among the originals"):
        deidentify(workspace, Wish((STUDY,), originals / "a" / "copies"), pool=pool)
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    assert deidentify(workspace, Wish((STUDY,), tmp_path / "empty"), pool=pool).written == 3


def test_what_is_stopped_leaves_nothing(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    steps: list[str] = []

    def tell(words: str, done: int, total: int) -> None:
        steps.append(words)

    watch = Watch(tell, lambda: steps.count("Writing") >= 2)
    with pytest.raises(Interrupted):
        deidentify(workspace, Wish((STUDY, OTHER), tmp_path / "out"), pool=pool, watch=watch)
    list(pool.headers([originals / "a" / "1.dcm"]))  # the child has done by now whatever it had in hand
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


def test_what_a_killed_program_left_is_removed(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    left = tmp_path / ".out.medfm-part" / "P-OLD"
    left.mkdir(parents=True)
    (left / "old.dcm").write_bytes(b"half")
    deidentify(workspace, Wish((STUDY,), tmp_path / "out"), pool=pool)
    assert not list(tmp_path.glob(".out*")) and not list((tmp_path / "out").rglob("old.dcm"))


def test_two_do_not_write_to_one_folder(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    with new_folder_of(tmp_path / "out") as folder:
        (folder / "a").write_text("a")
        with pytest.raises(WorkspaceBusy):
            deidentify(workspace, Wish((STUDY,), tmp_path / "out"), pool=pool)
    assert (tmp_path / "out" / "a").read_text() == "a"


def test_a_full_disk_is_said_before_and_leaves_nothing(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(
        "medfm_gui.workspace.deidentified_folder.shutil.disk_usage", lambda _: usage._replace(free=1000)
    )
    with pytest.raises(DiskFull):
        deidentify(workspace, Wish((STUDY,), tmp_path / "out"), pool=pool)
    assert not (tmp_path / "out").exists()


def test_a_disk_that_fills_while_writing_leaves_nothing(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> Iterator[None]:
        raise DiskFull("The disk is full.", "Free some space.")

    monkeypatch.setattr("medfm_gui.imaging.deidentify.orders.write", full)
    with pytest.raises(DiskFull):
        deidentify(workspace, Wish((STUDY,), tmp_path / "out"), pool=pool)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


def test_files_that_changed_or_went_are_held_back(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    write(originals / "a" / "1.dcm", STUDY, 1, PatientID="SOMEBODY-ELSE")
    (originals / "a" / "2.dcm").unlink()
    done = deidentify(workspace, Wish((STUDY,), tmp_path / "out"), pool=pool)
    assert done.written == 1 and sorted(one.reason for one in done.held) == ["bad_header", "unreadable"]
    assert b"SOMEBODY" not in b"".join(files_of(tmp_path / "out").values())


def test_studies_are_found_by_uid_folder_and_path(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    name = next(path.parent.name for path in (workspace.root / "studies").glob("*/study.json"))
    assert find_studies(workspace, [STUDY, STUDY]) == (STUDY,)
    assert find_studies(workspace, [name])[0] in (STUDY, OTHER)
    assert set(find_studies(workspace, [str(originals)], pool=pool)) == {STUDY, OTHER}
    with pytest.raises(NotFound):
        find_studies(workspace, ["9.9.9"])
    with pytest.raises(NotFound):
        examine(workspace, (STUDY,), ("9.9",), pool=pool)


@pytest.mark.skipif(os.name != "posix", reason="folders without write permission are a matter of POSIX here")
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(
    workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(InputError):
        deidentify(workspace, Wish((STUDY,), tmp_path / "closed" / "out"), pool=pool)


def test_the_key_is_in_no_copy(workspace: Workspace, originals: Path, pool: DecodePool, tmp_path: Path) -> None:
    deidentify(workspace, Wish((STUDY,), tmp_path / "out"), pool=pool)
    key = (workspace.root / "keys" / "pseudonyms.key").read_bytes()
    assert not any(key in raw or key.hex().encode() in raw for raw in files_of(tmp_path / "out").values())
