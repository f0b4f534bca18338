"""Questions about runs: the list, one run's facts, its log, and what can be asked of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.evaluation import Evaluation, OperatingPoint
from medfm_gui.domain.events import EpochFinished
from medfm_gui.domain.threshold import RuleOrigin
from medfm_gui.store.rows import Opening, RunRow


@dataclass(frozen=True, slots=True)
class RunItem:
    """A run in a list: its row, its name for people, whether its test was opened, and whether somebody looks after it.

    ``model`` is the model's title, ``dataset`` the dataset's name.
    """

    row: RunRow
    title: str
    is_opened: bool
    is_supervised: bool
    model: str = ""
    dataset: str = ""


@dataclass(frozen=True, slots=True)
class RunList:
    """Runs, oldest first."""

    runs: tuple[RunItem, ...]


@dataclass(frozen=True, slots=True)
class ListRuns(Ask[RunList]):
    """All runs of the workspace as they stand now; of one dataset, or only certain ones, where they are named."""

    dataset: str = ""
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TestFacts:
    """An opened test: its numbers, the reason that was given, and how often these images were opened in all."""

    __test__ = False  # no test of ours, whatever its name

    evaluations: tuple[Evaluation, ...]
    opened: str
    reason: str
    openings: int


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Everything that is known of one run. ``curve`` holds its epochs, ``started`` its first start (seconds).

    ``sizes`` are images a partition; ``test`` is None while the test is sealed.
    """

    item: RunItem
    curve: tuple[EpochFinished, ...]
    started: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    split_rule: str = ""
    n_leaks: int = 0
    point: OperatingPoint | None = None
    test: TestFacts | None = None
    predictions: tuple[str, ...] = ()
    """Partitions whose predictions can be exported."""
    threshold_from: RuleOrigin = RuleOrigin.UNKNOWN
    """Who chose the threshold rule."""


@dataclass(frozen=True, slots=True)
class RunDetails(Ask[RunFacts]):
    """One run."""

    run: str


@dataclass(frozen=True, slots=True)
class LogText:
    """The end of a worker's log; ``is_cut`` when there is more before it."""

    run: str
    text: str
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class RunLog(Ask[LogText]):
    """The last lines that a run's worker and its libraries printed."""

    run: str
    tail: int = 400


@dataclass(frozen=True, slots=True)
class RunUse:
    """What a run's worker holds now, as the system measures it; None where it does not say.

    ``cores`` is the processor time since the worker's start by the time that passed: 1.0 is one core.
    """

    run: str
    memory_bytes: int | None = None
    peak_bytes: int | None = None
    cores: float | None = None
    gpu_bytes: int | None = None
    gpu_percent: float | None = None


@dataclass(frozen=True, slots=True)
class MeasureRun(Ask[RunUse]):
    """Measure a run's worker."""

    run: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A run of several that was left out, and why."""

    run: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class RunsAsked:
    """How the runs stand that something was asked of, the ids it was done for, and those that were left out."""

    runs: tuple[RunItem, ...]
    done: tuple[str, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class PauseRuns(Ask[RunsAsked]):
    """Ask runs to save their place and stop."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CancelRuns(Ask[RunsAsked]):
    """Ask runs to stop for good."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckResumable(Ask[RunsAsked]):
    """Which of these runs can go on from where they stopped."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetryRuns(Ask[RunsAsked]):
    """Make the same runs once more, under new ids (``done``, in the order asked); nothing starts yet."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SealFacts:
    """What a person must know before a test is opened.

    ``sealed`` are the runs whose test was not opened yet, ``images`` their test images, and ``earlier``
    the openings of the same images by other runs, oldest first.
    """

    sealed: tuple[str, ...]
    images: int
    earlier: tuple[Opening, ...]


@dataclass(frozen=True, slots=True)
class LookAtSeal(Ask[SealFacts]):
    """How the seal of the test of these runs stands; nothing is opened."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TestOpened:
    """The runs whose test is open now, and those that were left out."""

    __test__ = False

    runs: tuple[str, ...]
    refused: tuple[Refused, ...]
    openings: int


@dataclass(frozen=True, slots=True)
class OpenTest(Ask[TestOpened]):
    """Open the sealed test of finished runs, for a reason that is kept and printed."""

    runs: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written, and how many rows it has."""

    path: str
    rows: int


@dataclass(frozen=True, slots=True)
class ExportPredictions(Ask[Exported]):
    """Write a run's scores of a partition as CSV."""

    run: str
    subset: str
    path: str
