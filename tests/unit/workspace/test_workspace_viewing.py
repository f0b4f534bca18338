"""Opening series for the viewer, thumbnails, cached samples and heat maps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from medfm_gui.base import wire
from medfm_gui.base.settings import Settings
from medfm_gui.datasets.pixels import ShardWriter, write_index
from medfm_gui.domain.errors import InputError, Interrupted, NotFound, UnreadableFile
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.workspace import prediction, studies, viewing
from medfm_gui.workspace.opening import age_text, date_text
from medfm_gui.workspace.place import Workspace, open_workspace


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as opened:
        yield opened


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as opened:
        yield opened


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def write_slice(path: Path, pixels: npt.NDArray[np.uint16], place: int, **changes: Any) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(prefix=None)
    data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    described: dict[str, Any] = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.4",
        "FrameOfReferenceUID": "1.2.9",
        "PatientID": "P7",
        "PatientSex": "F",
        "PatientAge": "042Y",
        "StudyDate": "20240102",
        "StudyDescription": "Abdomen",
        "SeriesDescription": "venous",
        "Modality": "CT",
        "ImagePositionPatient": [0, 0, place],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [0.5, 0.5],
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
        "WindowCenter": 40,
        "WindowWidth": 400,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        **changes,
    }
    for keyword, value in described.items():
        setattr(data, keyword, value)
    data.PixelData = pixels.astype("<u2").tobytes()
    data["PixelData"].VR = "OW"
    path.parent.mkdir(exist_ok=True)
    data.save_as(path, enforce_file_format=False)


def _study(workspace: Workspace, folder: Path, pool: DecodePool, count: int = 7) -> list[npt.NDArray[np.uint16]]:
    rng = np.random.default_rng(3)
    stored = [rng.integers(0, 3000, (16, 12)).astype(np.uint16) for _ in range(count)]
    for number, pixels in enumerate(stored):
        write_slice(folder / f"{number}.dcm", pixels, 2 * number)
    studies.import_studies(workspace, folder, pool=pool)
    return stored


def test_a_series_grows_from_the_first_frame_on(
    workspace: Workspace, tmp_path: Path, scratch: Path, decoders: DecodePool
) -> None:
    stored = _study(workspace, tmp_path / "ct", decoders)
    told: list[int] = []
    early: list[viewing.OpenedSeries] = []

    def on_open(opened: viewing.OpenedSeries) -> None:
        early.append(opened)
        shown = np.load(opened.array, mmap_mode="r")
        assert shown.shape == (7, 16, 12) and not told
        np.testing.assert_array_equal(shown[opened.first], stored[opened.first])

    opened = viewing.open_series(
        workspace, "1.2.3", "1.2.3.4", decoders, scratch, on_open=on_open, on_frame=told.append
    )
    np.testing.assert_array_equal(np.load(opened.array), stored)
    assert early[0].first == 3 and early[0].array == opened.array
    assert told == sorted(set(told)) and told[-1] == opened.loaded == 7
    assert (opened.unit, opened.slope, opened.intercept) == ("HU", 1, -1024)
    assert (opened.window, opened.window_function) == ((40, 400), "LINEAR")
    assert list(opened.positions_mm) == [0, 2, 4, 6, 8, 10, 12]
    assert list(opened.orientation or ()) == [1, 0, 0, 0, 1, 0]
    assert opened.identity == "P7 · F · 42 y"
    assert opened.study == "2024-01-02 · Abdomen · CT · venous" and opened.frame_of_reference == "1.2.9"
    assert "P7" not in opened.study and opened.marks == () and opened.frame_notes == ()
    assert opened.frame_of(str(tmp_path / "ct" / "2.dcm")) == 2 and opened.frame_of("elsewhere") is None
    assert wire.decode(viewing.OpenedSeries, wire.encode(opened)) == opened


def test_a_slice_that_cannot_be_decoded_is_named_and_the_others_shown(
    workspace: Workspace, tmp_path: Path, scratch: Path, decoders: DecodePool
) -> None:
    stored = _study(workspace, tmp_path / "ct", decoders)
    for number in (3, 5):
        path = tmp_path / "ct" / f"{number}.dcm"
        path.write_bytes(path.read_bytes()[:-100])
    opened = viewing.open_series(workspace, "1.2.3", "1.2.3.4", decoders, scratch)
    shown = np.load(opened.array)
    assert opened.first in (2, 4) and opened.loaded == 7
    np.testing.assert_array_equal(shown[[0, 1, 2, 4, 6]], np.stack([stored[place] for place in (0, 1, 2, 4, 6)]))
    assert [bool(note) for note in opened.frame_notes] == [False, False, False, True, False, True, False]
    assert "ends before its pixel data" in opened.frame_notes[3]
    assert opened.marks == ("2 of 7 images cannot be shown.",)


def test_slices_with_scales_of_their_own_get_a_common_one(
    workspace: Workspace, tmp_path: Path, scratch: Path, decoders: DecodePool
) -> None:
    pixels = np.arange(192, dtype=np.uint16).reshape(16, 12)
    for number in range(4):
        write_slice(tmp_path / "pt" / f"{number}.dcm", pixels, number, RescaleSlope=0.5 * (number + 1), Modality="PT")
    studies.import_studies(workspace, tmp_path / "pt", pool=decoders)
    seen: list[str] = []
    opened = viewing.open_series(
        workspace, "1.2.3", "1.2.3.4", decoders, scratch, on_open=lambda one: seen.append(one.array)
    )
    assert len(seen) == 2 and seen[1] == opened.array
    assert [path.name for path in scratch.iterdir()] == [Path(opened.array).name]
    values = np.load(opened.array) * opened.slope + opened.intercept
    wanted = np.stack([pixels * 0.5 * (number + 1) - 1024 for number in range(4)])
    np.testing.assert_array_equal(values, wanted)
    assert opened.slope == 0.5 and not any("rounded" in mark for mark in opened.marks)


def test_stopping_leaves_no_file(workspace: Workspace, tmp_path: Path, scratch: Path, decoders: DecodePool) -> None:
    _study(workspace, tmp_path / "ct", decoders)
    with pytest.raises(Interrupted):
        viewing.open_series(workspace, "1.2.3", "1.2.3.4", decoders, scratch, should_stop=lambda: True)
    assert list(scratch.iterdir()) == []
    opened = viewing.open_series(workspace, "1.2.3", "1.2.3.4", decoders, scratch)
    assert opened.loaded == 7, "the pool works on after a stop"


def test_what_cannot_be_opened(workspace: Workspace, tmp_path: Path, scratch: Path, decoders: DecodePool) -> None:
    with pytest.raises(NotFound):
        viewing.open_series(workspace, "1.9", "1.2", decoders, scratch)
    _study(workspace, tmp_path / "ct", decoders, 2)
    with pytest.raises(NotFound):
        viewing.open_series(workspace, "1.2.3", "1.2.3.4", decoders, scratch, number=1)
    for path in (tmp_path / "ct").iterdir():
        path.write_text("gone bad")
    with pytest.raises(UnreadableFile) as refused:
        viewing.open_series(workspace, "1.2.3", "1.2.3.4", decoders, scratch)
    assert refused.value.reason == "not_an_image" and list(scratch.iterdir()) == []
    with pytest.raises(InputError):
        viewing.open_file(tmp_path / "nothing.png", decoders, scratch)


def test_a_picture_is_a_series_of_one(tmp_path: Path, scratch: Path, decoders: DecodePool) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(colours).save(tmp_path / "skin.png")
    opened = viewing.open_file(tmp_path / "skin.png", decoders, scratch)
    assert (opened.count, opened.channels, opened.window, opened.spacing_note) == (1, 3, None, "px")
    np.testing.assert_array_equal(np.load(opened.array)[0], colours)
    small = viewing.thumbnail(tmp_path / "skin.png", decoders, side=15)
    assert (small.rows, small.columns, small.channels, len(small.payload)) == (10, 15, 3, 450)


def test_a_thumbnail_of_a_series(workspace: Workspace, tmp_path: Path, decoders: DecodePool) -> None:
    _study(workspace, tmp_path / "ct", decoders)
    (series,) = studies.read_study(workspace, "1.2.3").series
    small = viewing.thumbnail(series, decoders, side=8)
    assert (small.rows, small.columns, small.channels) == (8, 6, 1) and not small.message
    (tmp_path / "ct" / "3.dcm").write_text("bad")
    assert viewing.thumbnail(series, decoders).message


def test_samples_come_from_the_cache(workspace: Workspace) -> None:
    folder = workspace.root / "datasets" / "d" / "pixels"
    folder.mkdir(parents=True)
    writer = ShardWriter(folder, "a.pixels")
    deep = np.full((512, 700), 65535, np.uint16)
    colour = np.full((40, 20, 3), (255, 0, 7), np.uint8)
    places = {"s1": writer.append(deep), "s2": writer.append(colour)}
    writer.close()
    write_index(folder, places)
    first, second, third = viewing.sample_thumbnails(workspace, "d", ["s2", "s1", "s9"], side=64)
    assert (first.key, first.rows, first.columns, first.channels) == ("s2", 40, 20, 3)
    assert first.payload[:3] == bytes((255, 0, 7))
    assert (second.rows, second.columns, set(second.payload)) == (47, 64, {255})
    assert third.message and not third.payload
    whole = viewing.sample_picture(workspace, "d", "s1")
    assert (whole.rows, whole.columns, len(whole.payload)) == (512, 700, 512 * 700)


def test_a_heat_map_is_found_in_a_workspace_that_was_moved(workspace: Workspace) -> None:
    folder = workspace.root / "predictions" / "p0001"
    (folder / "maps").mkdir(parents=True)
    heat = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    np.save(folder / "maps" / "map-00002.npy", heat)
    explained = prediction.Explanation("gradcam", "x.png", "ill", "/elsewhere/maps/map-00002.npy", source="/a/2.dcm")
    plain = prediction.StudyPrediction("/a", "r1", {"ill": 0.9}, "ill", 0.5)
    told = prediction.StudyPrediction("/a", "r1", {"ill": 0.9}, "ill", 0.5, explanation=explained)
    wire.write(folder / "prediction.json", prediction.PredictionFile("p0001", "now", (plain, told)))
    assert viewing.heat_map(workspace, "p0001", 0) is None
    found = viewing.heat_map(workspace, "p0001", 1)
    assert found is not None and (found.rows, found.columns, found.source, found.target) == (3, 4, "/a/2.dcm", "ill")
    np.testing.assert_array_equal(np.frombuffer(found.payload, np.float32).reshape(3, 4), heat)
    (folder / "maps" / "map-00002.npy").write_bytes(b"torn")
    with pytest.raises(InputError, match="gone or damaged"):
        viewing.heat_map(workspace, "p0001", 1)
    for name in ("p0002", "../p0001", "p0001/../p0001"):
        with pytest.raises(NotFound):
            viewing.heat_map(workspace, name)


def test_ages_and_dates_as_people_write_them() -> None:
    assert [age_text(age) for age in ("042Y", "006M", "58", "", "abcY")] == ["42 y", "6 m", "58", "", "abcY"]
    assert [date_text(date) for date in ("20240102", "2024", "")] == ["2024-01-02", "2024", ""]
