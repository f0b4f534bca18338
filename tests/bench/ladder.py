"""``ladder``: kNN and the grid of 16 linear heads, 20 epochs, from an empty bank, against one plain forward pass
over the same images in memory (the limit).

Ours is what both runs say of themselves (``seconds``), from cached pixels to the last word, in one process. A
transformer has the 16 heads; no weights of one are on every computer, and random ones cost the same.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import torch

from medfm_gui.domain.cards import BackboneCard
from medfm_gui.domain.run import FileRef
from medfm_gui.engine.backbones import build_backbone
from medfm_gui.engine.tensor_files import write_tensors
from tests.bench.measure import Work, alternately
from tests.bench.plain import forward_pass, inputs_of, pretrained
from tests.bench.prepared import Prepared, card_of, prepare, trained

MODEL = "efficientnet-lite0"
POINTS = 20
_TRANSFORMER = "dinov2-s"
_RUNGS = ("knn", "linear-grid")


def main(tiny: bool = False) -> dict[str, Any]:
    """160 images; 4 small ones if ``tiny``."""
    card = card_of(_TRANSFORMER)
    with tempfile.TemporaryDirectory() as made:
        prepared = prepare(Path(made), 4, 64) if tiny else prepare(Path(made), 160)
        weights = _random_weights(Path(made) / "weights.safetensors", card)
        limit = forward_pass(pretrained(card), inputs_of(prepared, card, prepared.seen))
        ours = both_rungs(prepared, card, weights=weights)
        turns = alternately(ours, limit, 1 if tiny else 4, warm_up=not tiny)
    return turns.line(at_most=1.15, model=_TRANSFORMER, images=len(prepared.seen), heads=16)


def both_rungs(prepared: Prepared, card: BackboneCard, points: int = POINTS, *, weights: FileRef | None = None) -> Work:
    """kNN, then the grid of linear heads, each time from an empty bank; the seconds of both."""
    numbers = itertools.count()

    def climb() -> float:
        bank = f"features-{next(numbers)}"
        orders = [
            prepared.order(f"{adapt}-{bank}", card, adapt, banks=bank, weights=weights, epochs=points)
            for adapt in _RUNGS
        ]
        return sum(trained(folder).seconds for folder in orders)

    return climb


def _random_weights(path: Path, card: BackboneCard) -> FileRef:
    torch.manual_seed(0)
    return FileRef(str(path), write_tensors(path, build_backbone(card, card.input_size).module.state_dict()))
