"""A DICOM file becomes a data set, a header, values or a ``Picture``.

Order of things: the transfer syntax is read from the file meta information; a deflated file is
inflated up to a limit; the header is parsed; the pixel element is found and its length compared
with what is left of the file; size and frames are checked against budgets; one frame is decoded.
Nothing is read by force: a file without preamble passes only if it plainly is a data set.
"""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.domain.units import counted
from medfm_gui.imaging import elements as el
from medfm_gui.imaging.frames import check_image, decode_frame, pixel_length
from medfm_gui.imaging.gate import Admitted, FileKind, admit
from medfm_gui.imaging.header import DicomHeader, clean_uid
from medfm_gui.imaging.picture import Picture, stored_sha256
from medfm_gui.imaging.presentation import OVERLAY, has_overlay, header_notes, modality_values, present
from medfm_gui.imaging.reasons import Reason, refusal

MAX_INFLATED_BYTES = 256 << 20
_MAGIC_AT = 128
_READ_AT_ONCE = 32 << 20
_HEADER_AT_ONCE = 64 << 10
_MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
PREAMBLE = "The file begins like a program or a document; only its DICOM part was read, nothing else is ever copied."
_FOREIGN = (b"MZ", b"\x7fELF", b"#!", b"%PDF", b"PK", b"<")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A data set, whole or up to its pixels, with the transfer syntax that the file was written in."""

    data: FileDataset
    transfer_syntax: str
    has_foreign_preamble: bool


def read_header(path: Path, *, root: Path | None = None) -> DicomHeader:
    """The header of a DICOM image; its pixels are looked for, and not read.

    Raises:
        UnreadableFile: it is no DICOM file, holds no image, or ends before its pixels.
    """
    with admit(path, root=root) as admitted, parsing(admitted, pixels=False) as parsed:
        return header_of(parsed)


def read_identity(path: Path) -> Dataset:
    """The header of a file as a data set without pixels, for an object that has to join the same study.

    Raises:
        UnreadableFile: as ``read_header``.
    """
    with admit(path) as admitted, parsing(admitted, pixels=False) as parsed:
        return parsed.data


def read_dicom(admitted: Admitted, *, frame: int | None = None) -> Picture:
    """Decode one frame and make it ready to look at; ``frame`` counts from 0.

    Raises:
        UnreadableFile: many frames and none chosen, or anything that keeps the file from becoming pixels.
    """
    with parsing(admitted, pixels=True) as parsed:
        return picture_of(parsed, frame)


def picture_of(parsed: Parsed, frame: int | None) -> Picture:
    """One frame of a parsed file, ready to look at.

    Raises:
        UnreadableFile: as ``read_dicom``.
    """
    with el.quiet():
        header = header_of(parsed)
        index = _frame(header, frame)
        raw = decode_frame(parsed.data, index)
        with contained():
            pixels, notes = present(parsed.data, raw, index)
        overlays = (OVERLAY,) if has_overlay(parsed.data) else ()
        notes = (*header_notes(header), *notes, *overlays, *((PREAMBLE,) if parsed.has_foreign_preamble else ()))
        return Picture(pixels, stored_sha256(raw), header.covariates(), notes)


def read_values(path: Path, *, frame: int | None = None, root: Path | None = None) -> npt.NDArray[np.float32]:
    """One frame in the units of its modality (HU for CT), rows × columns.

    Raises:
        UnreadableFile: as ``read_dicom``; also for colour.
    """
    with admit(path, root=root) as admitted, parsing(admitted, pixels=True) as parsed:
        header = header_of(parsed)
        if header.samples_per_pixel != 1:
            raise refusal(Reason.UNSUPPORTED_FORMAT, "A colour image has no values in units of its modality.")
        index = _frame(header, frame)
        values, _ = modality_values(parsed.data, decode_frame(parsed.data, index), index)
        return values


def _frame(header: DicomHeader, frame: int | None) -> int:
    if frame is None and header.frames > 1:
        raise refusal(Reason.MULTI_FRAME, f"The file holds {header.frames} frames, and none was chosen.")
    index = frame or 0
    if not 0 <= index < header.frames:
        raise refusal(
            Reason.NO_SUCH_FRAME, f"The file has {counted(header.frames, 'frame')}; there is no number {index}."
        )
    return index


@contextlib.contextmanager
def parsing(admitted: Admitted, *, pixels: bool) -> Iterator[Parsed]:
    """The parsed file; what pydicom raises on the way becomes a named refusal.

    Raises:
        UnreadableFile: as ``read_header``.
    """
    if admitted.kind is not FileKind.DICOM:
        raise refusal(Reason.NOT_DICOM, f"It is a {admitted.kind.value.upper()} image without a DICOM header.")
    with el.quiet():
        with contained():
            parsed = _quickly_parsed(admitted) if not pixels else None
            parsed = parsed or _parse(_source(admitted, pixels=pixels), pixels=pixels)
        yield parsed


@contextlib.contextmanager
def contained() -> Iterator[None]:
    """Whatever a damaged data set makes pydicom raise becomes a named refusal.

    Raises:
        UnreadableFile: with the reason.
    """
    try:
        yield
    except InvalidDicomError as error:
        raise refusal(Reason.NOT_AN_IMAGE, "It is not a DICOM file.") from error
    except MemoryError as error:
        raise refusal(Reason.TOO_LARGE, "There is not enough memory to read the file.") from error
    except EOFError as error:
        raise refusal(Reason.TRUNCATED, "The file ends before its data do.") from error
    except RecursionError as error:
        raise refusal(Reason.BAD_HEADER, "The header is nested without end: damaged or hostile.") from error
    except el.DAMAGED as error:
        raise refusal(Reason.BAD_HEADER, "The DICOM header is damaged.") from error


class _Bounded:
    """A file of which no more is asked than it has: an element may claim 4 GB, and Python would allocate them first."""

    def __init__(self, admitted: Admitted) -> None:
        self._handle = admitted.handle
        self.size = admitted.size
        self.seek = admitted.handle.seek
        self.tell = admitted.handle.tell

    def read(self, count: int = -1) -> bytes:
        left = max(0, self.size - self._handle.tell())
        return self._handle.read(left if count < 0 else min(count, left))


class _Whole(io.BytesIO):
    """A file (of ``size`` bytes) that was read at once, or its beginning: faster to parse, and it gives what it has."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self.size = size


def _source(admitted: Admitted, *, pixels: bool) -> _Bounded | _Whole:
    """Where a file is parsed from: read at once if its pixels are wanted and it is of ordinary size."""
    if pixels and admitted.size <= _READ_AT_ONCE:
        return _Whole(admitted.handle.read(admitted.size), admitted.size)
    return _Bounded(admitted)


def _quickly_parsed(admitted: Admitted) -> Parsed | None:
    """The header out of the file's first bytes; None where it is longer, deflated, or anything is wrong with it."""
    stream = _Whole(admitted.handle.read(_HEADER_AT_ONCE), admitted.size)
    admitted.handle.seek(0)
    head = stream.read(_MAGIC_AT + 4)
    stream.seek(0)
    if not head.endswith(b"DICM"):
        return None
    try:
        data = dcmread(stream, stop_before_pixels=True)
        syntax = clean_uid(str(data.file_meta.get("TransferSyntaxUID", "")))
        if not syntax or syntax == DeflatedExplicitVRLittleEndian:
            return None
        _check_pixel_element(data, stream, admitted.size)
    except (UnreadableFile, MemoryError, *el.DAMAGED):
        return None
    return Parsed(data, syntax, head.startswith(_FOREIGN))


def _parse(source: _Bounded | _Whole, *, pixels: bool) -> Parsed:
    head = source.read(_MAGIC_AT + 4)
    has_preamble = head.endswith(b"DICM")
    meta = _file_meta(source, _MAGIC_AT + 4 if has_preamble else 0)
    syntax = clean_uid(str(meta.get("TransferSyntaxUID", "")))
    stream: Any = source
    size = source.size
    if syntax == DeflatedExplicitVRLittleEndian:
        stream = _inflated(source, meta)
        size = stream.getbuffer().nbytes
    stream.seek(0)
    data = dcmread(stream, stop_before_pixels=True, force=not has_preamble)
    if not has_preamble and not (el.element(data, "SOPInstanceUID") and el.element(data, "SOPClassUID")):
        raise refusal(Reason.NOT_AN_IMAGE, "It is not a DICOM file.")
    _check_pixel_element(data, stream, size)
    if pixels:
        stream.seek(0)
        data = dcmread(stream, force=not has_preamble)
        if not any(name in data for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
            raise refusal(Reason.TRUNCATED, "The file ends before its pixel data do.")
    if "TransferSyntaxUID" not in data.file_meta:
        _name_transfer_syntax(data)
        syntax = str(data.file_meta.TransferSyntaxUID)
    return Parsed(data, syntax, has_preamble and head.startswith(_FOREIGN))


def _file_meta(source: Any, start: int) -> Dataset:
    source.seek(start)
    return read_dataset(
        source, is_implicit_VR=False, is_little_endian=True, stop_when=lambda tag, vr, length: tag.group != 2
    )


def _inflated(source: Any, meta: Dataset) -> io.BytesIO:
    """The same file, not deflated; limited, because 1 MB may inflate to 1 GB even for a look at the header."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = inflater.decompress(source.read(), MAX_INFLATED_BYTES)
    if len(plain) >= MAX_INFLATED_BYTES:
        raise refusal(
            Reason.TOO_LARGE, f"The deflated file grows beyond {MAX_INFLATED_BYTES >> 20} MB; it may be a trap."
        )
    if not inflater.eof:
        raise refusal(Reason.TRUNCATED, "The deflated data end early.")
    described = FileMetaDataset(meta)
    described.TransferSyntaxUID = ExplicitVRLittleEndian
    head = DicomBytesIO()
    write_file_meta_info(head, described, enforce_standard=False)
    return io.BytesIO(bytes(_MAGIC_AT) + b"DICM" + head.getvalue() + plain)


def _name_transfer_syntax(data: FileDataset) -> None:
    """A file without the element: its encoding was recognised while parsing, and its pixels must be native."""
    implicit, little = data.original_encoding
    explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit


def _check_pixel_element(data: FileDataset, stream: BinaryIO, size: int) -> None:
    """Refuse what is no image, and what is cut.

    Raises:
        UnreadableFile: no pixels; cut inside the header; or the pixel element is longer than the file.
    """
    here = stream.tell()
    length = pixel_length(stream, little=data.original_encoding[1] is not False)
    if length is None:
        if str(el.element(data, "SOPClassUID") or data.file_meta.get("MediaStorageSOPClassUID")) == _MEDIA_DIRECTORY:
            raise refusal(Reason.FILE_SET_INDEX, "It is the index of a file-set (DICOMDIR), not an image.")
        if not _ends_cleanly(data, size):
            raise refusal(Reason.TRUNCATED, "The file ends within its header.")
        kind = el.text(data, "Modality")
        raise refusal(Reason.NO_PIXELS, f"The DICOM file holds no image{f' ({kind})' if kind else ''}.")
    if length != 0xFFFFFFFF and stream.tell() + length > size:
        raise refusal(Reason.TRUNCATED, "The file ends before its pixel data do.")
    stream.seek(here)
    check_image(data, None if length == 0xFFFFFFFF else length)


def _ends_cleanly(data: FileDataset, size: int) -> bool:
    """Whether the last element ends where the file does. Sequences of undefined length count as whole."""
    if not len(data):
        return False
    last = data.get_item(max(data.keys()))
    length, start = getattr(last, "length", None), getattr(last, "value_tell", None)
    if length is None or start is None or length == 0xFFFFFFFF:
        return True
    return bool(start + length == size)


def header_of(parsed: Parsed) -> DicomHeader:
    """The checked header of a parsed image."""
    data = parsed.data
    with contained():
        place = el.of_frame(data, "PlanePositionSequence", 0)
        turn = el.of_frame(data, "PlaneOrientationSequence", 0)
        measures = el.of_frame(data, "PixelMeasuresSequence", 0)
        rescale = el.of_frame(data, "PixelValueTransformationSequence", 0)
        thickness = el.real(measures, "SliceThickness")
        return DicomHeader(
            sop_class_uid=_uid(data, "SOPClassUID") or _uid(data.file_meta, "MediaStorageSOPClassUID"),
            sop_instance_uid=_uid(data, "SOPInstanceUID") or _uid(data.file_meta, "MediaStorageSOPInstanceUID"),
            study_uid=_uid(data, "StudyInstanceUID"),
            series_uid=_uid(data, "SeriesInstanceUID"),
            frame_of_reference_uid=_uid(data, "FrameOfReferenceUID"),
            transfer_syntax=parsed.transfer_syntax,
            patient_id=el.text(data, "PatientID"),
            patient_sex=el.text(data, "PatientSex"),
            patient_age=el.text(data, "PatientAge"),
            patient_position=el.text(data, "PatientPosition"),
            study_date=el.text(data, "StudyDate"),
            study_description=el.text(data, "StudyDescription"),
            series_description=el.text(data, "SeriesDescription"),
            series_number=el.integer(data, "SeriesNumber"),
            instance_number=el.integer(data, "InstanceNumber"),
            acquisition_number=el.integer(data, "AcquisitionNumber"),
            modality=el.text(data, "Modality"),
            body_part=el.text(data, "BodyPartExamined"),
            view_position=el.text(data, "ViewPosition"),
            laterality=el.text(data, "ImageLaterality") or el.text(data, "Laterality"),
            manufacturer=el.text(data, "Manufacturer"),
            image_type=el.text(data, "ImageType"),
            presentation_intent=el.text(data, "PresentationIntentType"),
            burned_in_annotation=el.text(data, "BurnedInAnnotation"),
            photometric=el.text(data, "PhotometricInterpretation"),
            lossy=el.text(data, "LossyImageCompression") == "01",
            rows=el.integer(data, "Rows") or 0,
            columns=el.integer(data, "Columns") or 0,
            frames=el.integer(data, "NumberOfFrames") or 1,
            samples_per_pixel=el.integer(data, "SamplesPerPixel") or 1,
            bits_stored=el.integer(data, "BitsStored") or 0,
            pixel_spacing=_spacing(measures, "PixelSpacing"),
            imager_pixel_spacing=_spacing(data, "ImagerPixelSpacing"),
            slice_thickness=thickness if thickness and thickness > 0 else None,
            position=el.reals(place, "ImagePositionPatient", 3),  # type: ignore[arg-type]
            orientation=el.reals(turn, "ImageOrientationPatient", 6),  # type: ignore[arg-type]
            rescale_slope=el.real(rescale, "RescaleSlope"),
            rescale_intercept=el.real(rescale, "RescaleIntercept"),
            irregular=_irregular(data),
            patient_orientation=el.text(data, "PatientOrientation"),
            frame_time_ms=_frame_time_ms(data),
        )


def _frame_time_ms(data: Dataset) -> float | None:
    """Time from frame to frame as the file recommends or knows it."""
    for keyword, milliseconds in (("FrameTime", 1.0), ("RecommendedDisplayFrameRate", 0.0), ("CineRate", 0.0)):
        found = el.real(data, keyword)
        if found and found > 0:
            return found * milliseconds or 1000.0 / found
    return None


_NUMBERED = (
    "PixelSpacing",
    "ImagerPixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "RescaleSlope",
    "RescaleIntercept",
    "SliceThickness",
    "WindowCenter",
    "WindowWidth",
)


def _irregular(data: Dataset) -> int:
    """Geometry and grey-scale elements that are there and hold no finite number."""
    present = [name for name in _NUMBERED if name in data and data.get_item(name).value not in (None, b"", "")]
    return sum(el.real(data, name) is None for name in present)


def _uid(data: Dataset, keyword: str) -> str:
    return clean_uid(str(el.first(data, keyword) or ""))


def _spacing(data: Dataset, keyword: str) -> tuple[float, float] | None:
    found = el.reals(data, keyword, 2)
    if found is None or min(found) <= 0:
        return None
    return found[0], found[1]
