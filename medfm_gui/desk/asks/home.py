"""Home: this workspace at a glance, recent workspaces, this computer, the demonstration."""

from __future__ import annotations

from dataclasses import dataclass

from medfm_gui.desk.protocol import Ask
from medfm_gui.store.rows import JournalRow
from medfm_gui.workspace.doctor import Diagnosis


@dataclass(frozen=True, slots=True)
class Overview:
    """How much a workspace holds, and what was done in it last.

    ``runs_queued`` counts those that wait or are paused, ``unsplit`` the datasets without a split, ``untrained`` those
    without a run, ``unopened`` the finished runs whose test is still sealed; ``study`` is the UID of the newest
    prediction's study, ``newest_runs`` the newest finished runs that share a dataset. ``journal`` is newest first.
    """

    root: str
    is_demo: bool
    demo_folder: str
    datasets: int = 0
    images: int = 0
    patients: int = 0
    splits: int = 0
    unsplit: tuple[str, ...] = ()
    untrained: tuple[str, ...] = ()
    runs_running: int = 0
    runs_queued: int = 0
    runs_finished: int = 0
    runs_failed: int = 0
    runs_cancelled: int = 0
    unopened: int = 0
    newest_runs: tuple[str, ...] = ()
    studies: int = 0
    predictions: int = 0
    study: str = ""
    reports: int = 0
    journal: tuple[JournalRow, ...] = ()

    @property
    def runs(self) -> int:
        """All runs, in whatever state."""
        return self.runs_running + self.runs_queued + self.runs_finished + self.runs_failed + self.runs_cancelled


@dataclass(frozen=True, slots=True)
class LookAround(Ask[Overview]):
    """What is in this workspace; ``lines`` of its journal."""

    lines: int = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that was a workspace once: ``state`` is workspace, empty, other (something else is there) or gone."""

    path: str
    state: str


@dataclass(frozen=True, slots=True)
class PlaceList:
    """Folders in the order in which they were asked for."""

    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class FindPlaces(Ask[PlaceList]):
    """What is now in these folders. A disk that does not answer only keeps this question waiting."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Examination:
    """What this computer can do as it was seen at ``at`` (ISO 8601, UTC); None where nobody has looked yet."""

    at: str = ""
    computer: str = ""
    diagnosis: Diagnosis | None = None
    weights_present: int = 0
    weights_total: int = 0


@dataclass(frozen=True, slots=True)
class LastExamination(Ask[Examination]):
    """What was seen when this computer was last examined; weights and network as they are now."""


@dataclass(frozen=True, slots=True)
class Examine(Ask[Examination]):
    """Examine this computer now: takes seconds, for the tensor library is loaded in a worker."""


@dataclass(frozen=True, slots=True)
class DemoMade:
    """What the demonstration left: its runs, the study that was read, its report, and what may be concluded."""

    runs: tuple[str, ...]
    study: str
    report_pages: int
    sentence: str


@dataclass(frozen=True, slots=True)
class RunDemo(Ask[DemoMade]):
    """The whole main job on simulated patients, in the demonstration's own workspace only."""
