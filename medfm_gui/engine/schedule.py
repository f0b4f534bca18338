"""The learning rate as a pure function of the step."""

from __future__ import annotations

import math


def learning_rate(step: int, *, peak: float, warmup_steps: int, total_steps: int) -> float:
    """Linear warm-up to ``peak``, then half a cosine down to zero at the end.

    Args:
        step: steps done before this one, from 0.
        warmup_steps: steps of the warm-up; at most ``total_steps`` - 1 of them are used.
    """
    warmup = min(warmup_steps, total_steps - 1)
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    along = (step - warmup) / max(1, total_steps - warmup)
    return peak * 0.5 * (1.0 + math.cos(math.pi * min(1.0, along)))
