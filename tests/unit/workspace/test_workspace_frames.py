"""Files with many frames and volumes: opened as series, and scored frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from medfm_gui.base.settings import Settings
from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.workspace import prediction, viewing
from medfm_gui.workspace.opening import OpenedSeries, SourceFrame
from medfm_gui.workspace.place import Workspace, open_workspace
from medfm_gui.workspace.prediction_units import MOST_FRAMES, Frame, Unit, evenly, expanded, units_of


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as opened:
        yield opened


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "ws", settings=Settings()) as opened:
        yield opened


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def write_dicom(path: Path, pixels: npt.NDArray[np.uint16], **changes: Any) -> None:
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
        "Modality": "US",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": pixels.shape[-2],
        "Columns": pixels.shape[-1],
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "PixelData": pixels.tobytes(),
        **({"NumberOfFrames": pixels.shape[0]} if pixels.ndim == 3 else {}),
        **changes,
    }
    for keyword, value in described.items():
        setattr(data, keyword, value)
    data.save_as(path)


def write_nifti(path: Path, values: npt.NDArray[Any]) -> Path:
    image: Any = nibabel.Nifti1Image(values, np.diag((-1.0, -1.0, 2.5, 1.0)))  # type: ignore[no-untyped-call]
    image.to_filename(path)
    return path


def ramp(*shape: int) -> npt.NDArray[np.uint16]:
    return np.arange(np.prod(shape), dtype=np.uint16).reshape(shape) * 10


def test_units_of_a_mixed_folder(workspace: Workspace, source: Path, decoders: DecodePool) -> None:
    write_dicom(source / "cine.dcm", ramp(5, 8, 6))
    write_dicom(source / "dose.dcm", ramp(3, 8, 6), Modality="RTDOSE", SeriesInstanceUID="1.2.3.5")
    for place in range(3):
        geometry = {"ImagePositionPatient": [0, 0, place], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        write_dicom(source / f"ct{place}.dcm", ramp(8, 6), Modality="CT", SeriesInstanceUID="1.2.3.6", **geometry)
    write_nifti(source / "volume.nii.gz", np.arange(120, dtype=np.int16).reshape(5, 6, 4))
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(source / "plain.png")
    units, skipped = units_of(workspace, source, (), decoders)
    found = {Path(unit.source).name: len(unit.frames) for unit in units}
    assert found == {"cine.dcm": 5, "source": 3, "volume.nii.gz": 1, "plain.png": 1}
    assert [(Path(item.path).name, item.reason) for item in skipped] == [("dose.dcm", "no_pixels")]
    cine = next(unit for unit in units if unit.source.endswith("cine.dcm"))
    assert [frame.index for frame in cine.frames] == list(range(5))
    assert "One score is made of 5 frames." in cine.warnings


def test_every_frame_is_decoded_and_has_a_name(
    workspace: Workspace, source: Path, decoders: DecodePool, tmp_path: Path
) -> None:
    frames = ramp(5, 8, 6)
    write_dicom(source / "cine.dcm", frames, WindowCenter=1200, WindowWidth=2401, VOILUTFunction="LINEAR_EXACT")
    values = np.arange(120, dtype=np.int16).reshape(5, 6, 4)
    write_nifti(source / "volume.nii.gz", values)
    means = prediction._Means(decoders, None, None, None)
    request = prediction.PredictRequest(source, ("r0001",))
    (tmp_path / "made").mkdir()
    units, images, skipped = prediction._decode(workspace, request, tmp_path / "made", {}, means)
    assert not skipped and [len(unit.frames) for unit in units] == [5, 4]
    assert [image.source.rpartition("/")[2] for image in images] == [
        *(f"cine.dcm#{index}" for index in range(5)),
        *(f"volume.nii.gz#{index}" for index in range(4)),
    ]
    assert [image.case for image in images] == ["0"] * 5 + ["1"] * 4
    means_of = [float(np.load(image.path).mean()) for image in images]
    assert means_of[:5] == sorted(means_of[:5]) and len(set(means_of)) == 9, "each is its own frame"
    assert "One score is made of 4 frames." in units[1].warnings


def test_a_damaged_volume_is_named(workspace: Workspace, source: Path, decoders: DecodePool, tmp_path: Path) -> None:
    path = write_nifti(source / "volume.nii.gz", np.random.default_rng(0).integers(0, 999, (9, 9, 9), np.int16))
    path.write_bytes(path.read_bytes()[:-100])
    means = prediction._Means(decoders, None, None, None)
    with pytest.raises(UnreadableFile, match="ends before its voxels"):
        prediction._decode(workspace, prediction.PredictRequest(source, ("r",)), tmp_path, {}, means)


def test_many_frames_are_capped_evenly_and_it_is_said() -> None:
    unit = expanded(Unit("f", (Frame(Path("f")),)), 1000)
    indices = [frame.index for frame in unit.frames]
    assert len(set(indices)) == MOST_FRAMES and (indices[0], indices[-1]) == (0, 999)
    assert unit.warnings == (f"One score is made of {MOST_FRAMES} evenly spaced frames of 1000.",)
    assert max(np.diff(list(evenly(1000, MOST_FRAMES)))) == 4


def test_the_frame_of_a_map_is_found(source: Path) -> None:
    frames = tuple(SourceFrame(str(source / "cine.dcm"), index) for index in range(5))
    opened = OpenedSeries("a.npy", 5, 8, 6, 1, "uint16", 5, 0, frames)
    assert opened.frame_of(Frame(source / "cine.dcm", 3).name) == 3
    assert [opened.frame_of(name) for name in (str(source / "cine.dcm"), "other.dcm#3")] == [0, None]
    told = prediction.Explanation("gradcam", "p.png", "yes", source=str(source / "cine.dcm"), frame=3)
    assert opened.frame_of(told.place) == 3


def test_a_nifti_opens_as_a_series(source: Path, decoders: DecodePool, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-900, 900, (5, 6, 4), np.int16)
    path = write_nifti(source / "volume.nii.gz", values)
    opened = viewing.open_file(path, decoders, tmp_path)
    frames = np.load(opened.array, mmap_mode="r")
    assert (opened.count, opened.rows, opened.columns) == (4, 6, 5)
    assert np.array_equal(frames * opened.slope + opened.intercept, np.transpose(values, (2, 1, 0)))
    assert tuple(opened.orientation or ()) == (1, 0, 0, 0, 1, 0) and opened.positions_mm == (0.0, 2.5, 5.0, 7.5)
    assert opened.spacing_mm == (1.0, 1.0) and opened.spacing_note == "mm" and opened.identity == ""
    assert viewing.thumbnail(path, decoders).rows == 6
