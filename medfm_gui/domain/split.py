"""Who is trained on and who is tested on. A patient on two sides cannot be constructed unawares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from medfm_gui.domain.errors import LeakError, SplitError
from medfm_gui.domain.units import counted


class Partition(StrEnum):
    """The sides of a split: learn, select, calibrate, and the sealed test."""

    TRAIN = "train"
    VAL = "val"
    CAL = "cal"
    TEST = "test"


class LeakKind(StrEnum):
    """What two partitions share."""

    PATIENT = "patient"
    PIXELS = "identical pixels"
    GROUP = "lesion or group"
    NEAR = "near-duplicate"


@dataclass(frozen=True, slots=True)
class Leak:
    """Two samples in different partitions that are the same patient or the same pixels (sample ids)."""

    kind: LeakKind
    a: str
    b: str
    partitions: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class LeakCheck:
    """One look for one kind of leak: how it was made, how many images it compared, how many pairs it found.

    ``reason`` says why it was not made; then ``compared`` is 0.
    """

    kind: LeakKind
    method: str
    compared: int = 0
    found: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the leak gate looked at before a split was frozen, and what it cannot see.

    ``suspects`` are near-duplicates: they warn, they do not block. ``sha256`` is over everything else, so that a
    report can name it. ``split`` is the fingerprint of the division it vouches for, which no other division has;
    certificates of earlier versions have none.
    """

    checks: tuple[LeakCheck, ...]
    leaks: tuple[Leak, ...] = ()
    suspects: tuple[Leak, ...] = ()
    accepted: str | None = None
    unseen: tuple[str, ...] = ()
    sha256: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One sample's side. ``group`` joins all samples of a patient and all with identical pixels."""

    sample: str
    partition: Partition
    group: str


@dataclass(frozen=True, slots=True)
class Split:
    """A frozen division of a dataset.

    Raises:
        LeakError: a group stands in two partitions and ``acceptance`` gives no reason.
        SplitError: train or test is empty.
    """

    id: str
    dataset: str
    dataset_fingerprint: str
    rule: str
    seed: int
    assignments: tuple[Assignment, ...]
    fingerprint: str
    created: str = ""
    leaks: tuple[Leak, ...] = ()
    acceptance: str | None = None
    dropped: tuple[str, ...] = ()
    family: str | None = None
    """The id that all folds of one cross-validation share."""
    fold: int | None = None
    warnings: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    certificate: Certificate | None = None
    as_published: bool = False
    """Whether the split repeats a published rule with its leaks."""

    def __post_init__(self) -> None:
        sides: dict[str, Partition] = {}
        broken = {
            item.group
            for item in self.assignments
            if sides.setdefault(item.group, item.partition) is not item.partition
        }
        if broken and not self.acceptance:
            raise LeakError(
                f"{counted(len(broken), 'group')} of patients or identical images "
                f"{'stands' if len(broken) == 1 else 'stand'} on two sides of the split.",
                "Drop them (--drop-leaks), or accept them with a written reason (--accept-leaks REASON).",
            )
        sizes = self.sizes
        if not sizes["train"] or not sizes["test"]:
            raise SplitError(
                f"The split would have {sizes['train']} training and {sizes['test']} test images.",
                "Use other ratios or add images.",
            )

    @property
    def sizes(self) -> dict[str, int]:
        """Images a partition, all four named."""
        counted = Counter(item.partition for item in self.assignments)
        return {partition.value: counted[partition] for partition in Partition}

    def samples_in(self, partition: Partition) -> tuple[str, ...]:
        """Sample ids of one side, in the order of the dataset."""
        return tuple(item.sample for item in self.assignments if item.partition is partition)
