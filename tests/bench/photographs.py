"""Folders of images as people have them: photographs of skin as JPEG, mammograms as 16-bit DICOM, two classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, DigitalMammographyXRayImageStorageForPresentation, ExplicitVRLittleEndian

from tests.bench.prepared import CLASSES

_DIFFERENT = 6
"""So many images are drawn; the others are these with one pixel changed, for drawing takes longer than decoding."""


def photographs(root: Path, count: int, columns: int = 2000, rows: int = 1500) -> Path:
    """JPEGs of quality 90 with structure at every scale, about 0.6 MB each at full size."""
    drawn = [_photograph(number, rows, columns) for number in range(min(count, _DIFFERENT))]
    for number in range(count):
        image = drawn[number % len(drawn)].copy()
        image[number % rows, :8] = number % 256
        path = root / CLASSES[number % 2] / f"{number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path, quality=90)
    return root


def mammograms(root: Path, count: int, columns: int = 2560, rows: int = 3328) -> Path:
    """Uncompressed 12 of 16 bits, one object a file, as a mammography unit sends them."""
    drawn = [_mammogram(number, rows, columns) for number in range(min(count, _DIFFERENT))]
    for number in range(count):
        pixels = drawn[number % len(drawn)].copy()
        pixels[number % rows, :8] = number
        path = root / CLASSES[number % 2] / f"{number:04d}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        _object(number, pixels).save_as(path, enforce_file_format=True)
    return root


def _photograph(seed: int, rows: int, columns: int) -> npt.NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    image = np.full((rows, columns, 3), (190.0, 140.0, 120.0))
    for divisor, strength in ((250, 40), (60, 18), (12, 9), (3, 4)):
        small = random.normal(0, strength, (rows // divisor + 2, columns // divisor + 2, 3)).astype(np.float32)
        for band in range(3):
            plane = Image.fromarray(small[..., band]).resize((columns, rows), Image.Resampling.BICUBIC)
            image[..., band] += np.asarray(plane)
    return np.asarray(image.clip(0, 255), dtype=np.uint8)


def _mammogram(seed: int, rows: int, columns: int) -> npt.NDArray[np.uint16]:
    random = np.random.default_rng(seed)
    small = random.normal(1800, 500, (rows // 32, columns // 32)).astype(np.float32)
    smooth = np.asarray(Image.fromarray(small).resize((columns, rows), Image.Resampling.BICUBIC))
    return np.asarray((smooth + random.normal(0, 20, (rows, columns))).clip(0, 4095), dtype=np.uint16)


def _object(number: int, pixels: npt.NDArray[np.uint16]) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = UID(f"1.2.826.0.1.3680043.10.999.{number + 1}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made: Any = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    made.StudyInstanceUID = made.SeriesInstanceUID = f"1.2.826.0.1.3680043.10.998.{number + 1}"
    made.PatientID, made.Modality, made.PhotometricInterpretation = f"P{number}", "MG", "MONOCHROME2"
    made.Rows, made.Columns = pixels.shape
    made.SamplesPerPixel, made.PixelRepresentation = 1, 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 12, 11
    made.WindowCenter, made.WindowWidth = 1800, 3000
    made.PixelData = pixels.tobytes()
    return made  # type: ignore[no-any-return]
