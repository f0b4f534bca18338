"""Where a DICOM file looks unlike what it claims to be, or unlike what was expected of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from medfm_gui.imaging.header import DicomHeader


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a dataset or a run was made from; an empty set expects nothing. Compared without regard to case."""

    modalities: frozenset[str] = frozenset()
    body_parts: frozenset[str] = frozenset()


_TOMOGRAPHIC = frozenset({"CT", "MR", "PT"})
_PROJECTION = frozenset({"CR", "DX", "RF", "MG", "XA"})

_CLASS_MODALITIES: Mapping[str, frozenset[str]] = {
    "1.2.840.10008.5.1.4.1.1.1": frozenset({"CR", "DX", "RG"}),
    "1.2.840.10008.5.1.4.1.1.1.1": frozenset({"DX", "CR", "PX", "IO", "MG"}),
    "1.2.840.10008.5.1.4.1.1.1.1.1": frozenset({"DX", "CR", "PX", "IO", "MG"}),
    "1.2.840.10008.5.1.4.1.1.1.2": frozenset({"MG"}),
    "1.2.840.10008.5.1.4.1.1.1.2.1": frozenset({"MG"}),
    "1.2.840.10008.5.1.4.1.1.2": frozenset({"CT"}),
    "1.2.840.10008.5.1.4.1.1.2.1": frozenset({"CT"}),
    "1.2.840.10008.5.1.4.1.1.4": frozenset({"MR"}),
    "1.2.840.10008.5.1.4.1.1.4.1": frozenset({"MR"}),
    "1.2.840.10008.5.1.4.1.1.6.1": frozenset({"US", "IVUS"}),
    "1.2.840.10008.5.1.4.1.1.3.1": frozenset({"US", "IVUS"}),
    "1.2.840.10008.5.1.4.1.1.20": frozenset({"NM"}),
    "1.2.840.10008.5.1.4.1.1.128": frozenset({"PT"}),
}
"""Storage class → the modalities it can come from (PS3.3 A)."""

_POSITIONS = frozenset(
    f"{entering}{lying}"  # PS3.3 C.7.3.1.1.2
    for entering, postures in (("HF", "P S DR DL"), ("FF", "P S DR DL"), ("LF", "P S"), ("RF", "P S"))
    for lying in postures.split()
) | {"AFDR", "AFDL", "PFDR", "PFDL"}
_VIEWS_IN_THE_WRONG_PLACE = frozenset({"AP", "PA", "LL", "RL", "LAT", "LATERAL", "LLAT", "RLAT"})


def objections(header: DicomHeader, expected: Expectation | None = None) -> tuple[str, ...]:
    """Sentences for people, one an objection; empty where nothing looks wrong.

    Args:
        expected: what the image will be compared with or scored by; None asks only whether the file
            contradicts itself.
    """
    found = [*_contradictions(header), *(_surprises(header, expected) if expected else ())]
    return tuple(dict.fromkeys(found))


def _contradictions(header: DicomHeader) -> list[str]:
    said = []
    modality = header.modality.upper()
    possible = _CLASS_MODALITIES.get(header.sop_class_uid)
    if possible and modality and modality not in possible:
        said.append(f"The file says modality {modality}, but it is stored as an image of {'/'.join(sorted(possible))}.")
    if modality in _TOMOGRAPHIC:
        lacking = _missing_of_a_slice(header, modality)
        if lacking:
            said.append(f"The file says modality {modality}, but does not look like a slice: {', '.join(lacking)}.")
    if modality in _PROJECTION and header.position is not None and header.orientation is not None:
        said.append(f"The file says modality {modality}, but has the position of a slice in space.")
    position = header.patient_position.upper()
    if position and position not in _POSITIONS | _VIEWS_IN_THE_WRONG_PLACE:
        said.append(f"Patient Position (0018,5100) is “{header.patient_position}”, which is no known position.")
    if header.patient_sex and header.patient_sex.upper() not in ("M", "F", "O"):
        said.append(f"Patient's Sex (0010,0040) is “{header.patient_sex}”, which is not M, F or O.")
    return said


def _missing_of_a_slice(header: DicomHeader, modality: str) -> list[str]:
    lacking = []
    if header.position is None or header.orientation is None:
        lacking.append("no position in space")
    if modality == "CT" and header.rescale_slope is None:
        lacking.append("no rescale to Hounsfield units")
    if header.bits_stored <= 8 and lacking:
        lacking.append(f"only {header.bits_stored} bits a pixel")
    return lacking


def _surprises(header: DicomHeader, expected: Expectation) -> list[str]:
    said = []
    for name, value, wanted in (
        ("Modality (0008,0060)", header.modality, expected.modalities),
        ("Body Part Examined (0018,0015)", header.body_part, expected.body_parts),
    ):
        if value and wanted and value.upper() not in {item.upper() for item in wanted}:
            said.append(f"{name} is “{value}”; expected was {' or '.join(sorted(wanted))}.")
    return said
