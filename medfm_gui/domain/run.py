"""What a worker is asked to do (specs) and how far it has come (state)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.explain import Box
from medfm_gui.domain.recipe import Recipe
from medfm_gui.domain.threshold import RuleOrigin

EXTERNAL = "external"
"""The adaptation of a run that no worker made: another system's predictions, read from a table."""


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file by absolute path and content: ``sha256`` as hex."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """All that decides the result of one run, and where its worker finds things.

    ``dataset`` is ``datasets/<id>/manifest.json``, ``split`` is ``splits/<id>.json``, ``pixels`` the
    dataset's pixel cache folder, ``features`` the folder of the feature bank, ``weights`` the file of
    pretrained weights (None only with ``from_scratch``).
    """

    run: str
    dataset: FileRef
    split: FileRef
    pixels: str
    features: str
    card: BackboneCard
    adapt: str
    recipe: Recipe
    seed: int
    device: str
    weights: FileRef | None
    from_scratch: bool = False
    preset: str = ""
    shots: int | None = None
    created: str = ""
    code_version: str = ""
    dataset_id: str = ""
    dataset_fingerprint: str = ""
    split_id: str = ""
    split_fingerprint: str = ""
    task: Task = Task.BINARY
    classes: tuple[str, ...] = ()
    positive: str | None = None
    fold: int | None = None
    kind: Literal["train"] = "train"
    head_weights: FileRef | None = None
    """The file of pretrained weights that the head begins with (``attention-head``: DeiT-B's)."""
    pixels_side: int = 0
    """The shorter side of cached images at most, in pixels; 0 = as the import made them."""
    split_certificate: str = ""
    """SHA-256 of the split's certificate: what the leak gate had looked at."""
    threshold_from: RuleOrigin = RuleOrigin.UNKNOWN
    """Who chose the recipe's threshold rule."""


def run_name(
    model: str, adapt: str, *, from_scratch: bool, fold: int | None, seed: int, shots: int | None = None
) -> str:
    """``DINOv2 S/14 · linear · seed 1``: the model's title, the adaptation, and whatever else sets a run apart."""
    parts = [model, adapt]
    if from_scratch:
        parts.append("from scratch")
    if shots is not None:
        parts.append("1 shot" if shots == 1 else f"{shots} shots")
    if fold is not None:
        parts.append(f"fold {fold}")
    if seed:
        parts.append(f"seed {seed}")
    return " · ".join(parts)


@dataclass(frozen=True, slots=True)
class PredictSpec:
    """Score one partition of a dataset with a finished run; the result is ``<subset>.npz`` in the folder ``out``."""

    run_folder: str
    subset: str
    out: str
    device: str = "auto"
    dataset: FileRef | None = None
    """Another dataset's manifest, for an external test; None = the run's own."""
    pixels: str = ""
    kind: Literal["predict"] = "predict"


@dataclass(frozen=True, slots=True)
class StudyImage:
    """One decoded image for prediction: an ``.npy`` file, H×W or H×W×3, uint8 or uint16, ready to look at.

    Images of the same ``case`` (slices of a series) get one score from a run that joins a patient's images; empty: it
    is a case by itself.
    """

    source: str
    path: str
    case: str = ""


@dataclass(frozen=True, slots=True)
class StudySpec:
    """Score a few decoded images with one or several finished runs, with or without a heat map.

    ``explain`` is ``""`` or a name of ``explain.EXPLANATIONS``; maps are written to ``out`` as float32
    ``.npy`` in 0…1 of the image's own rows and columns. ``target`` is the explained class (None = the highest
    score, or the positive class of a binary task).
    """

    run_folders: tuple[str, ...]
    images: tuple[StudyImage, ...]
    out: str
    explain: str = ""
    target: int | None = None
    device: str = "auto"
    kind: Literal["study"] = "study"


@dataclass(frozen=True, slots=True)
class WeightsSpec:
    """Check a file against a backbone and rewrite it as safetensors at ``out``; without ``file``, fetch it first."""

    card: BackboneCard
    out: str
    file: str = ""
    offline: bool = True
    kind: Literal["weights"] = "weights"


@dataclass(frozen=True, slots=True)
class PackSpec:
    """Find out which of these models each file holds, and keep those that fit as ``WeightsSpec`` does.

    ``named`` is what each file is called for, a model's name or empty; ``out`` the folder of weights.
    """

    cards: tuple[BackboneCard, ...]
    files: tuple[str, ...]
    named: tuple[str, ...]
    out: str
    kind: Literal["pack"] = "pack"


@dataclass(frozen=True, slots=True)
class TimmSpec:
    """Make a card of a model of timm's by its name, with or without the tag of its weights."""

    name: str
    kind: Literal["timm"] = "timm"


@dataclass(frozen=True, slots=True)
class PreflightSpec:
    """Measure what a training would cost here: a few of its batches, of which nothing is kept.

    ``draft`` is the order of the run as it would be made (its ``run`` is empty); ``seconds`` is about how long
    each kind of batch is repeated.
    """

    draft: TrainSpec
    seconds: float = 3.0
    kind: Literal["preflight"] = "preflight"


@dataclass(frozen=True, slots=True)
class CheckMapsSpec:
    """Find out what the heat maps of a finished run are worth; the answer is ``explain.MapChecks`` in the file ``out``.

    ``explain`` names the explanation, ``subset`` the partition whose images are looked at; at most ``images`` of them,
    drawn by ``seed``, are shifted and are looked at with other weights. ``boxes`` mark findings; every image of the
    subset that has one is held against it, whatever ``images`` says.
    """

    run_folder: str
    out: str
    explain: str = "gradcam"
    subset: str = "val"
    images: int = 32
    boxes: tuple[Box, ...] = ()
    seed: int = 0
    device: str = "auto"
    created: str = ""
    kind: Literal["check-maps"] = "check-maps"


@dataclass(frozen=True, slots=True)
class SimilarSpec:
    """Keep the training images' features of a finished run beside it, and fix its outlier limit."""

    run_folder: str
    device: str = "auto"
    kind: Literal["similar"] = "similar"


@dataclass(frozen=True, slots=True)
class OutlierSpec:
    """Score how unlike its training images each image of a partition is to a run; ``outlier.npz`` in ``out``."""

    run_folder: str
    subset: str
    out: str
    device: str = "auto"
    kind: Literal["outlier"] = "outlier"


@dataclass(frozen=True, slots=True)
class FeaturesSpec:
    """Fill the feature bank with every image of a dataset; nothing is trained and no label is read.

    ``dataset`` is its manifest, ``pixels`` its cache's folder, ``features`` the folder of all banks.
    """

    dataset: FileRef
    pixels: str
    features: str
    card: BackboneCard
    weights: FileRef
    device: str = "auto"
    kind: Literal["features"] = "features"


@dataclass(frozen=True, slots=True)
class LooksSpec:
    """Show a few decoded images (``.npy`` files) as a recipe lets a model see them; nothing is learnt.

    The answer is ``looks.npy`` in the folder ``out``: each image prepared, then ``views`` random views of it, drawn by
    ``seed``, all shown ``side`` pixels wide.
    """

    card: BackboneCard
    recipe: Recipe
    images: tuple[str, ...]
    out: str
    views: int = 4
    side: int = 160
    seed: int = 0
    kind: Literal["looks"] = "looks"


@dataclass(frozen=True, slots=True)
class ExportSpec:
    """Write the model of a finished run whole into the folder ``out``: adapters merged, nothing else needed."""

    run_folder: str
    out: str
    kind: Literal["export"] = "export"


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """What this computer can do with tensors: devices, memory, versions."""

    kind: Literal["probe"] = "probe"


Spec = (
    TrainSpec
    | PredictSpec
    | StudySpec
    | WeightsSpec
    | PackSpec
    | TimmSpec
    | PreflightSpec
    | CheckMapsSpec
    | SimilarSpec
    | OutlierSpec
    | FeaturesSpec
    | LooksSpec
    | ExportSpec
    | ProbeSpec
)


class Phase(StrEnum):
    """The states of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RunState:
    """How far a run has come: a pure fold over its events. ``curve`` keeps one row an epoch."""

    phase: Phase = Phase.QUEUED
    stage: str = ""
    done: int = 0
    total: int = 0
    samples_per_second: float = 0.0
    seconds_left: float | None = None
    epoch: int = 0
    epochs: int = 0
    curve: tuple[ev.EpochFinished, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    startup_seconds: float = 0.0
    trained_parameters: int = 0
    device: str = ""
    error_kind: str = ""
    message: str = ""
    hint: str = ""
    resumable: bool = False
    warnings: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """What the run wrote: name → SHA-256."""
    labels_used: int = 0
    """Labelled images that decided the model or its threshold; 0 = not known."""
    peak_memory_bytes: int = 0
    """The most memory in use, of the GPU where the model is on one; 0 = not known."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else was decided on the way, e.g. which head won: name → text."""


def fold(state: RunState, events: Iterable[ev.Event]) -> RunState:
    """The state after these events. Events of an epoch that a resume voids are taken back."""
    for event in events:
        state = _after(state, event)
    return state


def _after(state: RunState, event: ev.Event) -> RunState:
    match event:
        case ev.RunStarted():
            return replace(
                state,
                phase=Phase.RUNNING,
                device=event.device,
                startup_seconds=event.startup_seconds,
                message="",
                error_kind="",
                hint="",
            )
        case ev.RunResumed():
            kept = tuple(point for point in state.curve if point.epoch <= event.epoch)
            return replace(state, phase=Phase.RUNNING, curve=kept, epoch=event.epoch)
        case ev.StageStarted():
            return replace(state, stage=event.stage, done=0, total=event.total, seconds_left=None)
        case ev.Progressed():
            return replace(
                state,
                stage=event.stage,
                done=event.done,
                total=event.total,
                samples_per_second=event.samples_per_second,
                seconds_left=event.seconds_left,
            )
        case ev.EpochFinished():
            kept = tuple(point for point in state.curve if point.epoch < event.epoch)
            return replace(state, curve=(*kept, event), epoch=event.epoch, epochs=event.epochs)
        case ev.FileWritten():
            return replace(state, files={**state.files, event.name: event.sha256})
        case ev.Warned():
            return replace(state, warnings=(*state.warnings, event.message))
        case ev.RunPaused():
            return replace(state, phase=Phase.PAUSED, resumable=True, seconds_left=None)
        case ev.RunCancelled():
            return replace(state, phase=Phase.CANCELLED, message=event.message, resumable=False, seconds_left=None)
        case ev.RunFailed():
            return replace(
                state,
                phase=Phase.FAILED,
                error_kind=event.error,
                message=event.message,
                hint=event.hint,
                resumable=event.resumable,
                seconds_left=None,
            )
        case ev.RunFinished():
            return replace(
                state,
                phase=Phase.FINISHED,
                metrics=event.metrics,
                seconds=event.seconds,
                trained_parameters=event.trained_parameters,
                samples_per_second=event.samples_per_second,
                labels_used=event.labels_used,
                peak_memory_bytes=event.peak_memory_bytes,
                facts=event.facts,
                resumable=False,
                seconds_left=None,
            )
        case _:
            return state
