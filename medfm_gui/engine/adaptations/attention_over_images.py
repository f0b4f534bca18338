"""Gated attention over a patient's images, with a linear layer, trained by gradient on frozen features."""

from __future__ import annotations

import functools
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from medfm_gui.domain import events as ev
from medfm_gui.domain.split import Partition
from medfm_gui.engine.adaptations.descent import descend
from medfm_gui.engine.adaptations.scope import Prepare, Scope
from medfm_gui.engine.cases import Cases, bags_of
from medfm_gui.engine.features import StoredFeatures
from medfm_gui.engine.fitted import Fitted
from medfm_gui.engine.head import BagHead, HeadFacts
from medfm_gui.engine.material import Material
from medfm_gui.engine.scoring import SampleScores, scores_of_rows


def adapt(material: Material) -> Generator[ev.Event, None, Fitted]:
    """Train to the end, or from where an earlier attempt stopped; as ``descend``."""
    features = yield from material.frozen().look(material.every_id)
    dataset = material.dataset
    torch.manual_seed(material.spec.seed)
    facts = HeadFacts("bag", dataset.task, dataset.classes, material.backbone.feature_dim, aggregate="attention")
    head = _MarkedBagHead(facts)
    val = material.cases(Partition.VAL)

    def validated() -> Generator[ev.Event, None, SampleScores]:
        yield from ()
        return scores_of_rows(features, head, val, val.firsts)

    bags = _Bags(features, material.cases(Partition.TRAIN))
    scope = Scope(head, look=_as_it_is, inputs=functools.partial(_of_every_epoch, bags), validation=validated)
    return (yield from descend(material, scope))


class _MarkedBagHead(BagHead):
    """Takes bags in training whose last column tells which images are there."""

    def forward(self, bags: Tensor, there: Tensor | None = None) -> Tensor:
        """Logits B × classes of bags B × n × (D + 1), or as ``BagHead`` takes them."""
        if there is None:
            bags, there = bags[:, :, :-1], bags[:, :, -1] > 0
        return super().forward(bags, there)


@dataclass(frozen=True, slots=True)
class _Bags:
    features: StoredFeatures
    train: Cases

    def __call__(self, places: Sequence[int]) -> Tensor:
        bags, there = bags_of(self.features, [self.train.members[place] for place in places])
        return torch.cat((bags, there[:, :, None].float()), dim=2)


def _of_every_epoch(bags: Prepare, epoch: int) -> Prepare:
    return bags


def _as_it_is(bags: Tensor) -> Tensor:
    return bags
