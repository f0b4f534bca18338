"""Questions about studies: the index, frames that the window maps, what exactly is scored, and what is kept of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.desk.answers import predicting
from medfm_gui.desk.answers.studies import ENTRIES
from medfm_gui.desk.asks import studies as asks
from medfm_gui.desk.asks.studies import SeriesKey
from medfm_gui.desk.protocol import Ask, answer_type, decode_answer, encode_value
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.errors import InputError, Interrupted, NotFound
from medfm_gui.workspace import prediction
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.prediction import Explanation, PredictionFile, PredictRequest, StudyPrediction
from medfm_gui.workspace.prediction_units import units_of
from medfm_gui.workspace.studies import read_study

STUDY, OTHER = "1.2.3", "1.2.4"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        yield workspace


@pytest.fixture
def room(workspace: Workspace) -> Iterator[Room]:
    with Room(workspace) as room:
        yield room


def dicom(path: Path, study: str, series: str, number: int, *, modality: str = "CT") -> Path:
    """A slice of a phantom."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(f"{series}.{number}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, f"{series}.{number}"
    data.StudyInstanceUID, data.SeriesInstanceUID = study, series
    data.PatientID, data.PatientName, data.PatientSex, data.PatientAge = "PHANTOM-1", "Phantom^One", "F", "064Y"
    data.Modality, data.SeriesDescription, data.StudyDate = modality, "Phantom", "20260102"
    data.InstanceNumber = number
    data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, number * 2.0], [1, 0, 0, 0, 1, 0]
    data.PixelSpacing = [1.0, 1.0]
    data.Rows, data.Columns, data.SamplesPerPixel = 16, 16, 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.RescaleSlope, data.RescaleIntercept = 1, -1000
    data.PixelData = np.full((16, 16), 100 * number, np.uint16).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def answered(room: Room, ask: Ask[Any], say: Callable[[str, Any], None] = lambda kind, value: None) -> Any:
    """The answer as it arrives in the window."""
    body, payload = encode_value(ENTRIES[type(ask)].answer(room, ask, Told(say)))
    return decode_answer(answer_type(type(ask)), body, payload)


@pytest.fixture
def ct(tmp_path: Path, room: Room) -> Path:
    """A folder with one study of one series of four slices, indexed."""
    folder = tmp_path / "ct"
    for number in range(1, 5):
        dicom(folder / f"{number}.dcm", STUDY, "1.2.3.1", number)
    answered(room, asks.IndexSource(str(folder)))
    return folder


def test_a_folder_is_indexed_and_listed(room: Room, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    dicom(folder / "1.dcm", STUDY, "1.2.3.1", 1)
    Image.new("RGB", (8, 8)).save(folder / "skin.png")
    (folder / "notes.txt").write_text("nothing to see")
    parts: list[tuple[str, Any]] = []
    found = answered(room, asks.IndexSource(str(folder)), lambda kind, value: parts.append((kind, value)))
    assert [study.uid for study in found.studies] == [STUDY]
    assert found.pictures == (str(folder / "skin.png"),)
    assert [Path(item.path).name for item in found.skipped] == ["notes.txt"]
    assert any(kind == "part" and value.studies[0].uid == STUDY for kind, value in parts)
    listed = answered(room, asks.ListStudies())
    assert [study.uid for study in listed.studies] == [STUDY]
    assert listed.studies[0].series == found.studies[0].series
    assert "[[preset]]" in listed.presets


def test_pictures_alone_are_opened_and_nothing_is_an_error(room: Room, tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "eye.png")
    assert answered(room, asks.IndexSource(str(tmp_path / "eye.png"))).pictures == (str(tmp_path / "eye.png"),)
    (tmp_path / "empty").mkdir()
    for path in ("empty", "gone"):
        with pytest.raises(InputError):
            answered(room, asks.IndexSource(str(tmp_path / path)))


def test_an_index_that_is_cancelled_keeps_nothing(room: Room, tmp_path: Path) -> None:
    dicom(tmp_path / "a" / "1.dcm", STUDY, "1.2.3.1", 1)
    told = Told(lambda kind, value: told.stopped.set())
    with pytest.raises(Interrupted):
        ENTRIES[asks.IndexSource].answer(room, asks.IndexSource(str(tmp_path / "a")), told)
    assert answered(room, asks.ListStudies()).studies == ()


def test_an_archive_and_a_second_reading(room: Room, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "cd.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for number in (1, 2, 3):
            packed.write(dicom(tmp_path / "in" / f"{number}.dcm", STUDY, "1.2.3.1", number), f"CD/{number}")
        packed.writestr("../evil.dcm", "x")
    told: list[str] = []
    for _ in range(2):
        found = answered(
            room,
            asks.IndexSource(str(tmp_path / "cd.zip")),
            lambda kind, value: told.append(value.text) if kind == "progress" else None,
        )
        assert found.studies[0].series[0].n_instances == 3
        assert [item.reason for item in found.skipped] == ["outside"]
    assert "Unpacking the archive" in told
    key = SeriesKey(STUDY, "1.2.3.1")
    assert answered(room, asks.OpenSeries(key)).opened.count == 3


def test_a_reading_that_the_end_of_the_program_broke_off_is_told(room: Room, tmp_path: Path) -> None:
    from medfm_gui.workspace import studies

    dicom(tmp_path / "a" / "1.dcm", STUDY, "1.2.3.1", 1)
    seen: list[str] = []
    answered(
        room,
        asks.IndexSource(str(tmp_path / "a")),
        lambda kind, value: seen.append(studies.unfinished(room.workspace)),
    )
    assert str(tmp_path / "a") in seen
    assert answered(room, asks.ListStudies()).unfinished == ""
    wire.write(room.workspace.root / "studies" / "reading.json", studies._Reading(str(tmp_path / "a")))
    assert answered(room, asks.ListStudies()).unfinished == str(tmp_path / "a")


def test_all_elements_of_a_header_name_nobody_unless_it_is_wanted(room: Room, ct: Path) -> None:
    key = SeriesKey(STUDY, "1.2.3.1")
    shown = {one.name: one for one in answered(room, asks.ReadElements(key)).elements}
    assert shown["Modality"].value == "CT" and shown["Modality"].tag == "(0008,0060)"
    assert shown["Patient's Name"].is_hidden and shown["Patient ID"].value == ""
    assert shown["Patient's Sex"].value == "F"
    assert "Phantom^One" not in "".join(one.value for one in shown.values())
    named = {one.name: one.value for one in answered(room, asks.ReadElements(key, identity=True)).elements}
    assert (named["Patient's Name"], named["Patient ID"]) == ("Phantom^One", "PHANTOM-1")
    with pytest.raises(NotFound):
        answered(room, asks.ReadElements(SeriesKey(STUDY, "9")))


def test_a_picture_has_no_elements(room: Room, tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "eye.png")
    assert answered(room, asks.ReadElements(SeriesKey(path=str(tmp_path / "eye.png")))).elements == ()


def test_frames_lie_in_a_file_that_can_be_mapped(room: Room, ct: Path) -> None:
    parts: list[Any] = []
    answer = answered(
        room, asks.OpenSeries(SeriesKey(STUDY, "1.2.3.1")), lambda kind, value: parts.append((kind, value))
    )
    opened = answer.opened
    shape = (opened.count, opened.rows, opened.columns)
    frames = np.memmap(opened.array, np.dtype(opened.dtype), "r", offset=answer.offset, shape=shape)
    values = frames[:, 0, 0].astype(float) * opened.slope + opened.intercept
    assert values.tolist() == [-900.0, -800.0, -700.0, -600.0]
    assert parts[0][0] == "part"
    assert parts[0][1].opened.array == opened.array
    assert Path(opened.array).parent == room.scratch
    answered(room, asks.CloseSeries(opened.array))
    assert not Path(opened.array).exists()


def test_only_frames_are_removed(room: Room, tmp_path: Path) -> None:
    for path in (tmp_path / "series-1.npy", room.scratch / "other.npy"):
        path.write_bytes(b"kept")
        answered(room, asks.CloseSeries(str(path)))
        assert path.exists()


def test_thumbnails_are_named_by_their_place(room: Room, ct: Path) -> None:
    sheet = answered(room, asks.SeriesThumbnails(STUDY, (0, 7), side=12))
    assert [(tile.sample, tile.rows, tile.columns) for tile in sheet.tiles] == [("0", 12, 12)]
    assert len(sheet.payload) == 144
    Image.new("RGB", (20, 10), (255, 0, 0)).save(ct / "red.png")
    (ct / "bad.png").write_bytes(b"no picture")
    sheet = answered(room, asks.FileThumbnails((str(ct / "red.png"), str(ct / "bad.png")), side=10))
    red, bad = sheet.tiles
    assert (red.rows, red.columns, red.channels) == (5, 10, 3)
    assert bad.rows == 0
    assert bad.message


def test_header_facts_name_nobody_unless_asked(room: Room, ct: Path) -> None:
    key = SeriesKey(STUDY, "1.2.3.1")
    facts = {fact.name: fact.value for fact in answered(room, asks.ReadTags(key)).facts}
    assert facts["Study date"] == "2026-01-02"
    assert facts["Slice spacing"] == "2.00 mm"
    assert "PHANTOM" not in str(facts)
    named = {fact.name: fact.value for fact in answered(room, asks.ReadTags(key, identity=True)).facts}
    assert named["Patient ID"] == "PHANTOM-1"
    assert named["Age"] == "64 y"
    with pytest.raises(NotFound):
        answered(room, asks.ReadTags(SeriesKey(STUDY, "9")))


# -- what is scored


def wanted(room: Room, **key: Any) -> PredictRequest:
    return predicting._request(room, asks.PredictSource(SeriesKey(**key), ("r0001",)))


def test_a_study_is_asked_for_by_its_series(room: Room, ct: Path) -> None:
    dicom(ct / "sub" / "5.dcm", STUDY, "1.2.3.2", 1)
    dicom(ct / "other.dcm", OTHER, "1.2.4.1", 1)
    answered(room, asks.IndexSource(str(ct)))
    whole = wanted(room, study=STUDY)
    assert (whole.source, sorted(whole.series)) == (ct, ["1.2.3.1", "1.2.3.2"])
    single = wanted(room, study=STUDY, series="1.2.3.2")
    assert (single.source, single.series) == (ct / "sub" / "5.dcm", ("1.2.3.2",))
    assert wanted(room, path=str(ct / "1.dcm")) == PredictRequest(ct / "1.dcm", ("r0001",))
    with pytest.raises(NotFound):
        wanted(room, study=STUDY, series="9")


def test_of_a_mixed_folder_exactly_the_wanted_series_is_scored(room: Room, ct: Path) -> None:
    dicom(ct / "other.dcm", OTHER, "1.2.4.1", 1)
    for number in (1, 2):
        dicom(ct / f"scout-{number}.dcm", STUDY, "1.2.3.2", number)
    Image.new("RGB", (8, 8)).save(ct / "skin.png")
    (ct / "notes.txt").write_text("nothing to see")
    answered(room, asks.IndexSource(str(ct)))
    whole = read_study(room.workspace, STUDY)
    request = wanted(room, study=STUDY, series="1.2.3.1")
    assert (request.source, request.series) == (ct, ("1.2.3.1",))
    units, skipped = units_of(room.workspace, ct, ("1.2.3.1",), room.pool())
    assert [(unit.series, sorted(frame.file.name for frame in unit.frames)) for unit in units] == [
        ("1.2.3.1", [f"{number}.dcm" for number in range(1, 5)])
    ]
    assert skipped == []
    assert read_study(room.workspace, STUDY) == whole
    (ct / "2.dcm").unlink()
    units, skipped = units_of(room.workspace, ct, ("1.2.3.1",), room.pool())
    assert [len(unit.frames) for unit in units] == [3]
    assert [Path(item.path).name for item in skipped] == ["2.dcm"]
    assert len(read_study(room.workspace, STUDY).series[0].instances) == 4
    with pytest.raises(NotFound):
        units_of(room.workspace, ct, ("9",), room.pool())


def test_a_part_that_is_opened_shows_the_whole_study(room: Room, ct: Path) -> None:
    whole = answered(room, asks.ListStudies()).studies[0].series
    parts: list[Any] = []
    found = answered(room, asks.IndexSource(str(ct / "2.dcm")), lambda kind, value: parts.append((kind, value)))
    assert found.studies[0].series == whole
    assert all(value.studies[0].series == whole for kind, value in parts if kind == "part")
    assert answered(room, asks.ListStudies()).studies[0].series == whole


def test_scratch_of_dead_desks_is_removed(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead, alive = tmp_path / f"medfm-desk-{child.pid}-abc", tmp_path / f"medfm-desk-{os.getpid()}-abc"
    other = tmp_path / "medfm-desk-notes"
    for folder in (dead, alive, other):
        folder.mkdir()
        (folder / "series-1.npy").write_bytes(b"x")
    with Room(workspace) as room:
        assert room.scratch.name.startswith(f"medfm-desk-{os.getpid()}-")
        assert not dead.exists()
    assert alive.exists()
    assert other.exists()
    assert not room.scratch.exists()


@pytest.fixture
def scored(room: Room, ct: Path, monkeypatch: pytest.MonkeyPatch) -> list[PredictRequest]:
    """Predictions are written, not computed; the requests are kept."""
    requests: list[PredictRequest] = []

    def predict(workspace: Workspace, request: PredictRequest, **_: Any) -> PredictionFile:
        requests.append(request)
        folder = workspace.root / "predictions" / f"p{len(requests):04d}"
        (folder / "maps").mkdir(parents=True)
        np.save(folder / "maps" / "map-1.npy", np.full((4, 6), 0.5, np.float32))
        Image.new("RGB", (16, 16), (9, 9, 9)).save(folder / "001-gradcam.png")
        explained = Explanation(
            "gradcam", str(folder / "001-gradcam.png"), "sick", "map-1.npy", source=str(ct / "2.dcm"), note="No proof."
        )
        said = [
            StudyPrediction(str(ct), run, {"sick": 0.7, "well": 0.3}, "sick", 0.5, "youden, fitted on val", 4,
                            STUDY, explained, ("unlike",), "1.2.3.1")
            for run in request.runs
        ]  # fmt: skip
        file = PredictionFile(folder.name, "2026-11-22T07:00:00Z", tuple(said))
        wire.write(folder / "prediction.json", file)
        prediction.index(workspace, file)
        return file

    monkeypatch.setattr(prediction, "predict", predict)
    monkeypatch.setattr(Room, "warm", lambda self: None)
    return requests


def predicted(room: Room, runs: Sequence[str] = ("r0001",), **changes: Any) -> Any:
    return answered(room, asks.PredictSource(SeriesKey(STUDY, **changes), tuple(runs), explain="gradcam"))


def test_an_answer_is_made_and_shown_again(room: Room, ct: Path, scored: list[PredictRequest]) -> None:
    view = predicted(room, ("r0001", "r0002"))
    assert (scored[0].source, scored[0].series) == (ct, ("1.2.3.1",))
    assert scored[0].explain == "gradcam"
    (image,) = view.images
    assert image.warnings == ("unlike",)
    assert [(said.prediction, said.number, said.run) for said in image.said] == [
        ("p0001", 0, "r0001"),
        ("p0001", 1, "r0002"),
    ]
    assert image.said[0].classes == {"sick": 0.7, "well": 0.3}
    assert image.said[0].has_map
    assert answered(room, asks.ShowPrediction("p0001")) == view
    earlier = answered(room, asks.ListEarlier(SeriesKey(STUDY))).predictions
    assert [(one.id, one.runs, one.n_images) for one in earlier] == [("p0001", ("r0001", "r0002"), 1)]
    assert answered(room, asks.ListEarlier(SeriesKey(path=str(ct / "1.dcm")))).predictions == ()


def test_a_series_that_was_not_scored_is_named(room: Room, ct: Path, scored: list[PredictRequest]) -> None:
    answer = prediction.predict(room.workspace, PredictRequest(ct, ("r0001",)))
    with pytest.raises(NotFound, match="None of the images"):
        predicting._view(room, answer, study=STUDY, series="9")


def test_a_map_comes_with_its_colours(room: Room, ct: Path, scored: list[PredictRequest]) -> None:
    predicted(room)
    answer = answered(room, asks.ShowHeatMap("p0001", 0))
    assert (answer.rows, answer.columns) == (4, 6)
    assert answer.source == str(ct / "2.dcm")
    assert len(answer.payload) == 4 * 6 * 4 + 768
    assert tuple(answer.payload[-3:]) == (254, 232, 56)
    with pytest.raises(NotFound):
        answered(room, asks.ShowHeatMap("p0001", 5))


def test_a_capture_joins_the_study_only_where_identity_may_be_shown(
    room: Room, ct: Path, scored: list[PredictRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pydicom

    monkeypatch.setattr(predicting, "_runs", lambda room, runs: {"r0001": predicting._Run("A run", "", "", "")})
    predicted(room)
    for identity in (False, True):
        out = tmp_path / f"{identity}.dcm"
        answered(room, asks.ExportCapture("p0001", 0, str(out), identity))
        written = pydicom.dcmread(out)
        assert (str(written.PatientID) == "PHANTOM-1") is identity
        assert (written.StudyInstanceUID == STUDY) is identity
        assert "not for clinical use" in written.ImageComments
    (room.workspace.root / "predictions" / "p0001" / "001-gradcam.png").unlink()
    with pytest.raises(InputError, match="gone or damaged"):
        answered(room, asks.ExportCapture("p0001", 0, str(tmp_path / "x.dcm")))
