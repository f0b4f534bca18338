"""Questions of the window's frame: what the status bar shows."""

from __future__ import annotations

from dataclasses import dataclass

from medfm_gui.desk.protocol import Ask


@dataclass(frozen=True, slots=True)
class FrameState:
    """``network`` is on, off or locked (switched off from outside); ``device`` what trains here, as last looked at."""

    network: str
    device: str
    interrupted: tuple[str, ...]
    """Runs whose supervisor is gone and which can go on."""


@dataclass(frozen=True, slots=True)
class FrameFacts(Ask[FrameState]):
    """The facts of the status bar."""
