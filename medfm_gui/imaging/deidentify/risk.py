"""Why a person has to look at an image before it may leave: texts in its pixels; and what its words are about."""

from __future__ import annotations

from pydicom.dataset import Dataset

from medfm_gui.domain.deidentification import Flag
from medfm_gui.imaging import elements as el
from medfm_gui.imaging.deidentify.kinds import CAPTURE_KINDS, ULTRASOUND_KINDS, VISIBLE_LIGHT
from medfm_gui.imaging.deidentify.words import tells_of_elsewhere, tells_of_head

_PHOTOGRAPHS = frozenset({"XC", "ES", "GM", "SM", "DMS", "PHO"})
_DOCUMENTS = frozenset({"OT", "DOC", "SC", "DG", "TG"})
_ULTRASOUND = frozenset({"US", "IVUS", "BDUS"})
_GREY = frozenset({"CT", "MR", "CR", "DX", "MG", "PT", "NM", "XA", "RF", "PX", "IO"})
_SCREEN_TERMS = frozenset(
    {"SCREEN SAVE", "SCREENSHOT", "SCREEN", "REPORT", "DOSE_INFO", "DOSE REPORT", "DOSE", "CAPTURE"}
)
_DESCRIBED = ("BodyPartExamined", "StudyDescription", "SeriesDescription", "ProtocolName")


def flags_of(data: Dataset) -> tuple[Flag, ...]:
    """Why an image's pixels may name a person."""
    kind, modality = el.text(data, "SOPClassUID"), el.text(data, "Modality").upper()
    declared = el.text(data, "BurnedInAnnotation").upper()
    found = [Flag.DECLARED] if declared == "YES" else []
    if declared != "NO":
        if kind in ULTRASOUND_KINDS or modality in _ULTRASOUND:
            found.append(Flag.ULTRASOUND)
        elif kind in CAPTURE_KINDS or modality in _DOCUMENTS or el.text(data, "ConversionType"):
            found.append(Flag.CAPTURE)
        elif kind in VISIBLE_LIGHT or modality in _PHOTOGRAPHS:
            found.append(Flag.PHOTOGRAPH)
    if _looks_like_a_screen(data, modality):
        found.append(Flag.SCREEN)
    if has_overlay_bits(data):
        found.append(Flag.OVERLAY_BITS)
    return tuple(found)


def _looks_like_a_screen(data: Dataset, modality: str) -> bool:
    terms = set(el.text(data, "ImageType").upper().split("\\"))
    return bool(terms & _SCREEN_TERMS) or (modality in _GREY and (el.integer(data, "SamplesPerPixel") or 1) > 1)


def has_overlay_bits(data: Dataset) -> bool:
    """An overlay of the old kind: described in the header, its data in bits of the pixels that are not used else."""
    for group in range(0x6000, 0x6020, 2):
        if (group, 0x3000) in data:
            continue
        if _number(data, group, 0x0100) > 1 or _number(data, group, 0x0102) > 0:
            return True
    return False


def _number(data: Dataset, group: int, element: int) -> int:
    """A whole number of an overlay group; 0 where there is none."""
    try:
        return int(data[group, element].value)
    except el.DAMAGED:
        return 0


def about(data: Dataset) -> str:
    """Whether the words of a header are of the head, of another part of the body, or of none."""
    words = " ".join(el.text(data, keyword) for keyword in _DESCRIBED).replace("_", " ")
    regions = " ".join(el.text(item, "CodeMeaning") for item in el.items(data, "AnatomicRegionSequence"))
    if tells_of_head(f"{words} {regions}"):
        return "head"
    return "elsewhere" if tells_of_elsewhere(f"{words} {regions}") else ""


def field_mm(data: Dataset) -> float | None:
    """The longer side of what is imaged, where the header tells."""
    spacing = el.reals(el.of_frame(data, "PixelMeasuresSequence", 0), "PixelSpacing", 2)
    rows, columns = el.integer(data, "Rows"), el.integer(data, "Columns")
    if spacing is None or not rows or not columns:
        return None
    return max(rows * spacing[0], columns * spacing[1])
