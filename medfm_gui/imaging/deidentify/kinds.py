"""Which objects are written, and which modules of ``rules`` each may have."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from medfm_gui.imaging.deidentify.rules import (
    CAPTURE,
    COMMON,
    CT,
    FRAMES,
    MR,
    NUCLEAR,
    PIXELS,
    PLANE,
    SEGMENTS,
    ULTRASOUND,
    X_RAY,
    Rule,
    Rules,
)

_STORAGE = "1.2.840.10008.5.1.4.1.1."

_KINDS: Mapping[str, tuple[Rules, ...]] = {
    "1": (X_RAY,),  # computed radiography
    "1.1": (X_RAY,),  # digital X-ray, for presentation and for processing
    "1.1.1": (X_RAY,),
    "1.2": (X_RAY,),  # mammography
    "1.2.1": (X_RAY,),
    "1.3": (X_RAY,),  # intra-oral
    "1.3.1": (X_RAY,),
    "2": (PLANE, CT),
    "2.1": (PLANE, CT, FRAMES),  # enhanced and legacy converted CT
    "2.2": (PLANE, CT, FRAMES),
    "3.1": (ULTRASOUND,),  # ultrasound, many frames and one
    "6.1": (ULTRASOUND,),
    "4": (PLANE, MR),
    "4.1": (PLANE, MR, FRAMES),  # enhanced MR, in colour, legacy converted
    "4.3": (PLANE, MR, FRAMES),
    "4.4": (PLANE, MR, FRAMES),
    "7": (PLANE, X_RAY, CAPTURE),  # secondary capture: digitised films have the facts of an X-ray
    "7.1": (PLANE, CAPTURE, FRAMES),
    "7.2": (PLANE, CAPTURE, FRAMES),
    "7.3": (PLANE, CAPTURE, FRAMES),
    "7.4": (PLANE, CAPTURE, FRAMES),
    "12.1": (X_RAY,),  # angiography and fluoroscopy
    "12.1.1": (X_RAY, FRAMES),
    "12.2": (X_RAY,),
    "12.2.1": (X_RAY, FRAMES),
    "13.1.1": (X_RAY, PLANE, FRAMES),  # X-ray in three dimensions
    "13.1.2": (X_RAY, PLANE, FRAMES),
    "13.1.3": (X_RAY, PLANE, FRAMES),  # breast tomosynthesis
    "20": (PLANE, NUCLEAR),
    "128": (PLANE, NUCLEAR),
    "128.1": (PLANE, NUCLEAR, FRAMES),
    "130": (PLANE, NUCLEAR, FRAMES),
    "30": (PLANE, SEGMENTS),  # parametric map
    "66.4": (PLANE, SEGMENTS),
    "66.7": (PLANE, SEGMENTS),
    "77.1.1": (CAPTURE,),  # visible light: endoscopy, microscopy, photography, fundus, skin
    "77.1.2": (CAPTURE,),
    "77.1.4": (CAPTURE,),
    "77.1.5.1": (CAPTURE,),
    "77.1.5.2": (CAPTURE,),
    "77.1.5.4": (PLANE, FRAMES),
    "77.1.7": (CAPTURE,),
}

ULTRASOUND_KINDS = frozenset(_STORAGE + end for end in ("3.1", "6.1"))
CAPTURE_KINDS = frozenset(_STORAGE + end for end in ("7", "7.1", "7.2", "7.3", "7.4"))
VISIBLE_LIGHT = frozenset(_STORAGE + end for end in ("77.1.1", "77.1.2", "77.1.4", "77.1.7"))
"""Photographs and films, which may show a face, a wristband or a label."""
ENHANCED = frozenset(_STORAGE + end for end, parts in _KINDS.items() if FRAMES in parts or SEGMENTS in parts)
"""Objects of which a date of their content is required, so that a date that says nothing is written instead."""
SEGMENTATIONS = frozenset(_STORAGE + end for end in ("66.4", "66.7"))


@functools.cache
def rules_of(sop_class: str) -> Mapping[str, Rule] | None:
    """The attributes that an object of this class may have, by keyword; None where the class is not written."""
    parts = _KINDS.get(sop_class.removeprefix(_STORAGE)) if sop_class.startswith(_STORAGE) else None
    if parts is None:
        return None
    found: dict[str, Rule] = {}
    for rules in (COMMON, PIXELS, *parts):
        found.update(rules)
    return MappingProxyType(found)
