"""The epochs of one training as growing arrays; no painting."""

from __future__ import annotations

import math

import numpy as np

from medfm_gui.domain.events import EpochFinished
from medfm_gui.ui.charts.trace import Floats, drawable

_NO_METRICS = frozenset({"train_loss", "val_loss", "lr", "c"})
_FIRST_SIZE = 64


class Epochs:
    """Values by name, a column an epoch; NaN where an epoch has no finite value."""

    def __init__(self) -> None:
        self._size = 0
        self._numbers: Floats = np.full(_FIRST_SIZE, math.nan)
        self._values: dict[str, Floats] = {}
        self._best: list[bool] = []
        self.planned = 0

    def __len__(self) -> int:
        return self._size

    @property
    def numbers(self) -> Floats:
        """The epochs' numbers, rising."""
        return self._numbers[: self._size]

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of everything measured, in the order of their first appearance."""
        return tuple(self._values)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Ids of what is no loss, learning rate or penalty, where there is at least one value."""
        names = (name for name in self._values if name not in _NO_METRICS)
        return tuple(name for name in names if np.isfinite(self.values(name)).any())

    @property
    def best(self) -> int | None:
        """Place of the best epoch so far: the last that was told to be."""
        places = [place for place, best in enumerate(self._best) if best]
        return places[-1] if places else None

    def values(self, name: str) -> Floats:
        """Values of one id over all epochs."""
        if name not in self._values:
            return np.full(self._size, math.nan)
        return self._values[name][: self._size]

    def add(self, event: EpochFinished) -> None:
        """Append an epoch; a number that is not beyond the last voids the epochs from there on (a resumed run)."""
        while self._size and self._numbers[self._size - 1] >= event.epoch:
            self._size -= 1
            self._best.pop()
        if self._size == len(self._numbers):
            self._grow()
        for name in event.metrics:
            if name not in self._values:
                self._values[name] = np.full(len(self._numbers), math.nan)
        self._numbers[self._size] = event.epoch
        for name, column in self._values.items():
            value = event.metrics.get(name)
            column[self._size] = math.nan if value is None else drawable((value,))[0]
        self._best.append(event.best)
        self._size += 1
        self.planned = event.epochs

    def _grow(self) -> None:
        more = np.full(len(self._numbers), math.nan)
        self._numbers = np.concatenate((self._numbers, more))
        self._values = {name: np.concatenate((column, more)) for name, column in self._values.items()}
