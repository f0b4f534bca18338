"""Questions about the workspace itself: its database, which can be made again from its files."""

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
