"""Full fine-tuning: every weight of the backbone and a linear head, with augmentation.

The best epoch on validation is kept. Everything random is a function of (seed, epoch, step, sample), and a
checkpoint holds all that the next step needs; so a run that was paused or killed ends, on a CPU, in the same
bits as one that was not.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import NonFiniteLoss
from medfm_gui.domain.split import Partition
from medfm_gui.engine.adaptations.tuning import Tuning
from medfm_gui.engine.augment import random_of
from medfm_gui.engine.checkpoint import Checkpoint
from medfm_gui.engine.fitted import Fitted, validation_of
from medfm_gui.engine.head import HeadFacts
from medfm_gui.engine.loader import ahead, batches_of
from medfm_gui.engine.material import Material
from medfm_gui.engine.progress import Pace
from medfm_gui.engine.schedule import learning_rate
from medfm_gui.engine.scoring import Scorer
from medfm_gui.engine.session import PauseRequested
from medfm_gui.metrics.evaluate import selection_score

_GPU_STEPS_BETWEEN_LOOKS = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fine-tuning stands.

    ``epoch`` epochs are finished and ``step`` steps of the next one done, with ``loss_sum`` over ``seen`` samples;
    ``best`` is the best epoch (0: none yet) with its selection score and validation loss, None where not estimable.
    ``seconds`` and ``samples`` count training steps alone, over all attempts.
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


def adapt(material: Material) -> Generator[ev.Event, None, Fitted]:
    """Train to the end, or from where an earlier attempt stopped.

    Raises:
        NonFiniteLoss: the loss or a gradient became NaN or infinite; the last finite checkpoint stays.
    """
    training = _FineTuning(material)
    yield from training.resumed()
    try:
        while not training.over:
            yield from training.epoch()
    except PauseRequested as pause:
        training.check_finite()
        training.save()
        pause.epoch, pause.step = training.place.epoch, training.place.step
        raise
    return training.best()


class _FineTuning:
    def __init__(self, material: Material) -> None:
        self._material = material
        self._recipe = material.spec.recipe
        self._seed = material.spec.seed
        self._ids = material.ids[Partition.TRAIN]
        self._targets = torch.from_numpy(material.targets(Partition.TRAIN).astype(np.int64))
        self._steps = len(batches_of(self._ids, self._recipe.batch_size))
        torch.manual_seed(self._seed)  # the head's first weights
        dataset = material.dataset
        facts = HeadFacts("linear", dataset.task, dataset.classes, material.backbone.feature_dim)
        self._tuning = Tuning(material.backbone, facts, self._recipe, material.device)
        self._checkpoint = Checkpoint(material.folder, Place)
        self._unsettled: list[Tensor] = []
        self._begun = time.perf_counter()
        self._before = 0.0
        self.place = Place()

    def resumed(self) -> Iterator[ev.Event]:
        """Go on from a checkpoint, if there is one."""
        saved = self._checkpoint.load()
        if saved:
            self.place, tensors = saved
            self._before = self.place.seconds_in_all
            self._tuning.load_tensors(tensors)
            self._tuning.load_scaler_state(self.place.scaler)
            yield ev.RunResumed(time.time(), self.place.epoch, self.place.step)

    @property
    def over(self) -> bool:
        """Whether the last epoch is done, or too many since the best one."""
        patience = self._recipe.patience
        stale = self.place.epoch - self.place.best
        return self.place.epoch >= self._recipe.epochs or 0 < patience <= stale

    def epoch(self) -> Iterator[ev.Event]:
        """Train, validate, save, tell."""
        begun = time.perf_counter()
        yield from self._train()
        metrics = yield from self._validated()
        better = self._judge(metrics)
        place = self.place
        train_loss = place.loss_sum / max(1, place.seen)
        self.place = replace(place, epoch=place.epoch + 1, step=0, loss_sum=0.0, seen=0)
        if better:
            self._checkpoint.save_best(self.place.epoch, self._tuning.weights())
        self.save()
        self._checkpoint.forget_all_but(self.place.best)
        told = {"train_loss": train_loss, "lr": self._lr(place.epoch * self._steps + place.step - 1), **metrics}
        yield ev.EpochFinished(
            time.time(), self.place.epoch, self._recipe.epochs, told, time.perf_counter() - begun, better
        )

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
            head=self._tuning.head.requires_grad_(False).eval(),
            trained_parameters=self._tuning.parameters,
            samples_per_second=rate,
            backbone_trained=True,
            seconds_before=self._before,
        )

    def _train(self) -> Iterator[ev.Event]:
        number = self.place.epoch + 1
        order = random_of(self._seed, number).permutation(len(self._ids)).tolist()
        batches = batches_of(order, self._recipe.batch_size)[self.place.step :]
        yield ev.StageStarted(time.time(), "train", len(order))
        pace = Pace("train", len(order), done=self.place.seen)
        clock = time.perf_counter()
        with contextlib.closing(ahead(self._inputs(number), batches, self._recipe.workers)) as ready:
            for places, inputs in zip(batches, ready, strict=True):
                step = self.place.step
                loss = self._tuning.step(
                    inputs,
                    self._targets[places],
                    lr=self._lr(self.place.epoch * self._steps + step),
                    seed=int(random_of(self._seed, number, 0, step + 1).integers(2**62)),
                )
                self._unsettled.append(loss * len(places))
                now = time.perf_counter()
                self.place = replace(
                    self.place,
                    step=step + 1,
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

    def _inputs(self, epoch: int) -> _Views:
        return _Views(self._material, self._ids, self._seed, epoch, self._recipe.augment)

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
        lr = self._lr(epoch * self._steps + step - 1)
        return NonFiniteLoss(
            f"{what} at step {step} of {self._steps} in epoch {epoch + 1}, with learning rate {lr:.3g}.",
            f"Train again with a smaller learning rate, e.g. --set lr={self._recipe.lr / 10:.1g}; "
            f"the state after epoch {epoch} is kept.",
        )

    def _validated(self) -> Generator[ev.Event, None, Mapping[str, float]]:
        material = self._material
        scorer = Scorer(
            material.backbone,
            self._tuning.head,
            material.device,
            material.images,
            self._recipe.batch_size,
            self._recipe.workers,
        )
        scores = yield from scorer.scores(material.ids[Partition.VAL], "validate")
        targets = material.targets(Partition.VAL)
        loss, metrics = validation_of(material.dataset, targets, scores.probabilities)
        return {"val_loss": loss, **metrics}

    def _judge(self, metrics: Mapping[str, float]) -> bool:
        """Whether this epoch is the best so far; validation loss tells equal scores apart, then the earlier stays."""
        measured = selection_score(metrics, self._material.dataset.task), metrics["val_loss"]
        score, loss = (value if math.isfinite(value) else None for value in measured)
        better = self.place.best == 0 or _rank(score, loss) > _rank(self.place.best_score, self.place.best_loss)
        if better:
            self.place = replace(self.place, best=self.place.epoch + 1, best_score=score, best_loss=loss)
        return better

    def _lr(self, step: int) -> float:
        return learning_rate(
            step,
            peak=self._recipe.lr,
            warmup_steps=self._recipe.warmup_epochs * self._steps,
            total_steps=self._recipe.epochs * self._steps,
        )


@dataclass(frozen=True, slots=True)
class _Views:
    """Prepares the training images of one epoch, in whatever thread."""

    material: Material
    ids: Sequence[str]
    seed: int
    epoch: int
    augment: bool

    def __call__(self, places: Sequence[int]) -> Tensor:
        ids = [self.ids[place] for place in places]
        if not self.augment:
            return self.material.images.batch(ids)
        return self.material.images.augmented(ids, places, self.seed, self.epoch)


def _rank(score: float | None, loss: float | None) -> tuple[float, float]:
    return (-math.inf if score is None else score, -math.inf if loss is None else -loss)
