"""The loss of a task, in tensors for training and in numpy for a number beside it.

A loss is a total over images divided by a mass that follows from the reference labels alone: so the parts of a
batch that does not fit into memory add up to exactly the loss of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from medfm_gui.domain.dataset import UNKNOWN, Task

_LEAST = 1e-15


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """What a training makes small.

    ``kind`` is ``ce``; ``ordinal`` (the negative log-likelihood of each of the K - 1 answers to “is it above
    class k?”, their probabilities being sums of the softmax); or ``study-b`` (a multi-label batch is summed over
    images and averaged over labels, as Study B's code does, so that it grows with the batch).
    ``weights`` has one factor a class (for a multi-label task: of its positives); None = all 1.
    """

    task: Task
    kind: str = "ce"
    weights: Tensor | None = None

    def total(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The sum over a batch; arguments as ``each``."""
        return self.each(logits, targets).sum()

    def each(self, logits: Tensor, targets: Tensor) -> Tensor:
        """B numbers, one an image, which add up to ``total``.

        Args:
            logits: B × classes, float32.
            targets: B class indices; or B × classes of 0, 1, ``UNKNOWN`` (left out) for multi-label tasks.
        """
        if self.task is Task.MULTILABEL:
            known = (targets != UNKNOWN).to(logits.dtype)
            wanted = targets.clamp_min(0).to(logits.dtype)
            each = functional.binary_cross_entropy_with_logits(
                logits, wanted, reduction="none", pos_weight=self._factors(logits)
            )
            return (each * known).sum(dim=1)
        if self.kind == "ordinal":
            each = _threshold_losses(logits, targets)
            factors = self._factors(logits)
            return each if factors is None else each * factors[targets]
        return functional.cross_entropy(logits, targets, weight=self._factors(logits), reduction="none")

    def mass(self, targets: Tensor) -> Tensor:
        """What the total of these images is divided by; at least 1 where nothing was assessed."""
        if self.task is Task.MULTILABEL:
            if self.kind == "study-b":
                return torch.tensor(float(targets.shape[1]), device=targets.device)
            known = (targets != UNKNOWN).sum().float()
            return known.clamp_min(torch.ones((), device=targets.device))
        if self.weights is None:
            return torch.tensor(float(len(targets)), device=targets.device)
        return self.weights.to(targets.device)[targets].sum()

    def _factors(self, logits: Tensor) -> Tensor | None:
        return None if self.weights is None else self.weights.to(logits.device)


def class_weights(targets: npt.NDArray[np.integer], classes: int, task: Task) -> Tensor:
    """Factors that let rare classes count as much as frequent ones; 1 on average over the images.

    Args:
        targets: as of ``Objective.total``.

    Returns:
        n / (classes × n of the class); for a multi-label task negatives / positives of each label. A class that
        is absent has 1.
    """
    if task is Task.MULTILABEL:
        positives, negatives = (targets == 1).sum(axis=0), (targets == 0).sum(axis=0)
        factors = np.where((positives > 0) & (negatives > 0), negatives / np.maximum(positives, 1), 1.0)
    else:
        counts = np.bincount(targets, minlength=classes)
        factors = np.where(counts > 0, len(targets) / (classes * np.maximum(counts, 1)), 1.0)
    return torch.from_numpy(factors.astype(np.float32))


def log_loss(probabilities: npt.NDArray[np.float64], targets: npt.NDArray[np.integer], task: Task) -> float:
    """Mean negative log-likelihood of probabilities n × classes; NaN where nothing was assessed."""
    likely = probabilities.clip(_LEAST, 1.0)
    if task is not Task.MULTILABEL:
        return float(-np.log(likely[np.arange(len(targets)), targets]).mean())
    unlikely = (1.0 - probabilities).clip(_LEAST, 1.0)
    each = -np.where(targets == 1, np.log(likely), np.log(unlikely))[targets != UNKNOWN]
    return float(each.mean()) if each.size else float("nan")


def _threshold_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """B losses: - Σ_k log P(answer to “above class k?”), from sums of the softmax kept in logarithms."""
    log_p = logits.log_softmax(dim=1)
    at_most = log_p.logcumsumexp(dim=1)[:, :-1]
    above = log_p.flip(1).logcumsumexp(dim=1).flip(1)[:, 1:]
    thresholds = torch.arange(logits.shape[1] - 1, device=logits.device)
    return -torch.where(targets[:, None] > thresholds, above, at_most).sum(dim=1)
