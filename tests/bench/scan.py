"""``scan``: VMamba's selective scan at L = 3,136, forward and backward on the CPU, against a loop over the sequence.

Sizes are those of the first stage of VMamba-T at 224 pixels: four directions of 96 channels, one number of state. The
peer is the formula, step by step, followed by autograd. Memory is the peak that each takes beyond its inputs, in a
process of its own that has done the same on a short sequence before.
"""

from __future__ import annotations

import contextlib
import functools
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from medfm_gui.base import children
from plugins.vmamba.model import selective_scan
from tests.bench.measure import alternately, rounded, timed
from tests.fixtures.naive_scan import naive_scan, scan_inputs

_LENGTH, _GROUPS, _CHANNELS = 3136, 4, 96
_FASTER, _MEMORY, _EQUAL = 5.0, 2.0, 1e-4
_SIDES: Mapping[str, Callable[..., Tensor]] = {"ours": selective_scan, "peer": naive_scan}


def main(tiny: bool = False) -> dict[str, Any]:
    """Three turns; one of a sequence of 64 if ``tiny``."""
    length = 64 if tiny else _LENGTH
    given = _inputs(length)
    ours, peer = (timed(functools.partial(_there_and_back, side, given)) for side in _SIDES.values())
    turns = alternately(ours, peer, 1 if tiny else 3, warm_up=not tiny)
    line = turns.line(at_least=_FASTER)
    megabytes = {name: _peak(name, length) for name in _SIDES}
    memory = megabytes["ours"] / max(megabytes["peer"], 1e-3)
    error = _difference(given)
    return {
        **line,
        "goal": f"{line['goal']}, memory <= {_MEMORY:g}, equal to {_EQUAL:g}",
        "pass": line["pass"] and memory <= _MEMORY and error <= _EQUAL,
        "memory": rounded(memory),
        "megabytes": {name: rounded(one) for name, one in megabytes.items()},
        "difference": error,
    }


def _inputs(length: int) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return scan_inputs(1, _GROUPS, _CHANNELS, 1, length, torch.float32)


def _there_and_back(scan: Callable[..., Tensor], given: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    y = scan(**given)
    return y.detach(), *torch.autograd.grad(y.square().sum(), list(given.values()))


def _difference(given: Mapping[str, Tensor]) -> float:
    """The largest between both, of outputs and all gradients, each in terms of its largest number."""
    pairs = zip(*(_there_and_back(side, given) for side in _SIDES.values()), strict=True)
    return max(float((ours - peer).abs().max() / peer.abs().max()) for ours, peer in pairs)


def _peak(side: str, length: int) -> float:
    """Megabytes that one side takes at most beyond its inputs."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.scan", side, str(length)], cwd=Path(__file__).parents[2],
        env=children.clean_environment(children.compute_environment()), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)


def _measured_peak(side: str, length: int) -> float:
    _there_and_back(_SIDES[side], _inputs(16))
    given = _inputs(length)
    _forget_peak()
    before = _peak_so_far()
    _there_and_back(_SIDES[side], given)
    return _peak_so_far() - before


def _forget_peak() -> None:
    """Let the peak be what is held now; elsewhere than on Linux the imports' own peak may hide a small one."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_so_far() -> float:
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(one for one in status.read_text(encoding="ascii").splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) / (1 << 10)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # bytes on macOS


if __name__ == "__main__":
    children.die_with_parent()
    sys.stdout.write(str(_measured_peak(sys.argv[1], int(sys.argv[2]))))
