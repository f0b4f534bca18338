"""Questions about what a dataset holds and what is wrong with it: filters, flow, map, screening, corrections."""

from __future__ import annotations

from dataclasses import dataclass, field

from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.correction import CorrectionDraft
from medfm_gui.domain.dataset import Statement
from medfm_gui.workspace.corrections import Saved
from medfm_gui.workspace.embedding import Embedding
from medfm_gui.workspace.flow import Flow
from medfm_gui.workspace.screening import Screening


@dataclass(frozen=True, slots=True)
class CovariateValues:
    """Covariates by which samples can be filtered: the name, then its values with how many samples have each."""

    covariates: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]


@dataclass(frozen=True, slots=True)
class ListCovariates(Ask[CovariateValues]):
    """The covariates of a dataset whose values repeat."""

    dataset: str


# -- flow


@dataclass(frozen=True, slots=True)
class DescribeFlow(Ask[Flow]):
    """Where the images went, from the source to the partitions of a split (or to the dataset alone)."""

    dataset: str
    split: str = ""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that was written, by its absolute path."""

    path: str


@dataclass(frozen=True, slots=True)
class ExportFlow(Ask[WrittenFile]):
    """Write the flow: ``payload`` are the bytes of a picture; without them its numbers as CSV."""

    dataset: str
    split: str
    path: str
    payload: bytes = b""


# -- map


@dataclass(frozen=True, slots=True)
class ShowMap(Ask[Embedding]):
    """The points of a dataset, coloured by ``label``, ``partition`` (of a split) or a covariate."""

    dataset: str
    bank: str = ""
    by: str = "label"
    split: str = ""


@dataclass(frozen=True, slots=True)
class FeaturesMade:
    """The bank that now holds the features of a dataset."""

    bank: str


@dataclass(frozen=True, slots=True)
class ComputeFeatures(Ask[FeaturesMade]):
    """Let a worker look at every image with a model whose weights are here; tells its progress."""

    dataset: str
    model: str = ""


# -- screening and corrections


@dataclass(frozen=True, slots=True)
class ScreenDataset(Ask[Screening]):
    """Look at every picture of a dataset for what is odd; tells its progress. Known findings come at once.

    Without ``measure`` nothing is looked at: of a dataset that was never measured ``n_images`` is 0.
    """

    dataset: str
    measure: bool = True


@dataclass(frozen=True, slots=True)
class ShowDraft(Ask[CorrectionDraft]):
    """Corrections that are not saved yet."""

    dataset: str


@dataclass(frozen=True, slots=True)
class CorrectLabel(Ask[CorrectionDraft]):
    """Draft another label; refused for a sample of a sealed test."""

    dataset: str
    sample: str
    target: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class ExcludeSamples(Ask[CorrectionDraft]):
    """Draft to leave samples out."""

    dataset: str
    samples: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class StepDraft(Ask[CorrectionDraft]):
    """``undo``, ``redo`` or ``discard``."""

    dataset: str
    step: str


@dataclass(frozen=True, slots=True)
class SaveVersion(Ask[Saved]):
    """Make the draft a new version of the dataset; splits named here are carried over."""

    dataset: str
    splits: tuple[str, ...] = ()


# -- statement


@dataclass(frozen=True, slots=True)
class ShowStatement(Ask[Statement]):
    """What a dataset states of itself."""

    dataset: str


@dataclass(frozen=True, slots=True)
class KeepStatement(Ask[Statement]):
    """Keep another statement."""

    dataset: str
    statement: Statement = field(default_factory=Statement)
