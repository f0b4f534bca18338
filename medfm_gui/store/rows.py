"""What a query gives back where no noun of the domain fits: one frozen dataclass a kind of row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.dataset import Sample, Task
from medfm_gui.domain.run import RunState
from medfm_gui.domain.split import Partition


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A dataset without its samples; ``folder`` is absolute."""

    id: str
    name: str
    layout: str
    task: Task
    classes: tuple[str, ...]
    positive: str | None
    source: str
    folder: str
    fingerprint: str
    created: str
    taken: Mapping[str, str]
    warnings: tuple[str, ...]
    n_samples: int
    n_patients: int | None
    n_skipped: int
    unit: str = "image"
    """What a sample is: image, volume or slice."""


@dataclass(frozen=True, slots=True)
class SplitRow:
    """A split without its assignments; ``sizes`` are images a partition, ``path`` is absolute."""

    id: str
    dataset: str
    dataset_fingerprint: str
    path: str
    rule: str
    seed: int
    fingerprint: str
    created: str
    family: str | None
    fold: int | None
    acceptance: str | None
    n_leaks: int
    n_dropped: int
    warnings: tuple[str, ...]
    settings: Mapping[str, str]
    sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """Which samples of a dataset to list; what is not given does not restrict.

    ``class_index`` is the class of a sample, or one positive finding of a multi-label one; ``partition``
    counts in ``split``; ``text`` stands in the id, the path or the patient; ``covariate`` is a name and a value;
    ``ids`` are the only samples to list. A filter by class, or by a covariate where ``covariate_tells``, leaves out the
    test samples of the splits in ``sealed``, and a text is not looked for in their paths.
    """

    class_index: int | None = None
    patient: str | None = None
    split: str | None = None
    partition: Partition | None = None
    text: str = ""
    covariate: tuple[str, str] | None = None
    ids: tuple[str, ...] | None = None
    sealed: tuple[str, ...] = ()
    covariate_tells: bool = False


@dataclass(frozen=True, slots=True)
class SamplePage:
    """A page of samples in the order of the dataset, and how many there are on all pages.

    ``hidden`` are those of a sealed test: they come without their label and what may tell it.
    """

    total: int
    samples: tuple[Sample, ...]
    hidden: tuple[str, ...] = ()
    omits_sealed: bool = False
    """Whether the filter would tell labels, so that no image of a sealed test is among the samples or counted."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run: what was ordered, and in ``state`` how far it has come (``state.curve`` is empty: see ``queries.curve``).

    ``recipe`` holds the resolved settings as JSON values; ``folder`` is absolute.
    """

    id: str
    folder: str
    dataset: str
    dataset_fingerprint: str
    split: str
    split_fingerprint: str
    fold: int | None
    task: Task
    model: str
    family: str
    adapt: str
    shots: int | None
    seed: int
    preset: str
    recipe: Mapping[str, bool | int | float | str | None]
    weights_sha256: str | None
    from_scratch: bool
    created: str
    code_version: str
    state: RunState


@dataclass(frozen=True, slots=True)
class Predictions:
    """Scores of one run on one subset: ``scores`` is float32 of shape (n, classes); ``targets`` as in ``Sample``."""

    samples: tuple[str, ...]
    scores: npt.NDArray[np.float32]
    targets: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series of a study; spacings in mm, None where unknown."""

    uid: str
    modality: str
    description: str
    n_instances: int
    rows: int
    columns: int
    spacing_mm: tuple[float, float] | None
    slice_spacing_mm: float | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study and its series. ``patient`` is identity: shown only on request."""

    uid: str
    patient: str
    date: str
    modality: str
    description: str
    sex: str
    age: str
    folder: str
    series: tuple[SeriesRow, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class StudyPredictionRow:
    """The outcome of one run on one image of a study; ``outcome`` is the JSON that was stored."""

    prediction: str
    number: int
    study: str
    run: str
    created: str
    outcome: str


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A written report; ``path`` is absolute, ``runs`` the ids it speaks of."""

    id: str
    title: str
    created: str
    path: str
    pages: int
    sha256: str
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A line of the journal."""

    at: str
    what: str
    subject: str
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Opening:
    """A look at a sealed test set. ``is_first`` is false when the same run had opened the same samples before."""

    run: str
    subset: str
    sample_set: str
    at: str
    reason: str
    is_first: bool
