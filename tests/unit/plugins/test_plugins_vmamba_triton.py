"""The Triton kernel, run by Triton's interpreter in a process of its own; and where it is not used."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from medfm_gui.base import children
from plugins.vmamba import model
from tests.fixtures.naive_scan import scan_inputs

_ROOT = Path(__file__).resolve().parents[3]
_INTERPRETED = """
import torch
from plugins.vmamba import model, triton_scan

torch.manual_seed(0)
for images, groups, steps, states, channels in (1, 2, 70, 2, 3), (2, 1, 1, 1, 33):
    whole = torch.rand(images, groups, steps + 1, states, channels)
    for backwards, decay in (False, whole[:, :, :-1]), (True, whole[:, :, 1:]):
        inflow = torch.randn(images, groups, steps, states, channels)
        ours, peer = inflow.clone(), inflow.double()
        triton_scan.recurrence(decay, ours, backwards=backwards)
        model.recurrence(decay.double(), peer, 1, backwards=backwards)
        torch.testing.assert_close(ours.double(), peer, rtol=1e-5, atol=1e-5)
print("equal")
"""


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed")
def test_the_kernel_follows_the_recurrence_in_both_senses() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _INTERPRETED], cwd=_ROOT, env=children.clean_environment({"TRITON_INTERPRET": "1"}),
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "equal\n"), done.stderr


def test_chunks_of_any_length_follow_the_recurrence_in_both_senses() -> None:
    torch.manual_seed(0)
    decay, inflow = torch.rand(2, 2, 24, 2, 3).double(), torch.randn(2, 2, 24, 2, 3).double()
    expected = inflow.clone()
    for step in range(1, 24):
        expected[:, :, step] += decay[:, :, step] * expected[:, :, step - 1]
    mirrored = expected.flip(2)
    for chunk in (1, 2, 3, 4, 6, 8, 12, 24):
        forwards, backwards = inflow.clone(), inflow.flip(2)
        model.recurrence(decay, forwards, chunk, backwards=False)
        model.recurrence(decay.flip(2), backwards, chunk, backwards=True)
        torch.testing.assert_close(forwards, expected)
        torch.testing.assert_close(backwards, mirrored)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a computer without a graphics card")
def test_without_a_graphics_card_there_is_no_kernel() -> None:
    model._triton_recurrence.cache_clear()
    assert model._triton_recurrence() is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
def test_a_graphics_card_gives_the_same_with_and_without_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    given = {name: tensor.detach() for name, tensor in scan_inputs(2, 4, 8, 2, 300, torch.float32).items()}
    moved = {name: tensor.cuda() for name, tensor in given.items()}
    scan: Callable[..., torch.Tensor] = model.selective_scan
    torch.testing.assert_close(scan(**moved).cpu(), scan(**given), rtol=1e-4, atol=1e-4)
    monkeypatch.setattr(model, "_triton_recurrence", lambda: None)
    torch.testing.assert_close(scan(**moved).cpu(), scan(**given), rtol=1e-4, atol=1e-4)
