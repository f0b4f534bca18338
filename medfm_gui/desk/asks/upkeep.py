"""Questions about the workspace itself: its database, made again from its files, and its journal."""

from __future__ import annotations

from dataclasses import dataclass

from medfm_gui.desk.protocol import Ask


@dataclass(frozen=True, slots=True)
class DatabaseRebuilt:
    """How much was read into the new database; ``previous`` is the file name of the former one."""

    datasets: int
    splits: int
    runs: int
    evaluations: int
    studies: int
    predictions: int
    reports: int
    previous: str


@dataclass(frozen=True, slots=True)
class RebuildDatabase(Ask[DatabaseRebuilt]):
    """Read every file of the workspace into a new database and set the present one aside; tells its progress."""


@dataclass(frozen=True, slots=True)
class JournalVerified:
    """What following the journal's chain of hashes came to; ``head`` is the SHA-256 of its last line.

    ``found`` is a sentence for each thing that is not as it was written.
    """

    lines: int
    head: str
    found: tuple[str, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyJournal(Ask[JournalVerified]):
    """Whether a line of the journal was changed, removed or inserted."""
