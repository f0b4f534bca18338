"""Runs side by side: which can be compared, their numbers and paired tests, their charts, and what leaves as a file."""

from __future__ import annotations

from dataclasses import dataclass

from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.evaluation import Comparison, Evaluation


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finished run in the list to choose from.

    ``test`` is the headline of its opened test, ``validation`` that of its validation; ``obstacle`` says why it
    cannot stand beside the reference, and is empty where it can, or where its test is sealed. ``sample_set`` is
    that of its test, empty while it is sealed.
    """

    run: str
    title: str
    family: str
    dataset: str
    is_opened: bool
    sample_set: str = ""
    test: Evaluation | None = None
    validation: float | None = None
    metric: str = ""
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class CandidateList:
    """Finished runs, oldest first; ``n_unfinished`` counts the others of the workspace."""

    reference: str
    runs: tuple[Candidate, ...]
    n_unfinished: int = 0


@dataclass(frozen=True, slots=True)
class ListCandidates(Ask[CandidateList]):
    """Finished runs, judged by whether they can be compared with a reference (the first one asked for)."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One run of a comparison, its name for people without its id, and its backbone's family."""

    run: str
    title: str
    family: str


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Stored numbers of runs on one test set; the first run is the reference.

    ``openings`` counts how often these test images were opened in this workspace. ``is_compared`` is false where
    the paired tests of these runs against this reference were never computed. ``flagged`` counts test images that the
    leak gate named; ``without_flagged`` are the headlines without their units, empty where none is flagged.
    """

    sides: tuple[Side, ...]
    task: Task
    dataset: str
    classes: tuple[str, ...]
    positive: str | None
    evaluations: tuple[Evaluation, ...]
    openings: int
    pairs: tuple[Comparison, ...] = ()
    sentence: str = ""
    is_compared: bool = False
    flagged: int = 0
    without_flagged: tuple[Evaluation, ...] = ()
    events: tuple[tuple[str, str], ...] = ()
    """Of a task with several classes: what can be named as the one event, and how it reads."""


@dataclass(frozen=True, slots=True)
class ReadSideBySide(Ask[SideBySide]):
    """What is stored of these runs; nothing is computed."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompareRuns(Ask[SideBySide]):
    """Compute and keep the paired tests and charts of these runs."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllPairs:
    """Every run minus every run before it, by the headline: exploratory. In the order of ``runs``."""

    runs: tuple[str, ...]
    pairs: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class ReadAllPairs(Ask[AllPairs]):
    """Compute every pair of these runs; nothing of it is kept in the workspace."""

    runs: tuple[str, ...]


LADDER, LADDER_OF_ALL = "ladder", "ladder-of-all"
"""What the keys of ladders begin with: of the runs that are compared, and of all finished runs of their split."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart of a comparison: its key, what it is called in a list, and the run it is of, where it is of one."""

    key: str
    name: str
    chart: ChartSpec
    run: str = ""


@dataclass(frozen=True, slots=True)
class DrawingList:
    """Charts of these runs, thinned out for the screen."""

    runs: tuple[str, ...]
    drawings: tuple[Drawing, ...]


@dataclass(frozen=True, slots=True)
class ReadDrawings(Ask[DrawingList]):
    """The charts of these runs."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadLadder(Ask[DrawingList]):
    """The ladders of these finished runs and of their split; the tests of some may be sealed."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileWritten:
    """A file that was written."""

    path: str


@dataclass(frozen=True, slots=True)
class ExportDrawing(Ask[FileWritten]):
    """Write a chart as ``pdf``, ``svg`` or ``csv``, anew from all its points, or the given picture as ``png``."""

    runs: tuple[str, ...]
    key: str
    format: str
    path: str
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class ExportAllPairs(Ask[FileWritten]):
    """Write every pair of these runs as CSV, each marked as exploratory."""

    runs: tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class ExportNumbers(Ask[FileWritten]):
    """Write every number and paired test of these runs as CSV."""

    runs: tuple[str, ...]
    path: str
