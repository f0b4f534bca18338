"""Training by gradient: the one loop of every adaptation that has a ``Scope`` (see there for the seam).

The best epoch on validation is kept. Everything random is a function of (seed, epoch, step, sample), and a
checkpoint holds all that the next step needs; so a run that was paused or killed ends, on a CPU, in the same
bits as one that was not. Where memory is short a step takes its batch in parts, and the run says so.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import NonFiniteLoss, UsageError
from medfm_gui.domain.split import Partition
from medfm_gui.engine.adaptations.order import balanced, order_of
from medfm_gui.engine.adaptations.scope import Prepare, Scope
from medfm_gui.engine.adaptations.tuning import PartTooLarge, Tuning
from medfm_gui.engine.augment import random_of
from medfm_gui.engine.checkpoint import Checkpoint
from medfm_gui.engine.failure import named
from medfm_gui.engine.fitted import Fitted, validation_of
from medfm_gui.engine.loader import ahead
from medfm_gui.engine.loss import Objective, class_weights
from medfm_gui.engine.material import Material
from medfm_gui.engine.progress import Pace
from medfm_gui.engine.schedule import schedule_of
from medfm_gui.engine.scoring import SampleScores, Scorer
from medfm_gui.engine.session import PauseRequested
from medfm_gui.metrics.evaluate import selection_score

_GPU_STEPS_BETWEEN_LOOKS = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where a descent stands.

    ``epoch`` epochs are finished and ``step`` steps of the next one done, with ``loss_sum`` over ``seen`` samples;
    ``best`` is the best epoch (0: none yet) with its selection score and validation loss, None where not estimable.
    ``seconds`` and ``samples`` count training steps alone, over all attempts; ``parts`` is how many parts a batch
    is taken in.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    seen: int = 0
    best: int = 0
    best_score: float | None = None
    best_loss: float | None = None
    seconds: float = 0.0
    samples: int = 0
    seconds_in_all: float = 0.0
    scaler: Mapping[str, float] = field(default_factory=dict)
    parts: int = 1


def descend(material: Material, scope: Scope) -> Generator[ev.Event, None, Fitted]:
    """Train to the end, or from where an earlier attempt stopped.

    Raises:
        NonFiniteLoss: the loss or a gradient became NaN or infinite; the last finite checkpoint stays.
        OutOfMemory: not even a single image fits.
        UsageError: the recipe selects by a number that the task does not have.
    """
    training = _Descent(material, scope)
    yield from training.begun()
    try:
        while not training.over:
            yield from training.epoch()
    except PauseRequested as pause:
        training.check_finite()
        training.save()
        pause.epoch, pause.step = training.place.epoch, training.place.step
        raise
    return training.best()


def objective_of(material: Material) -> Objective:
    """The loss that the recipe orders for this task."""
    recipe, task = material.spec.recipe, material.dataset.task
    if not recipe.class_weights:
        return Objective(task, recipe.loss)
    weights = class_weights(material.targets(Partition.TRAIN), len(material.dataset.classes), task)
    return Objective(task, recipe.loss, weights)


def check_selection(material: Material) -> None:
    """See that the number by which the best is chosen is one that the task has.

    Raises:
        UsageError: it has not.
    """
    chosen, dataset = material.spec.recipe.selection, material.dataset
    if chosen == "auto" or not material.selects_on_validation:
        return
    targets = material.targets(Partition.VAL)
    even = np.full((len(targets), len(dataset.classes)), 1 / len(dataset.classes), dtype=np.float32)
    known = validation_of(dataset, targets, even)[1]
    if chosen not in known:
        raise UsageError(
            f"The best cannot be chosen by “{chosen}”, which the task ({dataset.task.value}) does not have.",
            f"Use selection=auto, or one of: {', '.join(known)}.",
        )


def inputs_of(material: Material, scope: Scope, epoch: int) -> Prepare:
    """Prepares the training inputs of an epoch, in whatever thread."""
    return scope.inputs(epoch) if scope.inputs else _Views(material, epoch)


class _Descent:
    def __init__(self, material: Material, scope: Scope) -> None:
        self._material = material
        self._scope = scope
        self._recipe = recipe = material.spec.recipe
        self._seed = material.spec.seed
        targets = material.targets(Partition.TRAIN)
        classes, task = len(material.dataset.classes), material.dataset.task
        self._targets = torch.from_numpy(targets.astype(np.int64))
        chances = balanced(targets, classes, task) if recipe.balanced_sampling else None
        self._order = order_of(recipe, len(targets), self._seed, chances)
        self._steps = self._order.steps
        self._schedule = schedule_of(recipe, self._steps)
        self._epochs = int(material.chosen["epochs"]) if material.chosen else recipe.epochs
        self._tuning = Tuning(material.backbone, scope, recipe, material.device, objective_of(material))
        self._checkpoint = Checkpoint(material.checkpoints, Place)
        self._unsettled: list[Tensor] = []
        self._looked_at: deque[Sequence[int]] = deque(maxlen=_GPU_STEPS_BETWEEN_LOOKS)
        self._begun = time.perf_counter()
        self._before = 0.0
        self.place = Place(parts=recipe.accumulate)

    def begun(self) -> Iterator[ev.Event]:
        """Say what should be known, and go on from a checkpoint, if there is one."""
        check_selection(self._material)
        saved = self._checkpoint.load()
        if saved:
            self.place, tensors = saved
            self._before = self.place.seconds_in_all
            self._tuning.load_tensors(tensors)
            self._tuning.load_scaler_state(self.place.scaler)
            yield ev.RunResumed(time.time(), self.place.epoch, self.place.step)
            return
        for sentence in (*self._scope.warnings, *_remarks(self._material)):
            yield ev.Warned(time.time(), sentence)

    @property
    def over(self) -> bool:
        """Whether the last epoch is done, or too many since the best one."""
        patience = self._recipe.patience
        stale = self.place.epoch - self.place.best
        return self.place.epoch >= self._epochs or 0 < patience <= stale

    def epoch(self) -> Iterator[ev.Event]:
        """Train, validate, save, tell."""
        begun = time.perf_counter()
        yield from self._train()
        with self._tuning.judged():
            metrics = yield from self._validated()
            better = self._judge(metrics)
            place = self.place
            train_loss = place.loss_sum / max(1, place.seen)
            self.place = replace(place, epoch=place.epoch + 1, step=0, loss_sum=0.0, seen=0)
            if better:
                self._checkpoint.save_best(self.place.epoch, self._tuning.weights())
        self.save()
        self._checkpoint.forget_all_but(self.place.best)
        lr = self._schedule.rate(place.epoch * self._steps + place.step - 1)
        told = {"train_loss": train_loss, "lr": lr, **metrics}
        yield ev.EpochFinished(time.time(), self.place.epoch, self._epochs, told, time.perf_counter() - begun, better)

    def check_finite(self) -> None:
        """What is saved must be able to go on.

        Raises:
            NonFiniteLoss: a loss or a weight is NaN or infinite.
        """
        self._settle()
        if not self._tuning.is_finite():
            raise self._not_finite("A weight became infinite")

    def save(self) -> None:
        """Make the place durable."""
        spent = self._before + time.perf_counter() - self._begun
        self.place = replace(self.place, seconds_in_all=spent, scaler=self._tuning.scaler_state())
        self._checkpoint.save(self.place, self._tuning.tensors())

    def best(self) -> Fitted:
        """The model of the best epoch."""
        self._tuning.load_weights(self._checkpoint.load_best(self.place.best))
        self._material.backbone.module.requires_grad_(False).eval()
        rate = self.place.samples / self.place.seconds if self.place.seconds else 0.0
        return Fitted(
            head=self._scope.head.requires_grad_(False).eval(),
            trained_parameters=self._tuning.parameters,
            samples_per_second=rate,
            backbone_trained=bool(self._scope.trained),
            seconds_before=self._before,
            chosen={"epochs": self.place.best},
            selected=self._material.selects_on_validation,
            facts={"trained of the backbone": self._scope.said},
            change=self._scope.change,
            changed=frozenset(
                name.removeprefix("backbone.") for name in self._tuning.kept if name.startswith("backbone.")
            ),
        )

    def _train(self) -> Iterator[ev.Event]:
        number = self.place.epoch + 1
        every = self._order.batches(number)
        batches = every[self.place.step :]
        images = sum(map(len, every))
        yield ev.StageStarted(time.time(), "train", images)
        pace = Pace("train", images, done=self.place.seen)
        clock = time.perf_counter()
        prepare = inputs_of(self._material, self._scope, number)
        with contextlib.closing(ahead(prepare, batches, self._recipe.workers)) as ready:
            for places, inputs in zip(batches, ready, strict=True):
                yield from self._step(places, inputs)
                now = time.perf_counter()
                self.place = replace(
                    self.place,
                    step=self.place.step + 1,
                    seen=self.place.seen + len(places),
                    samples=self.place.samples + len(places),
                    seconds=self.place.seconds + now - clock,
                )
                clock = now
                if self._material.device.type == "cpu" or len(self._unsettled) >= _GPU_STEPS_BETWEEN_LOOKS:
                    self._settle()
                yield pace.advanced(len(places))
        self.check_finite()
        self._material.images.release()

    def _step(self, places: Sequence[int], inputs: Tensor) -> Iterator[ev.Event]:
        """One step of the optimiser; in twice as many parts if memory was not enough.

        Raises:
            OutOfMemory: a part is a single image already.
        """
        number, step = self.place.epoch + 1, self.place.step
        self._looked_at.append(places)
        while True:
            with contextlib.suppress(PartTooLarge):
                loss = self._tuning.step(
                    inputs,
                    self._targets[places],
                    lr=self._schedule.rate(self.place.epoch * self._steps + step),
                    seed=int(random_of(self._seed, number, 0, step + 1).integers(2**62)),
                    parts=min(self.place.parts, len(places)),
                )
                self._unsettled.append(loss * len(places))
                return
            if self.place.parts >= len(places):
                raise named(MemoryError())
            self._tuning.make_room()
            self.place = replace(self.place, parts=2 * self.place.parts)
            yield ev.Warned(time.time(), _in_parts(len(places), self.place.parts))

    def _settle(self) -> None:
        """Look at the losses since the last look."""
        if not self._unsettled:
            return
        added = float(torch.stack(self._unsettled).double().sum())
        self._unsettled.clear()
        if not math.isfinite(added):
            raise self._not_finite(f"The loss became {added}")
        self.place = replace(self.place, loss_sum=self.place.loss_sum + added)

    def _not_finite(self, what: str) -> NonFiniteLoss:
        epoch, step = self.place.epoch, self.place.step
        lr = self._schedule.rate(epoch * self._steps + step - 1)
        cause, advice = self._cause()
        return NonFiniteLoss(
            f"{what} at step {step} of {self._steps} in epoch {epoch + 1}, with learning rate {lr:.3g}; "
            f"most likely {cause}.",
            f"{advice}; the state after epoch {epoch} is kept.",
        )

    def _cause(self) -> tuple[str, str]:
        """Why numbers ran away, and what to do."""
        prepare = inputs_of(self._material, self._scope, self.place.epoch + 1)
        if not all(bool(prepare(places).isfinite().all()) for places in self._looked_at):
            return "because an image holds numbers that are not finite", "Check the images, and import them again"
        first = self.place.epoch == 0 and self.place.step == 1
        if first and not self._tuning.is_finite():
            return "because the pretrained weights hold such numbers", "Fetch or import the weights again"
        if self._tuning.half is torch.float16:
            return (
                "because float16 cannot hold numbers above 65,504",
                "Train again with --set precision=bf16 or precision=fp32, or with a smaller learning rate",
            )
        return (
            "because the learning rate is too high",
            f"Train again with a smaller one, e.g. --set lr={self._recipe.lr / 10:.1g}",
        )

    def _validated(self) -> Generator[ev.Event, None, Mapping[str, float]]:
        material, recipe = self._material, self._recipe
        if not material.ids[Partition.VAL]:
            return {}
        self._scope.head.eval()
        scores = yield from self._scores()
        targets, probabilities = material.targets(Partition.VAL), scores.probabilities
        if recipe.validation_drop_last:
            lot = random_of(self._seed, self.place.epoch + 1, 0, 0, 1).permutation(len(targets))
            kept = lot[: len(lot) // recipe.batch_size * recipe.batch_size] if len(lot) >= recipe.batch_size else lot
            targets, probabilities = targets[kept], probabilities[kept]
        loss, metrics = validation_of(material.dataset, targets, probabilities)
        return {"val_loss": loss, **metrics}

    def _scores(self) -> Generator[ev.Event, None, SampleScores]:
        if self._scope.validation:
            return (yield from self._scope.validation())
        material, recipe = self._material, self._recipe
        batch = max(1, recipe.batch_size * recipe.accumulate // self.place.parts)
        head = self._scope.head
        scorer = Scorer(material.backbone, head, material.device, material.images, batch, recipe.workers)
        return (yield from scorer.scores(material.ids[Partition.VAL], "validate"))

    def _judge(self, metrics: Mapping[str, float]) -> bool:
        """Whether this epoch is the best so far; validation loss tells equal scores apart, then the earlier stays.

        Where validation may not select, the last epoch counts as the best.
        """
        if not self._material.selects_on_validation:
            self.place = replace(self.place, best=self.place.epoch + 1)
            return True
        chosen = self._recipe.selection
        by = (
            selection_score(metrics, self._material.dataset.task) if chosen == "auto" else metrics.get(chosen, math.nan)
        )
        score, loss = (value if math.isfinite(value) else None for value in (by, metrics["val_loss"]))
        better = self.place.best == 0 or _rank(score, loss) > _rank(self.place.best_score, self.place.best_loss)
        if better:
            self.place = replace(self.place, best=self.place.epoch + 1, best_score=score, best_loss=loss)
        return better


@dataclass(frozen=True, slots=True)
class _Views:
    """Prepares the training images of one epoch, in whatever thread."""

    material: Material
    epoch: int

    def __call__(self, places: Sequence[int]) -> Tensor:
        train, spec = self.material.ids[Partition.TRAIN], self.material.spec
        ids = [train[place] for place in places]
        if not spec.recipe.augment:
            return self.material.images.batch(ids)
        return self.material.images.augmented(ids, places, spec.seed, self.epoch)


def _remarks(material: Material) -> Iterator[str]:
    """What the recipe asks for that will not be, or that weakens the result."""
    recipe, device = material.spec.recipe, material.device
    if recipe.precision == "fp16" and device.type != "cuda":
        yield "The recipe asks for float16, which a processor does not train in: this run uses float32."
    if not recipe.backbone_gradient:
        yield (
            "Features are computed without gradient, as Study B’s published code does: whatever the recipe would train "
            "of the backbone stays as it began."
        )
    if recipe.validation_drop_last:
        yield "Epochs are judged on full batches of validation images only, as Study A’s published code does."


def _in_parts(images: int, parts: int) -> str:
    return (
        f"There is not enough memory for {-(-images * 2 // parts)} images at once, so each step now adds up {parts} "
        f"parts of {-(-images // parts)}. The batch stays {images}; batch statistics, if there are any, see a part."
    )


def _rank(score: float | None, loss: float | None) -> tuple[float, float]:
    return (-math.inf if score is None else score, -math.inf if loss is None else -loss)
