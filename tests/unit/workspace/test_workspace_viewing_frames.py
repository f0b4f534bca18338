"""A file with many frames: shown in order of their positions, each on its own scale, wherever it stands in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, EnhancedCTImageStorage, ExplicitVRLittleEndian

from medfm_gui.base.settings import Settings
from medfm_gui.imaging.pool import DecodePool
from medfm_gui.workspace import studies, viewing
from medfm_gui.workspace.place import open_workspace

PLACES = (6.0, 0.0, 2.0, 4.0, 10.0, 8.0)
SLOPES = (1.0, 0.5, 2.0, 1.0, 1.0, 0.5)
INTERCEPTS = (-1024.0, -500.0, -10.0, 0.0, 3.0, -1000.0)
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecodePool]:
    with DecodePool(processes=1) as opened:
        yield opened


def write_enhanced(path: Path, places: Sequence[float] = PLACES) -> npt.NDArray[np.float64]:
    """An enhanced CT whose frames have places and scales of their own; returns its values in order of the file."""
    stored = np.random.default_rng(5).integers(-900, 900, (len(places), 16, 12)).astype("<i2")
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = EnhancedCTImageStorage, UID("1.2.3.4.5")
    data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID, data.SOPInstanceUID = EnhancedCTImageStorage, "1.2.3.4.5"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.PatientID, data.Modality = "1.2.3", "1.2.3.4", "P7", "CT"
    data.Rows, data.Columns, data.NumberOfFrames = 16, 12, len(places)
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.SharedFunctionalGroupsSequence = [_group(PixelMeasuresSequence={"PixelSpacing": [0.7, 0.8]})]
    data.PerFrameFunctionalGroupsSequence = [
        _group(
            PlanePositionSequence={"ImagePositionPatient": [0, 0, place]},
            PlaneOrientationSequence={"ImageOrientationPatient": list(AXIAL)},
            PixelValueTransformationSequence={"RescaleSlope": SLOPES[number], "RescaleIntercept": INTERCEPTS[number]},
        )
        for number, place in enumerate(places)
    ]
    data.PixelData = stored.tobytes()
    data["PixelData"].VR = "OW"
    data.save_as(path, enforce_file_format=True)
    scales = zip(stored.astype(np.float64), SLOPES, INTERCEPTS, strict=False)
    return np.stack([frame * slope + intercept for frame, slope, intercept in scales])


def _group(**macros: dict[str, object]) -> Dataset:
    group = Dataset()
    for macro, values in macros.items():
        item = Dataset()
        for keyword, value in values.items():
            setattr(item, keyword, value)
        setattr(group, macro, [item])
    return group


def shown(opened: viewing.OpenedSeries) -> npt.NDArray[np.float64]:
    """All values of the array."""
    array: npt.NDArray[np.float64] = np.load(opened.array).astype(np.float64)
    return array * opened.slope + opened.intercept


def test_frames_stand_in_order_of_their_positions(tmp_path: Path, decoders: DecodePool) -> None:
    values = write_enhanced(tmp_path / "many.dcm")
    told: list[viewing.OpenedSeries] = []
    opened = viewing.open_file(tmp_path / "many.dcm", decoders, tmp_path, on_open=told.append)
    order = [1, 2, 3, 0, 5, 4]
    assert opened.positions_mm == (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)
    assert [one.frame for one in opened.sources] == order
    np.testing.assert_allclose(shown(opened), values[order], atol=1e-9)
    assert opened.frame_of(f"{tmp_path / 'many.dcm'}#0") == 3
    assert told and told[-1].sources == opened.sources and told[-1].sources[told[-1].first].frame == len(PLACES) // 2


def test_so_they_do_in_a_study(tmp_path: Path, decoders: DecodePool) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    values = write_enhanced(folder / "many.dcm", PLACES[::-1])
    with open_workspace(tmp_path / "ws", settings=Settings()) as workspace:
        studies.import_studies(workspace, folder, pool=decoders)
        opened = viewing.open_series(workspace, "1.2.3", "1.2.3.4", decoders, tmp_path)
    order = np.argsort(PLACES[::-1])
    assert list(opened.positions_mm) == sorted(PLACES)
    np.testing.assert_allclose(shown(opened), values[order], atol=1e-9)


def test_frames_of_one_place_keep_their_order(tmp_path: Path, decoders: DecodePool) -> None:
    values = write_enhanced(tmp_path / "phases.dcm", (4.0, 2.0, 4.0, 2.0))
    opened = viewing.open_file(tmp_path / "phases.dcm", decoders, tmp_path)
    assert [one.frame for one in opened.sources] == [1, 3, 0, 2]
    np.testing.assert_allclose(shown(opened), values[[1, 3, 0, 2]], atol=1e-9)
