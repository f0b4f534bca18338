"""The epochs of one training as growing arrays, and in words; no painting."""

from __future__ import annotations

import math

import numpy as np

from medfm_gui.domain.events import EpochFinished
from medfm_gui.metrics.names import metric_title
from medfm_gui.ui.charts.readout import Reading, ReadoutRow
from medfm_gui.ui.charts.ticks import short
from medfm_gui.ui.charts.trace import Floats, drawable
from medfm_gui.ui.charts.wording import line, number

_NO_METRICS = frozenset({"train_loss", "val_loss", "lr", "c"})
_FIRST_SIZE = 64
LOSSES = (("train_loss", "training", "train"), ("val_loss", "validation", "val"))
"""Id, name and line of both losses."""


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
    def is_path(self) -> bool:
        """Whether the epochs are points of a linear probe's penalty path."""
        return "c" in self._values

    @property
    def word(self) -> str:
        """What one of them is called."""
        return "point" if self.is_path else "epoch"

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


def reading(epochs: Epochs, place: int, metric: str) -> Reading:
    """What the readout tells of the epoch at that place of the curve."""
    told = [(f"{name} loss", f"{epochs.values(key)[place]:.4g}") for key, name, _ in LOSSES if key in epochs.names]
    if metric:
        told.append((line(metric_title(metric), 60), number(float(epochs.values(metric)[place]), 1.0)))
    for rate, name in (("lr", "learning rate"), ("c", "C (1/penalty)")):
        if rate in epochs.names:
            told.append((name, short(float(epochs.values(rate)[place]))))
    rows = tuple(ReadoutRow(name, "–" if value == "nan" else value) for name, value in told)
    return Reading(f"{epochs.word} {epochs.numbers[place]:.0f}", rows)


def best_words(epochs: Epochs, metric: str, *, named: bool = True) -> str:
    """``best epoch 24: ROC-AUC 0.887``, or without the metric's name; empty while no epoch is the best."""
    place = epochs.best
    if place is None:
        return ""
    value = float(epochs.values(metric)[place])
    title = f"{line(metric_title(metric), 60)} " if named else ""
    told = f": {title}{number(value, 1.0)}" if math.isfinite(value) else ""
    return f"best {epochs.word} {epochs.numbers[place]:.0f}{told}"


def description(epochs: Epochs, metric: str) -> str:
    """How far the training is, in a sentence."""
    if not len(epochs):
        return "No epoch is finished yet."
    done = f"{epochs.word} {epochs.numbers[-1]:.0f} of {epochs.planned}"
    parts = (f"Training curves up to {done}", reading(epochs, len(epochs) - 1, metric).text, best_words(epochs, metric))
    return ". ".join(part for part in parts if part)
