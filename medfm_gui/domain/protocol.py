"""The evaluation protocol: what is asked, of whom and how, on one page, before the test is opened."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Timing(StrEnum):
    """When a protocol was locked, seen from the first look at its dataset's test."""

    BEFORE = "before"
    AFTER = "after"


class Role(StrEnum):
    """What a number is for a reader: the one that was promised, or anything else."""

    PRIMARY = "primary"
    EXPLORATORY = "exploratory"


@dataclass(frozen=True, slots=True)
class Protocol:
    """One page. ``primary_metric`` is a stored id, ``margin`` on its scale, ``n`` counts units of the test.

    ``primary_comparison`` names two runs, models or adaptations in words (empty: none is planned).
    """

    question: str
    population: str
    unit: str
    reference_standard: str
    primary_metric: str
    threshold_rule: str
    n: int
    dataset: str
    primary_comparison: tuple[str, ...] = ()
    margin: float | None = None
    subgroups: tuple[str, ...] = ()
    split: str = ""


@dataclass(frozen=True, slots=True)
class LockedProtocol:
    """``protocols/<id>.json``: a protocol with its hash and the moment it was locked.

    ``sha256`` is that of the canonical JSON of ``protocol``. ``opened_by`` are the runs that had looked at these test
    images before; with any, the protocol was locked after opening, and all that follows is exploratory.
    """

    id: str
    protocol: Protocol
    sha256: str
    locked: str
    dataset_fingerprint: str
    split_fingerprint: str = ""
    opened_by: tuple[str, ...] = ()

    @property
    def timing(self) -> Timing:
        """Before or after the first look at the test."""
        return Timing.AFTER if self.opened_by else Timing.BEFORE
