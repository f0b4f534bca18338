"""The loss of a task, in tensors for training and in numpy for a number beside it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from medfm_gui.domain.dataset import UNKNOWN, Task

_LEAST = 1e-15


def training_loss(logits: Tensor, targets: Tensor, task: Task) -> Tensor:
    """Mean loss of a batch.

    Args:
        logits: B × classes.
        targets: B class indices; or B × classes of 0, 1, ``UNKNOWN`` (left out of the mean) for multi-label tasks.
    """
    if task is not Task.MULTILABEL:
        return functional.cross_entropy(logits, targets)
    assessed = (targets != UNKNOWN).to(logits.dtype)
    each = functional.binary_cross_entropy_with_logits(logits, targets.clamp_min(0).to(logits.dtype), reduction="none")
    return (each * assessed).sum() / assessed.sum().clamp_min(torch.ones((), device=logits.device))


def log_loss(probabilities: npt.NDArray[np.float64], targets: npt.NDArray[np.integer], task: Task) -> float:
    """Mean negative log-likelihood of probabilities n × classes; NaN where nothing was assessed."""
    likely = probabilities.clip(_LEAST, 1.0)
    if task is not Task.MULTILABEL:
        return float(-np.log(likely[np.arange(len(targets)), targets]).mean())
    unlikely = (1.0 - probabilities).clip(_LEAST, 1.0)
    each = -np.where(targets == 1, np.log(likely), np.log(unlikely))[targets != UNKNOWN]
    return float(each.mean()) if each.size else float("nan")
