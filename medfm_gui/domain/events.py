"""What a worker says, one event a line of ``events.jsonl``, in the past tense.

``at`` is the time since the epoch in seconds, for people; durations come from a monotonic clock.
A number that is not finite is None on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from medfm_gui.domain.explain import Neighbour
from medfm_gui.domain.similar import SimilarCase


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The worker is up: device, versions of what decides numbers, seconds from process start."""

    at: float
    device: str
    versions: Mapping[str, str] = field(default_factory=dict)
    startup_seconds: float = 0.0
    pid: int = 0
    event: Literal["RunStarted"] = "RunStarted"


@dataclass(frozen=True, slots=True)
class RunResumed:
    """The run went on after ``epoch`` finished epochs; whatever was said of later ones is void."""

    at: float
    epoch: int
    step: int = 0
    event: Literal["RunResumed"] = "RunResumed"


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A part of the work began: ``weights``, ``features``, ``train``, ``validate``, ``predict``, ``download``."""

    at: float
    stage: str
    total: int = 0
    event: Literal["StageStarted"] = "StageStarted"


@dataclass(frozen=True, slots=True)
class Progressed:
    """``done`` of ``total`` (samples; bytes while downloading); at most ten a second."""

    at: float
    stage: str
    done: int
    total: int
    samples_per_second: float = 0.0
    seconds_left: float | None = None
    event: Literal["Progressed"] = "Progressed"


@dataclass(frozen=True, slots=True)
class EpochFinished:
    """An epoch (or a point of a penalty path) is done and its checkpoint is durable. Epochs count from 1."""

    at: float
    epoch: int
    epochs: int
    metrics: Mapping[str, float | None]
    seconds: float = 0.0
    best: bool = False
    event: Literal["EpochFinished"] = "EpochFinished"


@dataclass(frozen=True, slots=True)
class FeaturesReady:
    """Frozen features are in the bank; ``computed`` of ``total`` had to be computed now."""

    at: float
    computed: int
    total: int
    event: Literal["FeaturesReady"] = "FeaturesReady"


@dataclass(frozen=True, slots=True)
class FileWritten:
    """A file of the run is durable; ``name`` is relative to the run folder."""

    at: float
    name: str
    sha256: str
    event: Literal["FileWritten"] = "FileWritten"


@dataclass(frozen=True, slots=True)
class StudyPredicted:
    """Scores of one image by one run: one probability a class; ``map`` is the heat map's file or empty.

    ``neighbours`` are the training images that a vote was made of, the most similar first. Where the run scores the
    images of a case together, ``scores`` are the case's, and ``alone`` what this image would get by itself.
    ``outlier_score`` says how far the image is from the training images (None: not known), ``similar`` which of them
    are nearest.
    """

    at: float
    run: str
    source: str
    scores: tuple[float, ...]
    target: int = -1
    map: str = ""
    map_note: str = ""
    seconds: float = 0.0
    event: Literal["StudyPredicted"] = "StudyPredicted"
    neighbours: tuple[Neighbour, ...] = ()
    alone: tuple[float, ...] = ()
    outlier_score: float | None = None
    similar: tuple[SimilarCase, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """Facts that were asked for (probe, weights): name → text."""

    at: float
    facts: Mapping[str, str]
    event: Literal["Answered"] = "Answered"


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that a person should know and that did not stop the work."""

    at: float
    message: str
    event: Literal["Warned"] = "Warned"


@dataclass(frozen=True, slots=True)
class Beat:
    """The worker is alive; once a second at most, only when nothing else was said."""

    at: float
    event: Literal["Beat"] = "Beat"


@dataclass(frozen=True, slots=True)
class RunPaused:
    """The worker saved its place and ended, as asked."""

    at: float
    epoch: int
    step: int = 0
    event: Literal["RunPaused"] = "RunPaused"


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """The run was stopped, as asked, and cannot be resumed."""

    at: float
    message: str = ""
    event: Literal["RunCancelled"] = "RunCancelled"


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The last word of a run that could not go on; ``error`` is the error's kind."""

    at: float
    error: str
    message: str
    hint: str = ""
    resumable: bool = False
    event: Literal["RunFailed"] = "RunFailed"


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The work is complete: validation ``metrics`` under stored ids, ``seconds`` from the first sample asked for.

    ``labels_used`` counts every labelled image that decided the model or its threshold; ``peak_memory_bytes`` is the
    most that was in use (of the GPU where the model is on one); ``facts`` say what else was decided: name → text.
    """

    at: float
    metrics: Mapping[str, float]
    seconds: float
    samples_per_second: float = 0.0
    trained_parameters: int = 0
    event: Literal["RunFinished"] = "RunFinished"
    labels_used: int = 0
    peak_memory_bytes: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)


Event = (
    RunStarted
    | RunResumed
    | StageStarted
    | Progressed
    | EpochFinished
    | FeaturesReady
    | FileWritten
    | StudyPredicted
    | Answered
    | Warned
    | Beat
    | RunPaused
    | RunCancelled
    | RunFailed
    | RunFinished
)

LAST_WORDS = (RunPaused, RunCancelled, RunFailed, RunFinished)
"""After one of these the worker has nothing more to say."""
