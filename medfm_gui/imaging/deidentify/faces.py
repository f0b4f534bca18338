"""Series from which a face could be rebuilt. Facts of headers decide; no pydicom here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medfm_gui.domain.deidentification import FaceSeries

_SECTIONAL = frozenset({"CT", "MR", "PT"})
_FEWEST_SLICES = 3
_HEAD_FIELD_MM = (160.0, 300.0)
_WHOLE_BODY_MM = 800.0


@dataclass(frozen=True, slots=True)
class Slice:
    """What one file says of what it shows; lengths in mm. ``about`` is ``head``, ``elsewhere`` or nothing."""

    study: str
    series: str
    modality: str
    about: str = ""
    frames: int = 1
    field_mm: float | None = None
    position_mm: float | None = None


def faces(slices: Iterable[Slice]) -> tuple[FaceSeries, ...]:
    """Series of slices from which a face could be rebuilt; where nothing tells, the field of view decides."""
    by_series: dict[tuple[str, str], list[Slice]] = defaultdict(list)
    for one in slices:
        if one.modality in _SECTIONAL:
            by_series[one.study, one.series].append(one)
    found = []
    for (study, series), members in by_series.items():
        images = sum(one.frames for one in members)
        reason = _why_a_face(members) if images >= _FEWEST_SLICES else ""
        if reason:
            found.append(FaceSeries(study, series, members[0].modality, images, reason))
    return tuple(found)


def _why_a_face(members: Sequence[Slice]) -> str:
    said = {one.about for one in members}
    if "head" in said:
        return "Its header speaks of the head or the neck."
    places = [one.position_mm for one in members if one.position_mm is not None]
    if places and max(places) - min(places) >= _WHOLE_BODY_MM:
        return "It is so long that it may take in the head."
    fields = [one.field_mm for one in members if one.field_mm is not None]
    if "elsewhere" not in said and fields and _HEAD_FIELD_MM[0] <= max(fields) <= _HEAD_FIELD_MM[1]:
        return f"Its header names no part of the body, and its field of view ({max(fields):.0f} mm) fits a head."
    if "elsewhere" not in said and not fields:
        return "Its header tells neither the part of the body nor the size."
    return ""
