"""Linear probe: logistic regression on frozen features, along a path of penalties from strong to weak.

Features are standardised on the training images; validation log loss chooses the penalty (a tie goes to
the stronger one). The scaling is folded into the weights, so that the result is one linear layer.

A point takes milliseconds, a durable file as long: the path is saved after its first point, then every two
seconds. Points after the last save are computed again, and since a point is a function of the bank and the
point before, a resumed path ends in the same bits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from medfm_gui.domain import events as ev
from medfm_gui.domain.split import Partition
from medfm_gui.engine.bank import Rows
from medfm_gui.engine.checkpoint import Checkpoint
from medfm_gui.engine.fitted import Fitted, validation_of
from medfm_gui.engine.head import HeadFacts, LinearHead
from medfm_gui.engine.logistic import Doubles, Layer, LogisticPath
from medfm_gui.engine.loss import log_loss
from medfm_gui.engine.material import Material
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
    train, val = (material.ids[part] for part in (Partition.TRAIN, Partition.VAL))
    begun = time.perf_counter()
    features = yield from material.frozen().look([*train, *val, *material.ids[Partition.CAL]])
    seconds = time.perf_counter() - begun
    probe = _Probe(material, features.of(train), features.of(val))
    head, place = yield from _walk(probe, Checkpoint(material.folder, PathPlace))
    rate = len(features) / seconds if seconds >= place.seconds else len(train) * place.done / place.seconds
    return Fitted(head, sum(part.numel() for part in head.parameters()), rate)


def _walk(probe: _Probe, checkpoint: Checkpoint[PathPlace]) -> Generator[ev.Event, None, tuple[LinearHead, PathPlace]]:
    """Fit, judge, save, tell; point by point."""
    place, best = PathPlace(), probe.blank()
    saved = checkpoint.load()
    if saved:
        place, tensors = saved
        best = probe.restored(tensors)
        yield ev.RunResumed(time.time(), place.done)
    path = penalties(probe.points)
    yield ev.StageStarted(time.time(), "train", len(path))
    saved_at = -math.inf
    for point in range(place.done + 1, len(path) + 1):
        begun = time.perf_counter()
        head = probe.fit(float(path[point - 1]))
        metrics = probe.judged(head)
        loss = metrics["val_loss"]
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
    """One linear layer on the features of one training."""

    def __init__(self, material: Material, train: Rows, val: Rows) -> None:
        self.points = material.spec.recipe.epochs
        self._dataset = material.dataset
        self._facts = HeadFacts("linear", self._dataset.task, self._dataset.classes, train.shape[1])
        self._train, self._val = torch.from_numpy(train), torch.from_numpy(val)
        self._targets = material.targets(Partition.TRAIN), material.targets(Partition.VAL)
        self._scaler = StandardScaler()
        standardised = self._scaler.fit_transform(train.astype(np.float64))
        self._path = LogisticPath(standardised, self._targets[0], self._dataset.task, len(self._dataset.classes))

    def blank(self) -> LinearHead:
        """A layer that nothing was learned for."""
        return LinearHead(self._facts).requires_grad_(False).eval()

    def fit(self, c: float) -> LinearHead:
        """The layer for this penalty, on features as the backbone gives them."""
        layer: Layer = self._path.fit(c)
        weight = layer.weight / self._scaler.scale_
        head = self.blank()
        head.linear.weight.copy_(torch.from_numpy(weight))
        head.linear.bias.copy_(torch.from_numpy(layer.bias - weight @ self._scaler.mean_))
        return head

    def judged(self, head: LinearHead) -> dict[str, float]:
        """Losses on both sides, and the validation metrics."""
        with torch.no_grad():
            train, val = (head.scores(part).probabilities.numpy() for part in (self._train, self._val))
        val_loss, metrics = validation_of(self._dataset, self._targets[1], val)
        train_loss = log_loss(train.astype(np.float64), self._targets[0], self._dataset.task)
        return {"train_loss": train_loss, "val_loss": val_loss, **metrics}

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
