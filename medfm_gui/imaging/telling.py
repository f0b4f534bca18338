"""Which folders and file names tell who the patient of a DICOM file is. For the decoding children.

Exports are often called after their patients (``DOE^JOHN_19560101/IM1``), and a path is kept where a name never would
be. What the file says of a person is compared here and does not leave the child.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from pydicom.dataset import Dataset

from medfm_gui.imaging import elements as el
from medfm_gui.imaging.dicom import parsing
from medfm_gui.imaging.gate import admit

_PERSONS = ("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "ReferringPhysicianName")
_NUMBERS = ("PatientID", "OtherPatientIDs", "AccessionNumber", "PatientBirthDate")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_SHORTEST_NAME = 3
_SHORTEST_WITHIN = 4
"""Shorter names count as whole words only: “Li” and “Ann” are in many words."""
_SHORTEST_NUMBER = 5
"""Shorter runs of digits are those of images (``IM0012``) as often as those of persons."""


def telling_parts(path: Path, parts: Sequence[str]) -> list[str]:
    """Those of the parts that hold a name, a number or a UID of the file's patient or examination.

    Raises:
        UnreadableFile: it is no DICOM image, or damaged.
    """
    with admit(path) as admitted, parsing(admitted, pixels=False) as parsed, el.quiet():
        names = {word for keyword in _PERSONS for word in _words(_text(parsed.data, keyword)) if not word.isdecimal()}
        numbers = {_bare(_text(parsed.data, keyword)) for keyword in _NUMBERS}
        uids = {_text(parsed.data, keyword).strip() for keyword in _UIDS} - {""}
    # the whole number counts, however it is parted: “AB-123 456” is “AB123456”
    return [part for part in parts if any(uid in part for uid in uids) or _holds(part, names, numbers)]


def _holds(part: str, names: set[str], numbers: set[str]) -> bool:
    words, bare = set(_words(part)), _bare(part)
    runs = {run.lstrip("0") for run in re.findall(r"\d+", part)}
    for number in numbers:
        if number.isdecimal():
            if len(number) >= _SHORTEST_NUMBER and number.lstrip("0") and number.lstrip("0") in runs:
                return True
        elif number in words or (len(number) >= _SHORTEST_WITHIN and number in bare):
            return True
    return any(
        len(name) >= _SHORTEST_NAME and (name in words or (len(name) >= _SHORTEST_WITHIN and name in bare))
        for name in names
    )


def _text(data: Dataset, keyword: str) -> str:
    try:
        value = data.get(keyword)
        return "" if value is None else str(value)
    except el.DAMAGED:
        return ""


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", _plain(text)) if word]


def _bare(text: str) -> str:
    return "".join(_words(text))


def _plain(text: str) -> str:
    """Letters without marks and in one case: “Müller” is “MULLER” in many a path."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()
