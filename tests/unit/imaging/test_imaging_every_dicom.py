"""Every file of pydicom's own test set: either the pixels that pydicom decodes, or a named refusal.

What is expected follows by rule from what pydicom itself makes of a file, with every plugin it has but GDCM, which the
program passes over: nothing is recorded.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.pixels.utils import pixel_array

from medfm_gui.domain.errors import UnreadableFile
from medfm_gui.imaging.dicom import read_values
from medfm_gui.imaging.dicom_frames import DicomFile
from medfm_gui.imaging.frames import decode_frame
from medfm_gui.imaging.gate import admit
from medfm_gui.imaging.picture import stored_sha256
from medfm_gui.imaging.presentation import OVERLAY
from medfm_gui.imaging.read import read_picture
from medfm_gui.imaging.reasons import Reason

MakeDicom = Callable[..., Path]
ROOT = Path(str(pydicom.__file__)).parent / "data" / "test_files"
FILES = sorted(path for path in ROOT.rglob("*") if path.is_file())
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
MOST_FRAMES = 5
pytestmark = pytest.mark.filterwarnings("ignore")


@functools.lru_cache(maxsize=4)
def parsed(path: Path) -> Dataset | None:
    """The file as pydicom reads it; None where it is no DICOM file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pydicom.dcmread(path)
        except InvalidDicomError:
            forced = pydicom.dcmread(path, force=True)
            return forced if "SOPInstanceUID" in forced else None


@functools.lru_cache(maxsize=4)
def decoded(path: Path) -> npt.NDArray[Any] | None:
    """Stored values of all frames, frames × rows × columns (× 3); None where pydicom has none either."""
    data = parsed(path)
    if data is None or not any(name in data for name in PIXELS):
        return None
    plugins = [""]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            decoder = get_decoder(data.file_meta.TransferSyntaxUID)
            if decoder.is_encapsulated:
                plugins = [plugin for plugin in decoder.available_plugins if plugin != "gdcm"]
        except (NotImplementedError, AttributeError):
            return None
        for plugin in plugins:
            try:
                values = np.asarray(pixel_array(data, decoding_plugin=plugin))
            except (ValueError, RuntimeError, AttributeError, NotImplementedError, TypeError):
                continue
            return values if int(data.get("NumberOfFrames") or 1) > 1 else values[None]
    return None


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=named)
def test_the_right_pixels_or_a_named_error(path: Path) -> None:
    wanted = decoded(path)
    try:
        with admit(path) as admitted:
            opened = DicomFile(admitted)
        frames = [read_picture(path, frame=index) for index in range(min(opened.frames, MOST_FRAMES))]
    except UnreadableFile as error:
        assert wanted is None, f"pydicom reads it, and it was refused: {error.message}"
        assert Reason(error.reason) in Reason and error.message.endswith(".")
        assert error.hint or error.reason in _WITHOUT_HINT
        assert str(path) not in error.message
        return
    assert wanted is not None, "pydicom refuses it"
    assert opened.frames == len(wanted)
    for index, picture in enumerate(frames):
        assert np.array_equal(decode_frame(opened._data, index), wanted[index])
        assert picture.stored_sha256 == stored_sha256(wanted[index].astype(wanted.dtype.newbyteorder("=")))
        assert picture.pixels.shape[:2] == wanted[index].shape[:2]
        assert picture.pixels.dtype in (np.uint8, np.uint16)


_WITHOUT_HINT = {Reason.FILE_SET_INDEX}


def images() -> list[Path]:
    """Those that pydicom decodes, of one sample a pixel."""
    found = []
    for path in FILES:
        data = parsed(path)
        if data is not None and data.get("SamplesPerPixel") == 1 and any(name in data for name in PIXELS):
            found.append(path)
    return found


@pytest.mark.parametrize("path", images(), ids=named)
def test_values_are_those_of_the_modality_at_every_pixel(path: Path) -> None:
    wanted, data = decoded(path), parsed(path)
    if wanted is None or data is None:
        with pytest.raises(UnreadableFile):
            read_values(path, frame=0)
        return
    if "PerFrameFunctionalGroupsSequence" in data:
        per_frame = data.PerFrameFunctionalGroupsSequence[0]
        shared = data.SharedFunctionalGroupsSequence[0]
        place = per_frame if "PixelValueTransformationSequence" in per_frame else shared
        values = wanted[0].astype(np.float64)
        if "PixelValueTransformationSequence" in place:
            item = place.PixelValueTransformationSequence[0]
            values = values * float(item.RescaleSlope) + float(item.RescaleIntercept)
    else:
        values = np.asarray(apply_modality_lut(wanted[0], data), dtype=np.float64)
    assert np.array_equal(read_values(path, frame=0), values.astype(np.float32))


@pytest.mark.parametrize("path", [path for path in images() if "palette" in path.name.lower()], ids=named)
def test_palettes_are_applied_as_pydicom_does(path: Path) -> None:
    wanted, data = decoded(path), parsed(path)
    assert wanted is not None and data is not None
    colours = np.asarray(apply_color_lut(wanted[0], data))[..., :3]
    pixels = read_picture(path, frame=0).pixels
    deep = colours >> 8 if colours.dtype.itemsize > pixels.dtype.itemsize else colours
    assert np.array_equal(pixels, deep)


def test_overlays_are_never_taken_for_pixels(make_dicom: MakeDicom) -> None:
    grey = np.arange(192, dtype=np.uint16).reshape(16, 12) * 10
    plain = read_picture(make_dicom("plain.dcm", grey, BitsStored=12, HighBit=11))
    path = make_dicom("beside.dcm", grey, BitsStored=12, HighBit=11)
    data = pydicom.dcmread(path)
    for tag, kind, value in ((0x60000010, "US", 16), (0x60000011, "US", 12), (0x60000100, "US", 1)):
        data.add_new(tag, kind, value)
    data.add_new(0x60000102, "US", 0)
    data.add_new(0x60003000, "OW", b"\xff" * 24)
    data.save_as(path)
    assert np.array_equal(read_picture(path).pixels, plain.pixels)
    assert OVERLAY in read_picture(path).notes and OVERLAY not in plain.notes
    inside = pydicom.dcmread(make_dicom("inside.dcm", grey | np.uint16(1 << 15), BitsStored=12, HighBit=11))
    for tag, value in ((0x60000010, 16), (0x60000011, 12), (0x60000100, 16), (0x60000102, 15)):
        inside.add_new(tag, "US", value)
    inside.save_as(path)
    assert np.array_equal(read_values(path), read_values(make_dicom("again.dcm", grey, BitsStored=12, HighBit=11)))
    assert OVERLAY in read_picture(path).notes


def test_the_kinds_of_the_set_are_those_of_the_standard() -> None:
    kinds = {str(data.file_meta.get("TransferSyntaxUID", "")) for path in FILES if (data := parsed(path)) is not None}
    assert len(kinds & set(_SYNTAXES)) >= 10, "the set covers native, deflated, RLE, JPEG, JPEG-LS, JPEG 2000 and HTJ2K"


_SYNTAXES = [f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)] + [
    f"1.2.840.10008.1.2{tail}" for tail in ("", ".1", ".1.99", ".2", ".5")
]
