"""The part of a DICOM header that the program uses. No pydicom here, so that a front end can hold one."""

from __future__ import annotations

import dataclasses
import operator
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TEXT_LIMIT = 320
_BIDI_AND_FORMAT = {"Cf", "Cc", "Cs", "Co", "Zl", "Zp"}
_UID = re.compile(r"[0-9.]{1,64}")
_AGE = re.compile(r"(\d{1,3})([DWMY]?)")
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0, "": 1.0}
_OLDEST = 90.0


@dataclass(frozen=True, slots=True)
class DicomHeader:
    """What was read, checked: texts cleaned and capped, UIDs ``[0-9.]{1,64}`` or empty, lengths finite and > 0 or None.

    Spacing is (row, column) in mm; ``position`` and ``orientation`` are in mm and direction cosines of
    the patient's coordinate system (of the first frame); ``patient_id`` is identity.
    """

    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    study_uid: str = ""
    series_uid: str = ""
    frame_of_reference_uid: str = ""
    transfer_syntax: str = ""
    patient_id: str = ""
    patient_sex: str = ""
    patient_age: str = ""
    patient_position: str = ""
    study_date: str = ""
    study_description: str = ""
    series_description: str = ""
    series_number: int | None = None
    instance_number: int | None = None
    acquisition_number: int | None = None
    modality: str = ""
    body_part: str = ""
    view_position: str = ""
    laterality: str = ""
    manufacturer: str = ""
    image_type: str = ""
    presentation_intent: str = ""
    burned_in_annotation: str = ""
    photometric: str = ""
    lossy: bool = False
    rows: int = 0
    columns: int = 0
    frames: int = 1
    samples_per_pixel: int = 1
    bits_stored: int = 0
    pixel_spacing: tuple[float, float] | None = None
    imager_pixel_spacing: tuple[float, float] | None = None
    slice_thickness: float | None = None
    position: tuple[float, float, float] | None = None
    orientation: tuple[float, float, float, float, float, float] | None = None
    rescale_slope: float | None = None
    rescale_intercept: float | None = None
    irregular: int = 0
    """How many elements could not be read as what they claim to be."""
    patient_orientation: str = ""
    """Directions of a row and of a column of a projection image, as ``L\\F``."""
    frame_time_ms: float | None = None

    def covariates(self) -> dict[str, str]:
        """What may be kept beside a sample: it identifies nobody. Ages from 90 up are all “90”."""
        found = {
            "modality": self.modality,
            "view": self.view_position,
            "body_part": self.body_part,
            "laterality": self.laterality,
            "sex": self.patient_sex,
            "age": years(self.patient_age),
            "manufacturer": self.manufacturer,
            "presentation_intent": self.presentation_intent,
        }
        return {key: value for key, value in found.items() if value}


def header_from_plain(values: Mapping[str, Any]) -> DicomHeader:
    """A header that crossed a process border as JSON.

    Raises:
        TypeError: it has an unknown field.
    """
    fields: dict[str, Any] = {key: tuple(item) if isinstance(item, list) else item for key, item in values.items()}
    return DicomHeader(**fields)


def header_to_plain(header: DicomHeader) -> dict[str, Any]:
    """A header as JSON values."""
    return dataclasses.asdict(header)


_NAMES = tuple(field.name for field in dataclasses.fields(DicomHeader))
_VALUES = operator.attrgetter(*_NAMES)
_RULES = 1
"""Another number whenever the same file would be read otherwise than before."""


def header_values(header: DicomHeader) -> list[Any]:
    """The values of a header in the order of its fields: for thousands, a quarter of the way by names."""
    return list(_VALUES(header))


def header_from_values(values: Sequence[Any]) -> DicomHeader:
    """A header that crossed a process border, or was kept, as its values.

    Raises:
        TypeError: there are more than there are fields.
    """
    fields: tuple[Any, ...] = tuple(tuple(value) if isinstance(value, list) else value for value in values)
    return DicomHeader(*fields)


def header_form() -> str:
    """What values mean: another text where the fields are others, so that what was kept is read anew."""
    return f"{_RULES}:{','.join(_NAMES)}"


def clean_text(text: str, limit: int = _TEXT_LIMIT) -> str:
    """Text of a file made safe to show: control and direction characters become visible marks, long text is cut.

    Args:
        limit: most characters that are kept, the ellipsis included.
    """
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return text.strip()
    cut = text[: limit + 1]
    seen = "".join(_visible(character) for character in cut).strip()
    return seen if len(seen) <= limit else seen[: limit - 1] + "…"


def _visible(character: str) -> str:
    if character < " ":
        return chr(0x2400 + ord(character))  # the control pictures: ␀ … ␟
    if unicodedata.category(character) in _BIDI_AND_FORMAT:
        return "\N{REPLACEMENT CHARACTER}"
    return character


def clean_uid(text: str) -> str:
    """The UID, or nothing where it is not one: it never reaches a file name or a key unchecked."""
    stripped = text.strip("\0 ")
    return stripped if _UID.fullmatch(stripped) else ""


def years(age: str) -> str:
    """A DICOM age (``081Y``, ``006M``, or a bare number) in years, empty if it is none; from 90 up always ``90``."""
    match = _AGE.fullmatch(age.strip().upper())
    if not match:
        return ""
    value = min(int(match[1]) * _YEARS[match[2]], _OLDEST)
    return f"{value:.1f}".removesuffix(".0")
