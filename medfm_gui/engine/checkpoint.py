"""Where a training stands, durable and without pickle.

``checkpoint/last.safetensors`` holds every tensor that the next step needs, and the place (counts,
best score) as JSON bytes in one more tensor: one file, so that numbers and place cannot disagree.
``checkpoint/best-N.safetensors`` holds the weights of the best epoch. The order of writing (best, then
``last``, which names it, then the older best is removed) leaves a resumable folder at every instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from medfm_gui.base import wire
from medfm_gui.domain.errors import InputError, WeightsError
from medfm_gui.engine.tensor_files import read_tensors, write_tensors

PlaceT = TypeVar("PlaceT")

_PLACE = "place.json"


class Checkpoint(Generic[PlaceT]):
    """The checkpoint of one run.

    Args:
        folder: the run's folder.
        place: the frozen dataclass that says where the training stands.
    """

    def __init__(self, folder: Path, place: type[PlaceT]) -> None:
        self._folder = folder / "checkpoint"
        self._last = self._folder / "last.safetensors"
        self._place = place

    def save(self, place: PlaceT, tensors: Mapping[str, Tensor]) -> None:
        """Make the place and the tensors durable, in place of what was saved before.

        Raises:
            DiskFull: there is not enough space; the former checkpoint is as it was.
        """
        said = torch.from_numpy(np.frombuffer(wire.encode(place), dtype=np.uint8).copy())
        write_tensors(self._last, {**tensors, _PLACE: said})

    def load(self) -> tuple[PlaceT, dict[str, Tensor]] | None:
        """What was saved last, or None.

        Raises:
            InputError: the file is damaged.
        """
        if not self._last.exists():
            return None
        try:
            tensors = read_tensors(self._last)
            place = wire.decode(self._place, tensors.pop(_PLACE).numpy().tobytes(), what="The checkpoint")
        except (WeightsError, InputError, KeyError) as error:
            raise InputError(
                f"The checkpoint “{self._last}” is damaged, so the run cannot go on from it.",
                "Start the same training as a new run.",
            ) from error
        return place, tensors

    def save_best(self, epoch: int, tensors: Mapping[str, Tensor]) -> None:
        """Keep the weights of an epoch; older ones stay until ``forget_all_but``."""
        write_tensors(self._best(epoch), tensors)

    def load_best(self, epoch: int) -> dict[str, Tensor]:
        """The weights of that epoch.

        Raises:
            WeightsError: the file is gone or damaged.
        """
        return read_tensors(self._best(epoch))

    def forget_all_but(self, epoch: int) -> None:
        """Remove the weights of every other epoch, once ``save`` has named this one as the best."""
        for path in self._folder.glob("best-*.safetensors"):
            if path != self._best(epoch):
                path.unlink(missing_ok=True)

    def _best(self, epoch: int) -> Path:
        return self._folder / f"best-{epoch}.safetensors"
