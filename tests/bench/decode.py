"""``decode``: an epoch from the second on, from images on disk to batches that a model takes, against the usual way.

Ours reads the pixel cache that the import made. The peers decode every file again: of JPEGs of 2,000 × 1,500 pixels
``torchvision.datasets.ImageFolder`` with a ``DataLoader``, of 16-bit DICOM mammograms a ``Dataset`` that asks pydicom;
both with as many workers, which stay up between epochs, and all at the same input size. The line shows JPEGs; the
mammograms stand in ``mammograms_…``, and both must reach their goals.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from pydicom import dcmread
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import Compose, Normalize, Resize, ToTensor

from medfm_gui.datasets.ingest import ImportOptions, read_source
from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain import dataset as domain
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.images import ImageReader
from medfm_gui.engine.loader import ahead
from medfm_gui.imaging.pool import DecodePool
from tests.bench.ladder import MODEL
from tests.bench.measure import Turns, Work, alternately, timed
from tests.bench.photographs import mammograms, photographs
from tests.bench.prepared import card_of

GOAL_JPEG = 5.0
_GOAL_DICOM = 10.0
_BATCH = 32
SIZE = 224


@dataclass(frozen=True, slots=True)
class _Size:
    photographs: tuple[int, int, int]
    """How many, columns, rows."""
    mammograms: tuple[int, int, int]
    turns: int


_REAL = _Size((96, 2000, 1500), (24, 2560, 3328), 5)
_TINY = _Size((8, 120, 90), (4, 64, 80), 1)


def main(tiny: bool = False) -> dict[str, Any]:
    """96 photographs and 24 mammograms, five epochs of each; a few small ones and one epoch if ``tiny``."""
    size = _TINY if tiny else _REAL
    card = card_of(MODEL)
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        jpeg = photographs(root / "photographs", *size.photographs)
        first = _measured(jpeg, root / "cache-a", card, folder_loader(jpeg, card), size.turns)
        dicom = mammograms(root / "mammograms", *size.mammograms)
        second = _measured(dicom, root / "cache-b", card, _loader(_Mammograms(dicom)), size.turns)
    slow = second.line(at_least=_GOAL_DICOM)
    line = first.line(at_least=GOAL_JPEG, workers=workers(), images=size.photographs[0])
    more = {f"mammograms_{key}": slow[key] for key in ("ours", "peer", "ratio", "goal")}
    return {**line, **more, "pass": bool(line["pass"]) and bool(slow["pass"])}


def _measured(source: Path, cache: Path, card: BackboneCard, peer: DataLoader[Any], turns: int) -> Turns:
    dataset = imported(source, cache)
    ours = epoch_of(PixelCache(cache), card, [sample.id for sample in dataset.samples])
    try:
        return alternately(ours, _epoch(peer), turns)
    finally:
        peer._iterator = None  # its workers end with it


def workers() -> int:
    """Threads of ours and processes of the peers."""
    return max(1, min(4, os.cpu_count() or 1))


def imported(source: Path, cache: Path) -> domain.Dataset:
    """Read a folder of classes as a dataset with its pixels in ``cache``."""
    cache.mkdir(parents=True)
    with DecodePool(cache) as pool:
        return read_source(
            "folder", source, ImportOptions(), dataset_id="bench", name="bench", pixels=cache, pool=pool, key=b"k" * 32
        )


def epoch_of(pixels: PixelCache, card: BackboneCard, ids: Sequence[str]) -> Work:
    """Every image once as a model's input."""
    images = ImageReader(pixels, card, SIZE)
    parts = [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]

    def read() -> None:
        with contextlib.closing(ahead(images.batch, parts, workers())) as ready:
            for batch in ready:
                assert batch.shape[1:] == (3, SIZE, SIZE)

    return timed(read)


def folder_loader(source: Path, card: BackboneCard) -> DataLoader[Any]:
    """Torchvision's own way to the same batches."""
    steps = Compose([Resize((SIZE, SIZE)), ToTensor(), Normalize(card.mean, card.std)])
    return _loader(ImageFolder(str(source), steps))


class _Mammograms(Dataset[tuple[Tensor, int]]):
    """What one writes for DICOM: read, scale by the window, resize, three planes."""

    def __init__(self, source: Path) -> None:
        self._files = sorted(source.glob("*/*.dcm"))

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        file = dcmread(self._files[number])
        low = float(file.WindowCenter) - float(file.WindowWidth) / 2
        unit = ((file.pixel_array.astype(np.float32) - low) / float(file.WindowWidth)).clip(0, 1)
        plane = torch.from_numpy(unit)[None, None]
        small = functional.interpolate(plane, size=(SIZE, SIZE), mode="bilinear", antialias=True)[0]
        return small.expand(3, -1, -1), number % 2


def _loader(dataset: Dataset[Any]) -> DataLoader[Any]:
    return DataLoader(dataset, _BATCH, num_workers=workers(), persistent_workers=True)


def _epoch(loader: DataLoader[Any]) -> Work:
    def read() -> None:
        for batch, _ in loader:
            assert batch.shape[1:] == (3, SIZE, SIZE)

    return timed(read)
