"""The rows that a grid of heads learns from: in memory while they are few, from the bank batch by batch else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medfm_gui.domain.recipe import Recipe, numbers_of
from medfm_gui.engine.adaptations.grid_heads import Part
from medfm_gui.engine.cases import Cases, rows_of
from medfm_gui.engine.features import StoredFeatures
from medfm_gui.engine.reading import POOLED, Reading

_HELD_BYTES = 256 << 20
_LOOKED_AT = 8


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows n × F of some cases, float32."""

    features: StoredFeatures
    cases: Cases
    aggregate: str
    held: Tensor | None

    def __len__(self) -> int:
        return len(self.cases)

    def __call__(self, places: Sequence[int]) -> Tensor:
        """The rows of some cases."""
        if self.held is not None:
            return self.held[list(places)]
        return torch.from_numpy(rows_of(self.features, self.cases.taken(places), self.aggregate))


def table_of(features: StoredFeatures, cases: Cases, aggregate: str) -> Table:
    """The rows of these cases, as wide as the features' reading makes them."""
    width = int(np.prod(features.bank.shape, dtype=np.int64)) * 4
    few = len(cases) * width <= _HELD_BYTES or aggregate != "none"
    held = torch.from_numpy(rows_of(features, cases, aggregate)) if few else None
    return Table(features, cases, aggregate, held)


def whole_reading(recipe: Recipe, *, maps: bool) -> Reading:
    """What has everything in it that some head of the grid reads; a network of ``maps`` has pooled features alone."""
    if maps:
        return POOLED
    return Reading("depths", int(max(numbers_of(recipe.grid_blocks))), patches=True)


def parts_of(recipe: Recipe, features: StoredFeatures, cases: Cases) -> list[Part]:
    """The parts of a row that heads read, without those that would hold the same numbers twice.

    ``features`` must be read by ``whole_reading``.
    """
    if features.layout != "depths":
        return [Part(POOLED, 0, features.bank.shape[0])]
    there, length = min(features.blocks, features.reading.blocks), features.bank.shape[1]
    blocks = sorted({min(int(number), there) for number in numbers_of(recipe.grid_blocks)})
    sides = [side == "with" for side in recipe.grid_patches.split(",")]
    if len(sides) > 1 and _has_no_class_token(features, cases, length):
        sides = [False]
    return [
        Part(Reading("depths", last, patches), (there - last) * length, (there + patches) * length)
        for last in blocks
        for patches in sides
    ]


def _has_no_class_token(features: StoredFeatures, cases: Cases, length: int) -> bool:
    """Whether the mean patch token stands where the last class token would."""
    rows = features.of(cases.firsts[:_LOOKED_AT])
    return bool(np.array_equal(rows[:, -length:], rows[:, -2 * length : -length]))
