"""What was imported: samples, their labels, patients and covariates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from medfm_gui.domain.errors import InputError

UNKNOWN = -1
"""In a multi-label target: this finding was not assessed."""


class Task(StrEnum):
    """What a model learns from a dataset."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    ORDINAL = "ordinal"
    MULTILABEL = "multilabel"
    SEGMENTATION = "segmentation"


@dataclass(frozen=True, slots=True)
class Sample:
    """One 2-D image, or one volume, as it lies on disk.

    ``target`` has one class index (binary, multi-class, ordinal), one of 0, 1, ``UNKNOWN`` for each class
    (multi-label), or nothing (segmentation: then ``masks`` name the label images). ``path`` is relative to the
    dataset's source, with ``/``; ``frame`` is the image's index in a file that holds many; ``slices`` counts those
    of a volume and is 0 for an image.
    """

    id: str
    path: str
    target: tuple[int, ...]
    patient: str | None = None
    group: str | None = None
    fold: str | None = None
    frame: int | None = None
    rows: int = 0
    columns: int = 0
    pixels_sha256: str = ""
    covariates: Mapping[str, str] = field(default_factory=dict)
    masks: tuple[str, ...] = ()
    slices: int = 0
    masks_sha256: str = ""
    """Over the labels of the masks' voxels, as ``pixels_sha256`` is over the image's."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number that a published dataset is known to have, beside the one that was found here.

    ``source`` says where the known number comes from (``studies.md`` tags: data, pub, mem …); ``known`` is None where
    nobody published it.
    """

    what: str
    found: int
    known: int | None = None
    source: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the found number is the known one, or nothing is known."""
        return self.known is None or self.known == self.found


@dataclass(frozen=True, slots=True)
class Statement:
    """What a dataset says of itself beside its images; every field may be empty, and then is shown as “not stated”.

    ``sampling`` is consecutive, enriched, case-control or unknown; ``prevalence`` the share of the event in the
    intended population, in words or per cent; ``codes`` maps a class to its code, written ``SCT 254837009``,
    ``RadLex RID…`` or a local one.
    """

    unit: str = ""
    sampling: str = ""
    prevalence: str = ""
    reference_standard: str = ""
    reference_timing: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    redistribution: bool | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that did not become a sample: its path, a reason code of the gate, and a sentence."""

    path: str
    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Samples with one task, frozen: ``fingerprint`` covers every label, patient, fold and pixel.

    ``source`` is the absolute folder or file it was read from; ``taken`` says which columns or files
    were taken for what; ``positive`` is the class that counts as the event of a binary task. The classes of a
    segmentation are its labels in the order of their values, background left out.
    """

    id: str
    name: str
    layout: str
    task: Task
    classes: tuple[str, ...]
    source: str
    samples: tuple[Sample, ...]
    fingerprint: str
    positive: str | None = None
    created: str = ""
    taken: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    counts: tuple[Count, ...] = ()
    policies: Mapping[str, str] = field(default_factory=dict)
    """What was chosen of the layout's label policies, by name."""
    statement: Statement = field(default_factory=Statement)
    """What the layout knows; a person's own words lie beside the dataset."""
    parent: str = ""
    """The dataset of which this is a corrected version."""

    def __post_init__(self) -> None:
        if len(self.classes) < (1 if self.task in (Task.MULTILABEL, Task.SEGMENTATION) else 2):
            raise InputError(
                f"The labels hold only one class ({', '.join(self.classes) or 'none'}): nothing to tell apart.",
                "Check the label column or folder, or add images of another class.",
            )
        if self.task is Task.BINARY and self.positive not in self.classes:
            raise InputError(
                f"The positive class “{self.positive}” is not one of {', '.join(self.classes)}.",
                "Name one of the classes with --positive.",
            )

    @property
    def sample_unit(self) -> str:
        """What a sample is: ``volume`` where any has slices, ``slice`` where they are said to be, else ``image``."""
        if any(sample.slices for sample in self.samples):
            return "volume"
        return "slice" if self.statement.unit.startswith("slice") else "image"

    @property
    def n_patients(self) -> int | None:
        """How many patients; None where the dataset has no patient ids."""
        patients = {sample.patient for sample in self.samples if sample.patient is not None}
        return len(patients) or None

    @property
    def positive_index(self) -> int | None:
        """Index of the positive class in ``classes``; None unless the task is binary."""
        return self.classes.index(self.positive) if self.positive is not None else None
