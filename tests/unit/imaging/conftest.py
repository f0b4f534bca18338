"""Builders of small images and DICOM files; nothing here is read from the repository."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

MakeDicom = Callable[..., Path]


@pytest.fixture
def shared() -> Path:
    """The folder of real images; the test is skipped where there is none."""
    folder = Path(os.environ.get("MEDFM_SHARED") or Path(__file__).parents[4] / "shared") / "data"
    if not folder.is_dir():
        pytest.skip("the real images are not on this computer (MEDFM_SHARED)")
    return folder


@pytest.fixture
def packaged() -> list[Path]:
    """The test files inside the pydicom wheel."""
    folder = Path(str(pydicom.__file__)).parent / "data" / "test_files"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) > 100
    return files


@pytest.fixture
def make_dicom(tmp_path: Path) -> MakeDicom:
    """Write a CT slice of 16×12 pixels; keywords change or (with None) remove elements."""

    def make(name: str = "slice.dcm", pixels: npt.NDArray[Any] | None = None, **changes: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        preamble = changes.pop("preamble", bytes(128))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = ct_slice(pixels)
            for keyword, value in changes.items():
                if value is None:
                    del data[keyword]
                else:
                    setattr(data, keyword, value)
            data.preamble = preamble
            data.save_as(path, enforce_file_format=False)
        return path

    return make


def ct_slice(pixels: npt.NDArray[Any] | None = None) -> FileDataset:
    """A plain CT slice with geometry, patient and rescale, 1000 HU of air to bone as a ramp."""
    if pixels is None:
        pixels = np.arange(192, dtype=np.uint16).reshape(16, 12) * 10
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
        "PatientID": "P7",
        "PatientName": "Doe^Jane",
        "PatientSex": "F",
        "PatientAge": "042Y",
        "PatientPosition": "HFS",
        "StudyDate": "20240102",
        "Modality": "CT",
        "InstanceNumber": 1,
        "ImagePositionPatient": [0, 0, 0],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [0.5, 0.5],
        "RescaleSlope": 1,
        "RescaleIntercept": -1000,
    }
    for keyword, value in described.items():
        setattr(data, keyword, value)
    put_pixels(data, pixels)
    return data


def put_pixels(data: Dataset, pixels: npt.NDArray[Any]) -> None:
    """Grey (H×W), colour (H×W×3) or frames of grey (N×H×W) pixels, uncompressed."""
    colour = pixels.ndim == 3 and pixels.shape[2] == 3
    data.SamplesPerPixel = 3 if colour else 1
    data.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        data.PlanarConfiguration = 0
    if pixels.ndim == 3 and not colour:
        data.NumberOfFrames = pixels.shape[0]
    data.Rows, data.Columns = pixels.shape[:2] if colour or pixels.ndim == 2 else pixels.shape[1:]
    data.BitsAllocated = data.BitsStored = pixels.dtype.itemsize * 8
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    raw = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    data.PixelData = raw + b"\0" * (len(raw) % 2)
    data["PixelData"].VR = "OW" if pixels.dtype.itemsize > 1 else "OB"


@pytest.fixture
def dicom_builders() -> dict[str, Callable[..., Any]]:
    """The two builders, for tests that need the data set itself."""
    return {"slice": ct_slice, "pixels": put_pixels}
