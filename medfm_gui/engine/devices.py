"""The devices that tensors can live on, and the one that a name such as ``auto`` stands for."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import torch

from medfm_gui.domain.errors import UsageError

_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Device:
    """One device: ``id`` as torch writes it (``cpu``, ``cuda:0``, ``mps``), ``memory_gb`` in GiB, 0 if unknown."""

    id: str
    name: str
    memory_gb: float


def devices() -> tuple[Device, ...]:
    """All devices of this computer, the fastest kind first, the CPU last."""
    found = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            facts = torch.cuda.get_device_properties(index)
            found.append(Device(f"cuda:{index}", facts.name, round(facts.total_memory / _GIB, 1)))
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU", round(memory_bytes() / _GIB, 1)))
    found.append(Device("cpu", _processor(), round(memory_bytes() / _GIB, 1)))
    return tuple(found)


def choose_device(name: str) -> torch.device:
    """The device of that id; ``auto`` is the first of ``devices``, ``cuda`` the first GPU.

    Raises:
        UsageError: this computer has no such device.
    """
    present = [device.id for device in devices()]
    if name in ("", "auto"):
        return torch.device(present[0])
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in present:
        raise UsageError(f"This computer has no device “{name}”.", f"Use auto or one of: {', '.join(present)}.")
    return torch.device(wanted)


def memory_bytes() -> int:
    """The memory of this computer, or the smaller limit of its container; 0 if unknown."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return whole
    return min(whole, int(limit)) if limit.isdigit() else whole


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
