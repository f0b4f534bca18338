"""How often a model is trained, and on what: once, with validation apart; or twice.

Two-stage: the first stage selects on validation images. The second trains a new model with what was chosen on training
and validation images together, and that one is kept. Validation numbers are the first stage's, for the second has seen
those images; a threshold comes from calibration images or there is none. Epochs of the second stage count on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from medfm_gui.base import wire
from medfm_gui.domain import events as ev
from medfm_gui.domain.split import Partition
from medfm_gui.engine.fitted import Adapt, Fitted
from medfm_gui.engine.material import Material
from medfm_gui.engine.outcome import fixed_calibrator, fixed_threshold, labels_used, result, scored_sides
from medfm_gui.engine.outlier import fixed_outlier_limit, kept_of
from medfm_gui.engine.saved import save_model
from medfm_gui.engine.session import PauseRequested

Prepare = Callable[[], Generator[ev.Event, None, Material]]

_FIRST_STAGE = "checkpoint/first-stage.json"
_VAL_SCORES = "predictions/val.npz"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training came to, for its last word; ``seconds_before`` is time of earlier attempts and stages."""

    fitted: Fitted
    metrics: Mapping[str, float]
    labels_used: int
    seconds_before: float
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FirstStage:
    """What is kept of the first stage: what it chose, its validation numbers, its epochs, and its scores' hash."""

    chosen: Mapping[str, float]
    metrics: Mapping[str, float | None]
    epochs: int
    seconds: float
    scores_sha256: str
    facts: Mapping[str, str]


def single_stage(prepare: Prepare, adapt: Adapt) -> Generator[ev.Event, None, Outcome]:
    """Train once; validation images select, and perhaps fix the threshold."""
    material = yield from prepare()
    fitted = yield from adapt(material)
    yield from save_model(material.folder, fitted, material.backbone, material.images.preprocess)
    kept = kept_of(material, fitted)
    sides = yield from scored_sides(material, fitted, kept=kept)
    point = yield from fixed_threshold(material, fitted, sides)
    yield from fixed_calibrator(material, fitted, sides)
    yield from fixed_outlier_limit(material, fitted, kept)
    metrics = result(material, sides[Partition.VAL], point)
    return Outcome(fitted, metrics, labels_used(material, fitted, point), fitted.seconds_before, fitted.facts)


def two_stages(prepare: Prepare, adapt: Adapt, folder: Path) -> Generator[ev.Event, None, Outcome]:
    """Select, then train again on more; a finished first stage in ``folder`` is gone on from."""
    path = folder / _FIRST_STAGE
    first = wire.read(FirstStage, path) if path.exists() else (yield from _first_stage(prepare, adapt, path))
    yield ev.FileWritten(time.time(), _VAL_SCORES, first.scores_sha256)
    material = _on_more_images((yield from prepare()), first)
    fitted = yield from Relay(first.epochs).told(adapt(material))
    yield from save_model(folder, fitted, material.backbone, material.images.preprocess)
    kept = kept_of(material, fitted)
    sides = yield from scored_sides(material, fitted, (Partition.CAL,), kept)
    point = yield from fixed_threshold(material, fitted, sides)
    yield from fixed_calibrator(material, fitted, sides)
    yield from fixed_outlier_limit(material, fitted, kept)
    said = "two stages: selected on validation images, trained again on training and validation images"
    return Outcome(
        fitted,
        {name: value for name, value in first.metrics.items() if value is not None},
        labels_used(material, fitted, point),
        first.seconds + fitted.seconds_before,
        {**first.facts, "protocol": said, "validation numbers": "of the first stage"},
    )


def _first_stage(prepare: Prepare, adapt: Adapt, path: Path) -> Generator[ev.Event, None, FirstStage]:
    material = yield from prepare()
    begun, relay = time.perf_counter(), Relay()
    fitted = yield from relay.told(adapt(material))
    sides = yield from relay.told(scored_sides(material, fitted, (Partition.VAL,)))
    seconds = fitted.seconds_before + time.perf_counter() - begun
    metrics = result(material, sides[Partition.VAL], None)
    first = FirstStage(fitted.chosen, metrics, relay.epoch, seconds, relay.files[_VAL_SCORES], fitted.facts)
    wire.write(path, first)
    return first


def _on_more_images(material: Material, first: FirstStage) -> Material:
    """Validation images among the training images, and nothing left to choose."""
    train = [*material.ids[Partition.TRAIN], *material.ids[Partition.VAL]]
    ids = {**material.ids, Partition.TRAIN: train, Partition.VAL: ()}
    return replace(material, ids=ids, chosen=first.chosen)


class Relay:
    """Passes events of a stage on, their epochs counted on from ``before``, and notes how far they came."""

    def __init__(self, before: int = 0) -> None:
        self._before = before
        self.epoch = before
        self.files: dict[str, str] = {}

    def told(self, work: Generator[ev.Event, None, T]) -> Generator[ev.Event, None, T]:
        """All events of ``work``, and its answer; what is thrown in here is thrown in there."""
        go_on: Callable[[], ev.Event] = partial(next, work)
        while True:
            try:
                event = self._noted(go_on())
            except StopIteration as end:
                answer: T = end.value
                return answer
            except PauseRequested as pause:
                if pause.epoch is not None:
                    pause.epoch += self._before
                raise
            try:
                yield event
            except GeneratorExit:
                work.close()
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is meant for the work
                go_on = partial(work.throw, error)
            else:
                go_on = partial(next, work)

    def _noted(self, event: ev.Event) -> ev.Event:
        match event:
            case ev.EpochFinished():
                event = replace(event, epoch=event.epoch + self._before, epochs=event.epochs + self._before)
                self.epoch = event.epoch
            case ev.RunResumed():
                event = replace(event, epoch=event.epoch + self._before)
                self.epoch = event.epoch
            case ev.FileWritten():
                self.files[event.name] = event.sha256
        return event
