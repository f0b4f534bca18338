"""``ladder``: kNN and a linear probe of 20 points, from an empty bank, against one plain forward pass
over the same images in memory (the limit).

Ours is what both runs say of themselves (``seconds``), from cached pixels to the last word, in one process.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

from medfm_gui.domain.cards import BackboneCard
from tests.bench.measure import Work, alternately
from tests.bench.plain import forward_pass, inputs_of, pretrained
from tests.bench.prepared import Prepared, card_of, prepare, trained

MODEL = "efficientnet-lite0"
POINTS = 20
_RUNGS = ("knn", "linear")


def main(tiny: bool = False) -> dict[str, Any]:
    """640 images; 24 small ones if ``tiny``."""
    card = card_of(MODEL)
    with tempfile.TemporaryDirectory() as made:
        prepared = prepare(Path(made), 24, 64) if tiny else prepare(Path(made), 640)
        limit = forward_pass(pretrained(card), inputs_of(prepared, card, prepared.seen))
        turns = alternately(both_rungs(prepared, card), limit, 1 if tiny else 5, warm_up=not tiny)
    return turns.line(at_most=1.15, model=MODEL, images=len(prepared.seen))


def both_rungs(prepared: Prepared, card: BackboneCard, points: int = POINTS) -> Work:
    """kNN, then the linear probe, each time from an empty bank; the seconds of both."""
    numbers = itertools.count()

    def climb() -> float:
        bank = f"features-{next(numbers)}"
        orders = [prepared.order(f"{adapt}-{bank}", card, adapt, banks=bank, epochs=points) for adapt in _RUNGS]
        return sum(trained(folder).seconds for folder in orders)

    return climb
