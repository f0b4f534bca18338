"""Datasets and splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medfm_gui.desk.asks.data import (
    CheckQuality,
    DatasetList,
    DeleteDataset,
    DeleteSplit,
    DescribeCohort,
    ExportSplit,
    ImportDataset,
    Imported,
    ListDatasets,
    ListSamples,
    ListSplits,
    LookAtSource,
    MakePreviews,
    MakeSplit,
    PlanSplit,
    PreviewImport,
    PreviewsMade,
    ShowSample,
    ShowSplit,
    SplitList,
    SplitMade,
    SplitTable,
    Thumbnails,
    Tile,
    TileSheet,
    UnitList,
    UnitsOf,
)
from medfm_gui.desk.entry import Entry, Lane, Topic
from medfm_gui.desk.protocol import Ask
from medfm_gui.desk.room import Room, Told
from medfm_gui.store.rows import SamplePage
from medfm_gui.workspace import cohort, data, sources
from medfm_gui.workspace.deletion import Deleted

if TYPE_CHECKING:
    from medfm_gui.workspace.viewing import SmallPicture


def list_datasets(room: Room, ask: ListDatasets, told: Told) -> DatasetList:
    """Rows of the database."""
    from medfm_gui.store import queries

    with room.workspace.store.reading() as reader:
        return DatasetList(queries.datasets(reader))


def list_splits(room: Room, ask: ListSplits, told: Told) -> SplitList:
    """Rows of the database."""
    from medfm_gui.store import queries

    with room.workspace.store.reading() as reader:
        return SplitList(queries.splits(reader, ask.dataset or None))


def units_of(room: Room, ask: UnitsOf, told: Told) -> UnitList:
    """Read off the dataset's samples."""
    from medfm_gui.datasets.units import known_units

    return UnitList(known_units(data.read(room.workspace, ask.dataset)))


# -- import


def look_at_source(room: Room, ask: LookAtSource, told: Told) -> sources.SourceFacts:
    """Names and the header of a table; nothing is decoded."""
    return sources.look_at(ask.path, table=ask.table)


def preview_import(room: Room, ask: PreviewImport, told: Told) -> sources.ImportReport:
    """A dry run."""
    told.progress("Listing files")
    return sources.preview(room.workspace, ask.path, ask.wish, on_progress=told.counting("Checking images"))


def import_dataset(room: Room, ask: ImportDataset, told: Told) -> Imported:
    """The import; an ``Interrupted`` out of the progress removes what was written."""
    from medfm_gui.store import queries

    told.progress("Listing files")
    made = data.import_dataset(
        room.workspace,
        ask.wish.layout,
        Path(ask.path).expanduser(),
        sources.options_of(ask.wish),
        name=ask.name,
        on_progress=told.counting("Importing images"),
    )
    with room.workspace.store.reading() as reader:
        return Imported(queries.dataset(reader, made.id))


# -- looking at a dataset


def list_samples(room: Room, ask: ListSamples, told: Told) -> SamplePage:
    """A page of the database, without what a sealed test hides."""
    from medfm_gui.workspace import sealing

    return sealing.samples_page(room.workspace, ask.dataset, offset=ask.offset, limit=ask.limit, only=ask.only)


def thumbnails(room: Room, ask: Thumbnails, told: Told) -> TileSheet:
    """Small pictures out of the pixel cache."""
    from medfm_gui.workspace.viewing import sample_thumbnails

    return _sheet(sample_thumbnails(room.workspace, ask.dataset, ask.samples, side=ask.side), told)


def show_sample(room: Room, ask: ShowSample, told: Told) -> TileSheet:
    """One picture out of the pixel cache."""
    from medfm_gui.workspace.viewing import sample_picture

    return _sheet([sample_picture(room.workspace, ask.dataset, ask.sample)], told)


def _sheet(pictures: Iterable[SmallPicture], told: Told) -> TileSheet:
    tiles: list[Tile] = []
    parts: list[bytes] = []
    offset = 0
    for picture in pictures:
        told.check()
        tiles.append(
            Tile(picture.key, picture.rows, picture.columns, picture.channels, offset, message=picture.message)
        )
        parts.append(picture.payload)
        offset += len(picture.payload)
    return TileSheet(tuple(tiles), b"".join(parts))


def describe_cohort(room: Room, ask: DescribeCohort, told: Told) -> cohort.Characteristics:
    """Counts over all samples."""
    return cohort.characteristics(room.workspace, ask.dataset, ask.split)


def check_quality(room: Room, ask: CheckQuality, told: Told) -> cohort.Quality:
    """What the import noted, and identical images."""
    return cohort.quality(room.workspace, ask.dataset)


# -- splits


def plan_split(room: Room, ask: PlanSplit, told: Told) -> cohort.SplitPlan:
    """A split that is thrown away."""
    return cohort.plan_split(room.workspace, ask.dataset, ask.wish)


def make_split(room: Room, ask: MakeSplit, told: Told) -> SplitMade:
    """A split that is frozen."""
    from medfm_gui.store import queries

    made = data.make_split(
        room.workspace,
        ask.dataset,
        cohort.request_of(ask.wish),
        on_progress=told.counting("Looking for near-duplicates"),
    )
    ids = {split.id for split in made.splits}
    with room.workspace.store.reading() as reader:
        rows = queries.splits(reader, ask.dataset)
    return SplitMade(made.id, tuple(row for row in rows if row.id in ids))


def show_split(room: Room, ask: ShowSplit, told: Told) -> cohort.SplitFacts:
    """The file of the split."""
    return cohort.split_facts(room.workspace, ask.dataset, ask.split)


def export_split(room: Room, ask: ExportSplit, told: Told) -> SplitTable:
    """A file outside of the workspace."""
    return SplitTable(str(data.export_split(room.workspace, ask.split, Path(ask.path))))


def delete_dataset(room: Room, ask: DeleteDataset, told: Told) -> Deleted:
    """Moved, with its splits, its rows taken out and a line of the journal."""
    from medfm_gui.workspace import deleting

    return deleting.delete_dataset(room.workspace, ask.dataset)


def delete_split(room: Room, ask: DeleteSplit, told: Told) -> Deleted:
    """As a dataset."""
    from medfm_gui.workspace import deleting

    return deleting.delete_split(room.workspace, ask.split)


def make_previews(room: Room, ask: MakePreviews, told: Told) -> PreviewsMade:
    """The pixels that the import had made."""
    from medfm_gui.workspace import pixels

    last = 0
    counting = told.counting("Making the previews")

    def tell(done: int, total: int) -> None:
        nonlocal last
        last = total
        counting(done, total)

    pixels.make_again(room.workspace, ask.dataset, on_progress=tell)
    return PreviewsMade(ask.dataset, last)


ENTRIES: Mapping[type[Ask[Any]], Entry] = {
    ListDatasets: Entry(list_datasets),
    ListSplits: Entry(list_splits),
    UnitsOf: Entry(units_of),
    LookAtSource: Entry(look_at_source, Lane.INDEX),
    PreviewImport: Entry(preview_import, Lane.INDEX),
    ImportDataset: Entry(import_dataset, Lane.WORK, changes=(Topic.DATASETS,), writes=True),
    ListSamples: Entry(list_samples),
    Thumbnails: Entry(thumbnails, Lane.VIEW),
    ShowSample: Entry(show_sample, Lane.VIEW),
    DescribeCohort: Entry(describe_cohort, Lane.INDEX),
    CheckQuality: Entry(check_quality, Lane.INDEX),
    PlanSplit: Entry(plan_split, Lane.INDEX),
    MakeSplit: Entry(make_split, Lane.WORK, changes=(Topic.SPLITS,), writes=True),
    ShowSplit: Entry(show_split, Lane.INDEX),
    ExportSplit: Entry(export_split, Lane.INDEX),
    DeleteDataset: Entry(delete_dataset, Lane.WORK, changes=(Topic.DATASETS, Topic.SPLITS), writes=True),
    DeleteSplit: Entry(delete_split, Lane.WORK, changes=(Topic.SPLITS,), writes=True),
    MakePreviews: Entry(make_previews, Lane.WORK, changes=(Topic.DATASETS,), writes=True),
}
