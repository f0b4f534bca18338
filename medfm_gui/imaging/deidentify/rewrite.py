"""A parsed image becomes a new data set: attribute by attribute from the list in ``rules``, then what must be said."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.tag import BaseTag

from medfm_gui import __version__
from medfm_gui.domain.deidentification import Dates
from medfm_gui.imaging import elements as el
from medfm_gui.imaging.deidentify import codes, tally
from medfm_gui.imaging.deidentify.kinds import ENHANCED, SEGMENTATIONS
from medfm_gui.imaging.deidentify.rules import Do, Rule
from medfm_gui.imaging.deidentify.secrets import date_of
from medfm_gui.imaging.deidentify.tally import Tally
from medfm_gui.imaging.deidentify.values import Making, age_text, make

PIXEL_TAGS = frozenset({0x7FE00001, 0x7FE00002, 0x7FE00003, 0x7FE00008, 0x7FE00009, 0x7FE00010})
_REQUIRED_EMPTY = (
    "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber",
    "Manufacturer", "InstanceNumber", "SeriesNumber",
)  # fmt: skip
"""Attributes of type 2: they must be there, and may say nothing."""
_CHARACTERS = 0x00080005
_FRAME_GROUPS = frozenset({"SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"})
_DUMMY_DATE, _DUMMY_TIME = "19000101", "000000"
_ACTIONS: Mapping[Do, str] = {
    Do.UID: tally.REPLACED,
    Do.PATIENT: tally.REPLACED,
    Do.SITE: tally.REPLACED,
    Do.LABEL: tally.CLEANED,
    Do.WORDS: tally.CLEANED,
    Do.MAKER: tally.CLEANED,
    Do.EMPTY: tally.EMPTIED,
}
_DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said of a file, or what was found: it decides what the result says of itself."""

    is_looked_at: bool = False
    """A person saw that no name is burned in."""
    has_face: bool = False
    """A face could be rebuilt from its series."""


def rewritten(source: Dataset, rules: Mapping[str, Rule], making: Making, said: Said, count: Tally) -> Dataset:
    """A new data set without pixels.

    Args:
        source: the parsed image, with ``StudyInstanceUID``, ``SeriesInstanceUID`` and ``SOPInstanceUID``.
        rules: what may stay.
        count: where every attribute is counted.
    """
    made = _Rewriting(making, count).items_of(source, rules, "")
    made.SpecificCharacterSet = "ISO_IR 192"
    made.PatientName = made.PatientID = making.patient.pseudonym
    if making.options.keep_patient and "PatientAge" not in made:
        _compute_age(source, made)
    for keyword in _REQUIRED_EMPTY:
        if keyword not in made:
            setattr(made, keyword, "" if dictionary_VR(keyword) not in ("IS", "DS") else None)
    _fill_required(made)
    _say(made, making, said)
    return made


@dataclass(frozen=True, slots=True)
class _Rewriting:
    """One file's rewriting: what rules need to know, and the tally."""

    making: Making
    count: Tally

    def items_of(self, source: Dataset, rules: Mapping[str, Rule], within: str) -> Dataset:
        """The attributes of a data set, or of an item, that may stay, made anew."""
        made = Dataset()
        for tag in sorted(source.keys()):
            if (tag in PIXEL_TAGS and not within) or (tag.element == 0 and not tag.is_private):
                continue  # pixels are written by themselves; lengths of groups say nothing
            keyword = "" if tag.is_private else keyword_for_tag(tag)
            rule = rules.get(keyword) if keyword else None
            new = self._made(source, tag, keyword, rule) if rule is not None else None
            if rule is None or new is None:
                self.count.add(tag, tally.REPLACED if tag == _CHARACTERS and not within else tally.REMOVED, within)
                continue
            made.add(new)
            self.count.add(tag, self._action(rule.do), within)
        return made

    def _made(self, source: Dataset, tag: BaseTag, keyword: str, rule: Rule) -> DataElement | None:
        if rule.do in (Do.CODES, Do.ITEMS):
            return self._sequence(source, tag, keyword, rule)
        try:
            old = source[tag]
            if rule.do is Do.TABLE:
                return _table(source, keyword, old)
            value = make(rule.do, keyword, old, self.making)
            return None if value is None else DataElement(tag, _representation(source, tag, old), value)
        except el.DAMAGED:
            return None

    def _sequence(self, source: Dataset, tag: BaseTag, keyword: str, rule: Rule) -> DataElement | None:
        if rule.do is Do.CODES:
            items = codes.code_items(source, keyword)
        else:
            items = [self.items_of(item, rule.items or {}, keyword) for item in el.items(source, keyword)]
            if keyword not in _FRAME_GROUPS:  # there, the place of an item says whose frame's it is
                items = [item for item in items if len(item)]
        return DataElement(tag, "SQ", items) if items else None

    def _action(self, do: Do) -> str:
        if do is Do.UID and self.making.options.keep_uids:
            return tally.KEPT
        if do in (Do.DATE, Do.DATETIME) and self.making.options.dates is Dates.SHIFT:
            return tally.SHIFTED
        return _ACTIONS.get(do, tally.KEPT)


def _representation(source: Dataset, tag: BaseTag, old: DataElement) -> str:
    """The VR of the dictionary; where that leaves a choice, the one that was read."""
    listed = dictionary_VR(tag)
    if " or " not in listed:
        return listed
    if old.VR in listed.split(" or "):
        return str(old.VR)
    return "SS" if el.integer(source, "PixelRepresentation") == 1 else "US"


def _table(source: Dataset, keyword: str, old: DataElement) -> DataElement | None:
    """A look-up table exactly as long as its descriptor says; any other is none."""
    described = el.element(source, "LUTDescriptor" if keyword == "LUTData" else keyword.replace("Data", "Descriptor"))
    if described is None or len(described) != 3:
        return None
    entries, bits = int(described[0]) or 1 << 16, int(described[2])
    if isinstance(old.value, bytes):
        sizes = {entries * 2} | ({entries + entries % 2} if bits <= 8 else set())
        return DataElement(old.tag, "OW", old.value) if len(old.value) in sizes else None
    values = list(old.value) if not isinstance(old.value, int) else [old.value]
    return DataElement(old.tag, "US", values) if len(values) == entries else None


def _compute_age(source: Dataset, made: Dataset) -> None:
    """The age at the study in years, from dates that do not stay themselves."""
    born, done = date_of(el.text(source, "PatientBirthDate")), date_of(el.text(source, "StudyDate"))
    if born is not None and done is not None and born <= done:
        years = int((done - born) / datetime.timedelta(days=_DAYS_A_YEAR))
        made.PatientAge = age_text(min(years, 999), "Y")


def _fill_required(made: Dataset) -> None:
    """Attributes that some objects must have: a date that says nothing, and codes that say little."""
    if made.get("SOPClassUID") in ENHANCED:
        for keyword, dummy in (("ContentDate", _DUMMY_DATE), ("ContentTime", _DUMMY_TIME)):
            if keyword not in made:
                setattr(made, keyword, dummy)
    if made.get("SOPClassUID") in SEGMENTATIONS:
        if "ContentLabel" not in made:
            made.ContentLabel = "SEGMENTATION"
        for segment in el.items(made, "SegmentSequence"):
            for keyword in ("SegmentedPropertyCategoryCodeSequence", "SegmentedPropertyTypeCodeSequence"):
                if keyword not in segment:
                    setattr(segment, keyword, [codes.tissue()])


def _say(made: Dataset, making: Making, said: Said) -> None:
    """How the object was de-identified, and what is known of its pixels.

    Burned-in annotation is denied only where a person looked; that no face can be recognised is never said.
    """
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethod = f"MedFM Studio {__version__}: PS3.15 Annex E, written from an allow-list"[:64]
    made.DeidentificationMethodCodeSequence = [
        codes.coded(Code(value, "DCM", meaning)) for value, meaning in making.options.codes()
    ]
    made.LongitudinalTemporalInformationModified = making.options.temporal
    if said.is_looked_at:
        made.BurnedInAnnotation = "NO"
    if said.has_face:
        made.RecognizableVisualFeatures = "YES"
