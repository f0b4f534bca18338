"""The most memory that was in use."""

from __future__ import annotations

import sys

import torch


def peak_bytes(device: torch.device) -> int:
    """Of the GPU where the model is on one, else of this process; 0 if unknown."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    if sys.platform == "win32":  # pragma: no cover - Windows has no getrusage
        return 0
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
