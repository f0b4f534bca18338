"""One training, from its order to its last word, as a generator of events.

Files are checked by hash, the backbone is loaded, and the protocol says how often an adaptation does its work and on
what. The test is never looked at here.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import torch

from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import adaptation
from medfm_gui.domain.dataset import Dataset
from medfm_gui.domain.errors import UsageError, WeightsAbsent
from medfm_gui.domain.run import TrainSpec
from medfm_gui.domain.split import Partition, Split
from medfm_gui.engine.adaptations import ADAPTATIONS
from medfm_gui.engine.backbones import load_backbone
from medfm_gui.engine.devices import choose_device
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.material import (
    Material,
    dataset_of,
    input_size,
    may_select,
    open_split,
    partitions_for_training,
    shots_of,
    weights_file,
)
from medfm_gui.engine.memory import peak_bytes
from medfm_gui.engine.normalisation import preprocess_for
from medfm_gui.engine.outcome import check_unit
from medfm_gui.engine.pixels import look_of, pixels_ready
from medfm_gui.engine.protocol import single_stage, two_stages
from medfm_gui.engine.session import make_deterministic, started


def run_training(spec: TrainSpec, folder: Path) -> Generator[ev.Event, None, None]:
    """Train as ordered, in a run folder.

    Args:
        folder: ``spec.run``'s folder; a ``checkpoint/`` in it is gone on from.

    Yields:
        RunStarted first and RunFinished last; FileWritten for every result.

    Raises:
        MedfmError: what the reason is; the folder stays resumable where that can help.
    """
    _refuse(spec)
    device = choose_device(spec.device)
    make_deterministic()
    yield started(device)
    begun = time.perf_counter()

    def prepare() -> Generator[ev.Event, None, Material]:
        nonlocal begun
        material = yield from prepared(spec, folder, device)
        begun = time.perf_counter()
        return material

    adapt = ADAPTATIONS[spec.adapt]
    if spec.recipe.protocol == "two-stage":
        outcome = yield from two_stages(prepare, adapt, folder)
    else:
        outcome = yield from single_stage(prepare, adapt)
    yield ev.RunFinished(
        time.time(),
        metrics=outcome.metrics,
        seconds=outcome.seconds_before + time.perf_counter() - begun,
        samples_per_second=outcome.fitted.samples_per_second,
        trained_parameters=outcome.fitted.trained_parameters,
        labels_used=outcome.labels_used,
        peak_memory_bytes=peak_bytes(device),
        facts=outcome.facts,
    )
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)  # after the last word is durable: it served its end


def _refuse(spec: TrainSpec) -> None:
    """What cannot mean anything: random features, and a few shots beside all labels of validation."""
    if spec.recipe.protocol == "two-stage" and not may_select(spec):
        raise UsageError(
            "A few-shot run that may not use labels of validation images cannot be trained on them in a second stage.",
            "Use protocol=single-stage, or shot_tuning=validation.",
        )
    card = adaptation(spec.adapt)
    if card is None or spec.adapt not in ADAPTATIONS:
        raise UsageError(f"There is no adaptation “{spec.adapt}”.", f"Use one of: {', '.join(ADAPTATIONS)}.")
    if spec.weights is None and card.needs_weights:
        raise WeightsAbsent(
            f"“{spec.adapt}” needs pretrained weights: features of random weights say nothing of {spec.card.title}.",
            f"Get them with “medfm weights pull {spec.card.name}”, or use --adapt full.",
        )
    if spec.weights is None and not spec.from_scratch:
        raise WeightsAbsent(
            f"The weights of {spec.card.title} are not on this computer.",
            f"Get them with “medfm weights pull {spec.card.name}”, or train --from-scratch.",
        )


def prepared(
    spec: TrainSpec, folder: Path, device: torch.device, *, measuring: bool = False
) -> Generator[ev.Event, None, Material]:
    """Everything that the adaptation needs, checked.

    Args:
        measuring: only its speed is asked for, so images that are there serve, however small.

    Raises:
        MedfmError: a file is gone, damaged or changed, or the recipe does not fit the data or the model.
    """
    dataset = dataset_of(spec.dataset)
    split = open_split(spec, dataset)
    ids = partitions_for_training(spec, split, dataset)
    yield from _shots_told(spec, split, dataset)
    yield from _size_told(spec)
    check_unit(spec.recipe.counted, dataset, ids[Partition.VAL])
    pixels = yield from pixels_ready(dataset, spec.pixels, look_of(spec), at_once=measuring)
    yield ev.StageStarted(time.time(), "weights")
    torch.manual_seed(spec.seed)  # a start from scratch draws its weights here
    backbone = load_backbone(spec.card, image_size=input_size(spec), weights=weights_file(spec))
    backbone.module.to(device)
    recipe, train = spec.recipe, ids[Partition.TRAIN]
    preprocess, said = preprocess_for(recipe, spec.card, backbone.image_size, dataset, pixels, train)
    if said:
        yield ev.Warned(time.time(), said)
    images = ImageReader(
        pixels, spec.card, backbone.image_size, device.type == "cuda", preprocess, policy=recipe.augmentation
    )
    return Material(spec, folder, dataset, ids, images, backbone, device)


def _size_told(spec: TrainSpec) -> Iterator[ev.Event]:
    """That the images are not as large as was asked for, where the model cannot take them so."""
    wanted, taken = spec.recipe.input_size, input_size(spec)
    if wanted is not None and wanted != taken:
        rule = "no other" if spec.card.size_rule == "fixed" else f"multiples of {spec.card.multiple} pixels, from 32 on"
        yield ev.Warned(
            time.time(),
            f"{spec.card.title} does not take images of {wanted} pixels ({rule}): {taken} pixels are used instead.",
        )


def _shots_told(spec: TrainSpec, split: Split, dataset: Dataset) -> Iterator[ev.Event]:
    """Which classes got fewer patients than were asked for."""
    if spec.shots is None:
        return
    found = shots_of(spec, split, dataset).patients
    short = [f"{name} ({count})" for name, count in found.items() if count < spec.shots]
    if short:
        yield ev.Warned(
            time.time(), f"Not every class has {spec.shots} patients to be drawn: {', '.join(short)} has fewer."
        )
