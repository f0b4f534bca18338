"""The tensors of many linear heads that are trained side by side, none of which knows of the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from medfm_gui.engine.loss import Objective
from medfm_gui.engine.reading import Reading

_MOMENTUM = 0.9
_FIRST_WEIGHT = 0.01


@dataclass(frozen=True, slots=True)
class Part:
    """Columns ``start`` to ``stop`` of a row, and how a single image is read to get them."""

    reading: Reading
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One head: what it reads and its first learning rate."""

    reading: Reading
    lr: float

    @property
    def label(self) -> str:
        """For people."""
        return f"learning rate {self.lr:g}, {self.reading.label}"


class GridHeads:
    """One linear head for each part and learning rate, in that order; those of a part are one matrix.

    SGD with momentum 0.9 and no decay, as ``torch.optim.SGD`` does it. First weights are N(0, 0.01), drawn by ``seed``
    a part; biases are 0.
    """

    def __init__(self, parts: Sequence[Part], lrs: Sequence[float], classes: int, seed: int) -> None:
        self._parts = tuple(parts)
        self._classes = classes
        self._lrs = torch.tensor(lrs, dtype=torch.float32)
        self._tensors: dict[str, Tensor] = {}
        for number, part in enumerate(parts):
            draw = torch.Generator().manual_seed(seed * len(parts) + number)
            shape = (len(lrs), classes, part.stop - part.start)
            self._tensors[f"{number}.weight"] = torch.randn(shape, generator=draw) * _FIRST_WEIGHT
            self._tensors[f"{number}.bias"] = torch.zeros(shape[:2])
        self._moments = {name: torch.zeros_like(tensor) for name, tensor in self._tensors.items()}

    @property
    def candidates(self) -> list[Candidate]:
        """The heads in the order of every answer."""
        return [Candidate(part.reading, float(lr)) for part in self._parts for lr in self._lrs.tolist()]

    def step(self, rows: Tensor, targets: Tensor, objective: Objective, factor: float) -> Tensor:
        """One step of every head at ``factor`` times its first learning rate; the losses before it, one a head."""
        leaves = {name: tensor.requires_grad_(True) for name, tensor in self._tensors.items()}
        logits = self._logits(rows)
        heads = len(logits)
        each = objective.each(logits.flatten(0, 1), targets.repeat(heads, *[1] * (targets.ndim - 1)))
        losses = each.reshape(heads, -1).sum(dim=1) / objective.mass(targets)
        # a head's loss depends on no other head, so one sum has every head's own gradient
        gradients = torch.autograd.grad(losses.sum(), list(leaves.values()))
        with torch.no_grad():
            for (name, tensor), gradient in zip(leaves.items(), gradients, strict=True):
                moment = self._moments[name].mul_(_MOMENTUM).add_(gradient)
                rates = (self._lrs * factor).reshape(-1, *[1] * (tensor.ndim - 1))
                tensor.requires_grad_(False).sub_(rates * moment)
        return losses.detach()

    def logits(self, rows: Tensor) -> Tensor:
        """Of every head: heads × B × classes."""
        with torch.no_grad():
            return self._logits(rows)

    def head(self, number: int) -> tuple[Tensor, Tensor]:
        """Weight classes × F and bias of one head."""
        part, lr = divmod(number, len(self._lrs))
        return self._tensors[f"{part}.weight"][lr].clone(), self._tensors[f"{part}.bias"][lr].clone()

    def state(self) -> dict[str, Tensor]:
        """All that the next step needs, copied."""
        moments = {f"moment.{name}": tensor.clone() for name, tensor in self._moments.items()}
        return {name: tensor.detach().clone() for name, tensor in self._tensors.items()} | moments

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a ``state``."""
        for name in self._tensors:
            self._tensors[name] = state[name].clone()
            self._moments[name] = state[f"moment.{name}"].clone()

    def _logits(self, rows: Tensor) -> Tensor:
        answers = []
        for number, part in enumerate(self._parts):
            weight, bias = self._tensors[f"{number}.weight"], self._tensors[f"{number}.bias"]
            joined = rows[:, part.start : part.stop] @ weight.flatten(0, 1).T + bias.flatten()
            answers.append(joined.reshape(len(rows), len(self._lrs), self._classes).transpose(0, 1))
        return torch.cat(answers)


def falling(step: int, steps: int) -> float:
    """The share of the first learning rate at a step, counted from 0: half a cosine to 0."""
    return 0.5 * (1.0 + math.cos(math.pi * step / max(1, steps)))
