"""What a head reads of an image: pooled features, the tokens of the last blocks, or every patch token.

The one place that turns a backbone's answers into what a head takes, whether they come from a forward pass or
from the feature bank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from medfm_gui.engine.backbones import Backbone


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to look at an image.

    ``pooled``: D numbers by the card's rule. ``depths``: the class tokens of the last ``blocks`` blocks one after the
    other, then, with ``patches``, the mean of the last block's patch tokens. ``tokens``: T × C, after the last norm;
    ``raw``: before it.
    """

    kind: Literal["pooled", "depths", "tokens"] = "pooled"
    blocks: int = 0
    patches: bool = False
    raw: bool = False

    @property
    def label(self) -> str:
        """For people, e.g. ``last 4 blocks with patches``."""
        if self.kind != "depths":
            return self.kind
        last = "last block" if self.blocks == 1 else f"last {self.blocks} blocks"
        return f"{last} {'with' if self.patches else 'without'} patches"


POOLED = Reading()
TOKENS = Reading("tokens")


def read(backbone: Backbone, reading: Reading, images: Tensor) -> Tensor:
    """What a head takes of a batch, differentiable: B × D, B × F for depths, or B × T × C."""
    match reading.kind:
        case "tokens":
            return backbone.tokens(images, raw=True) if reading.raw else backbone.tokens(images)
        case "depths":
            return of_depths(torch.cat(rows_of_depths(backbone, images, reading.blocks), dim=1), reading)
        case _:
            return backbone.features(images)


def rows_of_depths(backbone: Backbone, images: Tensor, last: int) -> tuple[Tensor, Tensor]:
    """B × n × C class tokens of the last n blocks (at most as many as there are), and B × 1 × C mean patches."""
    classes, mean = backbone.depths(images, min(last, len(backbone.blocks())))
    return classes, mean[:, None]


def of_depths(rows: Tensor, reading: Reading) -> Tensor:
    """What a reading takes of rows B × (n + 1) × C, whose last part is the mean patch token.

    Returns:
        B × F; of ``blocks`` that the rows do not have, those that they have.
    """
    parts = rows.shape[1] - 1
    first = max(0, parts - reading.blocks)
    return rows[:, first : parts + reading.patches].flatten(1)


def pooled_of_depths(rows: Tensor, rule: str) -> Tensor:
    """Pooled features B × D from rows B × (n + 1) × C, by a card's rule: ``cls``, ``mean`` or ``cls+mean``."""
    match rule:
        case "cls":
            return rows[:, -2]
        case "mean":
            return rows[:, -1]
        case _:
            return rows[:, -2:].flatten(1)
