"""Simulated patients as files: DICOM radiographs and CT, masks, and a label table.

radiographs/<n>/<m>.dcm    ct/<n>/<slice>.dcm    masks/radiographs/<n>-<m>-{organs,nodules}.png
masks/ct/<n>.nii.gz        labels.csv (PatientID, nodule, nodules, sex, age)
"""

from __future__ import annotations

import csv
import io
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from medfm_gui.base.atomic import atomic_file, atomic_write
from medfm_gui.base.children import end_with_starter
from medfm_gui.imaging.overlay import write_png
from medfm_gui.imaging.phantom import radiograph, volume
from medfm_gui.imaging.phantom.anatomy import Anatomy, draw_patient
from medfm_gui.imaging.phantom.radiograph import Film, Pose
from medfm_gui.imaging.phantom.volume import Volume

_SHARE_WITH_NODULE = 0.45
_CT_EVERY = 20
_WORTH_A_PROCESS = 30
_MAKERS = ("Phantom Imaging A", "Phantom Imaging B")
_PRIVATE_ROOT = "1.2.826.0.1.3680043.8.498."


@dataclass(frozen=True, slots=True)
class Simulated:
    """What was written for one patient."""

    patient: str
    nodules: int
    sex: str
    age_years: int
    radiographs: int
    ct_slices: int


def write_phantom(
    folder: Path, *, patients: int, seed: int = 0, on_progress: Callable[[int, int], None] | None = None
) -> tuple[Simulated, ...]:
    """Write simulated patients below a folder; the same files for the same arguments.

    Args:
        patients: how many; every twentieth, from the first, also has a CT.
        on_progress: called with patients done and in all.
    """
    done: list[Simulated] = []
    with _processes(patients) as pool:
        for one in pool.map(partial(write_patient, folder, seed), range(patients)):
            done.append(one)
            if on_progress:
                on_progress(len(done), patients)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["PatientID", "nodule", "nodules", "sex", "age"])
    for one in done:
        writer.writerow([one.patient, "nodule" if one.nodules else "no nodule", one.nodules, one.sex, one.age_years])
    atomic_write(folder / "labels.csv", text.getvalue())
    return tuple(done)


def _processes(patients: int) -> Executor:
    """One process a processor, as the work is Python's; for a few patients a start would take longer than they do."""
    workers = min(os.cpu_count() or 1, patients // _WORTH_A_PROCESS)
    if workers < 2:
        return ThreadPoolExecutor(1)
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_starter)


def write_patient(folder: Path, seed: int, number: int) -> Simulated:
    """Write one patient: one to three radiographs, and a CT for every twentieth."""
    rng = np.random.default_rng([seed, number, 2])
    anatomy = draw_patient(seed, number, nodule=bool(rng.random() < _SHARE_WITH_NODULE))
    films = int(rng.choice([1, 2, 3], p=[0.35, 0.4, 0.25]))
    maker = _MAKERS[int(rng.integers(2))]
    for film in range(films):
        pose = radiograph.draw_pose(rng)
        exposed = radiograph.expose(anatomy, pose, rng)
        header = _radiograph_header(seed, number, film, anatomy, pose, maker, exposed)
        _save(header, folder / "radiographs" / f"{number:04d}" / f"{film + 1}.dcm")
        stem = folder / "masks" / "radiographs" / f"{number:04d}-{film + 1}"
        write_png(stem.with_name(f"{stem.name}-organs.png"), exposed.organs, sync=False)
        write_png(stem.with_name(f"{stem.name}-nodules.png"), exposed.nodules, sync=False)
    slices = 0
    if number % _CT_EVERY == 0:
        scanned = volume.scan(anatomy, rng)
        slices = len(scanned.hu)
        _write_ct(folder, seed, number, anatomy, scanned)
    return Simulated(_patient(number), len(anatomy.nodules), anatomy.sex, anatomy.age_years, films, slices)


def _patient(number: int) -> str:
    return f"PHANTOM-{number + 1:04d}"


def _uid(*parts: object) -> str:
    return str(generate_uid(prefix=_PRIVATE_ROOT, entropy_srcs=["thorax phantom", *map(str, parts)]))


def _common(seed: int, number: int, anatomy: Anatomy, modality: str) -> Dataset:
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.PatientName = f"Phantom^{number + 1:04d}"
    header.PatientID = _patient(number)
    header.PatientBirthDate = f"{2020 - anatomy.age_years}0101"
    header.PatientSex = anatomy.sex
    header.PatientAge = f"{anatomy.age_years:03d}Y"
    header.StudyInstanceUID = _uid(seed, number, modality)
    header.StudyID = f"{number + 1}"
    header.StudyDate = header.SeriesDate = header.ContentDate = f"2020{1 + number % 12:02d}{1 + number % 28:02d}"
    header.StudyTime = header.SeriesTime = header.ContentTime = "120000"
    header.AccessionNumber = ""
    header.ReferringPhysicianName = ""
    header.Modality = modality
    header.BodyPartExamined = "CHEST"
    header.Laterality = ""
    header.ManufacturerModelName = "Thorax phantom"
    header.SamplesPerPixel = 1
    header.BitsAllocated = 16
    header.LossyImageCompression = "00"
    header.BurnedInAnnotation = "NO"
    return header


def _radiograph_header(
    seed: int, number: int, film: int, anatomy: Anatomy, pose: Pose, maker: str, exposed: Film
) -> Dataset:
    header = _common(seed, number, anatomy, "DX")
    inverse = maker == _MAKERS[1]
    largest = 2**14 - 1
    pixels = largest - exposed.pixels if inverse else exposed.pixels
    header.SOPClassUID = DigitalXRayImageStorageForPresentation
    header.SOPInstanceUID = _uid(seed, number, "DX", film)
    header.SeriesInstanceUID = _uid(seed, number, "DX series")
    header.StudyDescription = "Simulated chest radiography"
    header.SeriesDescription = "Chest"
    header.SeriesNumber, header.InstanceNumber = 1, film + 1
    header.Manufacturer = maker
    header.ImageType = ["ORIGINAL", "PRIMARY", ""]
    header.PresentationIntentType = "FOR PRESENTATION"
    header.ViewPosition = pose.view
    header.PatientOrientation = ["L", "F"]
    header.ImageLaterality = "U"
    header.AnatomicRegionSequence = [_code("43799004", "SCT", "Thorax")]
    header.PhotometricInterpretation = "MONOCHROME1" if inverse else "MONOCHROME2"
    header.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"
    header.PixelIntensityRelationship, header.PixelIntensityRelationshipSign = "LOG", 1 if inverse else -1
    header.RescaleSlope, header.RescaleIntercept, header.RescaleType = 1, 0, "US"
    low, high = 1_250, 13_750
    header.WindowCenter = largest - (low + high) // 2 if inverse else (low + high) // 2
    header.WindowWidth = high - low
    header.ImagerPixelSpacing = [radiograph.SPACING_MM, radiograph.SPACING_MM]
    header.PixelSpacing = header.ImagerPixelSpacing
    header.DistanceSourceToDetector = 1800 if pose.view == "PA" else 1000
    header.DetectorType = "DIRECT"
    header.KVP = 120
    _pixels(header, pixels, stored_bits=14)
    return header


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _pixels(header: Dataset, pixels: npt.NDArray[np.uint16] | npt.NDArray[np.int16], *, stored_bits: int) -> None:
    header.Rows, header.Columns = pixels.shape
    header.BitsStored, header.HighBit = stored_bits, stored_bits - 1
    header.PixelRepresentation = 0
    header.PixelData = np.ascontiguousarray(pixels.astype("<u2")).tobytes()


def _write_ct(folder: Path, seed: int, number: int, anatomy: Anatomy, scanned: Volume) -> None:
    """Slices from the feet up, and the labels as NIfTI in the same patient space."""
    for index, image in enumerate(scanned.hu):
        header = _common(seed, number, anatomy, "CT")
        header.SOPClassUID = CTImageStorage
        header.SOPInstanceUID = _uid(seed, number, "CT", index)
        header.SeriesInstanceUID = _uid(seed, number, "CT series")
        header.FrameOfReferenceUID = _uid(seed, number, "CT frame")
        header.PositionReferenceIndicator = ""
        header.StudyDescription = "Simulated chest CT"
        header.SeriesDescription = "Chest 6.0 mm"
        header.SeriesNumber, header.InstanceNumber, header.AcquisitionNumber = 1, index + 1, 1
        header.Manufacturer = _MAKERS[0]
        header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        header.PatientPosition = "HFS"
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        x, y, z = scanned.origin_mm
        header.ImagePositionPatient = [x, y, z + index * volume.SLICE_MM]
        header.PixelSpacing = [volume.SPACING_MM, volume.SPACING_MM]
        header.SliceThickness = volume.SLICE_MM
        header.KVP = 120
        header.PhotometricInterpretation = "MONOCHROME2"
        header.RescaleSlope, header.RescaleIntercept, header.RescaleType = 1, -1024, "HU"
        header.WindowCenter, header.WindowWidth = [40, -600], [400, 1500]
        _pixels(header, image + 1024, stored_bits=12)
        _save(header, folder / "ct" / f"{number:04d}" / f"{index + 1:03d}.dcm")
    _write_labels(folder / "masks" / "ct" / f"{number:04d}.nii.gz", scanned)


def _write_labels(path: Path, scanned: Volume) -> None:
    """Labels with the affine of NIfTI's space (x to the right, y to the front), from DICOM's."""
    x, y, z = scanned.origin_mm
    affine = np.diag([-volume.SPACING_MM, -volume.SPACING_MM, volume.SLICE_MM, 1.0])
    affine[:3, 3] = [-x, -y, z]
    image = nibabel.Nifti1Image(scanned.labels.transpose(2, 1, 0), affine)  # type: ignore[no-untyped-call]
    image.header.set_xyzt_units("mm")  # type: ignore[no-untyped-call]
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)


def _save(header: Dataset, path: Path) -> None:
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, sync=False) as handle:
        header.save_as(handle, enforce_file_format=True)
