"""What of a source gets one prediction: an image, the slices of a series, the frames of one file.

Frames of one file are scored one by one and pooled as the run pools images, like the slices of a series. At most
``MOST_FRAMES`` of them are taken, evenly spaced, and that is said.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.errors import NotFound
from medfm_gui.domain.study import Scan, Series
from medfm_gui.domain.units import counted
from medfm_gui.workspace import studies
from medfm_gui.workspace.place import Workspace

if TYPE_CHECKING:
    from medfm_gui.imaging.pool import DecodePool

MOST_FRAMES = 256
_TOMOGRAPHIC = ("CT", "MR", "PT")
_NO_IMAGES = {"RTDOSE": "a dose distribution", "SEG": "a segmentation", "RTSTRUCT": "a set of contours"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One image to score: a file, and the index of the frame in it where it holds several."""

    file: Path
    index: int | None = None

    @property
    def name(self) -> str:
        """As the worker's order and answer can hold it: bytes that are no UTF-8 are spelt out; unlike any other's."""
        spelt = str(self.file).encode("utf-8", "backslashreplace").decode()
        return spelt if self.index is None else f"{spelt}#{self.index}"


@dataclass(frozen=True, slots=True)
class Unit:
    """What gets one prediction; ``source`` is the file, or the folder of a series."""

    source: str
    frames: tuple[Frame, ...]
    study: str = ""
    is_dicom: bool = False
    warnings: tuple[str, ...] = ()
    series: str = ""
    is_unlike: bool = False
    """Whether its header says that it is unlike what the runs learnt from."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """By run: why it is not known whether the image is of the kind it learnt from."""


def units_of(
    workspace: Workspace, source: Path, series: Sequence[str], pool: DecodePool
) -> tuple[list[Unit], list[Skipped]]:
    """DICOM series where there are any, and every other image by itself; what cannot be scored is skipped.

    Args:
        series: Series Instance UIDs that are wanted; none = everything in the source.

    Raises:
        NotFound: the index knows none of the wanted series below the source.
    """
    found = _found(workspace, source, series, pool)
    units: list[Unit] = []
    skipped: list[Skipped] = []
    for study in found.studies:
        studies.keep(workspace, study)
        for one in study.series:
            if series and one.uid not in series:
                continue
            if one.modality in _NO_IMAGES:
                what = f"It is {_NO_IMAGES[one.modality]} ({one.modality}), not an image to be scored."
                skipped += [Skipped(item.path, "no_pixels", what) for item in one.instances]
            else:
                units += _of_series(one, study.uid)
    for item in found.skipped:
        if item.reason == "not_dicom" and not series:
            units.append(Unit(item.path, (Frame(Path(item.path)),)))
        else:
            skipped.append(item)
    return units, skipped


def _of_series(series: Series, study: str) -> list[Unit]:
    """All slices of a tomographic series together, else each file by itself with all its frames."""
    files = tuple(Path(item.path) for item in series.instances)
    if series.modality in _TOMOGRAPHIC and len(files) > 1:
        groups = [(os.path.commonpath([file.parent for file in files]), series.instances)]
    else:
        groups = [(item.path, (item,)) for item in series.instances]
    units = []
    for source, items in groups:
        frames: list[Frame] = []
        for item in items:
            many = item.frames > 1
            frames += [Frame(Path(item.path), index if many else None) for index in range(item.frames)]
        unit = Unit(source, tuple(frames), study, True, series.warnings, series.uid)
        units.append(_bounded(unit) if len(frames) > len(items) else unit)
    return units


def expanded(unit: Unit, count: int) -> Unit:
    """A unit of one file that turned out to hold ``count`` frames."""
    (frame,) = unit.frames
    return _bounded(replace(unit, frames=tuple(Frame(frame.file, index) for index in range(count))))


def _bounded(unit: Unit) -> Unit:
    """At most ``MOST_FRAMES``, and a word on what was taken."""
    count = len(unit.frames)
    said = f"One score is made of {counted(count, 'frame')}."
    frames = unit.frames
    if count > MOST_FRAMES:
        frames = tuple(frames[index] for index in evenly(count, MOST_FRAMES))
        said = f"One score is made of {MOST_FRAMES} evenly spaced frames of {count}."
    return replace(unit, frames=frames, warnings=(*unit.warnings, said))


def evenly(count: int, most: int) -> Iterable[int]:
    """``most`` indices of ``count``, from the first to the last, equally far apart."""
    return (round(place * (count - 1) / (most - 1)) for place in range(most))


def _found(workspace: Workspace, source: Path, series: Sequence[str], pool: DecodePool) -> Scan:
    """What is to be scored: all of the source, or of wanted series the files that the index names below it."""
    from medfm_gui.imaging.series import scan, scan_files

    if not series:
        return scan(source, pool)
    files = studies.files_of(workspace, series)
    below = [file for file in files if Path(file).is_relative_to(source)]
    if not below:
        raise NotFound("There is no such series in the study.", "Open its folder again.")
    return scan_files(below, pool)
