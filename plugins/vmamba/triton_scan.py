"""The recurrence of the selective scan as one Triton kernel, for CUDA.

A program follows some channels of one sequence from its first step to its last, a tile of steps at a time: within
the tile by an associative scan, from tile to tile by what the last step hands on. Everything is read and written
once. ``TRITON_INTERPRET=1`` runs it on a CPU, for tests.
"""

from __future__ import annotations

import torch
import triton  # type: ignore[import-not-found, import-untyped, unused-ignore]
import triton.language as tl  # type: ignore[import-not-found, import-untyped, unused-ignore]
from torch import Tensor

_STEPS, _CHANNELS = 64, 32
"""A tile."""


def recurrence(decay: Tensor, states: Tensor, *, backwards: bool) -> None:
    """Run hₜ = decayₜ · hₜ₋₁ + inflowₜ (hₜ₊₁ if backwards); ``states`` holds the inflow, and then h.

    Args:
        decay: b × K × T × N × E; a slice along T of a contiguous tensor.
        states: of the same shape, contiguous.
    """
    sequences = states.shape[0] * states.shape[1]
    length, channels = states.shape[2], states.shape[3] * states.shape[4]
    grid = (sequences, triton.cdiv(channels, _CHANNELS))
    with torch.cuda.device_of(states):  # type: ignore[no-untyped-call]
        _follow[grid](
            decay, states, decay.stride(1), length, channels, BACKWARDS=backwards, STEPS=_STEPS, CHANNELS=_CHANNELS
        )  # fmt: skip


@triton.jit
def _join(first_factor, first_state, second_factor, second_state):  # type: ignore[no-untyped-def]
    return first_factor * second_factor, second_factor * first_state + second_state


@triton.jit  # type: ignore[untyped-decorator]
def _follow(  # type: ignore[no-untyped-def]
    decay, states, decay_stride, length, channels,
    BACKWARDS: tl.constexpr, STEPS: tl.constexpr, CHANNELS: tl.constexpr,  # noqa: N803 - constants of the kernel
):  # fmt: skip
    sequence = tl.program_id(0).to(tl.int64)
    decay += sequence * decay_stride
    states += sequence * length * channels
    column = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    in_tile = tl.arange(0, STEPS)
    handed_on = tl.zeros((CHANNELS,), dtype=states.dtype.element_ty)
    for start in range(0, length, STEPS):
        step = start + in_tile
        row = length - 1 - step if BACKWARDS else step
        place = row[:, None] * channels + column[None, :]
        inside = (step < length)[:, None] & (column < channels)[None, :]
        factor = tl.load(decay + place, mask=inside, other=1.0)
        inflow = tl.load(states + place, mask=inside, other=0.0)
        through, state = tl.associative_scan((factor, inflow), 0, _join)
        state += through * handed_on[None, :]
        tl.store(states + place, state, mask=inside)
        handed_on = tl.sum(tl.where((in_tile == STEPS - 1)[:, None], state, 0.0), axis=0)
