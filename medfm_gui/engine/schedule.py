"""The learning rate as a pure function of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from medfm_gui.domain.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Schedule:
    """A linear warm-up to ``peak``, then half a cosine down to zero at the end, or ``peak`` to the end.

    ``warmup_steps`` are steps of the warm-up, of which at most ``total_steps`` - 1 are used; ``start`` is the rate
    of the first of them, 0 = an even share of the way.
    """

    peak: float
    warmup_steps: int
    total_steps: int
    falls: bool = True
    start: float = 0.0

    def rate(self, step: int) -> float:
        """The learning rate of a step; ``step`` counts those before it, from 0."""
        warmup = min(self.warmup_steps, self.total_steps - 1)
        if step < warmup:
            if self.start:
                return self.start + (self.peak - self.start) * step / warmup
            return self.peak * (step + 1) / (warmup + 1)
        if not self.falls:
            return self.peak
        along = (step - warmup) / max(1, self.total_steps - warmup)
        return self.peak * 0.5 * (1.0 + math.cos(math.pi * min(1.0, along)))


def schedule_of(recipe: Recipe, steps_an_epoch: int) -> Schedule:
    """What a recipe orders for epochs of so many steps."""
    return Schedule(
        peak=recipe.lr,
        warmup_steps=recipe.warmup_iterations or recipe.warmup_epochs * steps_an_epoch,
        total_steps=recipe.epochs * steps_an_epoch,
        falls=recipe.schedule == "cosine",
        start=min(recipe.warmup_lr, recipe.lr),
    )
