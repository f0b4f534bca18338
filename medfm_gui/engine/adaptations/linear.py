"""Linear probe: logistic regression on frozen features, along a path of penalties from strong to weak.

Features are standardised on the training images; each penalty starts from the solution of the one before;
validation log loss chooses (a tie goes to the stronger penalty). The scaling is folded into the weights,
so that the result is one linear layer. After each penalty the solution is saved: a resumed path ends in
the same bits.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from medfm_gui.domain import events as ev
from medfm_gui.domain.dataset import UNKNOWN, Task
from medfm_gui.domain.errors import UsageError
from medfm_gui.domain.split import Partition
from medfm_gui.engine.bank import Rows
from medfm_gui.engine.checkpoint import Checkpoint
from medfm_gui.engine.fitted import Fitted, validation_of
from medfm_gui.engine.head import HeadFacts, LinearHead
from medfm_gui.engine.loss import log_loss
from medfm_gui.engine.material import Material, Targets

_STRONGEST, _WEAKEST = 1e-5, 1e2
_MOST_STEPS = 200
_NEVER = -1e4
"""The logit of a class that no training image has: probability 0."""

Doubles = npt.NDArray[np.float64]


class Layer(NamedTuple):
    """Logits = features @ weight.T + bias; weight classes × D, bias classes."""

    weight: Doubles
    bias: Doubles


@dataclass(frozen=True, slots=True)
class PathPlace:
    """How far the path is: points done, the best one (from 1) and its validation log loss."""

    done: int = 0
    best: int = 0
    best_loss: float = float("inf")
    seconds: float = 0.0


def penalties(points: int) -> Doubles:
    """C of logistic regression at each point, from a strong penalty to a weak one; one point takes the middle."""
    if points == 1:
        return np.array([np.sqrt(_STRONGEST * _WEAKEST)])
    return np.geomspace(_STRONGEST, _WEAKEST, points)


def adapt(material: Material) -> Generator[ev.Event, None, Fitted]:
    """Walk the path and keep the best layer.

    Raises:
        UsageError: the training images have one class only.
    """
    train, val = material.ids[Partition.TRAIN], material.ids[Partition.VAL]
    begun = time.perf_counter()
    features = yield from material.frozen().features([*train, *val, *material.ids[Partition.CAL]])
    read_seconds = time.perf_counter() - begun
    path = _Path(material, features[: len(train)], features[len(train) : len(train) + len(val)])
    yield from path.walk()
    head = path.head(path.best)
    fit_rate = len(train) * len(penalties(material.spec.recipe.epochs)) / max(path.seconds, 1e-9)
    rate = len(features) / read_seconds if read_seconds > path.seconds else fit_rate
    return Fitted(head, sum(part.numel() for part in head.parameters()), rate)


class _Path:
    """Penalties from strong to weak on one set of features."""

    def __init__(self, material: Material, train: Rows, val: Rows) -> None:
        self._dataset = material.dataset
        self._targets = material.targets(Partition.TRAIN), material.targets(Partition.VAL)
        self._raw = train, val
        self._scaler = StandardScaler().fit(train.astype(np.float64))
        self._scaled = self._scaler.transform(train.astype(np.float64))
        self._penalties = penalties(material.spec.recipe.epochs)
        self._checkpoint = Checkpoint(material.folder, PathPlace)
        self._models = _logistic_models(self._targets[0], len(self._dataset.classes), self._dataset.task)
        self._place = PathPlace()
        self.best = Layer(np.empty(0), np.empty(0))
        self.seconds = 0.0

    def walk(self) -> Generator[ev.Event, None, None]:
        total = len(self._penalties)
        if self._resume():
            yield ev.RunResumed(time.time(), self._place.done)
        yield ev.StageStarted(time.time(), "train", total)
        begun = time.perf_counter()
        for point in range(self._place.done + 1, total + 1):
            since = time.perf_counter()
            layer = self._fit(float(self._penalties[point - 1]))
            metrics, loss = self._judge(layer)
            better = loss < self._place.best_loss or not self._place.best
            if better:
                self.best = layer
                self._place = replace(self._place, best=point, best_loss=loss)
            self._place = replace(self._place, done=point)
            self._save()
            metrics = {**metrics, "penalty_c": float(self._penalties[point - 1])}
            yield ev.EpochFinished(time.time(), point, total, metrics, time.perf_counter() - since, better)
        self.seconds = time.perf_counter() - begun

    def head(self, layer: Layer) -> LinearHead:
        """The layer on raw features, in float32."""
        weight = layer.weight / self._scaler.scale_
        bias = layer.bias - weight @ self._scaler.mean_
        head = LinearHead(
            HeadFacts("linear", self._dataset.task, self._dataset.classes, weight.shape[1])
        )
        head.linear.weight.data = torch.from_numpy(weight.astype(np.float32))
        head.linear.bias.data = torch.from_numpy(bias.astype(np.float32))
        return head.requires_grad_(False).eval()
