"""Linear probe: logistic regression on frozen features, along a path of penalties from strong to weak.

Features are centred and divided by one common scale, both of the training cases: a scale for each feature would lift
those that hardly vary to the weight of the others, which cost up to 0.04 AUC on small sets. Validation log loss chooses
the penalty (a tie goes to the stronger one). A few-shot run that may not look at validation labels takes the middle of
the path, or lets cross-validation on its shots choose. The scaling is folded into the weights, so that the result is
one linear layer. Where a patient's images are joined by attention there is no such path: attention and layer are
trained by gradient.

A point takes milliseconds, a durable file as long: the path is saved after its first point, then every two
seconds. Points after the last save are computed again, and since a point is a function of the bank and the
point before, a resumed path ends in the same bits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from medfm_gui.domain import events as ev
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.split import Partition
from medfm_gui.engine.adaptations import attention_over_images
from medfm_gui.engine.bank import Rows
from medfm_gui.engine.cases import Targets, rows_of
from medfm_gui.engine.checkpoint import Checkpoint
from medfm_gui.engine.fitted import Fitted, validation_of
from medfm_gui.engine.folds import folds_of
from medfm_gui.engine.head import HeadFacts, LinearHead
from medfm_gui.engine.logistic import Doubles, Layer, LogisticPath
from medfm_gui.engine.loss import log_loss
from medfm_gui.engine.material import Material
from medfm_gui.engine.scoring import SampleScores, of_images
from medfm_gui.engine.session import PauseRequested

_STRONGEST, _WEAKEST = 1e-5, 1e2
_SAVE_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class PathPlace:
    """How far the path is: points done, the best one (from 1), its validation log loss, seconds spent."""

    done: int = 0
    best: int = 0
    best_loss: float | None = None
    seconds: float = 0.0


class Side(NamedTuple):
    """Features n × D of some cases, and their targets."""

    rows: Rows
    targets: Targets


def penalties(points: int) -> Doubles:
    """C of each point, from a strong penalty to a weak one; a single point stands in the middle."""
    if points == 1:
        return np.array([np.sqrt(_STRONGEST * _WEAKEST)])
    return np.geomspace(_STRONGEST, _WEAKEST, points)


def adapt(material: Material) -> Generator[ev.Event, None, Fitted]:
    """Walk the path and keep its best point.

    Raises:
        UsageError: the training images have one class only.
    """
    if material.spec.recipe.aggregate == "attention":
        return (yield from attention_over_images.adapt(material))
    begun = time.perf_counter()
    features = yield from material.frozen().look(material.every_id)
    seconds = time.perf_counter() - begun
    aggregate = material.spec.recipe.aggregate
    train, val = (
        Side(rows_of(features, cases, aggregate), cases.targets)
        for cases in (material.cases(Partition.TRAIN), material.cases(Partition.VAL))
    )
    path, out_of_fold = yield from _path(material, train)
    probe = _Probe(material, train, val)
    head, place = yield from _walk(probe, path, Checkpoint(material.checkpoints, PathPlace))
    rate = len(features) / seconds if seconds >= place.seconds else len(train.rows) * place.done / place.seconds
    c = float(path[place.best - 1])
    return Fitted(
        head,
        sum(part.numel() for part in head.parameters()),
        rate,
        chosen={"c": c},
        selected=material.selects_on_validation,
        facts={"penalty": f"C = {c:.3g}, {_chosen_by(material, out_of_fold)}"},
        out_of_fold=out_of_fold,
    )


def _chosen_by(material: Material, out_of_fold: SampleScores | None) -> str:
    if material.selects_on_validation:
        return "chosen on validation"
    if material.chosen is not None:
        return "chosen in the first stage"
    return "chosen by cross-validation on the shots" if out_of_fold else "fixed beforehand"


def _path(material: Material, train: Side) -> Generator[ev.Event, None, tuple[Doubles, SampleScores | None]]:
    """The penalties to walk: all of them where validation chooses, else the one that is chosen by other means."""
    points = penalties(material.spec.recipe.epochs)
    if material.chosen is not None:
        return np.array([material.chosen["c"]]), None
    if material.selects_on_validation:
        return points, None
    if material.spec.recipe.shot_tuning == "inner-cv":
        folds = folds_of(material.cases(Partition.TRAIN), material.dataset.task, material.spec.seed)
        if folds:
            yield ev.StageStarted(time.time(), "cross-validation", len(folds))
            place, scores = _cross_validated(material, train, points, folds)
            return points[place : place + 1], scores
        yield ev.Warned(
            time.time(),
            "A class has a single patient among the shots, so nothing can be cross-validated: the penalty is fixed.",
        )
    return penalties(1), None


def _cross_validated(
    material: Material, train: Side, points: Doubles, folds: list[tuple[list[int], list[int]]]
) -> tuple[int, SampleScores]:
    """The point of lowest log loss on cases that were held out, and what it says of each of them."""
    classes = len(material.dataset.classes)
    scores = np.full((len(points), len(train.rows), classes), 1.0 / classes, dtype=np.float32)
    for learned, held in folds:
        part = Side(train.rows[learned], train.targets[learned])
        try:
            probe = _Probe(material, part, Side(train.rows[held], train.targets[held]))
        except UsageError:  # of many rare labels a fold may learn none; its cases keep even chances
            continue
        for place, c in enumerate(points):
            scores[place, held] = probe.probabilities(probe.fit(float(c)))[1]
    task = material.dataset.task
    losses = [log_loss(of_point.astype(np.float64), train.targets, task) for of_point in scores]
    best = int(np.argmin(losses))
    cases = material.cases(Partition.TRAIN)
    held_out = SampleScores(cases.firsts, scores[best], None)
    return best, of_images(held_out, cases, material.ids[Partition.TRAIN])


def _walk(
    probe: _Probe, path: Doubles, checkpoint: Checkpoint[PathPlace]
) -> Generator[ev.Event, None, tuple[LinearHead, PathPlace]]:
    """Fit, judge, save, tell; point by point."""
    place, best = PathPlace(), probe.blank()
    saved = checkpoint.load()
    if saved:
        place, tensors = saved
        best = probe.restored(tensors)
        yield ev.RunResumed(time.time(), place.done)
    yield ev.StageStarted(time.time(), "train", len(path))
    saved_at = -math.inf
    for point in range(place.done + 1, len(path) + 1):
        begun = time.perf_counter()
        head = probe.fit(float(path[point - 1]))
        metrics = probe.judged(head)
        loss = metrics.get("val_loss", math.nan)
        better = place.best == 0 or (place.best_loss is not None and loss < place.best_loss)
        if better:
            best = head
            place = replace(place, best=point, best_loss=loss if math.isfinite(loss) else None)
        seconds = time.perf_counter() - begun
        place = replace(place, done=point, seconds=place.seconds + seconds)
        if time.perf_counter() - saved_at >= _SAVE_EVERY_S:
            checkpoint.save(place, probe.tensors(best))
            saved_at = time.perf_counter()
        told = {**metrics, "c": float(path[point - 1])}
        try:
            yield ev.EpochFinished(time.time(), point, len(path), told, seconds, better)
        except PauseRequested as pause:
            checkpoint.save(place, probe.tensors(best))
            pause.epoch = place.done
            raise
    return best, place


class _Probe:
    """One linear layer on the features of some training cases, judged on others."""

    def __init__(self, material: Material, train: Side, val: Side) -> None:
        self._dataset = material.dataset
        task, classes = self._dataset.task, self._dataset.classes
        aggregate = material.spec.recipe.aggregate
        self._facts = HeadFacts("linear", task, classes, train.rows.shape[1], aggregate=aggregate)
        self._train, self._val = torch.from_numpy(train.rows), torch.from_numpy(val.rows)
        self._targets = train.targets, val.targets
        rows = train.rows.astype(np.float64)
        self._mean = rows.mean(axis=0)
        self._scale = float(np.sqrt(np.mean((rows - self._mean) ** 2))) or 1.0
        self._path = LogisticPath((rows - self._mean) / self._scale, train.targets, task, len(classes))

    def blank(self) -> LinearHead:
        """A layer that nothing was learned for."""
        return LinearHead(self._facts).requires_grad_(False).eval()

    def fit(self, c: float) -> LinearHead:
        """The layer for this penalty, on features as the backbone gives them."""
        layer: Layer = self._path.fit(c)
        weight = layer.weight / self._scale
        head = self.blank()
        head.linear.weight.copy_(torch.from_numpy(weight))
        head.linear.bias.copy_(torch.from_numpy(layer.bias - weight @ self._mean))
        return head

    def probabilities(self, head: LinearHead) -> tuple[Rows, Rows]:
        """What a layer says of the cases that it learned from, and of the others."""
        with torch.no_grad():
            train, val = (head.scores(part).probabilities.numpy() for part in (self._train, self._val))
        return train, val

    def judged(self, head: LinearHead) -> dict[str, float]:
        """Losses on both sides, and the validation metrics; without validation cases the one loss alone."""
        train, val = self.probabilities(head)
        told = {"train_loss": log_loss(train.astype(np.float64), self._targets[0], self._dataset.task)}
        if len(val):
            val_loss, metrics = validation_of(self._dataset, self._targets[1], val)
            told |= {"val_loss": val_loss, **metrics}
        return told

    def tensors(self, best: LinearHead) -> dict[str, Tensor]:
        """All that a resumed path needs."""
        path = {f"path.{name}": torch.from_numpy(array.copy()) for name, array in self._path.state().items()}
        return path | {f"best.{name}": tensor for name, tensor in best.state_dict().items()}

    def restored(self, tensors: Mapping[str, Tensor]) -> LinearHead:
        """Go on from ``tensors``; returns the best layer so far."""
        self._path.restore({name[5:]: tensor.numpy() for name, tensor in tensors.items() if name.startswith("path.")})
        best = self.blank()
        best.load_state_dict({name[5:]: tensor for name, tensor in tensors.items() if name.startswith("best.")})
        return best
