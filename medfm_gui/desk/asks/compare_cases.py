"""What lies behind a comparison: subgroups, usefulness, seeds, cases of disagreement, published results."""

from __future__ import annotations

from dataclasses import dataclass

from medfm_gui.desk.asks.compare import FileWritten
from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.chart import ChartSpec
from medfm_gui.workspace.class_sets import SetsOnTest
from medfm_gui.workspace.crossvalidation import CrossValidation
from medfm_gui.workspace.disagreements import Disagreements, Kind
from medfm_gui.workspace.references import References
from medfm_gui.workspace.seeds import SeedFile
from medfm_gui.workspace.subgrouping import CovariateFacts, SubgroupFile
from medfm_gui.workspace.usefulness import Sampling, UsefulnessFile


@dataclass(frozen=True, slots=True)
class CovariateList:
    """What the test images of these runs can be parted by."""

    runs: tuple[str, ...]
    covariates: tuple[CovariateFacts, ...]


@dataclass(frozen=True, slots=True)
class ListTestCovariates(Ask[CovariateList]):
    """Covariates of the dataset with two values or more among the opened test images."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadSubgroups(Ask[SubgroupFile]):
    """The numbers of these runs by the values of a covariate: kept ones, else computed and kept."""

    runs: tuple[str, ...]
    covariate: str
    event: str = ""
    """Of a task with several classes, the one that is told apart from all else."""


@dataclass(frozen=True, slots=True)
class ReadSampling(Ask[Sampling]):
    """What the dataset of these runs states of its sampling and prevalence (of one event among several: nothing)."""

    runs: tuple[str, ...]
    event: str = ""


@dataclass(frozen=True, slots=True)
class ReadUsefulness(Ask[UsefulnessFile]):
    """Calibration and net benefit between two thresholds; ``prevalence`` None takes what the dataset states."""

    runs: tuple[str, ...]
    low: float
    high: float
    prevalence: float | None = None
    event: str = ""


@dataclass(frozen=True, slots=True)
class ClassSets:
    """Coverage and size of the runs' sets of classes; empty where the settings do not ask for sets (``is_on``)."""

    is_on: bool
    sets: tuple[SetsOnTest, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadClassSets(Ask[ClassSets]):
    """How often the sets of classes of these runs hold the true class on the opened test, where they are asked for."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoldTable:
    """The cross-validations that some runs are folds of, with all opened folds of theirs; None where there is none.

    ``promised`` is what a locked protocol has to say of the pairs.
    """

    runs: tuple[str, ...]
    found: CrossValidation | None = None
    promised: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadFolds(Ask[FoldTable]):
    """The cross-validations that these runs are folds of, summed up and compared."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadSeeds(Ask[SeedFile]):
    """Runs that differ in nothing but their seed, summed up."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadDisagreements(Ask[Disagreements]):
    """Cases where these runs differ or all err; ``finding`` is one of a multi-label task's."""

    runs: tuple[str, ...]
    kind: Kind = Kind.ANY
    finding: str = ""


@dataclass(frozen=True, slots=True)
class ReadReferences(Ask[References]):
    """Published results for the dataset of these runs."""

    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WriteChart(Ask[FileWritten]):
    """Write a chart as it was given: ``pdf``, ``svg`` or ``csv``, or the given picture of it as ``png``."""

    chart: ChartSpec
    format: str
    path: str
    payload: bytes = b""
