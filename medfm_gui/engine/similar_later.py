"""Training images to compare with, for a run that is finished: one of an earlier version, or one that lost them."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

from medfm_gui.domain import events as ev
from medfm_gui.domain.run import SimilarSpec
from medfm_gui.domain.split import Partition
from medfm_gui.engine.devices import choose_device
from medfm_gui.engine.fitted import Fitted
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.material import Material, dataset_of, open_split, partitions_for_training
from medfm_gui.engine.outlier import fixed_outlier_limit
from medfm_gui.engine.pixels import look_of, pixels_ready
from medfm_gui.engine.saved import open_model
from medfm_gui.engine.session import make_deterministic, started


def keep_similar(spec: SimilarSpec) -> Generator[ev.Event, None, None]:
    """Look at the training images with the model as it was kept; writes into the run's folder.

    Yields:
        FileWritten for ``similar.safetensors`` and ``outlier.json``.

    Raises:
        MedfmError: the run, its data or its weights cannot be used.
    """
    begun = time.perf_counter()
    material, fitted = yield from reopened(Path(spec.run_folder), spec.device)
    yield from fixed_outlier_limit(material, fitted, {})
    yield ev.RunFinished(time.time(), {}, time.perf_counter() - begun)


def reopened(folder: Path, wanted: str) -> Generator[ev.Event, None, tuple[Material, Fitted]]:
    """What a finished run was trained with, and its model as it was kept, on a device.

    Raises:
        MedfmError: the run, its data or its weights cannot be used.
    """
    device = choose_device(wanted)
    make_deterministic()
    yield started(device)
    model = open_model(folder, device)
    order = model.spec
    dataset = dataset_of(order.dataset)
    ids = partitions_for_training(order, open_split(order, dataset), dataset)
    if order.recipe.protocol == "two-stage":  # its validation images were trained on at last
        ids[Partition.TRAIN] = [*ids[Partition.TRAIN], *ids[Partition.VAL]]
        ids[Partition.VAL] = ()
    pixels = yield from pixels_ready(dataset, order.pixels, look_of(order))
    images = ImageReader(
        pixels, order.card, model.backbone.image_size, pin=device.type == "cuda", prepare=model.preprocess
    )
    material = Material(order, folder, dataset, ids, images, model.backbone, device)
    return material, Fitted(model.head, 0, 0.0, backbone_trained=not model.frozen)
