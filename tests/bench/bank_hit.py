"""``bank-hit``: a grid of linear heads, 20 epochs, on a backbone and data that a kNN has looked at, against that kNN.

Both are what the runs say of themselves (``seconds``), in one process that stays, as in a warm worker.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tests.bench.ladder import MODEL, POINTS
from tests.bench.measure import Turns
from tests.bench.prepared import card_of, prepare, trained


def main(tiny: bool = False) -> dict[str, Any]:
    """1,000 images; 24 small ones if ``tiny``."""
    card = card_of(MODEL)
    first: list[float] = []
    second: list[float] = []
    with tempfile.TemporaryDirectory() as made:
        prepared = prepare(Path(made), 24, 64) if tiny else prepare(Path(made), 1_000)
        for turn in range(1 if tiny else 4):
            for adapt, seconds in (("knn", first), ("linear-grid", second)):
                folder = prepared.order(f"{adapt}-{turn}", card, adapt, banks=f"bank-{turn}", epochs=POINTS)
                seconds.append(trained(folder).seconds)
    counted = slice(0 if tiny else 1, None)  # the first turn warms up
    turns = Turns(tuple(second[counted]), tuple(first[counted]))
    return turns.line(at_most=0.05, model=MODEL, images=len(prepared.seen))
