"""Features of a whole dataset into the bank, without training anything: what an embedding map is made of."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

from medfm_gui.base.settings import load_settings
from medfm_gui.datasets.pixels import Look
from medfm_gui.domain import events as ev
from medfm_gui.domain.cards import suitable_size
from medfm_gui.domain.run import FeaturesSpec
from medfm_gui.engine.backbones import load_backbone
from medfm_gui.engine.devices import choose_device
from medfm_gui.engine.features import FrozenBackbone
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.material import checked, dataset_of
from medfm_gui.engine.pixels import pixels_ready
from medfm_gui.engine.session import make_deterministic, started

_GIGA = 1e9


def fill_bank(spec: FeaturesSpec) -> Generator[ev.Event, None, None]:
    """Look at every image of a dataset with a frozen backbone.

    Yields:
        RunStarted, Progressed, FeaturesReady, Answered with ``bank`` (name of the bank's folder), RunFinished.

    Raises:
        NotFound, InputError: the dataset, its pixels or the weights are gone or changed.
    """
    begun = time.perf_counter()
    device = choose_device(spec.device)
    make_deterministic()
    yield started(device)
    dataset = dataset_of(spec.dataset)
    pixels = yield from pixels_ready(dataset, spec.pixels, Look(), check=False)
    size = suitable_size(spec.card, spec.card.input_size)
    weights = checked(spec.weights, "The weights' file")
    backbone = load_backbone(spec.card, image_size=size, weights=weights)
    images = ImageReader(pixels, spec.card, size)
    limit_gb = load_settings().features_gb
    frozen = FrozenBackbone(
        backbone=backbone,
        device=device,
        dataset=dataset,
        images=images,
        banks=Path(spec.features),
        weights_sha256=spec.weights.sha256,
        workers=1,
        preprocessing=images.preprocess.key,
        limit_bytes=round(limit_gb * _GIGA) if limit_gb > 0 else None,
    )
    stored = yield from frozen.look([sample.id for sample in dataset.samples])
    yield ev.Answered(time.time(), {"bank": stored.bank.folder.name, "model": spec.card.name})
    yield ev.RunFinished(time.time(), {}, time.perf_counter() - begun)
