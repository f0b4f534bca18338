"""Questions about datasets and splits."""

from __future__ import annotations

from dataclasses import dataclass, field

from medfm_gui.desk.protocol import Ask
from medfm_gui.store.rows import DatasetRow, SampleFilter, SamplePage, SplitRow
from medfm_gui.workspace.cohort import Characteristics, Quality, SplitFacts, SplitPlan, SplitWish
from medfm_gui.workspace.deletion import Deleted
from medfm_gui.workspace.sources import ImportReport, SourceFacts, SourceWish


@dataclass(frozen=True, slots=True)
class DatasetList:
    """All datasets, oldest first."""

    datasets: tuple[DatasetRow, ...]


@dataclass(frozen=True, slots=True)
class ListDatasets(Ask[DatasetList]):
    """The datasets of the workspace."""


@dataclass(frozen=True, slots=True)
class SplitList:
    """Splits, oldest first; the folds of a cross-validation are one row each."""

    splits: tuple[SplitRow, ...]


@dataclass(frozen=True, slots=True)
class ListSplits(Ask[SplitList]):
    """The splits of a dataset; of all datasets where ``dataset`` is empty."""

    dataset: str = ""


@dataclass(frozen=True, slots=True)
class UnitList:
    """What numbers of a dataset can count, as ``domain.units`` has it."""

    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnitsOf(Ask[UnitList]):
    """What a dataset tells of its images: patients, and lesions, eyes, breasts or studies."""

    dataset: str


# -- import


@dataclass(frozen=True, slots=True)
class LookAtSource(Ask[SourceFacts]):
    """What lies at a place: layout, and the columns of its table (or of another ``table``)."""

    path: str
    table: str = ""


@dataclass(frozen=True, slots=True)
class PreviewImport(Ask[ImportReport]):
    """The whole import without keeping anything; tells its progress."""

    path: str
    wish: SourceWish = field(default_factory=SourceWish)


@dataclass(frozen=True, slots=True)
class Imported:
    """A dataset that is now in the workspace."""

    dataset: DatasetRow


@dataclass(frozen=True, slots=True)
class ImportDataset(Ask[Imported]):
    """Bring a source into the workspace; tells its progress. Cancelled, it leaves nothing behind."""

    path: str
    name: str
    wish: SourceWish = field(default_factory=SourceWish)


# -- looking at a dataset


@dataclass(frozen=True, slots=True)
class ListSamples(Ask[SamplePage]):
    """A page of samples in the dataset's order."""

    dataset: str
    offset: int = 0
    limit: int = 200
    only: SampleFilter = field(default_factory=SampleFilter)


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture in a sheet: where its bytes begin; without pixels (``rows`` 0) ``message`` says why."""

    sample: str
    rows: int
    columns: int
    channels: int
    offset: int
    message: str = ""


@dataclass(frozen=True, slots=True)
class TileSheet:
    """Pictures of 8 bits, row by row, one behind the other in ``payload``."""

    tiles: tuple[Tile, ...]
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Thumbnails(Ask[TileSheet]):
    """Small pictures of samples, their longer side at most ``side`` pixels."""

    dataset: str
    samples: tuple[str, ...]
    side: int = 96


@dataclass(frozen=True, slots=True)
class ShowSample(Ask[TileSheet]):
    """The stored image of one sample in full, at 8 bits."""

    dataset: str
    sample: str


@dataclass(frozen=True, slots=True)
class DescribeCohort(Ask[Characteristics]):
    """Classes and covariates of a dataset, in all and by the partitions of a split."""

    dataset: str
    split: str = ""


@dataclass(frozen=True, slots=True)
class CheckQuality(Ask[Quality]):
    """Skipped files, warnings, identical images, and by what a dataset can be divided."""

    dataset: str


# -- splits


@dataclass(frozen=True, slots=True)
class PlanSplit(Ask[SplitPlan]):
    """What a split would be; nothing is frozen, leaks are told."""

    dataset: str
    wish: SplitWish = field(default_factory=SplitWish)


@dataclass(frozen=True, slots=True)
class SplitMade:
    """A frozen split, or one a fold; ``id`` names them all together."""

    id: str
    splits: tuple[SplitRow, ...]


@dataclass(frozen=True, slots=True)
class MakeSplit(Ask[SplitMade]):
    """Divide a dataset and freeze the result; tells its progress.

    Fails with ``LeakError`` where it leaks and nobody decided about it.
    """

    dataset: str
    wish: SplitWish = field(default_factory=SplitWish)


@dataclass(frozen=True, slots=True)
class SplitTable:
    """A split that was written as a table, by its absolute path."""

    path: str


@dataclass(frozen=True, slots=True)
class ExportSplit(Ask[SplitTable]):
    """Write a split as CSV (sample, path, partition, group), as “a table of partitions” reads it."""

    split: str
    path: str


@dataclass(frozen=True, slots=True)
class ShowSplit(Ask[SplitFacts]):
    """A frozen split in full."""

    dataset: str
    split: str


# -- deleting


@dataclass(frozen=True, slots=True)
class DeleteDataset(Ask[Deleted]):
    """Move a dataset with its splits out of the workspace's data; refused while anything rests on it."""

    dataset: str


@dataclass(frozen=True, slots=True)
class DeleteSplit(Ask[Deleted]):
    """Move a split, or all folds of a cross-validation, out of the workspace's data; refused as a dataset is."""

    split: str


# -- previews


@dataclass(frozen=True, slots=True)
class PreviewsMade:
    """The dataset whose images are there again, and how many."""

    dataset: str
    images: int


@dataclass(frozen=True, slots=True)
class MakePreviews(Ask[PreviewsMade]):
    """Decode the images of a dataset again that were let go to save space; tells its progress, and can be stopped."""

    dataset: str
