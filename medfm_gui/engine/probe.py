"""What this computer can do with tensors."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict

import torch

from medfm_gui.domain.events import Answered, Event, RunFinished
from medfm_gui.engine.devices import devices, memory_bytes

_PACKAGES = ("torch", "torchvision", "timm", "transformers", "peft", "grad-cam", "safetensors", "huggingface-hub")


def probe() -> Iterator[Event]:
    """The facts as one Answered event, then RunFinished.

    ``devices`` is a JSON list of {id, name, memory_gb}, ``versions`` a JSON object of package → version;
    ``torch`` its version, ``memory_gb`` and ``threads`` plain numbers, ``cuda`` the CUDA version that torch
    was built for, or empty.
    """
    begun = time.monotonic()
    facts = {
        "devices": json.dumps([asdict(device) for device in devices()]),
        "versions": json.dumps({"python": platform.python_version(), **versions()}),
        "torch": str(torch.__version__),
        "cuda": torch.version.cuda or "",
        "memory_gb": f"{memory_bytes() / (1 << 30):.1f}",
        "cores": str(os.cpu_count() or 1),
        "threads": str(torch.get_num_threads()),
    }
    yield Answered(time.time(), facts)
    yield RunFinished(time.time(), metrics={}, seconds=time.monotonic() - begun)


def versions() -> dict[str, str]:
    """The versions of the packages that decide numbers, as installed."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "absent"
    return found
