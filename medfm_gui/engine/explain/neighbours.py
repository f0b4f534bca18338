"""The explanation of a vote: the training images that cast it."""

from __future__ import annotations

from torch import Tensor

from medfm_gui.domain.explain import Neighbour
from medfm_gui.engine.head import HeadFacts, MultiLabelNeighbours, NearestNeighbours


def neighbours_of(head: NearestNeighbours | MultiLabelNeighbours, features: Tensor) -> tuple[Neighbour, ...]:
    """The training images nearest to one image, features D, the most similar first; with their labels.

    Only sample ids of the run's dataset are given; a head that was kept without them gives none.
    """
    facts = head.facts
    if not facts.samples:
        return ()
    found = head.neighbours(features[None])
    similarities = found.similarities[0].float()
    weights = similarities.div(facts.temperature).softmax(dim=0) if facts.temperature > 0 else similarities * 0
    if isinstance(head, MultiLabelNeighbours):  # each of them counts as much
        weights = similarities.new_full(similarities.shape, 1.0 / len(similarities))
    rows = zip(found.indices[0].tolist(), similarities.tolist(), weights.tolist(), strict=True)
    return tuple(
        Neighbour(facts.samples[place], _labels(facts, head.labels[place]), similarity, weight)
        for place, similarity, weight in rows
    )


def _labels(facts: HeadFacts, labels: Tensor) -> tuple[str, ...]:
    """The classes that an image is labelled with."""
    return tuple(name for name, there in zip(facts.classes, labels.tolist(), strict=True) if there == 1)
