"""Why a file did not become pixels: one list of stable codes, and what to do about each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from medfm_gui.domain.errors import UnreadableFile


class Reason(StrEnum):
    """Codes of the ingest gate; they are stored, so a name never changes its meaning."""

    EMPTY = "empty"
    NOT_REGULAR = "not_regular"
    OUTSIDE = "outside"
    UNREADABLE = "unreadable"
    BAD_NAME = "bad_name"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    NOT_DICOM = "not_dicom"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    BAD_HEADER = "bad_header"
    UNDECODABLE = "undecodable"
    DECODER_DIED = "decoder_died"
    TIMED_OUT = "timed_out"
    NO_PIXELS = "no_pixels"
    MULTI_FRAME = "multi_frame"
    NO_SUCH_FRAME = "no_such_frame"
    NONFINITE = "nonfinite"
    HIDDEN = "hidden"
    DUPLICATE = "duplicate"
    UID_CLASH = "uid_clash"
    FILE_SET_INDEX = "file_set_index"
    MISSING = "missing"
    NOT_LISTED = "not_listed"
    ENCRYPTED = "encrypted"
    BOMB = "bomb"
    BAD_MASK = "bad_mask"
    MASK_GEOMETRY = "mask_geometry"
    MASK_LABELS = "mask_labels"


_HINTS: Mapping[Reason, str] = {
    Reason.EMPTY: "Copy the file again from where it came.",
    Reason.NOT_REGULAR: "Choose an ordinary file.",
    Reason.OUTSIDE: "Copy the file into the folder.",
    Reason.UNREADABLE: "Check that the file exists and that you may read it.",
    Reason.NOT_AN_IMAGE: "Use PNG, JPEG, TIFF, BMP, WebP, DICOM, NIfTI, NRRD, MHA or NPY.",
    Reason.UNSUPPORTED_FORMAT: "Convert it to PNG, TIFF, DICOM or NIfTI.",
    Reason.NOT_DICOM: "Open it as a plain image.",
    Reason.TRUNCATED: "Copy or export the file again; a transfer was probably cut short.",
    Reason.TOO_LARGE: "Export it at a smaller size, or as separate images.",
    Reason.BAD_HEADER: "Export the file again from the system that made it.",
    Reason.UNDECODABLE: "Export the file again, uncompressed if possible.",
    Reason.DECODER_DIED: "Leave this file out, or export it again uncompressed.",
    Reason.TIMED_OUT: "Leave this file out, or export it again uncompressed.",
    Reason.NO_PIXELS: "Leave this file out.",
    Reason.MISSING: "Copy the whole medium again, or open what is there.",
    Reason.NOT_LISTED: "Open the folder to read these files too.",
    Reason.ENCRYPTED: "Unpack the archive with its password, and open the folder.",
    Reason.BOMB: "Unpack the archive yourself if you trust it, and open the folder.",
    Reason.MULTI_FRAME: "Say which frame is meant.",
    Reason.NO_SUCH_FRAME: "Choose a frame that the file has; frames count from 0.",
    Reason.BAD_MASK: "Export the mask again as whole numbers, one a class.",
    Reason.MASK_GEOMETRY: "Resample the mask to its image, or leave both out.",
    Reason.MASK_LABELS: "Correct the mask, or name its labels.",
    Reason.NONFINITE: "Replace values that are not numbers and export the file again.",
}


def refusal(reason: Reason, message: str) -> UnreadableFile:
    """The error for a refused file. ``message`` names no path: it may be stored and shown beside one."""
    return UnreadableFile(message, _HINTS.get(reason, ""), reason=reason.value)
