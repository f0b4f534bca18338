"""A grid of linear heads on frozen features, trained together; the best on validation is kept.

Study B's heads: learning rates × the class tokens of the last blocks × with or without the mean patch token; SGD, its
rate falling along half a cosine to 0, step by step, without warm-up. Features come from the bank, so there is no
augmentation. All heads that read the same part of an image are one matrix: a step costs one product for each part,
whatever the number of learning rates.

Which head is best is decided when all have been trained to the end. A model without class tokens, or with maps, has
one part to read for each number of blocks, or one at all. A few-shot run that may not look at validation labels trains
the one head in the middle of the grid, or the one that cross-validation on its shots chose.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from medfm_gui.base import wire
from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import NonFiniteLoss
from medfm_gui.domain.recipe import numbers_of
from medfm_gui.domain.split import Partition
from medfm_gui.engine.adaptations.descent import check_selection, objective_of
from medfm_gui.engine.adaptations.grid_heads import Candidate, GridHeads, Part, falling
from medfm_gui.engine.adaptations.grid_table import Table, parts_of, table_of, whole_reading
from medfm_gui.engine.augment import random_of
from medfm_gui.engine.bank import Rows
from medfm_gui.engine.checkpoint import Checkpoint
from medfm_gui.engine.fitted import Fitted, validation_of
from medfm_gui.engine.folds import Fold, folds_of
from medfm_gui.engine.head import HeadFacts, LinearHead, probabilities_of
from medfm_gui.engine.loader import batches_of
from medfm_gui.engine.loss import log_loss
from medfm_gui.engine.material import Material
from medfm_gui.engine.progress import Pace
from medfm_gui.engine.reading import Reading
from medfm_gui.engine.scoring import SampleScores, of_images
from medfm_gui.engine.session import PauseRequested
from medfm_gui.metrics.evaluate import selection_score

_SAVE_EVERY_S = 2.0
_FILE = "grid.json"


@dataclass(frozen=True, slots=True)
class HeadPoint:
    """A head after an epoch: its validation log loss and selection score, None where not estimable."""

    loss: float | None
    score: float | None


@dataclass(frozen=True, slots=True)
class GridPlace:
    """How far a grid is: epochs done, seconds spent, and every head's points epoch by epoch."""

    epoch: int = 0
    seconds: float = 0.0
    curve: tuple[tuple[HeadPoint, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class GridFile:
    """``grid.json``: all heads, the place of the kept one among them, and their points epoch by epoch."""

    heads: tuple[Candidate, ...]
    kept: int
    curve: tuple[tuple[HeadPoint, ...], ...]


def adapt(material: Material) -> Generator[ev.Event, None, Fitted]:
    """Train the grid, or the one head that was chosen before, and keep one.

    Raises:
        NonFiniteLoss: every head ran away.
        UsageError: the recipe selects by a number that the task does not have.
    """
    recipe = material.spec.recipe
    check_selection(material)
    begun = time.perf_counter()
    reading = whole_reading(recipe, maps=material.backbone.card.convolutional)
    features = yield from material.frozen().look(material.every_id, reading)
    looked = time.perf_counter() - begun
    train, val = (
        table_of(features, material.cases(part), recipe.aggregate) for part in (Partition.TRAIN, Partition.VAL)
    )
    parts, lrs = parts_of(recipe, features, train.cases), numbers_of(recipe.grid_lrs)
    out_of_fold: SampleScores | None = None
    if not material.selects_on_validation:
        chosen = _fixed(material.chosen, parts, lrs)
        if material.chosen is None and recipe.shot_tuning == "inner-cv":
            chosen, out_of_fold = yield from _cross_validated(material, train, parts, lrs, chosen)
        parts, lrs = [part for part in parts if part.reading == chosen.reading], (chosen.lr,)
    grid = _Grid(material, parts, lrs, train, val)
    yield from grid.trained(Checkpoint(material.checkpoints, GridPlace))
    kept = grid.kept()
    path = material.folder / _FILE
    yield ev.FileWritten(time.time(), _FILE, wire.write(path, GridFile(grid.candidates, kept, grid.place.curve)))
    rate = len(features) / looked if looked >= grid.place.seconds else grid.rate
    won = grid.candidates[kept]
    return Fitted(
        _head(material, grid, kept),
        sum(part.numel() for part in grid.heads.head(kept)),
        rate,
        chosen={"lr": won.lr, "blocks": won.reading.blocks, "patches": float(won.reading.patches)},
        selected=material.selects_on_validation,
        facts={"head": f"{won.label} (one of {len(grid.candidates)})", "augmentation": "none: features are frozen"},
        out_of_fold=out_of_fold,
    )


def _head(material: Material, grid: _Grid, number: int) -> LinearHead:
    dataset, won = material.dataset, grid.candidates[number]
    weight, bias = grid.heads.head(number)
    aggregate = material.spec.recipe.aggregate
    facts = HeadFacts("linear", dataset.task, dataset.classes, weight.shape[1], reads=won.reading, aggregate=aggregate)
    head = LinearHead(facts).requires_grad_(False).eval()
    head.linear.weight.copy_(weight)
    head.linear.bias.copy_(bias)
    return head


def _fixed(chosen: Mapping[str, float] | None, parts: Sequence[Part], lrs: Sequence[float]) -> Candidate:
    """What an earlier stage chose; or the first part at the middle learning rate (of two the lower)."""
    if chosen is None:
        return Candidate(parts[0].reading, sorted(lrs)[(len(lrs) - 1) // 2])
    wanted = Reading("depths", int(chosen["blocks"]), bool(chosen["patches"]))
    return Candidate(next((part.reading for part in parts if part.reading == wanted), parts[0].reading), chosen["lr"])


class _Grid:
    """Heads in training on some rows, judged on others."""

    def __init__(
        self, material: Material, parts: Sequence[Part], lrs: Sequence[float], train: Table, val: Table
    ) -> None:
        recipe, dataset = material.spec.recipe, material.dataset
        self._material, self._train, self._val = material, train, val
        self._targets = torch.from_numpy(train.cases.targets.astype(np.int64))
        self._objective = objective_of(material)
        self._seed, self._epochs, self._batch = material.spec.seed, recipe.epochs, recipe.batch_size
        self.heads = GridHeads(parts, lrs, len(dataset.classes), material.spec.seed)
        self.candidates = tuple(self.heads.candidates)
        self.place = GridPlace()
        self.rate = 0.0

    def trained(self, checkpoint: Checkpoint[GridPlace]) -> Generator[ev.Event, None, None]:
        """All epochs; where it was stopped, those that are left.

        Raises:
            NonFiniteLoss: every head ran away.
        """
        saved = checkpoint.load()
        if saved:
            self.place, tensors = saved
            self.heads.restore(tensors)
            yield ev.RunResumed(time.time(), self.place.epoch)
        held, saved_at = self.heads.state(), -math.inf
        try:
            while self.place.epoch < self._epochs:
                finished = yield from self._epoch()
                held = self.heads.state()
                if time.perf_counter() - saved_at >= _SAVE_EVERY_S:
                    checkpoint.save(self.place, held)
                    saved_at = time.perf_counter()
                yield finished
        except PauseRequested as pause:  # what was begun of an epoch is done again
            checkpoint.save(self.place, held)
            pause.epoch = self.place.epoch
            raise

    def fit(self) -> None:
        """All epochs at once; nothing is judged."""
        for epoch in range(1, self._epochs + 1):
            for number, places in enumerate(self._batches(epoch)):
                self._step(epoch, number, places)

    def kept(self) -> int:
        """The head that is best at the end; the first where none was judged."""
        if not self.place.curve or not len(self._val):
            return 0
        return max(range(len(self.candidates)), key=lambda number: (_rank(self.place.curve[-1][number]), -number))

    def probabilities(self, table: Table) -> Rows:
        """Of every head: heads × n × classes."""
        parts = [self.heads.logits(table(places)) for places in batches_of(range(len(table)), 1024)]
        logits = torch.cat(parts, dim=1)
        task = self._material.dataset.task
        return np.stack([probabilities_of(of_head, task).numpy() for of_head in logits])

    def _epoch(self) -> Generator[ev.Event, None, ev.EpochFinished]:
        epoch, begun = self.place.epoch + 1, time.perf_counter()
        yield ev.StageStarted(time.time(), "train", len(self._train))
        pace = Pace("train", len(self._train))
        total = torch.zeros(len(self.candidates), dtype=torch.float64)
        for number, places in enumerate(self._batches(epoch)):
            total += self._step(epoch, number, places).double() * len(places)
            yield pace.advanced(len(places))
        self.rate = len(self._train) / (time.perf_counter() - begun)
        if not total.isfinite().any():
            raise NonFiniteLoss(
                f"The loss of every head became infinite in epoch {epoch}.",
                "Train again with smaller learning rates, e.g. --set grid_lrs=0.0001,0.001.",
            )
        points, metrics = self._judged()
        seconds = time.perf_counter() - begun
        self.place = GridPlace(epoch, self.place.seconds + seconds, (*self.place.curve, points))
        ahead = self.kept()
        told = {
            "train_loss": float(total[ahead]) / len(self._train),
            "lr": self.candidates[ahead].lr * falling((epoch - 1) * self._steps, self._epochs * self._steps),
            **metrics[ahead],
        }
        return ev.EpochFinished(time.time(), epoch, self._epochs, told, seconds, best=epoch == self._epochs)

    @property
    def _steps(self) -> int:
        return -(-len(self._train) // self._batch)

    def _batches(self, epoch: int) -> list[Sequence[int]]:
        order: list[int] = random_of(self._seed, epoch).permutation(len(self._train)).tolist()
        return batches_of(order, self._batch)

    def _step(self, epoch: int, number: int, places: Sequence[int]) -> Tensor:
        factor = falling((epoch - 1) * self._steps + number, self._epochs * self._steps)
        return self.heads.step(self._train(places), self._targets[list(places)], self._objective, factor)

    def _judged(self) -> tuple[tuple[HeadPoint, ...], list[dict[str, float]]]:
        """Every head on the validation cases."""
        if not len(self._val):
            return tuple(HeadPoint(None, None) for _ in self.candidates), [{} for _ in self.candidates]
        points, told = [], []
        chosen, dataset = self._material.spec.recipe.selection, self._material.dataset
        for probabilities in self.probabilities(self._val):
            loss, metrics = validation_of(dataset, self._val.cases.targets, probabilities)
            by = selection_score(metrics, dataset.task) if chosen == "auto" else metrics.get(chosen, math.nan)
            points.append(HeadPoint(*(value if math.isfinite(value) else None for value in (loss, by))))
            told.append({"val_loss": loss, **metrics})
        return tuple(points), told


def _cross_validated(
    material: Material, train: Table, parts: Sequence[Part], lrs: Sequence[float], fixed: Candidate
) -> Generator[ev.Event, None, tuple[Candidate, SampleScores | None]]:
    """The head of lowest log loss on cases that were held out, and what it says of each of them."""
    folds = folds_of(train.cases, material.dataset.task, material.spec.seed)
    if not folds:
        yield ev.Warned(
            time.time(),
            f"A class has a single patient among the shots, so nothing can be cross-validated: {fixed.label} is taken.",
        )
        return fixed, None
    yield ev.StageStarted(time.time(), "cross-validation", len(folds))
    pace = Pace("cross-validation", len(folds))
    scores: Rows | None = None
    for fold in folds:
        grid, said = _of_fold(material, train, parts, lrs, fold)
        if scores is None:
            scores = np.zeros((said.shape[0], len(train), said.shape[2]), dtype=np.float32)
        scores[:, fold[1]] = said
        yield pace.advanced(1)
    assert scores is not None  # noqa: S101 -- there is a fold
    targets, task = train.cases.targets, material.dataset.task
    losses = [log_loss(of_head.astype(np.float64), targets, task) for of_head in scores]
    best = int(np.argmin([loss if math.isfinite(loss) else math.inf for loss in losses]))
    held_out = SampleScores(train.cases.firsts, scores[best], None)
    return grid.candidates[best], of_images(held_out, train.cases, material.ids[Partition.TRAIN])


def _of_fold(
    material: Material, train: Table, parts: Sequence[Part], lrs: Sequence[float], fold: Fold
) -> tuple[_Grid, Rows]:
    learned, held = (_taken(train, places) for places in fold)
    grid = _Grid(material, parts, lrs, learned, held)
    grid.fit()
    return grid, grid.probabilities(held)


def _taken(table: Table, places: Sequence[int]) -> Table:
    held = None if table.held is None else table.held[list(places)]
    return replace(table, cases=table.cases.taken(places), held=held)


def _rank(point: HeadPoint) -> tuple[float, float]:
    return (
        -math.inf if point.score is None else point.score,
        -math.inf if point.loss is None else -point.loss,
    )
