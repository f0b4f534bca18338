"""The line before a device: one lock a device, so that runs of all programs of a workspace take turns."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from filelock import FileLock, Timeout

from medfm_gui.base import wire
from medfm_gui.domain.errors import NotFound
from medfm_gui.domain.run import (
    ExportSpec,
    LooksSpec,
    PackSpec,
    PreflightSpec,
    ProbeSpec,
    Spec,
    TimmSpec,
    WeightsSpec,
)


def read_spec(folder: Path) -> Spec:
    """What the worker of that folder is asked to do.

    Raises:
        NotFound: there is no ``spec.json``.
        InputError: it is not an order for a worker.
    """
    try:
        return wire.decode_spec((folder / "spec.json").read_bytes())
    except FileNotFoundError:
        raise NotFound(f"There is no order (spec.json) in “{folder}”.", "“medfm runs” lists what can be run.") from None


def device_of(spec: Spec) -> str:
    """The device that the work keeps busy, ``""`` for work that needs none or, being over in seconds, waits for none.

    ``auto`` is the first GPU where the system has one; a front end that knows better writes the device.
    """
    if isinstance(spec, WeightsSpec | PackSpec | TimmSpec | ExportSpec | ProbeSpec | PreflightSpec | LooksSpec):
        return ""
    if spec.device == "auto":
        return "cuda:0" if Path("/dev/nvidia0").exists() else "mps" if sys.platform == "darwin" else "cpu"
    return "cuda:0" if spec.device == "cuda" else spec.device


class Turn:
    """One place in the line before a device, in use from ``come`` until ``leave``."""

    def __init__(self, device: str, locks: Path) -> None:
        self.device = device
        self._lock: FileLock | None = None
        if device:
            locks.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(locks / f"device-{re.sub(r'[^A-Za-z0-9]+', '-', device)}.lock")

    def come(self) -> bool:
        """Whether it is our turn now; never waits."""
        if self._lock is None or self._lock.is_locked:
            return True
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def leave(self) -> None:
        """Let the next one come."""
        if self._lock is not None:
            self._lock.release(force=True)
