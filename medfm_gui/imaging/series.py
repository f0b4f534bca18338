"""A folder, or a file, becomes studies: patient, study, series, slices in order of position.

The headers alone decide, read by the pool. Positions along the normal of the image plane give the order
and the spacing; what does not fit (gaps, doubles, mixed planes, clashing UIDs) is said, never guessed away.
"""

from __future__ import annotations

import collections
import contextlib
import math
import os
import re
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medfm_gui.base.atomic import sha256_file
from medfm_gui.domain.dataset import Skipped
from medfm_gui.domain.errors import Interrupted
from medfm_gui.domain.study import Instance, Scan, Series, Study
from medfm_gui.domain.units import counted
from medfm_gui.imaging.gantry import shear_remark
from medfm_gui.imaging.header import DicomHeader
from medfm_gui.imaging.objections import objections
from medfm_gui.imaging.pool import DecodePool, PictureJob
from medfm_gui.imaging.reasons import Reason
from medfm_gui.imaging.walking import Found, KnownHeaders, Walk, found_files, read_headers

_Geometry = tuple[tuple[int, int, bool], tuple[float, ...], tuple[float, ...]]
"""Rows, columns and whether there are several frames; directions of a row and a column; spacing in mm."""
_SAME_PLACE_MM = 0.01
SAME_WAY = 0.001
"""By so much two numbers of a direction may differ in one series (0.06°)."""
SAME_SPACING_MM = 0.0001
_UNEVEN = 0.05
_FIRST_LOOK_S = 0.15
_LOOK_S = 0.5
_DEAR = 20.0
"""A look at what is there so far takes at most a twentieth of the time."""
_SPACE_UIDS = uuid.UUID("6f1c3d1e-0b0a-4e57-9d63-3a1f6f0f7f52")


@dataclass(frozen=True, slots=True)
class _Image:
    path: str
    header: DicomHeader


@dataclass(slots=True)
class Watch:
    """Who looks on while a folder is read, and who may end it; all are called on the thread that reads."""

    on_progress: Callable[[int, int], None] | None = None
    """Told files read, files in all."""
    on_study: Callable[[Study], None] | None = None
    """Told a study as far as it is known: soon after its first images, then now and then; at the end whole."""
    should_stop: Callable[[], bool] | None = None

    def check(self) -> None:
        """Give up here if nobody waits any more.

        Raises:
            Interrupted: so it is.
        """
        if self.should_stop is not None and self.should_stop():
            raise Interrupted("Reading the folder was stopped.", "Open it again; it goes on where it was.")

    def step(self, done: int, total: int) -> None:
        """One file more.

        Raises:
            Interrupted: nobody waits any more.
        """
        self.check()
        if self.on_progress is not None:
            self.on_progress(done, total)


def scan(path: Path, pool: DecodePool, watch: Watch | None = None, known: KnownHeaders | None = None) -> Scan:
    """Every study below a folder, or in one file.

    Links to folders are not followed, hidden files are counted only, and a DICOMDIR is passed over:
    its files are found by themselves. The originals are only read.

    Args:
        known: headers of an earlier reading; files that did not change since are not opened.

    Raises:
        Interrupted: the watcher wanted no more; what was read until then is in ``known``.
    """
    path = path.absolute()
    if not path.is_dir():
        return _scanned((Found(str(path)),), 1, None, pool, watch or Watch(), known)
    walk = Walk(path)
    return _scanned(walk, walk, path, pool, watch or Watch(), known)


def scan_files(
    files: Sequence[str],
    pool: DecodePool,
    *,
    root: Path | None = None,
    watch: Watch | None = None,
    known: KnownHeaders | None = None,
) -> Scan:
    """The studies that these files make up, and no other file beside them.

    Args:
        root: the folder that links may not lead out of.
    """
    return _scanned(found_files(files, looked_at=known is not None), len(files), root, pool, watch or Watch(), known)


def _scanned(
    files: Iterable[Found],
    size: Walk | int,
    root: Path | None,
    pool: DecodePool,
    watch: Watch,
    known: KnownHeaders | None,
) -> Scan:
    images, skipped = [], []
    preview = _Preview(watch.on_study)
    with contextlib.closing(read_headers(files, pool, root=root, known=known)) as results:
        for done, result in enumerate(results, 1):
            if result.ok and result.header is not None:
                images.append(_Image(result.path, result.header))
                preview.add(images[-1])
            elif result.reason != Reason.FILE_SET_INDEX or root is None:
                skipped.append(Skipped(result.path, result.reason, result.message))
            watch.step(done, size.count if isinstance(size, Walk) else size)
    skipped += size.skipped if isinstance(size, Walk) else []
    images.sort(key=lambda image: _natural(image.path))
    kept, doubles = _without_doubles(images, pool, watch)
    skipped += doubles
    skipped.sort(key=lambda item: _natural(item.path))
    clashes = {item.path for item in doubles if item.reason == Reason.UID_CLASH}
    return Scan(tuple(_studies(kept, clashes)), tuple(skipped))


class _Preview:
    """Tells of studies while they are read: the first at once, then each that grew, as rarely as telling is dear."""

    def __init__(self, on_study: Callable[[Study], None] | None) -> None:
        self._on_study = on_study
        self._images: dict[tuple[str, str], dict[str, _Image]] = {}
        self._grown: set[tuple[str, str]] = set()
        self._next = time.monotonic() + _FIRST_LOOK_S

    def add(self, image: _Image) -> None:
        if self._on_study is None:
            return
        key = (image.header.patient_id, _study_uid(image))
        self._images.setdefault(key, {}).setdefault(image.header.sop_instance_uid or image.path, image)
        self._grown.add(key)
        begun = time.monotonic()
        if begun < self._next:
            return
        for grown in self._grown:
            for study in _studies(self._images[grown].values(), set()):
                self._on_study(study)
        self._grown.clear()
        now = time.monotonic()
        self._next = now + max(_LOOK_S, _DEAR * (now - begun))


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key in which ``9`` comes before ``10``."""
    parts = re.split(r"(\d+)", text)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def _without_doubles(images: Sequence[_Image], pool: DecodePool, watch: Watch) -> tuple[list[_Image], list[Skipped]]:
    """The first readable file of every UID, and what the others are: the same file or pixels, damaged, or a clash.

    Copies of a file are told by their bytes; pixels are compared only where files differ.
    """
    by_uid = collections.defaultdict(list)
    for image in images:
        by_uid[image.header.sop_instance_uid or image.path].append(image)
    skipped: list[Skipped] = []
    doubled = [_without_copies(same, skipped, watch) for same in by_uid.values() if len(same) > 1]
    doubled = [same for same in doubled if len(same) > 1]
    jobs = [PictureJob(image.path, image.path, frame=0) for same in doubled for image in same]
    decoded = {}
    for result in pool.pictures(jobs):
        watch.check()
        decoded[result.key] = result
    for same in doubled:
        first, *others = sorted(same, key=lambda image: not decoded[image.path].ok)
        whole = decoded[first.path]
        for other in others:
            double = decoded[other.path]
            reason, what = Reason.UID_CLASH.value, "and other pixels"
            if whole.ok and whole.stored_sha256 == double.stored_sha256:
                reason, what = Reason.DUPLICATE.value, f"and the same pixels{_differences(first.header, other.header)}"
            elif whole.ok and not double.ok:
                reason, what = double.reason, "and cannot be decoded"
            skipped.append(Skipped(other.path, reason, _doubled(first, what)))
    left_out = {item.path for item in skipped}
    return [image for image in images if image.path not in left_out], skipped


def _without_copies(same: Sequence[_Image], skipped: list[Skipped], watch: Watch) -> list[_Image]:
    """Of files of one UID the different ones; the copies are added to ``skipped``."""
    seen: dict[str, _Image] = {}
    for image in same:
        watch.check()
        try:
            content = sha256_file(Path(image.path))
        except OSError:  # gone meanwhile: the decoder says so
            content = image.path
        if content in seen:
            told = _doubled(seen[content], "and is the same file")
            skipped.append(Skipped(image.path, Reason.DUPLICATE.value, told))
        else:
            seen[content] = image
    return list(seen.values())


def _doubled(first: _Image, what: str) -> str:
    return f"It has the UID of “{Path(first.path).name}” {what}; that one was kept."


_COMPARED = ("modality", "body_part", "view_position", "laterality", "patient_position", "rescale_intercept")


def _differences(first: DicomHeader, other: DicomHeader) -> str:
    """Where two headers of the same pixels disagree on what matters; identity is not quoted."""
    unlike = [name for name in _COMPARED if getattr(first, name) != getattr(other, name)]
    said = [f"{name.replace('_', ' ')} “{getattr(other, name)}” instead of “{getattr(first, name)}”" for name in unlike]
    if first.patient_id != other.patient_id:
        said.append("another patient id")
    return f", but {', '.join(said)}" if said else ""


def _studies(images: Iterable[_Image], clashes: set[str]) -> list[Study]:
    by_study = collections.defaultdict(list)
    for image in images:
        by_study[image.header.patient_id, _study_uid(image)].append(image)
    studies = [_study(patient, uid, members, clashes) for (patient, uid), members in by_study.items()]
    return sorted(studies, key=lambda study: (study.patient, study.date, study.uid))


def _study_uid(image: _Image) -> str:
    """The file's own, or one made from its folder: anonymised files often have none."""
    return image.header.study_uid or _uid_of(f"study {Path(image.path).parent}")


def _uid_of(name: str) -> str:
    return f"2.25.{uuid.uuid5(_SPACE_UIDS, name.encode('utf-8', 'surrogateescape').hex()).int}"


def _study(patient: str, uid: str, images: Sequence[_Image], clashes: set[str]) -> Study:
    by_series = collections.defaultdict(list)
    for image in images:
        header = image.header
        by_series[header.series_uid or _unnamed_series(image)].append(image)
    series = [one for name, members in by_series.items() for one in _series(name, members, clashes)]
    first = images[0].header
    return Study(
        uid=uid,
        patient=patient,
        date=first.study_date,
        modality="\\".join(sorted({image.header.modality for image in images} - {""})),
        description=first.study_description,
        series=tuple(series),
        sex=first.patient_sex,
        age=first.patient_age,
    )


def _unnamed_series(image: _Image) -> str:
    header = image.header
    return _uid_of(f"series {Path(image.path).parent} {header.series_description} {header.series_number}")


def _series(uid: str, images: Sequence[_Image], clashes: set[str]) -> list[Series]:
    """One series, or several where one UID joins images of different geometry."""
    planes: collections.defaultdict[_Geometry, list[_Image]] = collections.defaultdict(list)
    of: dict[_Geometry, _Geometry] = {}  # what was met → the first that it is as good as equal to
    for image in images:
        met = _geometry(image.header)
        if met not in of:
            of[met] = next((one for one in planes if _is_same(one, met)), met)
        planes[of[met]].append(image)
    shared = []
    if not images[0].header.series_uid:
        shared.append("The files have no Series Instance UID and were grouped by their folder.")
    if len(planes) > 1:
        shared.append(f"The series mixes {len(planes)} geometries and was taken apart.")
    folders = {os.path.dirname(path) for path in clashes}  # noqa: PTH120 - a hundred thousand times
    if folders and any(os.path.dirname(image.path) in folders for image in images):  # noqa: PTH120 - as above
        shared.append("Another file has the UID of an image of this series and other pixels; it was left out.")
    return [_plane(uid, members, shared) for members in planes.values()]


def _geometry(header: DicomHeader) -> _Geometry:
    spacing = header.pixel_spacing or header.imager_pixel_spacing
    return (
        (header.rows, header.columns, header.frames > 1),
        tuple(round(value, 5) + 0.0 for value in header.orientation or ()),
        tuple(round(value, 5) for value in spacing or ()),
    )


def _is_same(one: _Geometry, other: _Geometry) -> bool:
    """Whether two differ by no more than scanners round: a grid of digits would part two neighbours at its line."""
    return one[0] == other[0] and nearly(one[1], other[1], SAME_WAY) and nearly(one[2], other[2], SAME_SPACING_MM)


def nearly(one: Sequence[float], other: Sequence[float], most: float) -> bool:
    """Whether as many numbers differ by no more than ``most`` each."""
    return len(one) == len(other) and all(abs(a - b) <= most for a, b in zip(one, other, strict=True))


def _plane(uid: str, images: Sequence[_Image], shared: Sequence[str]) -> Series:
    positions = [_position(image.header) for image in images]
    instances = [
        Instance(
            uid=image.header.sop_instance_uid,
            path=image.path,
            frames=image.header.frames,
            number=image.header.instance_number,
            position_mm=position,
        )
        for image, position in zip(images, positions, strict=True)
    ]
    is_placed = None not in positions and len(images) > 1
    instances.sort(key=lambda item: place_of(item, by_position=is_placed))
    first = images[0].header
    series = Series(
        uid=uid,
        modality=first.modality,
        description=first.series_description,
        instances=tuple(instances),
        rows=first.rows,
        columns=first.columns,
        spacing_mm=first.pixel_spacing or first.imager_pixel_spacing,
        warnings=(*shared, *_remarks(images)),
        orientation=tuple(round(value, 3) + 0.0 for value in first.orientation or ()),
    )
    if not is_placed:
        return series
    spacing, gaps = slice_spacing([item.position_mm for item in instances if item.position_mm is not None])
    sheared = shear_remark([image.header for image in images])
    overlap = _overlap(spacing, [image.header.slice_thickness for image in images])
    remarks = (*series.warnings, *gaps, *sheared, *overlap)
    return replace(series, slice_spacing_mm=spacing, warnings=remarks)


def place_of(item: Instance, *, by_position: bool) -> tuple[float, float, list[tuple[int, int, str]]]:
    """Sort key of the images of a series: position, else number, else name of the file."""
    place = item.position_mm if by_position and item.position_mm is not None else 0.0
    return place, float("inf") if item.number is None else item.number, _natural(item.path)


def _position(header: DicomHeader) -> float | None:
    """Distance along the normal of the image plane, mm; None without geometry or with an impossible one."""
    if header.position is None or header.orientation is None or header.frames > 1:
        return None
    (a, b, c, d, e, f), (x, y, z) = header.orientation, header.position
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    length = math.hypot(*normal)
    if not 0.9 < length < 1.1:
        return None
    return round((normal[0] * x + normal[1] * y + normal[2] * z) / length, 4)


def _remarks(images: Sequence[_Image]) -> list[str]:
    found: dict[str, None] = {}
    for image in images:
        found.update(dict.fromkeys(objections(image.header)))
        if image.header.presentation_intent == "FOR PROCESSING":
            found["FOR PROCESSING: raw detector values, not meant to be looked at."] = None
        if image.header.burned_in_annotation == "YES":
            found["The image has text burned in, perhaps a name."] = None
    header = images[0].header
    if header.pixel_spacing is None and header.imager_pixel_spacing is not None:
        found["Lengths are measured at the detector, not in the patient."] = None
    return list(found)


def slice_spacing(positions: Sequence[float]) -> tuple[float | None, list[str]]:
    """The median distance of neighbours in mm, and what is wrong with the distances."""
    steps = np.diff(positions)
    apart = steps[steps > _SAME_PLACE_MM]
    warnings = []
    same = len(steps) - len(apart)
    if same:
        lying = f"{counted(same, 'image')} {'lies' if same == 1 else 'lie'} where another one lies"
        warnings.append(f"{lying}: phases, echoes or two acquisitions.")
    if not len(apart):
        return None, warnings
    median = float(np.median(apart))
    lost = sum(round(step / median) - 1 for step in apart if step > 1.5 * median and _is_multiple(step, median))
    if lost:
        warnings.append(f"{counted(lost, 'slice')} {'is' if lost == 1 else 'are'} missing (spacing {median:.2f} mm).")
    odd = [step for step in apart if abs(step - median) > _UNEVEN * median and not _is_multiple(step, median)]
    if odd:
        warnings.append(f"Slice spacing is uneven: {min(apart):.2f} to {max(apart):.2f} mm.")
    return round(median, 4), warnings


def _overlap(spacing: float | None, thicknesses: Sequence[float | None]) -> list[str]:
    """Where slices are thicker than they lie apart, so that whoever takes the thickness for the distance is warned."""
    known = [value for value in thicknesses if value]
    if spacing is None or not known or (thickness := float(np.median(known))) <= (1 + _UNEVEN) * spacing:
        return []
    return [f"Slices overlap: {thickness:.2f} mm thick, {spacing:.2f} mm apart; the positions give the distance."]


def _is_multiple(step: float, median: float) -> bool:
    return abs(step / median - round(step / median)) <= _UNEVEN and round(step / median) >= 1
