"""Which training images an epoch sees, and in which order: a function of (seed, epoch) alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medfm_gui.domain.dataset import Task
from medfm_gui.domain.recipe import Recipe
from medfm_gui.engine.augment import random_of
from medfm_gui.engine.loader import batches_of

Chances = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The batches of every epoch: places among ``size`` training images, each batch one step of the optimiser.

    ``chances`` (summing to 1) draws with replacement; None: each image once. Batches are of even length, at most
    ``batch``; with ``drop_last`` of exactly that length, if there are so many images.
    """

    size: int
    batch: int
    seed: int
    drop_last: bool = False
    chances: Chances | None = None

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return len(self._cut(range(self.size)))

    def batches(self, epoch: int) -> list[Sequence[int]]:
        """The batches of an epoch, counted from 1."""
        random = random_of(self.seed, epoch)
        if self.chances is None:
            return self._cut(random.permutation(self.size).tolist())
        return self._cut(random.choice(self.size, self.size, p=self.chances).tolist())

    def _cut(self, order: Sequence[int]) -> list[Sequence[int]]:
        whole = len(order) // self.batch * self.batch
        return batches_of(order[:whole] if self.drop_last and whole else order, self.batch)


def order_of(recipe: Recipe, size: int, seed: int, chances: Chances | None) -> Order:
    """What a recipe orders; a batch is that of a whole step, accumulated ones together."""
    return Order(
        size,
        recipe.batch_size * recipe.accumulate,
        seed,
        recipe.drop_last,
        chances if recipe.balanced_sampling else None,
    )


def balanced(targets: npt.NDArray[np.integer], classes: int, task: Task) -> Chances:
    """Chances by which every class that is there is drawn equally often.

    An image of a multi-label task counts by its rarest positive label; one without any belongs to a class of its own.
    """
    if task is Task.MULTILABEL:
        positive = targets == 1
        counts = np.where(positive.any(axis=0), positive.sum(axis=0), len(targets) + 1)
        rarest = np.where(positive, counts, len(targets) + 1).argmin(axis=1)
        kinds = np.where(positive.any(axis=1), rarest, classes)
    else:
        kinds = targets
    sizes = np.bincount(kinds, minlength=classes + 1)
    chances = 1.0 / sizes[kinds]
    return np.asarray(chances / chances.sum(), dtype=np.float64)
