"""What a training would cost on this computer, measured: its own first batches, of which nothing is kept.

The same code reads the images and runs the model as in the training itself. The first batch of each kind is not
counted, for it warms caches up, unless it takes so long that this does not matter.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from medfm_gui.domain import events as ev
from medfm_gui.domain.run import PreflightSpec
from medfm_gui.domain.split import Partition
from medfm_gui.engine.adaptations import SCOPES
from medfm_gui.engine.adaptations.descent import inputs_of, objective_of
from medfm_gui.engine.adaptations.grid_table import whole_reading
from medfm_gui.engine.adaptations.linear import penalties
from medfm_gui.engine.adaptations.scope import Scope
from medfm_gui.engine.adaptations.tuning import PartTooLarge, Tuning
from medfm_gui.engine.devices import choose_device
from medfm_gui.engine.failure import named
from medfm_gui.engine.loader import ahead, batches_of
from medfm_gui.engine.logistic import LogisticPath
from medfm_gui.engine.material import Material
from medfm_gui.engine.memory import peak_bytes
from medfm_gui.engine.reading import POOLED, Reading, read
from medfm_gui.engine.session import make_deterministic, started
from medfm_gui.engine.train import prepared

K = TypeVar("K")
V = TypeVar("V")

_STAGE = "measure"
_MOST_BATCHES = 64
_MOST_ROWS_FITTED = 1000
_HALF_BYTES = 2
"""A number of a token in the bank."""


def measure(spec: PreflightSpec, folder: Path) -> Generator[ev.Event, None, None]:
    """Run a few batches as the draft orders them.

    Yields:
        RunStarted, what ``prepared`` tells, Progressed a batch, at last Answered with numbers as text and RunFinished:
        ``forward_s`` and ``train_s`` in seconds a sample (0: nothing of the kind is done), ``fit_s`` seconds of a
        linear probe's whole path (worked out from a few fits on numbers drawn by lot), ``load_s``, ``memory_bytes``
        (highest use of the process, or of the GPU), ``trained_parameters``, ``parameters``, ``images`` and
        ``missing`` (those that the feature bank does not hold), ``batches`` that were timed, ``row_bytes`` that the
        bank will take for an image of an attention head.

    Raises:
        MedfmError: as the training itself would.
    """
    draft = spec.draft
    device = choose_device(draft.device)
    make_deterministic()
    yield started(device)
    begun = time.perf_counter()
    material = yield from prepared(draft, folder, device, measuring=True)
    loaded = time.perf_counter() - begun
    if draft.adapt in SCOPES:
        facts = yield from _tuning(material, SCOPES[draft.adapt](material), spec.seconds)
    else:
        facts = yield from _frozen(material, spec.seconds)
    facts |= {
        "load_s": loaded,
        "parameters": sum(part.numel() for part in material.backbone.module.parameters()),
        "memory_bytes": peak_bytes(device),
    }
    yield ev.Answered(time.time(), {name: repr(value) for name, value in facts.items()} | {"device": str(device)})
    yield ev.RunFinished(time.time(), {}, time.perf_counter() - begun)


def _frozen(material: Material, seconds: float) -> Generator[ev.Event, None, dict[str, float]]:
    """Features of a frozen backbone, as the bank is filled; nothing is looked at that the bank holds already."""
    frozen, reading = material.frozen(), _reading(material)
    ids = [one for side in material.ids.values() for one in side]
    missing = frozen.missing(ids, reading)
    facts: dict[str, float] = {"forward_s": 0.0, "train_s": 0.0, "images": len(ids), "missing": missing, "batches": 0}
    if missing:
        size = frozen.batch_size
        batches = [ids[start : start + size] for start in range(0, min(len(ids), size * _MOST_BATCHES), size)]
        material.backbone.module.eval()
        pace = yield from _timed(
            lambda batch: material.images.batch(batch, size),
            batches,
            lambda images: frozen.forward(images, reading),
            material,
            seconds,
        )
        facts |= {"forward_s": pace[0], "batches": pace[1]}
    classes = len(material.dataset.classes)
    trained = (material.backbone.feature_dim + 1) * classes if material.spec.adapt == "linear" else 0
    return facts | {"trained_parameters": trained, "fit_s": _fit_seconds(material)}


def _reading(material: Material) -> Reading:
    """What the frozen run takes of a backbone, as its adaptation asks the bank for it."""
    if material.spec.adapt != "linear-grid":
        return POOLED
    return whole_reading(material.spec.recipe, maps=material.backbone.card.convolutional)


def _row_bytes(material: Material, scope: Scope) -> int:
    """What the bank keeps of an image for a head that reads the tokens of a frozen backbone; 0 of all others."""
    facts = scope.head.facts
    if material.spec.adapt != "attention-head" or material.spec.recipe.unfreeze:
        return 0
    return facts.tokens * material.backbone.token_dim * _HALF_BYTES


def _tuning(material: Material, scope: Scope, seconds: float) -> Generator[ev.Event, None, dict[str, float]]:
    """Steps of the optimiser, in as many parts as memory asks for, then validation batches."""
    recipe = material.spec.recipe
    tuning = Tuning(material.backbone, scope, recipe, material.device, objective_of(material))
    targets = torch.from_numpy(material.targets(Partition.TRAIN).astype(np.int64))
    prepare = inputs_of(material, scope, 1)
    parts = recipe.accumulate

    def prepared(places: Sequence[int]) -> tuple[Tensor, Tensor]:
        return prepare(places), targets[list(places)]

    def stepped(given: tuple[Tensor, Tensor]) -> float:
        nonlocal parts
        while True:
            with contextlib.suppress(PartTooLarge):
                return float(tuning.step(*given, lr=recipe.lr, seed=0, parts=min(parts, len(given[0]))))
            if parts >= len(given[0]):
                raise named(MemoryError())
            tuning.make_room()
            parts *= 2

    places = batches_of(range(len(targets)), recipe.batch_size * recipe.accumulate)[:_MOST_BATCHES]
    step = yield from _timed(prepared, places, stepped, material, seconds)
    scope.head.eval()
    material.backbone.module.eval()
    reading = scope.head.facts.reads

    def scored(images: Tensor) -> object:
        with torch.no_grad():
            return scope.head.scores(read(material.backbone, reading, images.to(material.device))).probabilities.cpu()

    sides = batches_of(material.ids[Partition.VAL], recipe.batch_size)[:_MOST_BATCHES]
    look = yield from _timed(material.images.batch, sides, scored, material, seconds / 2)
    images = sum(len(side) for side in material.ids.values())
    return {
        "train_s": step[0],
        "forward_s": look[0],
        "batches": step[1] + look[1],
        "images": images,
        "missing": images,
        "trained_parameters": tuning.parameters,
        "fit_s": 0.0,
        "parts": parts,
        "row_bytes": _row_bytes(material, scope),
    }


def _timed(
    prepare: Callable[[Sequence[K]], V],
    batches: Sequence[Sequence[K]],
    work: Callable[[V], object],
    material: Material,
    seconds: float,
) -> Generator[ev.Event, None, tuple[float, int]]:
    """Seconds a sample and how many batches that was measured on; batches come again where there are few."""
    rounds = list(itertools.islice(itertools.cycle(batches), _MOST_BATCHES))
    samples, timed, spent, begun = 0, 0, 0.0, time.perf_counter()
    with contextlib.closing(ahead(prepare, rounds, material.spec.recipe.workers)) as ready:
        for number, (batch, given) in enumerate(zip(rounds, ready, strict=True)):
            work(given)
            spent = time.perf_counter() - begun
            if number == 0 and spent < seconds:
                begun = time.perf_counter()
                continue
            samples, timed = samples + len(batch), timed + 1
            yield ev.Progressed(time.time(), _STAGE, min(round(100 * spent / seconds), 100), 100, samples / spent)
            if spent >= seconds:
                break
    material.images.release()
    return spent / max(1, samples), timed


def _fit_seconds(material: Material) -> float:
    """What the path of a linear probe would take: three of its points on numbers drawn by lot, times its length."""
    if material.spec.adapt != "linear":
        return 0.0
    targets = material.targets(Partition.TRAIN)
    rows = min(len(targets), _MOST_ROWS_FITTED)
    chosen = np.linspace(0, len(targets) - 1, rows).astype(np.intp)
    drawn = np.random.default_rng(0).standard_normal((rows, material.backbone.feature_dim))
    points = penalties(material.spec.recipe.epochs)
    path = LogisticPath(drawn, targets[chosen], material.dataset.task, len(material.dataset.classes))
    some = sorted({0, len(points) // 2, len(points) - 1})
    begun = time.perf_counter()
    for point in some:
        path.fit(float(points[point]))
    return (time.perf_counter() - begun) / len(some) * len(points) * len(targets) / rows
