"""``ladder-naive``: kNN and a linear probe of 20 points, from an empty bank, against the studies' way: a frozen
backbone that looks at every image again in each of the 20 epochs of a linear probe, and once more for kNN.

All 21 passes of the peer are made, none is extrapolated. It decodes nothing either: its images come from the same
pixel cache through the same preparation, made ahead by a thread as ours are; its batch size is its fastest.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional

from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.backbones import Backbone
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.loader import ahead
from tests.bench.ladder import MODEL, POINTS, both_rungs
from tests.bench.measure import Turns, Work, alternately, fastest, timed
from tests.bench.plain import BATCHES, pretrained
from tests.bench.prepared import CLASSES, Prepared, card_of, prepare

_LR = 1e-2
_TRIED = 64


def main(tiny: bool = False) -> dict[str, Any]:
    """320 images; 16 small ones and 2 epochs if ``tiny``."""
    card = card_of(MODEL)
    points = 2 if tiny else POINTS
    with tempfile.TemporaryDirectory() as made:
        prepared = prepare(Path(made), 16, 64) if tiny else prepare(Path(made), 320)
        backbone = pretrained(card)
        turns = _measured(prepared, card, backbone, points, repeats=1 if tiny else 3)
    return turns.line(at_least=15, model=MODEL, images=len(prepared.seen), epochs=points)


def _measured(prepared: Prepared, card: BackboneCard, backbone: Backbone, points: int, repeats: int) -> Turns:
    one_epoch = [(batch, _studies_way(prepared, backbone, batch, 1, prepared.seen[:_TRIED])) for batch in BATCHES]
    batch = fastest(one_epoch)
    peer = _studies_way(prepared, backbone, batch, points, prepared.seen)
    return alternately(both_rungs(prepared, card, points), peer, repeats, warm_up=False)


def _studies_way(prepared: Prepared, backbone: Backbone, batch: int, epochs: int, ids: Sequence[str]) -> Work:
    """Features again and again: 1 pass for kNN and ``epochs`` for the probe."""
    images = ImageReader(PixelCache(prepared.folder / "pixels"), backbone.card, backbone.image_size)
    label = {sample.id: sample.target[0] for sample in prepared.dataset.samples}
    parts = [ids[start : start + batch] for start in range(0, len(ids), batch)]
    head = torch.nn.Linear(backbone.feature_dim, len(CLASSES))
    optimiser = torch.optim.SGD(head.parameters(), lr=_LR, momentum=0.9)

    def study() -> None:
        for epoch in range(1 + epochs):
            with contextlib.closing(ahead(images.batch, parts, 1)) as ready:
                for part, inputs in zip(parts, ready, strict=True):
                    with torch.no_grad():
                        features = backbone.features(inputs)
                    if epoch == 0:
                        continue  # kNN needs no more than the features
                    loss = functional.cross_entropy(head(features), torch.tensor([label[one] for one in part]))
                    optimiser.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()

    return timed(study)
