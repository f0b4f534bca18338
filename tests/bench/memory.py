"""``memory``: the peak memory of a process that puts features of 20,000 images into the bank and reads them back,
against 2,000.

Both are looked at in one process, the few first; what a head keeps of features is not in it. The peer is the peak
after the few, ours the peak after the many, in bytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import torch

from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.backbones import load_backbone
from medfm_gui.engine.features import FrozenBackbone, StoredFeatures
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.memory import peak_bytes
from tests.bench.ladder import MODEL
from tests.bench.measure import Turns
from tests.bench.prepared import Prepared, card_of, prepare

_INPUT = 32
_BATCH = 256
_CPU = torch.device("cpu")


def main(tiny: bool = False) -> dict[str, Any]:
    """20,000 small images against 2,000; 200 against 20 if ``tiny``."""
    few, many = (20, 200) if tiny else (2_000, 20_000)
    card = card_of(MODEL)
    peaks = []
    with tempfile.TemporaryDirectory() as made:
        for images in (few, many):
            prepared = prepare(Path(made) / str(images), images, 64)
            _looked_at(prepared, card)
            peaks.append(float(peak_bytes(_CPU)))
    return Turns((peaks[1],), (peaks[0],)).line(at_most=1.1, model=MODEL, images=many, against=few)


def _looked_at(prepared: Prepared, card: BackboneCard) -> None:
    """Fill a bank, then read all of it as a training does, batch by batch."""
    images = ImageReader(PixelCache(prepared.folder / "pixels"), card, _INPUT)
    backbone = load_backbone(card, image_size=_INPUT, weights=None)
    frozen = FrozenBackbone(backbone, _CPU, prepared.dataset, images, prepared.root / "features", "random")
    features = _answer(frozen.look(prepared.seen))
    for start in range(0, len(prepared.seen), _BATCH):
        features.of(prepared.seen[start : start + _BATCH])


def _answer(work: Generator[Any, None, StoredFeatures]) -> StoredFeatures:
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: StoredFeatures = end.value
            return found
