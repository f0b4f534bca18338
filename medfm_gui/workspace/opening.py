"""A series on its way into the file that a viewer maps: begun with its middle frame, filled from the first on.

open_subject     fills on the scale of the first frame; where others do not fit on it, measures all, once more
_filled          one round: begin, tell, add frame by frame
described        index of the study + first frame → OpenedSeries
"""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from medfm_gui.domain.errors import DiskFull, Interrupted, UnreadableFile
from medfm_gui.domain.study import Series, Study

if TYPE_CHECKING:
    from medfm_gui.imaging.grid import Grid
    from medfm_gui.imaging.header import DicomHeader
    from medfm_gui.imaging.pool import DecodePool
    from medfm_gui.imaging.volume import Begun

SpacingNote = Literal["mm", "mm at detector", "px"]
Orientation = tuple[float, float, float, float, float, float]
_ROOM_LEFT = 64 << 20
_OFF_SCALE = "Its values do not fit on the scale of the series."


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """Where a frame of an opened series comes from: the file, and the index of the frame in it."""

    path: str
    frame: int = 0


@dataclass(frozen=True, slots=True)
class OpenedSeries:
    """An ``.npy`` file of frames and how to show them; every field as in the viewer's ``SeriesImage``.

    ``array`` has (count, rows, columns) uint8, uint16 or int16, or (count, rows, columns, 3) uint8. It has its
    full length from the beginning; frames that are not there yet, or cannot be decoded, are zeros.
    """

    array: str
    count: int
    rows: int
    columns: int
    channels: int
    dtype: str
    loaded: int
    """Frames that are there, counted from the first (those that failed count too)."""
    first: int
    """The frame that was decoded first, from which window and facts are; it is there whatever ``loaded`` says."""
    sources: tuple[SourceFrame, ...]
    """One a frame: finds the frame that a prediction explains."""
    unit: str = ""
    slope: float = 1.0
    intercept: float = 0.0
    window: tuple[float, float] | None = None
    window_function: Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"] = "LINEAR"
    voi_first: float = 0.0
    voi_greys: tuple[int, ...] = ()
    """The header's VOI LUT: the grey 0…255 of each value from ``voi_first`` on; empty where there is none."""
    inverted: bool = False
    spacing_mm: tuple[float, float] | None = None
    spacing_note: SpacingNote = "px"
    aspect: float = 1.0
    orientation: Orientation | None = None
    positions_mm: tuple[float, ...] = ()
    patient_orientation: tuple[str, str] | None = None
    laterality: Literal["R", "L", ""] = ""
    frame_time_ms: float | None = None
    marks: tuple[str, ...] = ()
    frame_notes: tuple[str, ...] = ()
    """None, or one a frame: why it cannot be shown."""
    identity: str = ""
    study: str = ""
    modality: str = ""
    frame_of_reference: str = ""
    """UID: series that share it can be scrolled together."""

    def frame_of(self, path: str) -> int | None:
        """The first frame that comes from a file, as a prediction names it; None if none does.

        A frame of a file that holds several is named ``file#index``.
        """
        for index, source in enumerate(self.sources):
            name = spelt(source.path)
            if path in (name, f"{name}#{source.frame}"):
                return index
        return None


OnOpen = Callable[[OpenedSeries], None]
OnFrame = Callable[[int], None]
ShouldStop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is opened; ``series`` and ``study`` are None for a single file, whose frames are not counted yet."""

    sources: tuple[SourceFrame, ...]
    study: Study | None = None
    series: Series | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told of the progress, and who may end it."""

    on_open: OnOpen | None = None
    on_frame: OnFrame | None = None
    should_stop: ShouldStop | None = None

    def check(self) -> None:
        """Give up here if nobody waits any more.

        Raises:
            Interrupted: so it is.
        """
        if self.should_stop is not None and self.should_stop():
            raise Interrupted("Opening the series was stopped.", "Open it again.")


def open_subject(subject: Subject, pool: DecodePool, folder: Path, watch: Watch) -> OpenedSeries:
    """Fill the file on the scale of its first frame; where others do not fit on it, measure all and fill again."""
    grid = None
    while True:
        array = folder / f"series-{secrets.token_hex(8)}.npy"
        try:
            opened = _filled(subject, pool, array, grid, watch)
        except BaseException:
            array.unlink(missing_ok=True)
            raise
        if opened is not None:
            return opened
        array.unlink(missing_ok=True)
        grid = _measured(subject, pool, watch)


def _filled(subject: Subject, pool: DecodePool, array: Path, grid: Grid | None, watch: Watch) -> OpenedSeries | None:
    """The file, filled; None where a frame does not fit on the scale (and the scale was not made to fit all)."""
    from medfm_gui.imaging.grid import ROUNDED
    from medfm_gui.imaging.volume import Source, fill

    begun = _begun(subject, pool, array, grid)
    if begun is None:
        return None
    _check_room(array, begun)
    opened = described(subject, begun, str(array))
    if watch.on_open:
        watch.on_open(opened)
    notes = dict.fromkeys((*opened.marks, *((ROUNDED,) if begun.grid.is_rounded else ())))
    remarks = [""] * begun.count
    there = {begun.index}
    loaded = 0
    frames = [(place, Source(one.path, one.frame)) for place, one in enumerate(opened.sources) if place != begun.index]
    for result in fill(pool, frames, array, begun.grid, begun.data_at):
        watch.check()
        if result.is_off_scale and grid is None:
            return None
        there.add(result.index)
        notes.update(dict.fromkeys(result.notes))
        if not result.ok:
            remarks[result.index] = result.message or _OFF_SCALE
        before = loaded
        while loaded in there:
            loaded += 1
        if loaded > before and watch.on_frame:
            watch.on_frame(loaded)
    lost = sum(1 for remark in remarks if remark)
    marks = (*notes, f"{lost} of {begun.count} images cannot be shown.") if lost else tuple(notes)
    return replace(opened, loaded=begun.count, marks=marks, frame_notes=tuple(remarks) if lost else ())


def _begun(subject: Subject, pool: DecodePool, array: Path, grid: Grid | None) -> Begun | None:
    """The file with its first frame: the middle one, or the nearest to it that can be decoded.

    Raises:
        UnreadableFile: there is none.
    """
    from medfm_gui.imaging.volume import NeedsExtents, Source, begin

    count = len(subject.sources)
    problem: UnreadableFile | None = None
    for place in sorted(range(count), key=lambda place: abs(place - count // 2)):
        source = subject.sources[place]
        number = None if subject.series is None else count
        try:
            begun = begin(pool, Source(source.path, source.frame), array, count=number, index=place, grid=grid)
        except UnreadableFile as error:
            problem = problem or error
            continue
        return None if isinstance(begun, NeedsExtents) else begun
    raise UnreadableFile(
        f"The series cannot be shown: {problem.message if problem else 'it has no images.'}",
        problem.hint if problem else "Import the study again.",
        reason=problem.reason if problem else "empty",
    )


def _measured(subject: Subject, pool: DecodePool, watch: Watch) -> Grid:
    """One scale for all frames, of the size of the middle one."""
    from medfm_gui.imaging.grid import common_grid
    from medfm_gui.imaging.volume import Source, count_frames, extents

    sources = subject.sources
    if subject.series is None:
        sources = tuple(SourceFrame(sources[0].path, frame) for frame in range(count_frames(pool, sources[0].path)))
    found = []
    for extent in extents(pool, [Source(one.path, one.frame) for one in sources]):
        watch.check()
        if extent is not None:
            found.append(extent)
    if not found:
        raise UnreadableFile("The series cannot be shown: no image of it can be decoded.", "Export it again.")
    shape = Counter((one.rows, one.columns) for one in found).most_common(1)[0][0]
    return common_grid([one for one in found if (one.rows, one.columns) == shape], *shape)


def _check_room(array: Path, begun: Begun) -> None:
    """The file is hollow; see that it can be filled.

    Raises:
        DiskFull: it cannot.
    """
    wanted = begun.count * begun.grid.frame_bytes
    if shutil.disk_usage(array.parent).free < wanted + _ROOM_LEFT:
        raise DiskFull(
            f"The series needs {wanted >> 20} MB of temporary space, and the disk has not that much left.",
            "Free some space and open it again.",
        )


def described(subject: Subject, begun: Begun, array: str) -> OpenedSeries:
    """What a viewer has to know, from the index of the study and from the first frame."""
    facts, grid = begun.facts, begun.grid
    header = facts.header
    sources = subject.sources
    if subject.series is None:
        sources = tuple(SourceFrame(sources[0].path, frame) for frame in range(begun.count))
    if begun.frames:
        sources = tuple(SourceFrame(sources[0].path, frame) for frame in begun.frames)
    warnings = subject.series.warnings if subject.series else ()
    opened = OpenedSeries(
        array=array,
        count=begun.count,
        rows=grid.rows,
        columns=grid.columns,
        channels=grid.channels,
        dtype=grid.dtype,
        loaded=1 if begun.index == 0 else 0,
        first=begun.index,
        sources=sources,
        unit=facts.unit,
        slope=grid.slope,
        intercept=grid.intercept,
        window=facts.window,
        window_function=facts.window_function,
        voi_first=facts.voi_first,
        voi_greys=facts.voi_greys,
        inverted=facts.is_inverted,
        spacing_mm=facts.spacing,
        spacing_note=facts.spacing_note,
        aspect=facts.aspect,
        positions_mm=_positions(subject, begun),
        marks=tuple(dict.fromkeys((*warnings, *facts.notes))),
    )
    return opened if header is None else _with_header(opened, header, subject)


def _with_header(opened: OpenedSeries, header: DicomHeader, subject: Subject) -> OpenedSeries:
    directions = [part.strip() for part in header.patient_orientation.split("\\")]
    side: Literal["R", "L", ""] = ""
    if header.modality == "MG" and header.laterality in ("R", "L"):
        side = "R" if header.laterality == "R" else "L"
    return replace(
        opened,
        orientation=header.orientation,
        patient_orientation=(directions[0], directions[1]) if len(directions) == 2 and all(directions) else None,
        laterality=side,
        frame_time_ms=header.frame_time_ms,
        identity=" · ".join(
            part for part in (header.patient_id, header.patient_sex, age_text(header.patient_age)) if part
        ),
        study=" · ".join(
            part
            for part in (
                date_text(header.study_date),
                header.study_description,
                header.modality,
                header.series_description,
            )
            if part
        ),
        modality=header.modality,
        frame_of_reference=header.frame_of_reference_uid,
    )


def _positions(subject: Subject, begun: Begun) -> tuple[float, ...]:
    if subject.series is not None:
        places = [item.position_mm for item in subject.series.instances]
        if len(places) == begun.count and None not in places:
            return tuple(place for place in places if place is not None)
    return begun.facts.positions_mm if len(begun.facts.positions_mm) == begun.count else ()


def age_text(age: str) -> str:
    """A DICOM age (``042Y``) as a person writes it: ``42 y``; anything else as it is."""
    number, unit = age[:-1], age[-1:].lower()
    return f"{int(number)} {unit}" if number.isdecimal() and unit in "dwmy" and unit else age


def date_text(date: str) -> str:
    """A DICOM date (``20240102``) as ISO 8601; anything else as it is."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 and date.isdecimal() else date


def spelt(path: str) -> str:
    """A path as predictions name it: bytes that are no UTF-8 are spelt out."""
    return path.encode("utf-8", "backslashreplace").decode()
