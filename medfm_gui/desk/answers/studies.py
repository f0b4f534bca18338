"""Studies: the index, thumbnails, frames for the viewer, header facts. Their predictions are in ``predicting``."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medfm_gui.base.resources import resources_folder
from medfm_gui.desk.answers import explaining, predicting, similar
from medfm_gui.desk.asks.data import Tile, TileSheet
from medfm_gui.desk.asks.studies import (
    CloseSeries,
    ElementTable,
    ExplainAgain,
    ExportCapture,
    FileThumbnails,
    IndexSource,
    KeepSimilar,
    ListEarlier,
    ListStudies,
    OpenSeries,
    PredictSource,
    ReadElements,
    ReadTags,
    SeriesKey,
    SeriesOpened,
    SeriesThumbnails,
    ShowHeatMap,
    ShowPrediction,
    SourceIndexed,
    StudyList,
    TagFact,
    TagFacts,
)
from medfm_gui.desk.entry import Entry, Lane, Topic
from medfm_gui.desk.protocol import Ask, Nothing
from medfm_gui.desk.room import Room, Told
from medfm_gui.domain.errors import InputError, NotFound, UnreadableFile
from medfm_gui.domain.study import Series, Study
from medfm_gui.store.rows import SeriesRow, StudyRow
from medfm_gui.workspace.studies import import_studies, read_study, unfinished

if TYPE_CHECKING:
    from medfm_gui.imaging.header import DicomHeader
    from medfm_gui.workspace.opening import OpenedSeries
    from medfm_gui.workspace.viewing import SmallPicture

_PART_S = 0.05
_STUDIES_AT_ONCE = 250
_MOST_SKIPPED = 200
_MOST_PICTURES = 5_000
_PICTURES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jp2", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".pgm"),
    *(".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".npy"),
)
"""Endings of pictures and of volumes; a volume opens as a series of its slices."""
_PHANTOM = Path("demo-data") / "ct" / "0000"


def list_studies(room: Room, ask: ListStudies, told: Told) -> StudyList:
    """Rows of the database, in parts: the window reads each of them between two frames."""
    from medfm_gui.store import queries

    with room.workspace.store.reading() as reader:
        found = queries.studies(reader)
    phantom = room.workspace.root / _PHANTOM
    presets = (resources_folder() / "viewer" / "presets.toml").read_text(encoding="utf-8")
    place = str(phantom) if phantom.is_dir() else ""
    digest = hashlib.sha256(repr(found).encode("utf-8", "backslashreplace")).hexdigest()
    mark = unfinished(room.workspace)
    if digest == ask.known:
        return StudyList((), place, presets, digest, mark)
    last = max(0, len(found) - 1) // _STUDIES_AT_ONCE * _STUDIES_AT_ONCE
    for start in range(0, last, _STUDIES_AT_ONCE):
        told.part(StudyList(found[start : start + _STUDIES_AT_ONCE]))
    return StudyList(found[last:], place, presets, digest, mark)


# -- the index


def index_source(room: Room, ask: IndexSource, told: Told) -> SourceIndexed:
    """Headers of everything below; pictures that are no DICOM objects are listed, not kept.

    Raises:
        InputError: there is neither a DICOM image nor a picture.
        Interrupted: it was cancelled; no study of this reading is kept, the next reading goes on where it was.
    """
    source = Path(ask.path).expanduser().absolute()
    told.progress(f"Looking through “{source.name}”")
    if not source.exists():
        raise InputError(f"“{source}” does not exist.", "Choose it again; is the disk or the stick still in?")
    known: dict[str, Study] = {}

    def tell(study: Study) -> None:
        known[study.uid] = study
        told.part(SourceIndexed((row_of(study),)))

    try:
        found = import_studies(
            room.workspace,
            source,
            pool=room.pool(is_patient=True),
            on_progress=told.counting("Reading headers"),
            on_study=tell,
            should_stop=told.stopped.is_set,
            on_unpacked=told.counting("Unpacking the archive"),
        )
    except InputError:
        pictures, is_cut = _pictures(source)
        if not pictures:
            raise
        return SourceIndexed(pictures=pictures, is_cut=is_cut)
    pictures, is_cut = _pictures(source)
    other = {item.path for item in found.skipped if item.reason == "not_dicom"}
    named = other.intersection(pictures)
    skipped = [item for item in found.skipped if item.path not in named]
    return SourceIndexed(
        studies=tuple(row_of(known[study.uid]) for study in found.studies),
        pictures=tuple(path for path in pictures if path in named),
        skipped=tuple(skipped[:_MOST_SKIPPED]),
        n_skipped=len(skipped),
        is_cut=is_cut,
    )


def row_of(study: Study) -> StudyRow:
    """A study as the list has it, whether it is kept yet or not."""
    return StudyRow(
        uid=study.uid,
        patient=study.patient,
        date=study.date,
        modality=study.modality,
        description=study.description,
        sex=study.sex,
        age=study.age,
        folder="",
        series=tuple(
            SeriesRow(
                uid=one.uid,
                modality=one.modality,
                description=one.description,
                n_instances=len(one.instances),
                rows=one.rows,
                columns=one.columns,
                spacing_mm=one.spacing_mm,
                slice_spacing_mm=one.slice_spacing_mm,
                warnings=one.warnings,
            )
            for one in study.series
        ),
    )


def _pictures(source: Path) -> tuple[tuple[str, ...], bool]:
    """Files that are named like pictures, and whether there are more than are told."""
    if not source.is_dir():
        return ((str(source),) if source.name.lower().endswith(_PICTURES) else ()), False
    found = list(itertools.islice(_named_like_pictures(source), _MOST_PICTURES + 1))
    return tuple(found[:_MOST_PICTURES]), len(found) > _MOST_PICTURES


def _named_like_pictures(source: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = f"{folder}{os.sep}{name}"
            if name.lower().endswith(_PICTURES) and not name.startswith(".") and _is_unicode(path):
                yield path


def _is_unicode(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


# -- looking


def series_thumbnails(room: Room, ask: SeriesThumbnails, told: Told) -> TileSheet:
    """The middle slice of each."""
    from medfm_gui.workspace.viewing import series_thumbnails as thumbnails

    study = read_study(room.workspace, ask.study)
    places = [place for place in ask.places if 0 <= place < len(study.series)]
    made = thumbnails([study.series[place] for place in places], room.pool(), side=ask.side)
    return _sheet(((str(places[int(picture.key)]), picture) for picture in made), told)


def file_thumbnails(room: Room, ask: FileThumbnails, told: Told) -> TileSheet:
    """One after another."""
    from medfm_gui.workspace.viewing import thumbnail

    return _sheet(((path, thumbnail(Path(path), room.pool(), side=ask.side)) for path in ask.paths), told)


def _sheet(pictures: Iterable[tuple[str, SmallPicture]], told: Told) -> TileSheet:
    tiles: list[Tile] = []
    parts: list[bytes] = []
    offset = 0
    for key, picture in pictures:
        told.check()
        tiles.append(Tile(key, picture.rows, picture.columns, picture.channels, offset, picture.message))
        parts.append(picture.payload)
        offset += len(picture.payload)
    return TileSheet(tuple(tiles), b"".join(parts))


def open_series(room: Room, ask: OpenSeries, told: Told) -> SeriesOpened:
    """Frames into a file of the desk's private folder.

    Raises:
        NotFound: there is no such study, series or file any more.
        UnreadableFile: not one of its frames can be decoded.
        DiskFull: they do not fit.
        Interrupted: another series is wanted; no file stays.
    """
    from medfm_gui.workspace import viewing

    watch = _Watch(told)
    key = ask.key
    if key.path:
        opened = viewing.open_file(
            Path(key.path),
            room.pool(),
            room.scratch,
            on_open=watch.opened,
            on_frame=watch.counted,
            should_stop=told.stopped.is_set,
        )
    else:
        opened = viewing.open_series(
            room.workspace,
            key.study,
            key.series,
            room.pool(),
            room.scratch,
            number=key.number,
            on_open=watch.opened,
            on_frame=watch.counted,
            should_stop=told.stopped.is_set,
        )
    return SeriesOpened(opened, opened.count, _offset(opened))


class _Watch:
    """Tells the window of the file at once, and of the frames in it twenty times a second."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._next = 0.0

    def opened(self, opened: OpenedSeries) -> None:
        self._told.part(SeriesOpened(opened, opened.loaded, _offset(opened)))

    def counted(self, loaded: int) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _PART_S
            self._told.part(SeriesOpened(None, loaded))


def _offset(opened: OpenedSeries) -> int:
    """Where the values begin in the file: behind its header."""
    import numpy as np

    return int(np.load(opened.array, mmap_mode="r").offset)


def close_series(room: Room, ask: CloseSeries, told: Told) -> Nothing:
    """Remove a file that ``open_series`` made; any other is left alone."""
    array = Path(ask.array)
    if array.parent == room.scratch and array.name.startswith("series-") and array.suffix == ".npy":
        with contextlib.suppress(OSError):  # where the window still maps it, it goes with the folder
            array.unlink(missing_ok=True)
    return Nothing()


# -- header facts


def read_tags(room: Room, ask: ReadTags, told: Told) -> TagFacts:
    """Of the middle image; a file without a header has none.

    Raises:
        NotFound: there is no such study or series.
    """
    path, series = _looked_at(room, ask.key)
    (result,) = room.pool().headers([path])
    if result.header is None:
        return TagFacts(())
    facts = (*(_who(result.header) if ask.identity else ()), *_what(result.header, series))
    return TagFacts(tuple(TagFact(name, value) for name, value in facts if value))


def read_elements(room: Room, ask: ReadElements, told: Told) -> ElementTable:
    """Of the middle image; a file without a header has none.

    Raises:
        NotFound: there is no such study or series.
        UnreadableFile: the header is damaged.
    """
    from medfm_gui.imaging.tags import MOST, read_elements

    path, _ = _looked_at(room, ask.key)
    try:
        found = read_elements(room.pool(), path, identity=ask.identity)
    except UnreadableFile as error:
        if error.reason == "not_dicom":
            return ElementTable()
        raise
    return ElementTable(found, len(found) >= MOST)


def _looked_at(room: Room, key: SeriesKey) -> tuple[str, Series | None]:
    """The file whose header stands for a series, and the series.

    Raises:
        NotFound: there is no such study or series.
    """
    if key.path:
        return key.path, None
    study = read_study(room.workspace, key.study)
    found = [one for one in study.series if one.uid == key.series]
    if key.number >= len(found):
        raise NotFound("There is no such series in the study.", "Open its folder again.")
    series = found[key.number]
    return series.instances[len(series.instances) // 2].path, series


def _who(header: DicomHeader) -> Iterator[tuple[str, str]]:
    from medfm_gui.workspace.opening import age_text

    yield "Patient ID", header.patient_id
    yield "Sex", header.patient_sex
    yield "Age", age_text(header.patient_age)


def _what(header: DicomHeader, series: Series | None) -> Iterator[tuple[str, str]]:
    from medfm_gui.workspace.opening import date_text

    yield "Modality", header.modality
    yield "Study date", date_text(header.study_date)
    yield "Study", header.study_description
    yield "Series", header.series_description
    yield "Series number", "" if header.series_number is None else str(header.series_number)
    yield "Body part", header.body_part
    yield "View", header.view_position
    yield "Laterality", header.laterality
    yield "Patient position", header.patient_position
    yield "Images", str(len(series.instances)) if series is not None else ""
    yield "Size", f"{header.columns} × {header.rows} px" if header.rows else ""
    yield "Frames", str(header.frames) if header.frames > 1 else ""
    yield "Pixel spacing", _millimetres(header.pixel_spacing)
    yield "Imager pixel spacing", _millimetres(header.imager_pixel_spacing)
    yield "Slice thickness", f"{header.slice_thickness:g} mm" if header.slice_thickness else ""
    slice_spacing = series.slice_spacing_mm if series is not None else None
    yield "Slice spacing", f"{slice_spacing:.2f} mm" if slice_spacing else ""
    yield "Bits stored", str(header.bits_stored) if header.bits_stored else ""
    yield "Photometric", header.photometric
    yield "Presentation intent", header.presentation_intent
    yield "Image type", header.image_type.replace("\\", " · ")
    yield "Compression", "lossy" if header.lossy else ""
    yield "Burned-in annotation", header.burned_in_annotation
    yield "Manufacturer", header.manufacturer
    yield "Irregular elements", str(header.irregular) if header.irregular else ""


def _millimetres(spacing: tuple[float, float] | None) -> str:
    return f"{spacing[0]:.4g} × {spacing[1]:.4g} mm" if spacing is not None else ""


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ListStudies: Entry(list_studies),
    IndexSource: Entry(index_source, Lane.INDEX, changes=(Topic.STUDIES,), writes=True),
    SeriesThumbnails: Entry(series_thumbnails, Lane.VIEW),
    FileThumbnails: Entry(file_thumbnails, Lane.VIEW),
    OpenSeries: Entry(open_series, Lane.VIEW),
    CloseSeries: Entry(close_series),
    ReadTags: Entry(read_tags, Lane.VIEW),
    ReadElements: Entry(read_elements, Lane.VIEW),
    PredictSource: Entry(
        predicting.predict_source, Lane.PREDICT, changes=(Topic.PREDICTIONS, Topic.STUDIES), writes=True
    ),
    ShowPrediction: Entry(predicting.show_prediction),
    ListEarlier: Entry(predicting.list_earlier),
    ShowHeatMap: Entry(predicting.show_heat_map),
    ExplainAgain: Entry(explaining.explain_again, Lane.PREDICT),
    KeepSimilar: Entry(similar.keep_similar, Lane.WORK, writes=True),
    ExportCapture: Entry(predicting.export_capture, Lane.PREDICT),
}
