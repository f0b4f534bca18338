"""The ladder as the wizard shows it: ways of adapting in rungs, from frozen features to every weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from medfm_gui.domain.cards import ADAPTATIONS, adaptation


@dataclass(frozen=True, slots=True)
class Way:
    """One way to adapt: an adaptation, on pretrained weights or from scratch."""

    adapt: str
    from_scratch: bool = False

    @property
    def title(self) -> str:
        """As a person says it."""
        card = adaptation(self.adapt)
        name = card.title if card is not None else self.adapt
        return f"{name}, from scratch" if self.from_scratch else name

    @property
    def summary(self) -> str:
        """What is trained, in a sentence."""
        card = adaptation(self.adapt)
        if self.from_scratch:
            return "The same training from random weights: what pretraining is worth on these images."
        return card.summary if card is not None else ""

    @property
    def short(self) -> str:
        """Its heading over a narrow column."""
        return "Scratch" if self.from_scratch else _SHORT.get(self.adapt, self.title)

    @property
    def gist(self) -> str:
        """What is trained, in a few words."""
        return "every weight, random at first" if self.from_scratch else _GISTS.get(self.adapt, self.summary)

    @property
    def is_frozen(self) -> bool:
        """Whether the backbone stays as it is."""
        card = adaptation(self.adapt)
        return card is not None and not card.trains_backbone


_SHORT: Final = {
    "knn": "kNN",
    "linear": "Linear",
    "linear-grid": "Grid",
    "attention-head": "Head",
    "lora": "LoRA",
    "bitfit": "BitFit",
    "partial": "Partial",
    "full": "Full",
}
_GISTS: Final = {
    "knn": "most similar images vote",
    "linear": "logistic regression",
    "linear-grid": "many heads, the best is kept",
    "attention-head": "blocks on its tokens",
    "lora": "small matrices beside it",
    "bitfit": "its biases alone",
    "partial": "its last blocks",
    "full": "every weight",
}

WAYS: Final[tuple[Way, ...]] = tuple(
    way
    for card in ADAPTATIONS
    for way in ((Way(card.name),) if card.needs_weights else (Way(card.name), Way(card.name, from_scratch=True)))
)
"""The rungs of the ladder; random weights only where they mean something."""


@dataclass(frozen=True, slots=True)
class Rung:
    """Ways that change a backbone equally much."""

    title: str
    ways: tuple[Way, ...]


_RUNGS: Final = (
    ("Frozen features", ("knn", "linear", "linear-grid")),
    ("Trained head", ("attention-head",)),
    ("Few parameters", ("lora", "bitfit")),
    ("Fine-tuning", ("partial", "full")),
)


def _rungs() -> tuple[Rung, ...]:
    named = {adapt for _, adapts in _RUNGS for adapt in adapts}
    found = [Rung(title, tuple(way for way in WAYS if way.adapt in adapts)) for title, adapts in _RUNGS]
    others = tuple(way for way in WAYS if way.adapt not in named)
    return (*(rung for rung in found if rung.ways), *((Rung("Others", others),) if others else ()))


RUNGS: Final[tuple[Rung, ...]] = _rungs()
"""The ladder from its foot to its top."""
