"""What holds for a whole process of the engine: its determinism, its first word, and how a job is paused."""

from __future__ import annotations

import functools
import os
import time

import torch

from medfm_gui import __version__
from medfm_gui.domain import events as ev
from medfm_gui.engine.probe import versions


class PauseRequested(Exception):
    """Thrown into a job's generator at one of its yields; whoever can save its place does so and lets it pass.

    ``epoch`` (finished epochs, None if nobody knows) and ``step`` are filled in by the one that saved.
    """

    def __init__(self) -> None:
        super().__init__("pause")
        self.epoch: int | None = None
        self.step = 0


def make_deterministic() -> None:
    """Prefer the algorithms that give equal bits each time; where there is none, torch warns in the log."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a debugging aid that costs time
    torch.backends.cudnn.benchmark = False


def started(device: torch.device) -> ev.RunStarted:
    """The first word of a job: where it runs and with which versions."""
    return ev.RunStarted(time.time(), str(device), {"medfm": __version__, **_versions()}, pid=os.getpid())


@functools.cache
def _versions() -> dict[str, str]:
    """Looked up once: they cannot change in a process, and looking costs a warm prediction a fifth of its time."""
    return versions()
