"""How DICOM files are de-identified (PS3.15 Annex E): what a person chose, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from medfm_gui.domain.study import Study


class Dates(StrEnum):
    """What becomes of dates; birth dates never stay."""

    REMOVE = "remove"
    SHIFT = "shift"
    """All dates of one patient moved by the same secret number of days: intervals and times of day stay."""
    KEEP = "keep"


_DATE_CODES = {
    Dates.SHIFT: ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    Dates.KEEP: ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
}
_TEMPORAL = {Dates.REMOVE: "REMOVED", Dates.SHIFT: "MODIFIED", Dates.KEEP: "UNMODIFIED"}


@dataclass(frozen=True, slots=True)
class Deidentification:
    """Options of the Basic Application Level Confidentiality Profile; as built, the strictest."""

    dates: Dates = Dates.REMOVE
    keep_uids: bool = False
    """UIDs stay as they are (113110); else they are replaced, all references alike."""
    clean_descriptors: bool = False
    """Of descriptions, words of a fixed list stay (113105); else descriptions are dropped whole."""
    keep_patient: bool = False
    """Sex, age (from 90 up always 090Y), size and weight stay (113108)."""
    keep_device: bool = False
    """Maker, model, software, serial number and station stay (113109)."""

    def codes(self) -> tuple[tuple[str, str], ...]:
        """Value and meaning of each DICOM code (scheme DCM) that tells what was done: (0012,0064)."""
        found = [("113100", "Basic Application Confidentiality Profile")]
        if self.clean_descriptors:
            found.append(("113105", "Clean Descriptors Option"))
        if self.dates in _DATE_CODES:
            found.append(_DATE_CODES[self.dates])
        if self.keep_patient:
            found.append(("113108", "Retain Patient Characteristics Option"))
        if self.keep_device:
            found.append(("113109", "Retain Device Identity Option"))
        if self.keep_uids:
            found.append(("113110", "Retain UIDs Option"))
        return tuple(found)

    @property
    def temporal(self) -> str:
        """The value of Longitudinal Temporal Information Modified (0028,0303)."""
        return _TEMPORAL[self.dates]


class Flag(StrEnum):
    """Why a person has to look before a file may leave."""

    DECLARED = "declared"
    ULTRASOUND = "ultrasound"
    CAPTURE = "capture"
    PHOTOGRAPH = "photograph"
    SCREEN = "screen"
    OVERLAY_BITS = "overlay_bits"


FLAG_WORDS = {
    Flag.DECLARED: "The file itself says that text is burned in.",
    Flag.ULTRASOUND: "Ultrasound machines write name and date into the image.",
    Flag.CAPTURE: "A secondary capture may show whatever was on a screen or on a film.",
    Flag.PHOTOGRAPH: "A photograph or a film may show a face, a label or a name.",
    Flag.SCREEN: "It looks like a copy of a screen or a report page.",
    Flag.OVERLAY_BITS: "An overlay is stored in unused bits of its pixels.",
}


@dataclass(frozen=True, slots=True)
class FlaggedFile:
    """A file that is held back until a person has looked at it.

    ``path`` may name a patient and stays on this computer; ``number`` counts the files of its series from 1.
    """

    path: str
    flags: tuple[Flag, ...]
    study: str = ""
    series: str = ""
    number: int = 0
    frames: int = 1


@dataclass(frozen=True, slots=True)
class FaceSeries:
    """A CT, MR or PET series from which a face could be rebuilt; ``reason`` is why that is thought."""

    study: str
    series: str
    modality: str
    images: int
    reason: str


@dataclass(frozen=True, slots=True)
class Examined:
    """What a person has to know before files are written: how many there are, and which need a look."""

    files: int
    bytes: int
    patients: int
    flagged: tuple[FlaggedFile, ...] = ()
    faces: tuple[FaceSeries, ...] = ()
    held: tuple[HeldFile, ...] = ()
    """Files of kinds that are not written, or that cannot be read."""


@dataclass(frozen=True, slots=True)
class Removal:
    """One attribute and what was done to it in how many places; values are never told.

    ``tag`` is ``(0010,0010)``; of private and repeating groups the block is written ``xx``. ``within`` is the
    sequence that it stood in.
    """

    tag: str
    keyword: str
    action: str
    count: int
    within: str = ""


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file that was not written, and why; ``reason`` is a stable code. ``path`` stays on this computer."""

    path: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Deidentified:
    """What was written where; ``patients`` are the pseudonyms."""

    out: str
    written: int
    patients: tuple[str, ...]
    held: tuple[HeldFile, ...] = ()
    faces: tuple[FaceSeries, ...] = ()
    removals: tuple[Removal, ...] = ()
    notes: tuple[str, ...] = ()
    report: str = ""
    codes: tuple[str, ...] = ()
    studies: tuple[Study, ...] = ()
    """The copies as they were read again."""
