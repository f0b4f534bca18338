"""How a question is answered: the function, the lane it runs in, and what the answer changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from medfm_gui.desk.room import Room, Told


class Lane(StrEnum):
    """Threads of the desk; questions of one lane wait for one another, lanes do not.

    ``LOOK`` answers from the database within milliseconds; ``VIEW`` makes pixels to look at, the newest
    question first; ``INDEX`` reads DICOM trees; ``PREDICT`` scores studies; ``WORK`` is everything long.
    """

    LOOK = "look"
    VIEW = "view"
    INDEX = "index"
    PREDICT = "predict"
    WORK = "work"


class Topic(StrEnum):
    """What a page may be about; pages that show a changed topic ask again."""

    DATASETS = "datasets"
    SPLITS = "splits"
    RUNS = "runs"
    STUDIES = "studies"
    PREDICTIONS = "predictions"
    RESULTS = "results"
    REPORTS = "reports"
    MODELS = "models"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Entry:
    """One question's answerer: ``answer(room, ask, told)``; ``writes`` is refused in a workspace opened read-only.

    ``alone``: it begins when no lane answers anything, and the others wait until it is done.
    """

    answer: Callable[[Room, Any, Told], Any]
    lane: Lane = Lane.LOOK
    changes: tuple[Topic, ...] = ()
    writes: bool = False
    alone: bool = False
