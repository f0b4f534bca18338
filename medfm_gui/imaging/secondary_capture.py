"""An overlay as a DICOM Secondary Capture image that an archive will take.

Built from nothing, element by element, so that only what is named here can travel: with a DICOM source the
patient and study modules are the source's (the object joins its study), without one they are empty.
pydicom writes it directly: highdicom's ``SCImage`` insists on a patient orientation, which a photograph
does not have and which must not be made up.
"""

from __future__ import annotations

import datetime
import textwrap
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from medfm_gui import __version__
from medfm_gui.base.atomic import atomic_file
from medfm_gui.imaging import elements as el
from medfm_gui.imaging.dicom import read_identity
from medfm_gui.imaging.header import clean_text, clean_uid

_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
_STUDY = ("StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber")
_OF_THE_IMAGE = ("BodyPartExamined", "PatientOrientation", "ImageLaterality")
_LOSS = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")
_SERIES_NUMBER = 9001
_LONG_STRING, _SHORT_TEXT = 64, 1024


def write_secondary_capture(
    out: Path,
    rgb: npt.NDArray[np.uint8],
    *,
    source: Path | None,
    title: str,
    notice: str,
    frame: int | None = None,
) -> None:
    """Write a colour image as a Secondary Capture object in a new series.

    Args:
        out: the file; its name is the caller's and should say nothing of a patient.
        rgb: H×W×3; the notice is burned into a band below it.
        source: the DICOM file that the image was made from, whose study it joins; None for another source.
        title: the series description, e.g. what the colours mean.
        notice: the sentence that must be seen with the image.
        frame: index of the frame of the source that the image was made from, where the source has several.

    Raises:
        UnreadableFile: the source cannot be read as DICOM.
        DiskFull, InputError: the file cannot be written.
    """
    origin = read_identity(source) if source is not None else None
    with el.quiet():  # odd values of the source are passed on as they are
        data = _described(origin, title, notice)
        if frame is not None and "SourceImageSequence" in data:
            data.SourceImageSequence[0].ReferencedFrameNumber = frame + 1  # DICOM counts from 1
        _put_pixels(data, with_notice(rgb, notice))
        with atomic_file(out, expected_bytes=rgb.nbytes) as handle:
            data.save_as(handle, enforce_file_format=True)


def _described(origin: Dataset | None, title: str, notice: str) -> FileDataset:
    instance = generate_uid(prefix=None)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    now = datetime.datetime.now()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID = SecondaryCaptureImageStorage
    data.SOPInstanceUID = instance
    _join_study(data, origin)
    data.Modality = "OT"
    data.SeriesInstanceUID = generate_uid(prefix=None)
    data.SeriesNumber = _SERIES_NUMBER
    data.SeriesDescription = clean_text(title, _LONG_STRING)
    data.Manufacturer = "MedFM Studio"
    data.SoftwareVersions = __version__
    data.ConversionType = "WSD"
    data.InstanceNumber = 1
    data.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    data.ContentDate = data.DateOfSecondaryCapture = data.InstanceCreationDate = now.strftime("%Y%m%d")
    data.ContentTime = data.TimeOfSecondaryCapture = data.InstanceCreationTime = now.strftime("%H%M%S")
    data.DerivationDescription = clean_text(f"{notice}. {title}", _SHORT_TEXT)
    data.ImageComments = clean_text(notice, _SHORT_TEXT)
    # NO is said only where the source says it: a name may stand in pixels that nobody has looked at.
    data.BurnedInAnnotation = "NO" if origin is not None and el.text(origin, "BurnedInAnnotation") == "NO" else "YES"
    return data


def _join_study(data: FileDataset, origin: Dataset | None) -> None:
    """Patient and study modules: the source's own, or empty ones."""
    for name in (*_PATIENT, *_STUDY):
        value = el.first(origin, name) if origin is not None else None
        setattr(data, name, "" if value is None else str(value))
    study = clean_uid(str(el.first(origin, "StudyInstanceUID") or "")) if origin is not None else ""
    data.StudyInstanceUID = study or generate_uid(prefix=None)
    if origin is None:
        return
    for name in (*_OF_THE_IMAGE, *_LOSS):
        value = el.element(origin, name)
        if value is not None:
            setattr(data, name, value)
    source_class = clean_uid(str(el.first(origin, "SOPClassUID") or ""))
    source_instance = clean_uid(str(el.first(origin, "SOPInstanceUID") or ""))
    if source_class and source_instance:
        reference, purpose = Dataset(), Dataset()
        code = codes.DCM.SourceImageForImageProcessingOperation
        purpose.CodeValue, purpose.CodeMeaning = code.value, code.meaning
        purpose.CodingSchemeDesignator = code.scheme_designator
        reference.ReferencedSOPClassUID = source_class
        reference.ReferencedSOPInstanceUID = source_instance
        reference.PurposeOfReferenceCodeSequence = [purpose]
        data.SourceImageSequence = [reference]


def _put_pixels(data: FileDataset, rgb: npt.NDArray[np.uint8]) -> None:
    data.SamplesPerPixel = 3
    data.PhotometricInterpretation = "RGB"
    data.PlanarConfiguration = 0
    data.Rows, data.Columns = rgb.shape[:2]
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit = 7
    data.PixelRepresentation = 0
    raw = np.ascontiguousarray(rgb).tobytes()
    data.PixelData = raw + b"\0" * (len(raw) % 2)
    data["PixelData"].VR = "OB"


def with_notice(rgb: npt.NDArray[np.uint8], notice: str) -> npt.NDArray[np.uint8]:
    """The image with the notice on a black band below it, wrapped to its width; nothing of the image is covered."""
    rows, columns = rgb.shape[:2]
    size = int(np.clip(columns / 32, 10, 28))
    font = ImageFont.load_default(size)
    letters = max(1, int(columns / (0.56 * size)))
    lines = textwrap.wrap(notice, letters) or [""]
    height = int(size * 1.3)
    canvas = Image.new("RGB", (columns, rows + height * len(lines) + size // 2))
    canvas.paste(Image.fromarray(np.ascontiguousarray(rgb)))
    pen = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        pen.text((size // 4, rows + number * height + size // 8), line, font=font, fill=(255, 255, 255))
    return np.asarray(canvas)
