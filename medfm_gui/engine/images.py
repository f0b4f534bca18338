"""The images of a dataset as batches that a model sees."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from medfm_gui.datasets.pixels import PixelCache
from medfm_gui.domain.cards import BackboneCard
from medfm_gui.engine.augment import augmented_input, random_of
from medfm_gui.engine.preprocess import Preprocess


@dataclass(frozen=True, slots=True)
class ImageReader:
    """Reads samples for one model; several threads may use it at once.

    ``size`` is the model's input in pixels; ``pin`` puts batches where a GPU can fetch them by itself. ``prepare`` is
    how the run prepares images; None: stretched to the square and normalised as the card says. ``policy`` names the
    random views.
    """

    pixels: PixelCache
    card: BackboneCard
    size: int
    pin: bool = False
    prepare: Preprocess | None = None
    policy: str = "default"
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    @property
    def preprocess(self) -> Preprocess:
        """How its images become the model's input."""
        return self.prepare or Preprocess(self.size, self.card.mean, self.card.std)

    def batch(self, ids: Sequence[str], rows: int = 0) -> Tensor:
        """Images as they are: float32, B × 3 × size × size, filled up with zeros to ``rows`` images."""
        preprocess = self.preprocess
        made = [preprocess.input(self._image(one)) for one in ids]
        return self._stacked(made, max(rows, len(ids)))

    def augmented(self, ids: Sequence[str], places: Sequence[int], seed: int, epoch: int) -> Tensor:
        """Random views of images, each decided by (seed, epoch, its place in the training set) alone."""
        preprocess = self.preprocess
        made = [
            augmented_input(self._image(one), preprocess, self.policy, random_of(seed, epoch, place + 1))
            for one, place in zip(ids, places, strict=True)
        ]
        return self._stacked(made, len(ids))

    def release(self) -> None:
        """Let go of mapped files: their pages count as memory of this process."""
        with self._lock:
            self.pixels.close()

    def _image(self, sample_id: str) -> npt.NDArray[Any]:
        with self._lock:  # against release() in another thread; the view itself stays valid
            return self.pixels.image(sample_id)

    def _stacked(self, made: Sequence[Tensor], rows: int) -> Tensor:
        batch = torch.zeros((rows, 3, self.size, self.size), dtype=torch.float32, pin_memory=self.pin)
        for row, image in enumerate(made):
            batch[row] = image
        return batch
