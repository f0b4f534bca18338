"""Values made anew, one function a rule: what comes out is a number, a term, a UID …, or nothing (None)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from pydicom.uid import UID

from medfm_gui.domain.deidentification import Dates, Deidentification
from medfm_gui.imaging.deidentify import rules
from medfm_gui.imaging.deidentify.rules import Do, Rules
from medfm_gui.imaging.deidentify.secrets import Secrets, date_of, datetime_of, shifted, time_of
from medfm_gui.imaging.deidentify.terms import DIRECTIONS, KERNEL, NUCLEUS, SMALL_COUNT, is_term
from medfm_gui.imaging.deidentify.words import known_words, maker
from medfm_gui.imaging.header import clean_text, clean_uid

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d+")
_AGE = re.compile(r"(\d{3})([DWMY])")
_LONGEST_DECIMAL, _LONGEST_INTEGER, _LONG_STRING = 16, 12, 64
_OLDEST = 90
_COUNTERS = frozenset({"SeriesNumber", "InstanceNumber", "AcquisitionNumber"})
_MOST_COUNTED = 999_999
"""Larger “numbers” of an image or a series are mostly dates or ids."""
_LARGEST = 9_999_999
"""No length, dose or time of an examination is larger in the units of DICOM, but for those of ``_LARGE``."""
_LARGE = frozenset({"RadionuclideTotalDose", "DoseCalibrationFactor", "DeadTimeFactor", "RescaleIntercept"})
_OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Patient:
    """Whose image it is: the id in the file (never written), the name that stands for it, the words of the name."""

    id: str
    pseudonym: str
    name_words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Making:
    """All that a rule may need to know."""

    options: Deidentification
    secrets: Secrets
    patient: Patient

    @property
    def days(self) -> int:
        """By how many days dates are moved."""
        return self.secrets.days(self.patient.id) if self.options.dates is Dates.SHIFT else 0


Value = Any
_Make = Callable[[str, list[Any], Making], "Value | None"]


def make(do: Do, keyword: str, element: DataElement, making: Making) -> Value | None:
    """The value to write, or None: the attribute then is not there. An empty value stays away, too."""
    parts = parts_of(element.value)
    if do is Do.EMPTY:
        return ""
    if not parts:
        return None
    return _MAKERS[do](keyword, parts, making)


def parts_of(value: Any) -> list[Any]:
    """The values of an element, however many there are."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (MultiValue, list, tuple)) else [value]


def text(value: Any) -> str:
    """One value as text; of bytes, nothing."""
    return "" if isinstance(value, bytes) else str(value).strip(" \0")


def _number(keyword: str, parts: list[Any], making: Making) -> Value | None:
    made = [_one_number(part) for part in parts]
    if any(part is None for part in made):
        return None
    limit = _MOST_COUNTED if keyword in _COUNTERS else _LARGEST
    if keyword not in _LARGE and any(abs(float(str(part))) > limit for part in made if part != ""):
        return None
    return _one_or_all(made)


def _one_number(part: Any) -> Any | None:
    if isinstance(part, (bool, bytes)):
        return None
    written = getattr(part, "original_string", None)
    if isinstance(written, str) and written.strip():
        shown = written.strip()
        fits = _INTEGER.fullmatch(shown) and len(shown) <= _LONGEST_INTEGER
        return shown if fits or (_DECIMAL.fullmatch(shown) and len(shown) <= _LONGEST_DECIMAL) else None
    if isinstance(part, str):
        shown = part.strip()
        if not shown:
            return ""
        return shown if _DECIMAL.fullmatch(shown) and len(shown) <= _LONGEST_DECIMAL else None
    try:
        return part if math.isfinite(float(part)) else None
    except (TypeError, ValueError, OverflowError):
        return None


def _one_or_all(parts: Sequence[Any]) -> Any:
    return parts[0] if len(parts) == 1 else list(parts)


def _term(keyword: str, parts: list[Any], making: Making) -> Value | None:
    made = [text(part).upper() if is_term(text(part)) else "" for part in parts]
    if keyword == "ImageType":  # the first two are the standard's own, and each place has its meaning
        return [part or _OTHER for part in made] if any(made) else None
    return _one_or_all(made) if all(made) else None


def _uid(keyword: str, parts: list[Any], making: Making) -> Value | None:
    made = []
    for part in parts:
        old = text(part)
        if not old:
            return None
        made.append(old if making.options.keep_uids and clean_uid(old) == old else making.secrets.uid(old))
    return _one_or_all(made)


def _class_uid(keyword: str, parts: list[Any], making: Making) -> Value | None:
    return text(parts[0]) if len(parts) == 1 and is_class(text(parts[0])) else None


def is_class(uid: str) -> bool:
    """Whether a UID is a kind of object of the standard."""
    return UID(uid).name != uid and UID(uid).type == "SOP Class"


def _pointer(keyword: str, parts: list[Any], making: Making) -> Value | None:
    names = [keyword_for_tag(part) for part in parts]
    return _one_or_all([Tag(name) for name in names]) if all(name in _POINTED_AT for name in names) else None


def _every_keyword(some: Rules) -> set[str]:
    found = set(some)
    for rule in some.values():
        found |= _every_keyword(rule.items) if rule.items else set()
    return found


_POINTED_AT = frozenset().union(
    *(_every_keyword(some) for some in (rules.PIXELS, rules.PLANE, rules.NUCLEAR, rules.FRAMES, rules.SEGMENTS))
)


def _date(keyword: str, parts: list[Any], making: Making) -> Value | None:
    if making.options.dates is Dates.REMOVE or date_of(text(parts[0])) is None:
        return None
    return shifted(text(parts[0]), making.days) or None


def _time(keyword: str, parts: list[Any], making: Making) -> Value | None:
    return None if making.options.dates is Dates.REMOVE else time_of(text(parts[0])) or None


def _datetime(keyword: str, parts: list[Any], making: Making) -> Value | None:
    return None if making.options.dates is Dates.REMOVE else datetime_of(text(parts[0]), making.days) or None


def _words(keyword: str, parts: list[Any], making: Making) -> Value | None:
    if not making.options.clean_descriptors:
        return None
    return known_words(" ".join(text(part) for part in parts), making.patient.name_words) or None


def _maker(keyword: str, parts: list[Any], making: Making) -> Value | None:
    found = _device(keyword, parts, making) if making.options.keep_device else None
    return found or maker(text(parts[0])) or None


def _device(keyword: str, parts: list[Any], making: Making) -> Value | None:
    if not making.options.keep_device:
        return None
    return _one_or_all([clean_text(text(part), _LONG_STRING) for part in parts]) or None


def _sex(keyword: str, parts: list[Any], making: Making) -> Value | None:
    found = text(parts[0]).upper()
    return found if making.options.keep_patient and found in ("M", "F", "O") else None


def _age(keyword: str, parts: list[Any], making: Making) -> Value | None:
    match = _AGE.fullmatch(text(parts[0]).upper())
    if not making.options.keep_patient or match is None:
        return None
    return age_text(int(match[1]), match[2])


def age_text(count: int, unit: str) -> str:
    """An age as DICOM has it; from 90 years up always ``090Y``, in whatever unit it was."""
    years = count * {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}[unit]
    return f"{_OLDEST:03d}Y" if years >= _OLDEST else f"{count:03d}{unit}"


def _body(keyword: str, parts: list[Any], making: Making) -> Value | None:
    return _number(keyword, parts, making) if making.options.keep_patient else None


def _site(keyword: str, parts: list[Any], making: Making) -> Value | None:
    return making.secrets.site(text(parts[0])) if text(parts[0]) else None


def _patient(keyword: str, parts: list[Any], making: Making) -> Value | None:
    return making.patient.pseudonym


def _matching(pattern: re.Pattern[str]) -> _Make:
    def made(keyword: str, parts: list[Any], making: Making) -> Value | None:
        found = [text(part) for part in parts]
        return _one_or_all(found) if all(pattern.fullmatch(part) for part in found) else None

    return made


def _label(keyword: str, parts: list[Any], making: Making) -> Value | None:
    """What a segmentation calls a thing: known words of it, or only that it is a segment; both are required."""
    if keyword == "ContentLabel":
        return "SEGMENTATION"
    return _words(keyword, parts, making) or "Segment"


_MAKERS: Mapping[Do, _Make] = {
    Do.NUMBER: _number,
    Do.TERM: _term,
    Do.UID: _uid,
    Do.CLASS_UID: _class_uid,
    Do.POINTER: _pointer,
    Do.DATE: _date,
    Do.TIME: _time,
    Do.DATETIME: _datetime,
    Do.WORDS: _words,
    Do.MAKER: _maker,
    Do.DEVICE: _device,
    Do.SEX: _sex,
    Do.AGE: _age,
    Do.BODY: _body,
    Do.SITE: _site,
    Do.PATIENT: _patient,
    Do.DIRECTION: _matching(DIRECTIONS),
    Do.KERNEL: _matching(KERNEL),
    Do.COUNT: _matching(SMALL_COUNT),
    Do.NUCLEUS: _matching(NUCLEUS),
    Do.LABEL: _label,
}
