"""Every element of a DICOM header in plain words, for a table that can be searched. For the decoding children.

Who the patient is stays out unless it is wanted; without that, only values pass that by their kind cannot name
anybody, such as numbers, codes and UIDs, and a few descriptions of the device and the protocol.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from medfm_gui.imaging import elements as el
from medfm_gui.imaging.dicom import parsing
from medfm_gui.imaging.gate import admit
from medfm_gui.imaging.header import clean_text
from medfm_gui.imaging.tags import MOST

_LONGEST = 400
_DEEPEST = 8
_PATIENT = 0x0010
_OF_A_PATIENT = frozenset({"PatientSex", "PatientAge", "PatientSize", "PatientWeight"})
_HARMLESS = frozenset(  # numbers, codes, dates, UIDs
    ("CS", "DS", "IS", "US", "SS", "UL", "SL", "SV", "UV", "FL", "FD", "AT", "AS", "UI", "DA", "TM", "DT")  # noqa: RUF005 - two lines
    + ("SQ", "OF", "OD", "OL", "OV")
)
_HARMLESS_TEXTS = frozenset(
    {
        "Manufacturer",
        "ManufacturerModelName",
        "SoftwareVersions",
        "ImplementationVersionName",
        "StudyDescription",
        "SeriesDescription",
        "ProtocolName",
        "SequenceName",
        "PulseSequenceName",
        "ConvolutionKernel",
        "FilterType",
        "ReceiveCoilName",
        "TransmitCoilName",
        "ContrastBolusAgent",
        "ContrastBolusRoute",
        "PositionReferenceIndicator",
        "RescaleType",
        "ModalityLUTType",
        "LUTExplanation",
        "WindowCenterWidthExplanation",
        "DetectorDescription",
        "CodeValue",
        "CodeMeaning",
        "CodingSchemeDesignator",
        "CodingSchemeVersion",
    }
)
_DATES_OF_A_PERSON = frozenset({"PatientBirthDate", "PatientBirthTime", "LastMenstrualDate"})

Row = list[Any]
"""The fields of ``domain.study.Element``."""


def elements_of(path: Path, *, identity: bool) -> list[Row]:
    """Rows for the elements of a file, its meta information first.

    Raises:
        UnreadableFile: it is no DICOM image, or damaged.
    """
    with admit(path) as admitted, parsing(admitted, pixels=False) as parsed, el.quiet():
        rows = itertools.chain(_rows(parsed.data.file_meta, identity, 0), _rows(parsed.data, identity, 0))
        return list(itertools.islice(rows, MOST))


def _rows(data: Dataset, identity: bool, depth: int, *, is_of_patient: bool = False) -> Iterator[Row]:
    for tag in sorted(data.keys()):
        place = f"({tag.group:04X},{tag.elem:04X})"
        try:
            element = data[tag]
        except el.DAMAGED:
            yield [place, "Cannot be read", "", "", depth, tag.is_private, False]
            continue
        name = clean_text(element.name, 80)
        hidden = not identity and (is_of_patient or not _is_harmless(tag, element))
        if element.VR != "SQ":  # a sequence in the patient's group is listed, its items are hidden
            value = "" if hidden else _value(element)
            yield [place, name, element.VR, value, depth, tag.is_private, hidden]
            continue
        items = _items(element)
        yield [place, name, "SQ", f"{len(items)} item{'s' if len(items) != 1 else ''}", depth, tag.is_private, False]
        if depth < _DEEPEST:
            for number, item in enumerate(items, 1):
                if len(items) > 1:
                    yield ["", f"Item {number}", "", "", depth + 1, False, False]
                yield from _rows(item, identity, depth + 1, is_of_patient=hidden)


def _items(element: DataElement) -> list[Dataset]:
    try:
        return [item for item in element.value or () if isinstance(item, Dataset)]
    except el.DAMAGED:
        return []


def _is_harmless(tag: BaseTag, element: DataElement) -> bool:
    """Whether the value cannot say who somebody is, by its kind or by its name."""
    if tag.group == _PATIENT:
        return element.keyword in _OF_A_PATIENT
    if element.keyword in _DATES_OF_A_PERSON:
        return False
    if element.VR in _HARMLESS or isinstance(element.value, bytes):  # of bytes only the number is told
        return True
    return not tag.is_private and element.keyword in _HARMLESS_TEXTS


def _value(element: DataElement) -> str:
    try:
        value = element.value
        if value is None:
            return ""
        if isinstance(value, bytes):
            return f"{len(value):,} bytes"
        if not isinstance(value, (MultiValue, list, tuple)):
            return clean_text(str(value), _LONGEST)
        parts = [str(part) for part in itertools.islice(value, 64)]
        return clean_text("\\".join(parts), _LONGEST)
    except el.DAMAGED:
        return "cannot be read"
