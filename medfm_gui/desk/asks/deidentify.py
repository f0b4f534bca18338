"""Questions about copies of studies that name nobody: what must be looked at first, and the writing itself."""

from __future__ import annotations

from dataclasses import dataclass

from medfm_gui.desk.protocol import Ask
from medfm_gui.domain.deidentification import Deidentification, Deidentified, Examined


@dataclass(frozen=True, slots=True)
class ExamineStudies(Ask[Examined]):
    """Look at the headers of studies (UIDs), or of some of their series; tells its progress, writes nothing."""

    studies: tuple[str, ...]
    series: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeidentifyStudies(Ask[Deidentified]):
    """Write copies into a new folder; tells its progress.

    ``looked_at`` are paths of flagged files in which a person saw no name; other flagged files are held back.
    ``faces_known``: the person knows that faces can be rebuilt. Of the answer, ``studies`` stays empty.
    """

    studies: tuple[str, ...]
    out: str
    options: Deidentification
    series: tuple[str, ...] = ()
    looked_at: tuple[str, ...] = ()
    faces_known: bool = False
