"""What comes to a comparison from outside: cheap models, other systems, human readers, other datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from medfm_gui.desk.asks.compare import Drawing
from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.dataset import Task
from medfm_gui.workspace.beside import ReaderBoard
from medfm_gui.workspace.shortcuts import ShortcutFile
from medfm_gui.workspace.sites import KeptTests, SiteFacts


@dataclass(frozen=True, slots=True)
class Baselines:
    """The cheap models of a comparison; ``unbeaten`` are runs (id, baseline's name) that are not shown to beat one."""

    file: ShortcutFile
    unbeaten: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReadBaselines(Ask[Baselines]):
    """Models on covariates alone and on 32-pixel thumbnails beside these runs: kept ones, else made and kept."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadRocBeside(Ask[Drawing]):
    """The ROC of these runs with the cheap models as lines, and with readers as points."""

    runs: tuple[str, ...]
    baselines: bool = False
    reads: str = ""
    reference: str = "dataset"


# -- human readers


@dataclass(frozen=True, slots=True)
class ReadsRow:
    """Reads that were imported: how many images were read, by whom, and when the table came in."""

    id: str
    readers: tuple[str, ...]
    unit: str
    images: int
    imported: str


@dataclass(frozen=True, slots=True)
class ReadsList:
    """Reads of the data that these runs were tested on, the newest first."""

    runs: tuple[str, ...]
    reads: tuple[ReadsRow, ...]


@dataclass(frozen=True, slots=True)
class ListReads(Ask[ReadsList]):
    """The reads that can stand beside these runs."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadReaders(Ask[ReaderBoard]):
    """Readers against a reference (``dataset``, ``majority`` or a reader's name), each other, and these runs."""

    reads: str
    runs: tuple[str, ...]
    reference: str = "dataset"


# -- tables that are brought in


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """A dataset that a table can be of, and its splits, the newest first; those of several folds are left out."""

    id: str
    name: str
    task: Task
    splits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportTargets:
    """Datasets with a split; ``dataset`` and ``split`` are those of the run that was named, ``looks`` how often the
    test of each split (by its id) was opened by runs of it.
    """

    targets: tuple[ImportTarget, ...]
    dataset: str = ""
    split: str = ""
    unit: str = "image"
    looks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListImportTargets(Ask[ImportTargets]):
    """What a table of predictions or reads can be of; a run says what is usual."""

    run: str = ""


@dataclass(frozen=True, slots=True)
class TableImported:
    """What a table became: a run, or reads; and what has to be known of it."""

    id: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportPredictions(Ask[TableImported]):
    """Predictions of another system join as a run; its test is open then, for a reason that is kept."""

    path: str
    name: str
    dataset: str
    split: str
    unit: str = "image"
    threshold: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ImportReaders(Ask[TableImported]):
    """Reads of human readers of the test images of a split."""

    path: str
    dataset: str
    split: str


# -- other datasets


@dataclass(frozen=True, slots=True)
class ListExternalTests(Ask[KeptTests]):
    """What these runs reached on other datasets."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LookAtSite(Ask[SiteFacts]):
    """A dataset as an external test of these runs; nothing is opened."""

    runs: tuple[str, ...]
    dataset: str


@dataclass(frozen=True, slots=True)
class SiteTested:
    """Runs that were tested, and those that were not, with the reason; ``openings`` of these images in all."""

    runs: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()
    openings: int = 0


@dataclass(frozen=True, slots=True)
class TestOnSite(Ask[SiteTested]):
    """Test these runs on all images of another dataset; ``labels`` is their class → ours, ``by`` names the sites."""

    __test__ = False  # no test of ours, whatever its name

    runs: tuple[str, ...]
    dataset: str
    reason: str
    labels: tuple[tuple[str, str], ...] = ()
    by: str = ""
