"""What turns features into scores: a linear layer, or a vote of the nearest training images.

A head is kept as ``weights/head.safetensors`` (its tensors) and ``weights/head.json`` (what they mean).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from medfm_gui.domain.dataset import Task

_ROWS_AT_ONCE = 256


class Scores(NamedTuple):
    """Probabilities B × classes, and the logits that they come from where the head has some."""

    probabilities: Tensor
    logits: Tensor | None


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """What the tensors of a head mean; ``k`` and ``temperature`` belong to ``knn``."""

    kind: Literal["linear", "knn"]
    task: Task
    classes: tuple[str, ...]
    feature_dim: int
    k: int = 0
    temperature: float = 0.0


class LinearHead(nn.Module):
    """One linear layer: features B × D to logits B × classes."""

    def __init__(self, facts: HeadFacts) -> None:
        super().__init__()
        self.facts = facts
        self.linear = nn.Linear(facts.feature_dim, len(facts.classes))

    def forward(self, features: Tensor) -> Tensor:
        """Logits B × classes."""
        logits: Tensor = self.linear(features)
        return logits

    def scores(self, features: Tensor) -> Scores:
        """Probabilities: softmax, or a sigmoid a class where classes do not exclude each other."""
        logits = self(features)
        return Scores(probabilities_of(logits, self.facts.task), logits)


class NearestNeighbours(nn.Module):
    """DINOv2's weighted vote: the k most similar training images, weights = softmax of cosine / temperature.

    Source: Oquab et al. 2023, "DINOv2", after Wu et al. 2018. Where classes do not exclude each other, a class's
    score is the weighted share of positives among the neighbours in which it was assessed.
    """

    references: Tensor
    labels: Tensor

    def __init__(self, facts: HeadFacts, references: Tensor, labels: Tensor) -> None:
        """Take the training images.

        Args:
            facts: with ``k`` at most the number of references.
            references: n × D features of unit length.
            labels: n × classes, 1 or 0; -1 = not assessed.
        """
        super().__init__()
        self.facts = facts
        self.register_buffer("references", references)
        self.register_buffer("labels", labels.to(torch.int8))

    def scores(self, features: Tensor) -> Scores:
        """Probabilities B × classes; a vote has no logits."""
        parts = [self._vote(part) for part in torch.split(features, _ROWS_AT_ONCE)]
        return Scores(torch.cat(parts), None)

    def _vote(self, features: Tensor) -> Tensor:
        likeness = functional.normalize(features, dim=1) @ self.references.T
        nearest = likeness.topk(self.facts.k, dim=1)
        weights = (nearest.values / self.facts.temperature).softmax(dim=1)[:, :, None]
        votes = self.labels[nearest.indices]
        assessed = (votes >= 0).float() * weights
        positive = (votes > 0).float() * weights
        total = assessed.sum(dim=1)
        shares = positive.sum(dim=1) / total.clamp_min(torch.finfo(torch.float32).tiny)
        return torch.where(total > 0, shares, torch.full_like(shares, 0.5)).clamp_(0.0, 1.0)


Head = LinearHead | NearestNeighbours


def probabilities_of(logits: Tensor, task: Task) -> Tensor:
    """Probabilities of logits B × classes."""
    return logits.sigmoid() if task is Task.MULTILABEL else logits.softmax(dim=1)


def head_of(facts: HeadFacts, tensors: Mapping[str, Tensor]) -> Head:
    """The head that was kept.

    Raises:
        KeyError, RuntimeError: the tensors are not those of such a head.
    """
    if facts.kind == "knn":
        return NearestNeighbours(facts, tensors["references"], tensors["labels"]).eval()
    head = LinearHead(facts)
    head.load_state_dict(dict(tensors), strict=True)
    return head.eval()
