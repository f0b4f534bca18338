"""What turns what was read of images into scores: a linear layer, neighbours, blocks on tokens, attention over images.

A head is kept as ``weights/head.safetensors`` (its tensors) and ``weights/head.json`` (what they mean). What it reads
of an image stands in its facts: ``reading.read(backbone, head.facts.reads, images)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from medfm_gui.domain.dataset import Task
from medfm_gui.engine.reading import POOLED, Reading

_ROWS_AT_ONCE = 256
_HIDDEN = 128


class Scores(NamedTuple):
    """Probabilities B × classes, and the logits that they come from where the head has some."""

    probabilities: Tensor
    logits: Tensor | None


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """What the tensors of a head mean.

    ``feature_dim`` is the length of what it takes of an image (of a token for ``attention``). ``k``, ``temperature``
    and ``samples`` (the training images behind the references, row by row) belong to neighbours; ``width``, ``depth``
    and ``tokens`` to ``attention``. ``aggregate`` is how images of a patient become one case, ``none`` if they do not.
    """

    kind: Literal["linear", "knn", "ml-knn", "attention", "bag"]
    task: Task
    classes: tuple[str, ...]
    feature_dim: int
    k: int = 0
    temperature: float = 0.0
    reads: Reading = POOLED
    samples: tuple[str, ...] = ()
    aggregate: str = "none"
    width: int = 0
    depth: int = 0
    tokens: int = 0


class Neighbours(NamedTuple):
    """The nearest training images of B images, the nearest first: B × k places in ``facts.samples``, and cosines."""

    indices: Tensor
    similarities: Tensor


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

    def neighbours(self, features: Tensor) -> Neighbours:
        """The k most similar training images of each row of B × D features."""
        return nearest(functional.normalize(features, dim=1), self.references, self.facts.k)

    def scores(self, features: Tensor) -> Scores:
        """Probabilities B × classes; a vote has no logits."""
        parts = [self.vote(self.neighbours(part)) for part in torch.split(features, _ROWS_AT_ONCE)]
        return Scores(torch.cat(parts), None)

    def vote(self, found: Neighbours) -> Tensor:
        """What neighbours say, B × classes; one at similarity -inf has no say."""
        weights = (found.similarities / self.facts.temperature).softmax(dim=1).nan_to_num()[:, :, None]
        votes = self.labels[found.indices]
        assessed = (votes >= 0).float() * weights
        positive = (votes > 0).float() * weights
        total = assessed.sum(dim=1)
        shares = positive.sum(dim=1) / total.clamp_min(torch.finfo(torch.float32).tiny)
        even = 0.5 if self.facts.task is Task.MULTILABEL else 1.0 / self.labels.shape[1]
        return torch.where(total > 0, shares, torch.full_like(shares, even)).clamp_(0.0, 1.0)


class MultiLabelNeighbours(nn.Module):
    """ML-kNN: for each label, the posterior of having it, given how many of the k neighbours have it.

    Source: Zhang & Zhou 2007, "ML-KNN: a lazy learning approach to multi-label learning", with cosine for Euclid's
    distance (as Study B). A neighbour in which a label was not assessed counts as one that does not have it.
    """

    references: Tensor
    labels: Tensor
    prior: Tensor
    likelihood: Tensor

    def __init__(self, facts: HeadFacts, tensors: Mapping[str, Tensor]) -> None:
        """Take the training images and what was counted among them.

        Args:
            tensors: ``references`` n × D of unit length, ``labels`` n × classes (1, 0, -1), ``prior`` classes, and
                ``likelihood`` 2 × classes × (k + 1): of counts among those without the label, and with it.
        """
        super().__init__()
        self.facts = facts
        for name in ("references", "labels", "prior", "likelihood"):
            self.register_buffer(name, tensors[name])

    def neighbours(self, features: Tensor) -> Neighbours:
        """The k most similar training images of each row of B × D features."""
        return nearest(functional.normalize(features, dim=1), self.references, self.facts.k)

    def scores(self, features: Tensor) -> Scores:
        """Probabilities B × classes, each label for itself; there are no logits."""
        parts = [self.posterior(self.neighbours(part)) for part in torch.split(features, _ROWS_AT_ONCE)]
        return Scores(torch.cat(parts), None)

    def posterior(self, found: Neighbours) -> Tensor:
        """Bayes' rule on the counts, B × classes; a neighbour at similarity -inf does not count."""
        there = (found.similarities > -torch.inf)[:, :, None]
        counts = ((self.labels[found.indices] > 0) & there).sum(dim=1)
        without, having = (part.gather(1, counts.T).T for part in self.likelihood)
        having, without = self.prior * having, (1.0 - self.prior) * without
        posterior: Tensor = having / (having + without)
        return posterior


class BagHead(nn.Module):
    """Gated attention over the images of a patient, then one linear layer on their weighted mean.

    Source: Ilse, Tomczak & Welling 2018, "Attention-based deep multiple instance learning", equation 9.
    """

    def __init__(self, facts: HeadFacts) -> None:
        super().__init__()
        self.facts = facts
        self.value = nn.Linear(facts.feature_dim, _HIDDEN)
        self.gate = nn.Linear(facts.feature_dim, _HIDDEN)
        self.weight = nn.Linear(_HIDDEN, 1)
        self.linear = nn.Linear(facts.feature_dim, len(facts.classes))

    def forward(self, bags: Tensor, there: Tensor) -> Tensor:
        """Logits B × classes.

        Args:
            bags: B × n × D, filled up to the longest bag.
            there: B × n, false where it was filled up.
        """
        urge = self.weight(self.value(bags).tanh() * self.gate(bags).sigmoid())[:, :, 0]
        share = urge.masked_fill(~there, -torch.inf).softmax(dim=1)
        logits: Tensor = self.linear((share[:, :, None] * bags).sum(dim=1))
        return logits

    def bag_scores(self, bags: Tensor, there: Tensor) -> Scores:
        """Probabilities of patients; arguments as ``forward``."""
        logits = self(bags, there)
        return Scores(probabilities_of(logits, self.facts.task), logits)

    def scores(self, features: Tensor) -> Scores:
        """Probabilities of images B × D, each as the only one of its patient."""
        return self.bag_scores(
            features[:, None], torch.ones(len(features), 1, dtype=torch.bool, device=features.device)
        )


class TokenHead(nn.Module):
    """Study A's attention head: tokens → linear and layer norm → transformer blocks → linear on the class token.

    ``trunk`` is a timm vision transformer without its patch embedding, whose positions fit the tokens.
    """

    def __init__(self, facts: HeadFacts, trunk: nn.Module) -> None:
        super().__init__()
        self.facts = facts
        self.enter = nn.Linear(facts.feature_dim, facts.width)
        self.enter_norm = nn.LayerNorm(facts.width)
        self.trunk = trunk
        self.linear = nn.Linear(facts.width, len(facts.classes))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits B × classes of tokens B × T × C."""
        seen = self.trunk.forward_features(self.enter_norm(self.enter(tokens)))  # type: ignore[operator]
        logits: Tensor = self.linear(seen[:, 0])
        return logits

    def scores(self, tokens: Tensor) -> Scores:
        """Probabilities of tokens B × T × C."""
        logits = self(tokens)
        return Scores(probabilities_of(logits, self.facts.task), logits)


Head = LinearHead | NearestNeighbours | MultiLabelNeighbours | BagHead | TokenHead


def nearest(features: Tensor, references: Tensor, k: int, barred: Tensor | None = None) -> Neighbours:
    """The k most similar of n references, by cosine.

    Args:
        features: B × D, of unit length.
        references: n × D, of unit length.
        barred: B × n, true for references that an image may not have as neighbours.
    """
    likeness = features @ references.T
    if barred is not None:
        likeness = likeness.masked_fill(barred, -torch.inf)
    found = likeness.topk(k, dim=1)
    return Neighbours(found.indices, found.values)


def probabilities_of(logits: Tensor, task: Task) -> Tensor:
    """Probabilities of logits B × classes."""
    return logits.sigmoid() if task is Task.MULTILABEL else logits.softmax(dim=1)


def head_of(facts: HeadFacts, tensors: Mapping[str, Tensor]) -> Head:
    """The head that was kept.

    Raises:
        KeyError, RuntimeError: the tensors are not those of such a head.
    """
    match facts.kind:
        case "knn":
            return NearestNeighbours(facts, tensors["references"], tensors["labels"]).eval()
        case "ml-knn":
            return MultiLabelNeighbours(facts, tensors).eval()
        case "attention":
            from medfm_gui.engine.token_trunk import blank_trunk  # brings timm, which no other head needs

            head: LinearHead | BagHead | TokenHead = TokenHead(facts, blank_trunk(facts))
        case "bag":
            head = BagHead(facts)
        case _:
            head = LinearHead(facts)
    head.load_state_dict(dict(tensors), strict=True)
    return head.eval()
