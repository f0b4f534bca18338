"""A DICOM study as a reader sees it: patient, study, series, slices in order of position."""

from __future__ import annotations

from dataclasses import dataclass, field

from medfm_gui.domain.dataset import Skipped


@dataclass(frozen=True, slots=True)
class Instance:
    """One image file of a series: absolute path, frames, and position along the normal in mm (None if unknown)."""

    uid: str
    path: str
    frames: int = 1
    number: int | None = None
    position_mm: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Images of one series with one geometry, sorted by position where there is one, else by number.

    ``spacing_mm`` is (row, column), ``slice_spacing_mm`` the median distance; None where unknown. ``orientation`` are
    the direction cosines of row and column to three digits; empty where there are none.
    """

    uid: str
    modality: str
    description: str
    instances: tuple[Instance, ...]
    rows: int
    columns: int
    spacing_mm: tuple[float, float] | None = None
    slice_spacing_mm: float | None = None
    warnings: tuple[str, ...] = ()
    orientation: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    """One study of one patient. ``patient`` is the id in the file: identity, shown only on request."""

    uid: str
    patient: str
    date: str
    modality: str
    description: str
    series: tuple[Series, ...]
    sex: str = ""
    age: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a folder, a file or a file-set held."""

    studies: tuple[Study, ...]
    skipped: tuple[Skipped, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a file's header in words: ``tag`` as ``(0008,0060)``, ``depth`` below how many sequences.

    ``is_hidden``: its value may say who the patient is and was not wanted, so it is not here.
    """

    tag: str
    name: str
    representation: str
    value: str
    depth: int = 0
    is_private: bool = False
    is_hidden: bool = False
