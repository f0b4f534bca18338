"""What a worker is asked to do (specs) and how far it has come (state)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Literal

from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import BackboneCard, adaptation
from medfm_gui.domain.dataset import Task
from medfm_gui.domain.errors import UsageError


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file by absolute path and content: ``sha256`` as hex."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every setting of a training. A run's recipe holds resolved values; None means the backbone's own.

    ``lr`` is the peak learning rate; ``epochs`` of ``linear`` counts the penalties on its path;
    ``input_size`` is in pixels; ``unit`` is what headline numbers count (``image`` or ``patient``,
    patients by the mean of their images); ``threshold_rule`` is ``youden``, ``sensitivity:0.9`` or
    ``specificity:0.9``; ``workers`` are decoding threads.
    """

    epochs: int = 20
    batch_size: int = 32
    lr: float = 1e-4
    weight_decay: float = 0.05
    warmup_epochs: int = 1
    input_size: int | None = None
    amp: bool = True
    augment: bool = True
    workers: int = 1
    k: int = 20
    temperature: float = 0.07
    threshold_rule: str = "youden"
    unit: str = "image"
    patience: int = 0
    """Stop after so many epochs without a better validation score; 0 = never."""


PRESETS: Mapping[str, Mapping[str, str]] = {
    "quick": {"epochs": "10", "warmup_epochs": "1"},
}
"""Named recipes: setting → value, applied before ``--set``."""


RANGES: Mapping[str, tuple[float, float]] = {
    "epochs": (1, 100_000),
    "batch_size": (1, 65_536),
    "lr": (1e-12, 1e6),
    "weight_decay": (0, 1e3),
    "warmup_epochs": (0, 100_000),
    "workers": (0, 64),
    "k": (1, 1_000_000),
    "temperature": (1e-4, 1e3),
    "patience": (0, 100_000),
    "input_size": (16, 4096),
}
"""Lowest and highest value of each setting that is a number."""


def recipe_from(adapt: str, settings: Mapping[str, str]) -> Recipe:
    """The recipe of an adaptation with the user's settings laid over its defaults.

    Raises:
        UsageError: an unknown adaptation, an unknown key, or a value of the wrong kind or range.
    """
    if adaptation(adapt) is None:
        raise UsageError(f"There is no adaptation “{adapt}”.", "Use knn, linear or full.")
    recipe = Recipe()
    kinds: dict[str, type] = {"input_size": int}
    kinds.update({item.name: type(getattr(recipe, item.name)) for item in fields(Recipe) if item.name != "input_size"})
    for key, text in settings.items():
        if key not in kinds:
            raise UsageError(f"There is no setting “{key}”.", f"Settings are: {', '.join(sorted(kinds))}.")
        change: dict[str, Any] = {key: _parsed(key, text, kinds[key])}
        recipe = replace(recipe, **change)
    _check(recipe)
    return recipe


def _parsed(key: str, text: str, kind: type) -> bool | int | float | str:
    if kind is bool:
        words = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        if text.lower() not in words:
            raise UsageError(f"“{key}={text}” is neither yes nor no.", f"Write {key}=yes or {key}=no.")
        return words[text.lower()]
    try:
        return kind(text)  # type: ignore[no-any-return]
    except ValueError:
        raise UsageError(f"“{key}={text}” is not a {kind.__name__}.", f"Write {key}=NUMBER.") from None


def _check(recipe: Recipe) -> None:
    for key, (low, high) in RANGES.items():
        value = getattr(recipe, key)
        if value is not None and not low <= value <= high:
            raise UsageError(f"“{key}={value:g}” is out of range.", f"Choose {key} between {low:g} and {high:g}.")
    if recipe.unit not in ("image", "patient"):
        raise UsageError(f"“unit={recipe.unit}” is not known.", "Use unit=image or unit=patient.")
    rule, _, number = recipe.threshold_rule.partition(":")
    try:
        good = (rule == "youden" and not number) or (rule in ("sensitivity", "specificity") and 0 < float(number) < 1)
    except ValueError:
        good = False
    if not good:
        raise UsageError(
            f"“threshold_rule={recipe.threshold_rule}” is not known.",
            "Use youden, sensitivity:0.9 or specificity:0.9.",
        )


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


def run_name(model: str, adapt: str, *, from_scratch: bool, fold: int | None, seed: int) -> str:
    """``DINOv2 S/14 · linear · seed 1``: the model's title, the adaptation, and whatever else sets a run apart."""
    parts = [model, adapt]
    if from_scratch:
        parts.append("from scratch")
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
    """One decoded image for prediction: an ``.npy`` file, H×W or H×W×3, uint8 or uint16, ready to look at."""

    source: str
    path: str


@dataclass(frozen=True, slots=True)
class StudySpec:
    """Score a few decoded images with one or several finished runs, with or without a heat map.

    ``explain`` is ``""`` or ``gradcam``; maps are written to ``out`` as float32 ``.npy`` in 0…1 of
    the image's own rows and columns. ``target`` is the explained class (None = the highest score,
    or the positive class of a binary task).
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
class PreflightSpec:
    """Measure what a training would cost here: a few of its batches, of which nothing is kept.

    ``draft`` is the order of the run as it would be made (its ``run`` is empty); ``seconds`` is about how long
    each kind of batch is repeated.
    """

    draft: TrainSpec
    seconds: float = 3.0
    kind: Literal["preflight"] = "preflight"


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """What this computer can do with tensors: devices, memory, versions."""

    kind: Literal["probe"] = "probe"


Spec = TrainSpec | PredictSpec | StudySpec | WeightsSpec | PreflightSpec | ProbeSpec


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
            return replace(state, phase=Phase.CANCELLED, message=event.message, seconds_left=None)
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
                resumable=False,
                seconds_left=None,
            )
        case _:
            return state
