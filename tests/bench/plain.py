"""The limit: a backbone's plain forward pass over images that lie in memory, ready to go in."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.backbones import Backbone, load_backbone
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.session import make_deterministic
from tests.bench.measure import Work, fastest, timed
from tests.bench.prepared import Prepared, local_weights

BATCHES = (1, 8, 32)
_TRIED = 64


def pretrained(card: BackboneCard) -> Backbone:
    """The backbone with the weights that are on this computer, else with random ones, which cost the same."""
    make_deterministic()
    weights = local_weights(card)
    return load_backbone(card, image_size=card.input_size, weights=Path(weights.path) if weights else None)


def inputs_of(prepared: Prepared, card: BackboneCard, ids: tuple[str, ...]) -> Tensor:
    """Images as the model sees them: n × 3 × S × S, float32."""
    return ImageReader(PixelCache(prepared.folder / "pixels"), card, card.input_size).batch(ids)


def forward_pass(backbone: Backbone, inputs: Tensor) -> Work:
    """One look at every image, by the batch size that is fastest here."""

    def passed(batch: int, images: Tensor) -> Work:
        def look() -> None:
            with torch.inference_mode():
                for part in torch.split(images, batch):
                    backbone.features(part)

        return timed(look)

    best = fastest([(batch, passed(batch, inputs[:_TRIED])) for batch in BATCHES])
    return passed(best, inputs)
